"""The ways out of the page: the report as a file, and the lines that use the run from a terminal or from Python."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from demo.i18n import words
from demo.markup import safe
from demo.page import Page
from engine.runs.store import Run


@dataclass
class Export:
    """The components of the block."""

    html: gr.DownloadButton
    markdown: gr.DownloadButton
    log: gr.DownloadButton
    code: gr.HTML


def build(page: Page, task: str) -> Export:
    make = page.labels.make
    with gr.Row(elem_classes="tb-downloads"):
        html = make(gr.DownloadButton, label=words("export.html"), size="sm", elem_id=f"{task}-download-html")
        markdown = make(gr.DownloadButton, label=words("export.markdown"), size="sm")
        log = make(gr.DownloadButton, label=words("export.log"), size="sm")
    return Export(html, markdown, log, gr.HTML("", apply_default_css=False))


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
