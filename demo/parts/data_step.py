"""The left column's first block: where the data comes from, what was read of it, and what is wrong with it.

Knows sources, columns and findings for any task. What a task shows of its labels comes from the task's tab.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from demo import survey
from demo.i18n import Spoken, words
from demo.markup import PICK, bar, chip, clip, count, panel, safe, size, table
from demo.page import Page
from demo.parts.knobs import knob
from engine.assets import EXAMPLES, is_cached
from engine.config import RunConfig
from engine.data.check import CheckResult
from engine.data.findings import Finding
from engine.data.fixes import FIXES
from engine.data.table import Table
from engine.tasks.roles import ROLES
from engine.text import Text

SUFFIXES = [".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".xlsx", ".parquet", ".conll", ".bio", ".gz", ".zip"]
PREVIEW_ROWS = 4
CLASSES_SHOWN = 12

# A drop anywhere on the block is handed to the upload button's own input, which checks kind and size.
DROP = """
const zone = element.closest('.tb-source') || element;
const over = (on) => zone.classList.toggle('tb-over', on);
zone.addEventListener('dragover', (event) => { event.preventDefault(); over(true); });
zone.addEventListener('dragleave', (event) => { if (!zone.contains(event.relatedTarget)) over(false); });
zone.addEventListener('drop', (event) => {
  event.preventDefault(); over(false);
  const input = zone.querySelector('.tb-upload-train input[type=file], input.tb-upload-train[type=file]')
    || zone.querySelector('input[type=file]');
  if (!input || !event.dataTransfer.files.length) return;
  input.files = event.dataTransfer.files;
  input.dispatchEvent(new Event('change', {bubbles: true}));
});
"""


@dataclass
class DataStep:
    """The components of the block; `fields` are those that reach RunConfig, by path."""

    cards: gr.HTML
    source: gr.HTML
    view: gr.HTML
    findings: gr.HTML
    columns: gr.Row
    uploads: dict[str, gr.UploadButton]
    hub_look: gr.Button
    fields: dict[str, Any]

    def source_outputs(self) -> list[Any]:
        """What changes when another source is chosen."""
        return [
            self.fields[f"data.{name}"]
            for name in ("example", "train", "validation", "test", "hub", "hub_config", "fixes")
        ]


def build(page: Page, task: str, default_example: str) -> DataStep:
    make, fields = page.labels.make, {}
    make(gr.HTML, value=heading(1, words("data.title")), apply_default_css=False)
    fields["data.example"] = gr.Textbox(default_example, visible=False)
    for name in ("train", "validation", "test"):
        fields[f"data.{name}"] = gr.Textbox("", visible=False)
    fields["data.fixes"] = gr.Textbox("", visible=False)
    cards = gr.HTML(cards_html(task, default_example, "en"), js_on_load=PICK, apply_default_css=False)
    uploads: dict[str, gr.UploadButton] = {}
    with gr.Column(elem_classes="tb-source", elem_id=f"{task}-source"):
        make(
            gr.HTML, value=Spoken(lambda language: _drop_html(page, language)), js_on_load=DROP, apply_default_css=False
        )
        uploads["data.train"] = _upload(page, words("data.upload"), "tb-upload-train", f"{task}-upload")
    source = gr.HTML("", apply_default_css=False)
    with make(gr.Accordion, label=words("data.more"), open=False):
        with gr.Row(equal_height=True):
            fields["data.hub"] = knob(page, "data.hub", placeholder="dair-ai/emotion", scale=3)
            fields["data.hub_config"] = knob(page, "data.hub_config", scale=2)
        hub_look = make(gr.Button, value=words("data.hub_look"), size="sm")
        with gr.Row():
            uploads["data.validation"] = _upload(
                page, words("data.upload_validation"), "tb-upload-more", f"{task}-upload-validation"
            )
            uploads["data.test"] = _upload(page, words("data.upload_test"), "tb-upload-more", f"{task}-upload-test")
        with gr.Row():
            fields["data.validation_share"] = knob(page, "data.validation_share")
            fields["data.test_share"] = knob(page, "data.test_share")
        with gr.Row():
            fields["data.max_train_rows"] = knob(page, "data.max_train_rows")
            fields["data.label_separator"] = knob(page, "data.label_separator")
        with gr.Row():
            fields["data.encoding"] = knob(page, "data.encoding")
            fields["data.delimiter"] = knob(page, "data.delimiter")
            fields["data.sheet"] = knob(page, "data.sheet")
    with gr.Row(visible=False, elem_classes="tb-columns") as columns:
        for role in ROLES[task]:
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
    view = gr.HTML("", js_on_load=PICK, apply_default_css=False, elem_id=f"{task}-data-view")
    findings = gr.HTML("", js_on_load=PICK, apply_default_css=False, elem_id=f"{task}-findings")
    return DataStep(cards, source, view, findings, columns, uploads, hub_look, fields)


def _upload(page: Page, label: Text, css: str, elem_id: str) -> gr.UploadButton:
    return page.labels.make(
        gr.UploadButton,
        label=label,
        file_types=SUFFIXES,
        size="sm",
        elem_classes=css,
        elem_id=elem_id,
        variant="secondary",
    )


def heading(number: int, title: Text, note: Text | None = None) -> Spoken:
    def in_language(language: str) -> str:
        said = f'<span class="tb-step-note">{safe(note.in_language(language))}</span>' if note else ""
        return f'<h2 class="tb-step"><i>{number}</i>{safe(title.in_language(language))}{said}</h2>'

    return Spoken(in_language)


def cards_html(task: str, chosen: str, language: str) -> str:
    """The example data sets of a task as cards; `chosen` is pressed."""
    cards = []
    own = "zh" if language.startswith("zh") else "en"
    for example in sorted(EXAMPLES.values(), key=lambda one: own not in one.languages):
        if example.task != task:
            continue
        spoken = "、".join if language.startswith("zh") else ", ".join
        about = [
            words("data.rows", rows=count(example.rows)).in_language(language),
            spoken(words(f"language.{code}").in_language(language) for code in example.languages),
            example.licence,
            size(example.bytes),
        ]
        if not is_cached(example.name):
            about.append(words("data.fetched_first").in_language(language))
        cards.append(
            f'<button type="button" class="tb-card" data-pick="{safe(example.name)}" '
            f'aria-pressed="{"true" if example.name == chosen else "false"}">'
            f'<span class="tb-card-title">{safe(example.title.in_language(language))}</span>'
            f'<span class="tb-card-about">{safe(example.about.in_language(language))}</span>'
            f'<span class="tb-card-meta">{" · ".join(safe(part) for part in about)}</span></button>'
        )
    return f'<div class="tb-cards">{"".join(cards)}</div>'


def _drop_html(page: Page, language: str) -> str:
    limit = words("data.drop_limit", limit=page.settings.max_upload_mb).in_language(language)
    return (
        f'<div class="tb-drop"><b>{safe(words("data.drop").in_language(language))}</b>'
        f"<span>{safe(words('data.drop_formats').in_language(language))} {safe(limit)}</span></div>"
    )


def source_html(config: RunConfig, language: str) -> str:
    """One line that says which data is chosen, when it is no example."""
    data = config.data
    names = [Path(path).name for path in (data.train, data.validation, data.test) if path]
    if data.hub:
        names = [data.hub + (f" / {data.hub_config}" if data.hub_config else "")]
    if not names:
        return ""
    said = words("data.yours").in_language(language)
    return f'<div class="tb-source-line"><b>{safe(said)}</b> {" ".join(chip(name) for name in names)}</div>'


def reading_html(example: str, language: str) -> str:
    """What is said while a source is read, and before that, where it is an example that is not here yet, fetched."""
    key = "data.fetching" if example and not is_cached(example) else "data.reading"
    return f'<p class="tb-quiet tb-waiting">{safe(words(key).in_language(language))}</p>'


# What was read ---------------------------------------------------------------------------------------------------------------


def view_html(
    config: RunConfig,
    tables: dict[str, Table],
    columns: dict[str, str],
    labels: Callable[[RunConfig, Table, dict[str, str], str], str],
    language: str,
) -> str:
    """What was read: where from and how, the first mapped rows, and what the task shows of the labels."""
    train = tables["train"]
    source = train.source
    facts = [words("data.rows", rows=count(len(train))).in_language(language)]
    facts += [
        words(f"data.split_{name}", rows=count(len(found))).in_language(language)
        for name, found in tables.items()
        if name != "train"
    ]
    facts.append(source.format.upper() if source.format else "")
    facts += [
        source.encoding,
        words("data.delimiter", sign=_sign(source.delimiter)).in_language(language) if source.delimiter else "",
        source.sheet,
    ]
    line = " · ".join(safe(fact) for fact in facts if fact)
    notes = "".join(f"<li>{safe(note.in_language(language))}</li>" for note in source.notes)
    roles = [role for role in ROLES[config.task] if columns.get(role.name)]
    rows = [
        [clip(_cell(train.frame[columns[role.name]].iloc[index])) for role in roles]
        for index in range(min(PREVIEW_ROWS, len(train)))
    ]
    head = [f"{safe(role.label.in_language(language))}<small>{safe(columns[role.name])}</small>" for role in roles]
    preview = table(head, rows, "tb-preview") if roles else ""
    return (
        f'<div class="tb-read"><p class="tb-facts">{line}</p>'
        + (f'<ul class="tb-notes">{notes}</ul>' if notes else "")
        + preview
        + labels(config, train, columns, language)
        + "</div>"
    )


def class_balance(config: RunConfig, train: Table, columns: dict[str, str], language: str) -> str:
    """How many rows each class has, as bars."""
    column = columns.get("label")
    if column is None or column not in train.columns:
        return ""
    counts = survey.class_counts(train, column, config.data.label_separator)
    if not counts:
        return ""
    total, most = sum(number for _, number in counts), counts[0][1]
    rows = [
        bar(label, number / most, f"{count(number)}", note=f"{100 * number / total:.0f}%")
        for label, number in counts[:CLASSES_SHOWN]
    ]
    title = words("data.classes", classes=len(counts)).in_language(language)
    rest = len(counts) - CLASSES_SHOWN
    more = (
        f'<p class="tb-quiet">{safe(words("data.more_classes", classes=rest).in_language(language))}</p>'
        if rest > 0
        else ""
    )
    return f'<h3 class="tb-sub">{safe(title)}</h3><div class="tb-bars">{"".join(rows)}</div>{more}'


def findings_html(result: CheckResult, applied: list[str], language: str) -> str:
    """What the data doctor found, gravest first, with a button where it can help; what it already mends comes last, to undo."""
    say = lambda key, **values: safe(words(key, **values).in_language(language))  # noqa: E731 - a short name for a long call
    items = [_finding(finding, language) for finding in result.findings]
    mended = {notice.code: notice.message.in_language(language) for notice in result.fixed}
    for code in applied:
        said = mended.get(code) or FIXES[code].label.in_language(language)
        items.append(
            f'<li class="tb-finding tb-mended"><span>{safe(said)}</span>'
            f'<button type="button" class="tb-small" data-pick="{safe(code)}">{say("check.undo")}</button></li>'
        )
    if not items:
        return panel("success", words("check.clean").in_language(language))
    title = say("check.title") if result.findings else say("check.clean")
    return f'<section class="tb-findings"><h3 class="tb-sub">{title}</h3><ul>{"".join(items)}</ul></section>'


def _finding(finding: Finding, language: str) -> str:
    where = ""
    if finding.rows:
        shown = ", ".join(str(place.row) for place in finding.rows[:5])
        first = finding.rows[0].excerpt
        where = f"<small>{safe(words('check.rows', rows=shown).in_language(language))}{f' · {clip(first, 90)}' if first else ''}</small>"
    button = ""
    if finding.fix is not None:
        label = finding.fix.label.in_language(language)
        button = f'<button type="button" class="tb-small" data-pick="{safe(finding.fix.code)}">{safe(label)}</button>'
    said = safe(finding.message.in_language(language))
    return f'<li class="tb-finding tb-{safe(finding.severity)}"><span>{said}{where}</span>{button}</li>'


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return ", ".join(str(item) for item in value) if isinstance(value, list) else str(value)


def _sign(delimiter: str) -> str:
    return {"\t": "Tab", " ": "␣"}.get(delimiter, delimiter)
