"""What the owner of a run can do with it from its head: resume, take its settings, name and note it, delete it.

Knows the components. What they do is in `action_events`; who may do it is decided by `Page.open_run` alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from demo.i18n import words
from demo.page import Page
from engine.run_directory.about import MOST_NAME, MOST_NOTE


@dataclass
class RunActions:
    """The components of the block. `editor` and `confirm` open below the row of buttons."""

    row: gr.Row
    resume: gr.Button
    clone: gr.Button
    edit: gr.Button
    delete: gr.Button
    editor: gr.Column
    name: gr.Textbox
    note: gr.Textbox
    save: gr.Button
    cancel: gr.Button
    confirm: gr.Column
    really: gr.Button
    keep: gr.Button


def build(page: Page, task: str) -> RunActions:
    make = page.labels.make

    def button(key: str, **more: str) -> gr.Button:
        return make(gr.Button, value=words(f"run.{key}"), size="sm", elem_id=f"{task}-run-{key}", min_width=96, **more)

    with gr.Row(visible=False, elem_classes="tb-controls") as row:
        resume = button("resume", variant="primary")
        clone, edit, delete = button("clone"), button("edit"), button("delete")
    with gr.Column(visible=False, elem_classes="tb-drawer") as editor:
        name = make(gr.Textbox, label=words("run.name"), max_length=MOST_NAME, max_lines=1, elem_id=f"{task}-run-name")
        note = make(gr.Textbox, label=words("run.note"), max_length=MOST_NOTE, lines=2, elem_id=f"{task}-run-note")
        with gr.Row(elem_classes="tb-controls"):
            save, cancel = button("save", variant="primary"), button("cancel")
    with gr.Column(visible=False, elem_classes="tb-drawer") as confirm:
        make(gr.HTML, value=words("run.delete_html"), apply_default_css=False)
        with gr.Row(elem_classes="tb-controls"):
            really, keep = button("really", variant="stop"), button("keep")
    return RunActions(
        row, resume, clone, edit, delete, editor, name, note, save, cancel, confirm, really, keep
    )  # fmt: skip
