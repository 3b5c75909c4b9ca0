"""The hub in the data block: an id, its configuration and splits to pick from, and a token for private sets.

The token is no field of a run: it is typed into a password field, goes with the one request that needs it, and is kept nowhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from demo.form import fields as all_fields
from demo.i18n import words
from demo.page import Page
from demo.parts.config_field import config_field
from engine.data.split_names import SPLITS


@dataclass
class HubStep:
    """`name` is what the visitor types; the field `data.hub` is set once the hub was queried for it."""

    name: gr.Textbox
    token: gr.Textbox
    look: gr.Button
    choices: gr.Column  # shown once there is something to choose from
    splits: gr.Row  # shown once it is clear of which configuration
    fields: dict[str, Any]

    @property
    def hub_inputs(self) -> list[Any]:
        """What a question to the hub takes: id, token, revision, configuration and the three splits."""
        picked = ("hub_revision", "hub_config", *(f"hub_{split}" for split in SPLITS))
        return [self.name, self.token, *(self.fields[f"data.{name}"] for name in picked)]


def build(page: Page, task: str) -> HubStep:
    make = page.labels.make
    fields: dict[str, Any] = {}
    option = all_fields()["data.hub"].option
    fields["data.hub"] = gr.Textbox("", visible=False)
    with gr.Row(equal_height=True):
        name = make(
            gr.Textbox, label=option.label, info=option.help, placeholder="dair-ai/emotion", max_lines=1, scale=3,
            min_width=200, elem_id=f"{task}-hub-name",
        )  # fmt: skip
        token = make(
            gr.Textbox, label=words("data.hub_token"), info=words("data.hub_token_why"), type="password", max_lines=1,
            scale=2, min_width=180, elem_id=f"{task}-hub-token", html_attributes=gr.InputHTMLAttributes(autocomplete="off"),
        )  # fmt: skip
    look = make(gr.Button, value=words("data.hub_look"), size="sm", elem_id=f"{task}-hub-look")
    with gr.Column(visible=False, elem_classes="tb-hub-choices") as choices:
        with gr.Row():
            fields["data.hub_config"] = _picker(page, "data.hub_config")
            fields["data.hub_revision"] = config_field(page, "data.hub_revision", min_width=130)
        with gr.Row(visible=False) as splits:
            for split in SPLITS:
                fields[f"data.hub_{split}"] = _picker(page, f"data.hub_{split}")
    return HubStep(name, token, look, choices, splits, fields)


def _picker(page: Page, path: str) -> gr.Dropdown:
    option = all_fields()[path].option
    # What the hub has is set when it is queried; a draft that is restored before that keeps its value.
    return page.labels.make(
        gr.Dropdown, choices=[], value="", allow_custom_value=True, label=option.label, info=option.help, min_width=130
    )
