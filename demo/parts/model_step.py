"""The left column's second block: the model, the training method, and every other setting of a run.

Knows the catalogue and the fields of the model, the method, training and evaluation. Does not know data or runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from demo import form
from demo.i18n import Spoken, words
from demo.markup import PICK, render
from demo.page import Page
from demo.parts.config_field import config_field, config_radio
from demo.parts.data_step import heading
from engine.assets import is_cached
from engine.core.text import Text
from engine.models.catalog_entries import CATALOG, MULTILINGUAL, CatalogEntry
from engine.models.choose import AUTOMATIC
from engine.schema import GENERATIVE
from engine.tasks.spec import TaskSpec

FORMATS = ("generation.prompt", "generation.target")
# Pairs of fields shown first; advanced ones are in the last accordion.
LEARNING: tuple[tuple[str, ...], ...] = (
    ("training.epochs", "training.minutes"),
    ("training.learning_rate", "training.batch_size"),
    ("model.max_length", "name"),
)


@dataclass
class ModelStep:
    """The components of the block; `fields` are those that reach RunConfig, by path."""

    cards: gr.HTML
    lora: gr.Column
    edit: gr.Button | None  # fills in the automatic prompt and target, to be edited; generative models only
    fields: dict[str, Any]


def build(page: Page, spec: TaskSpec) -> ModelStep:
    make, task = page.labels.make, spec.name
    fields: dict[str, Any] = {}
    make(gr.HTML, value=heading(2, words("model.title")), apply_default_css=False)
    cards = gr.HTML(
        cards_html(page, spec, form.default(task, "model.id"), "en"), js_on_load=PICK, apply_default_css=False
    )
    fields["model.id"] = make(
        gr.Dropdown,
        choices=Spoken(lambda language: _choices(spec, language)),
        value=form.default(task, "model.id"),
        label=words("model.any"),
        info=words("model.any_help"),
        allow_custom_value=True,
        elem_id=f"{task}-model",
    )
    method = form.default(task, "method.name")
    fields["method.name"] = config_radio(
        page, "method.name", list(spec.methods), method, elem_classes="tb-method", elem_id=f"{task}-method"
    )
    paths = form.paths(task)
    with gr.Column(visible=method == "lora", elem_classes="tb-lora") as lora:
        lora_paths = [path for path in paths if path.startswith(("method.lora", "method.use_"))]
        for pair in _pairs(lora_paths):
            with gr.Row():
                for path in pair:
                    fields[path] = config_field(page, path, min_width=120)
    with make(gr.Accordion, label=words("model.learning"), open=False, elem_id=f"{task}-learning"):
        for learning in LEARNING:
            with gr.Row():
                for path in learning:
                    fields[path] = config_field(page, path, min_width=140)
        fields["evaluation.baselines"] = config_field(page, "evaluation.baselines")
    edit = None
    if spec.kind == GENERATIVE:
        with make(gr.Accordion, label=words("model.generation"), open=False, elem_id=f"{task}-generation"):
            for path in FORMATS:
                # The placeholder depends on the model: plan_events.py.
                fields[path] = config_field(page, path, placeholder="")
            edit = make(
                gr.Button, value=words("model.edit_formats"), size="sm", visible=False, elem_id=f"{task}-edit-formats"
            )
            basic = [
                path
                for path in paths
                if path.startswith("generation.") and path not in fields and not form.fields()[path].option.advanced
            ]
            for pair in _pairs(basic):
                with gr.Row():
                    for path in pair:
                        fields[path] = config_field(page, path, min_width=140)
    with make(gr.Accordion, label=words("model.everything"), open=False, elem_id=f"{task}-everything"):
        rest = [
            path
            for path in paths
            if path not in fields
            and path.split(".")[0] in ("model", "method", "training", "generation", "evaluation", "seed")
        ]
        for pair in _pairs(rest):
            with gr.Row():
                for path in pair:
                    fields[path] = config_field(page, path, min_width=140)
    return ModelStep(cards, lora, edit, fields)


def _pairs(paths: list[str]) -> list[tuple[str, ...]]:
    """The paths of each row of the form: two side by side."""
    return [tuple(paths[first : first + 2]) for first in range(0, len(paths), 2)]


def cards_html(page: Page, task: TaskSpec, chosen: str, language: str) -> str:
    """The embedded models for a task as cards; `chosen` is pressed. The others are in the list below."""
    cards = [
        {
            "name": name,
            "title": model.title.in_language(language),
            "about": model.about.in_language(language),
            "facts": _facts(model, language),
        }
        for name, model in CATALOG.items()
        if model.serves(task) and model.package is not None
    ]
    return render("cards.html", language, cards=cards, chosen=chosen, kind=" tb-card-model")


def model_title(model_id: str) -> Text:
    """What a model is called: the catalogue's title, or the id itself."""
    if model_id == AUTOMATIC:
        return words("model.auto_title")
    return CATALOG[model_id].title if model_id in CATALOG else Text(model_id, model_id)


def _choices(task: TaskSpec, language: str) -> list[tuple[str, str]]:
    return [
        (words("model.auto").in_language(language), AUTOMATIC),
        *(
            (model.hub_id or name if model.package is None else name, name)
            for name, model in CATALOG.items()
            if model.serves(task)
        ),
    ]


def _facts(model: CatalogEntry, language: str) -> list[str]:
    spoken = words("language.many") if model.languages == MULTILINGUAL else words(f"language.{model.languages[0]}")
    facts = [
        words("model.parameters", millions=f"{model.parameters / 1e6:.0f}").in_language(language),
        spoken.in_language(language),
        model.licence,
    ]
    if not is_cached(model.name):
        facts.append(words("model.fetched_first").in_language(language))
    return facts
