"""The ways out of the page: the report as a file, and the lines that use the run from a terminal or from Python."""

from __future__ import annotations

import hashlib
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from demo.i18n import words
from demo.markup import safe
from demo.page import Page
from demo.parts import takeaway
from engine.run_directory.store import Run

_SALT = secrets.token_hex(16)  # of this process: a run id alone does not give the address of a download


@dataclass
class Export:
    """The components of the block."""

    html: gr.DownloadButton
    markdown: gr.DownloadButton
    log: gr.DownloadButton
    takeaway: takeaway.Takeaway
    code: gr.HTML


def build(page: Page, task: str) -> Export:
    make = page.labels.make
    with gr.Row(elem_classes="tb-downloads"):
        html = make(gr.DownloadButton, label=words("export.html"), size="sm", elem_id=f"{task}-download-html")
        markdown = make(gr.DownloadButton, label=words("export.markdown"), size="sm")
        log = make(gr.DownloadButton, label=words("export.log"), size="sm")
    taken = takeaway.build(page, task)
    return Export(html, markdown, log, taken, gr.HTML("", apply_default_css=False))


def download(run: Run, *parts: str) -> dict[str, Any]:
    """A file of the run to take away, as a copy: what Gradio may serve never includes the run directory itself."""
    path = run.path(*parts)
    if not path.is_file():
        return gr.update(value=None, interactive=False)
    # The run's own folder name: the same copy for every visitor who may see the run, at an address only they are given.
    folder = Path(gr.utils.get_upload_folder()) / "downloads" / hashlib.sha256(f"{_SALT}{run.id}".encode()).hexdigest()
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, folder / path.name)
    return gr.update(value=str(folder / path.name), interactive=True)


def code_html(run: Run, public: bool, language: str) -> str:
    """How to use the model outside the page. A public deployment does not say where it keeps its runs."""
    where = run.id if public else str(run.directory)
    shell = f'python -m engine predict {where} --text "…"\npython -m engine report {where}\n'
    python = (
        f'from engine import load_predictor\n\npredictor = load_predictor("{where}")\nprint(predictor.predict(["…"]))\n'
    )
    return (
        f'<p class="tb-quiet">{safe(words("export.note").in_language(language))}</p>'
        + code_block(words("code.shell").in_language(language), shell, language)
        + code_block("Python", python, language)
    )


def code_block(title: str, code: str, language: str) -> str:
    """A block of code with a button that copies it."""
    copy, done = words("code.copy").in_language(language), words("code.copied").in_language(language)
    return (
        f'<figure class="tb-code"><figcaption>{safe(title)}<button type="button" class="tb-link" data-copy data-done="{safe(done)}">{safe(copy)}'
        f'</button></figcaption><pre tabindex="0"><code>{safe(code)}</code></pre></figure>'
    )
