"""The left column's first block: where the data comes from, how it is read, and what was read of it.

Lays the components out for any task. What they show is written in `data_source` and `data_view`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from demo.form import fields as all_fields
from demo.i18n import LANGUAGES, Spoken, words
from demo.markup import PICK, safe
from demo.page import Page
from demo.parts import hub_step
from demo.parts.config_field import config_field
from demo.parts.data_source import DROP, cards_html, drop_html, first_example, reading_html, source_html
from demo.parts.data_view import findings_html, view_html
from demo.parts.tab_spec import TabSpec
from engine.core.text import Text
from engine.data.split_names import SPLITS

__all__ = [
    "DataStep", "build", "cards_html", "findings_html", "heading", "reading_html", "source_html",
    "view_html",
]  # fmt: skip

SUFFIXES = [
    ".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".xlsx", ".parquet", ".conll", ".conllu", ".bio", ".bioes", ".bmes",
    ".iob", ".iob2", ".ner", ".gz", ".zip",
]  # fmt: skip
ENCODINGS = ("utf-8", "gb18030", "big5", "utf-16", "cp1252", "shift_jis", "euc_kr", "cp1251")
# What else belongs to a source and goes with it when another one is chosen.
SOURCE_FIELDS = (
    "example", *SPLITS, "hub", "hub_config", "hub_revision", *(f"hub_{split}" for split in SPLITS),
    "encoding", "delimiter", "sheet", "label_separator", "fixes",
)  # fmt: skip


@dataclass
class DataStep:
    """The components of the block; `fields` are those that reach RunConfig, by path."""

    cards: gr.HTML
    source: gr.HTML
    view: gr.HTML
    findings: gr.HTML
    columns: gr.Row
    uploads: dict[str, gr.UploadButton]
    hub: hub_step.HubStep
    fields: dict[str, Any]

    def source_outputs(self) -> list[Any]:
        """What changes when another source is chosen."""
        return [self.fields[f"data.{name}"] for name in SOURCE_FIELDS]

    def reading(self) -> list[Any]:
        """How the file is read: they show what was detected."""
        return [self.fields[f"data.{name}"] for name in ("encoding", "delimiter", "sheet")]


def build(page: Page, spec: TabSpec) -> DataStep:
    make, task = page.labels.make, spec.name
    fields: dict[str, Any] = {}
    example = first_example(task, LANGUAGES[0])
    make(gr.HTML, value=heading(1, words("data.title")), apply_default_css=False)
    fields["data.example"] = gr.Textbox(example, visible=False)
    for name in SPLITS:
        fields[f"data.{name}"] = gr.Textbox("", visible=False)
    fields["data.fixes"] = gr.Textbox("", visible=False)
    cards = gr.HTML(cards_html(task, example, LANGUAGES[0]), js_on_load=PICK, apply_default_css=False)
    uploads: dict[str, gr.UploadButton] = {}
    with gr.Column(elem_classes="tb-source", elem_id=f"{task}-source"):
        make(
            gr.HTML, value=Spoken(lambda language: drop_html(page, language)), js_on_load=DROP, apply_default_css=False
        )
        uploads["data.train"] = _upload(
            page, words("data.upload"), "tb-upload-train", f"{task}-upload", file_count="multiple"
        )
    source = gr.HTML("", apply_default_css=False)
    with make(gr.Accordion, label=words("data.hub"), open=False, elem_id=f"{task}-hub"):
        hub = hub_step.build(page, task)
    fields |= hub.fields
    with make(gr.Accordion, label=words("data.more"), open=False, elem_id=f"{task}-reading"):
        with gr.Row():
            uploads["data.validation"] = _upload(
                page, words("data.upload_validation"), "tb-upload-more", f"{task}-upload-validation"
            )
            uploads["data.test"] = _upload(page, words("data.upload_test"), "tb-upload-more", f"{task}-upload-test")
        with gr.Row():
            fields["data.validation_share"] = config_field(page, "data.validation_share")
            fields["data.test_share"] = config_field(page, "data.test_share")
        with gr.Row():
            fields["data.max_train_rows"] = config_field(page, "data.max_train_rows")
            # A cell holds several labels only where the labels are of whole rows; elsewhere the field stays empty.
            fields["data.label_separator"] = config_field(
                page, "data.label_separator", visible=spec.task.classifies_rows
            )
        with gr.Row():
            fields["data.encoding"] = _choice(page, "data.encoding", Spoken(encodings))
            fields["data.delimiter"] = _choice(page, "data.delimiter", Spoken(delimiters))
    with gr.Row(visible=False, elem_classes="tb-columns") as columns:
        for role in spec.task.roles:
            fields[f"data.columns.{role.name}"] = make(
                gr.Dropdown,
                choices=[],
                # The choices are set when a table is read; a server that was restarted meanwhile has forgotten them.
                allow_custom_value=True,
                value=None,
                label=role.label,
                info=role.help,
                min_width=130,
                elem_id=f"{task}-column-{role.name}",
            )
        # Beside the columns, because a workbook's other sheets are other tables. Shown where there are several.
        fields["data.sheet"] = _choice(page, "data.sheet", [], visible=False, elem_id=f"{task}-sheet")
    view = gr.HTML("", js_on_load=PICK, apply_default_css=False, elem_id=f"{task}-data-view")
    findings = gr.HTML("", js_on_load=PICK, apply_default_css=False, elem_id=f"{task}-findings")
    return DataStep(cards, source, view, findings, columns, uploads, hub, fields)


def delimiters(language: str, detected: str = "") -> list[tuple[str, str]]:
    """The delimiters to choose from, by name; "" is the one that is detected in the file."""
    names = [("comma", ","), ("semicolon", ";"), ("tab", "tab"), ("bar", "|")]
    choices = [(words(f"data.sign_{name}").in_language(language), value) for name, value in names]
    sign = {"\t": "tab"}.get(detected, detected)
    own = next((name for name, value in choices if value == sign), sign)
    return [(automatic(language, own), ""), *choices]


def encodings(language: str, detected: str = "") -> list[tuple[str, str]]:
    """The encodings to choose from; "" is the one that is recognised."""
    return [(automatic(language, detected), ""), *((name, name) for name in ENCODINGS)]


def automatic(language: str, detected: str) -> str:
    """The choice that leaves it to the reader, with what the reader detected."""
    text = words("data.found", what=detected) if detected else words("choice.auto")
    return text.in_language(language)


def _choice(page: Page, path: str, choices: Any, **extra: Any) -> gr.Dropdown:
    option = all_fields()[path].option
    return page.labels.make(
        gr.Dropdown, choices=choices, value="", allow_custom_value=True, label=option.label, info=option.help,
        min_width=130, **extra,
    )  # fmt: skip


def _upload(page: Page, label: Text, css: str, elem_id: str, **extra: Any) -> gr.UploadButton:
    return page.labels.make(
        gr.UploadButton,
        label=label,
        file_types=SUFFIXES,
        size="sm",
        elem_classes=css,
        elem_id=elem_id,
        variant="secondary",
        **extra,
    )


def heading(number: int, title: Text, note: Text | None = None) -> Spoken:
    def in_language(language: str) -> str:
        note_html = f'<span class="tb-step-note">{safe(note.in_language(language))}</span>' if note else ""
        return f'<h2 class="tb-step"><i>{number}</i>{safe(title.in_language(language))}{note_html}</h2>'

    return Spoken(in_language)
