"""Taking the model along: a zip, a Space, a repository on the hub. Where things are chosen, and how a plan of an upload looks.

Knows components and markup. The work is done by `python -m engine export` in a process of its own (takeaway_events.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from demo.i18n import Spoken, words
from demo.markup import panel, render, safe, size
from demo.page import Page
from engine.tasks import TASKS

WAYS = ("zip", "space")
REPOSITORIES = ("model", "space")


@dataclass
class Takeaway:
    """The components of the block. The token is typed for one upload, cleared after it, and kept nowhere."""

    with_onnx: gr.Checkbox
    prepare: dict[str, gr.Button]  # by way
    fetch: dict[str, gr.DownloadButton]
    outcome_html: gr.HTML
    repo: gr.Textbox
    token: gr.Textbox
    kind: gr.Radio
    private: gr.Checkbox
    plan: gr.Button
    push: gr.Button
    planned: gr.HTML

    @property
    def outcome(self) -> list[Any]:
        """What a preparation fills."""
        return [*self.fetch.values(), self.outcome_html]


def build(page: Page, task: str) -> Takeaway:
    make = page.labels.make
    make(gr.HTML, value=Spoken(_about_html), apply_default_css=False)
    prepare, fetch = {}, {}
    with gr.Row(elem_classes="tb-takeaway"):
        for way in WAYS:
            prepare[way] = make(
                gr.Button, value=words(f"export.prepare_{way}"), size="sm", elem_id=f"{task}-prepare-{way}"
            )
            fetch[way] = make(
                gr.DownloadButton, label=words(f"export.fetch_{way}"), size="sm", variant="primary", visible=False,
                elem_id=f"{task}-fetch-{way}",
            )  # fmt: skip
        # Where there is no ONNX form the box says why instead.
        can = TASKS[task].export.onnx
        with_onnx = make(
            gr.Checkbox, label=words("export.with_onnx" if can else "export.no_onnx"), value=False, interactive=can,
            container=False, min_width=200, elem_id=f"{task}-with-onnx",
        )  # fmt: skip
    outcome_html = gr.HTML("", apply_default_css=False, elem_id=f"{task}-taken")
    with make(gr.Accordion, label=words("export.hub"), open=False, elem_id=f"{task}-to-hub"):
        with gr.Row(equal_height=True):
            repo = make(
                gr.Textbox, label=words("export.repo"), info=words("export.repo_why"), placeholder="ada/film-verdicts",
                max_lines=1, max_length=96, scale=3, min_width=200, elem_id=f"{task}-repo",
            )  # fmt: skip
            token = make(
                gr.Textbox, label=words("export.token"), info=words("export.token_why"), type="password", max_lines=1,
                max_length=200, scale=3, min_width=200, elem_id=f"{task}-token",
                html_attributes=gr.InputHTMLAttributes(autocomplete="off"),
            )  # fmt: skip
        with gr.Row(equal_height=True):
            kind = make(
                gr.Radio, choices=Spoken(_kinds), value=REPOSITORIES[0], label=words("export.kind"), scale=3, min_width=200,
                elem_id=f"{task}-hub-kind",
            )  # fmt: skip
            private = make(
                gr.Checkbox, label=words("export.private"), info=words("export.private_why"), value=True, scale=3,
                min_width=200, elem_id=f"{task}-hub-private",
            )  # fmt: skip
        with gr.Row():
            plan = make(gr.Button, value=words("export.plan"), size="sm", elem_id=f"{task}-hub-plan")
            push = make(
                gr.Button, value=words("export.push"), size="sm", variant="primary", interactive=False,
                elem_id=f"{task}-hub-push",
            )  # fmt: skip
        planned = gr.HTML("", apply_default_css=False, elem_id=f"{task}-hub-planned")
    return Takeaway(with_onnx, prepare, fetch, outcome_html, repo, token, kind, private, plan, push, planned)


def _about_html(language: str) -> str:
    return (
        f'<h3 class="tb-sub">{safe(words("export.title").in_language(language))}</h3>'
        f'<p class="tb-quiet">{safe(words("export.about").in_language(language))}</p>'
    )


def _kinds(language: str) -> list[tuple[str, str]]:
    return [(words(f"export.kind_{kind}").in_language(language), kind) for kind in REPOSITORIES]


def plan_html(repo: str, private: bool, plan: dict[str, Any], language: str) -> str:
    """Every file that would be uploaded with its size, and the card as it would stand there."""
    files = plan["files"]
    visibility = words("export.seen_private" if private else "export.seen_public").in_language(language)
    heading = words("export.planned", repo=repo, count=len(files), size=size(sum(files.values())), seen=visibility)
    sizes = [(name, size(bytes_)) for name, bytes_ in files.items()]
    return render("upload_plan.html", language, heading=heading.in_language(language), files=sizes, card=plan["card"])


def waiting_html(seconds: float, step: str, language: str) -> str:
    """What is being done, in the words of the process that does it, and for how long."""
    step = step or words("export.starting").in_language(language)
    return f'<p class="tb-quiet tb-waiting" role="status">{safe(step)} · {int(seconds)} s</p>'


def pushed_html(address: str, language: str) -> str:
    """Where it lies now. The address is the hub's own answer: a link only when it is a web address."""
    title = words("export.pushed").in_language(language)
    if not address.startswith(("https://", "http://")):
        return panel("success", title)
    link = f'<a href="{safe(address)}" target="_blank" rel="noopener noreferrer">{safe(address)}</a>'
    return panel("success", title, f"<p>{link}</p>")
