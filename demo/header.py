"""The top of the page: the name, the language, light or dark."""

from __future__ import annotations

import os

import gradio as gr

from demo.i18n import Spoken, words
from demo.markup import panel, safe
from demo.page import Page

# Each language by its own name: whoever needs the switch may not read the other.
LANGUAGE_NAMES = [("English", "en"), ("中文", "zh-CN")]
MARK = (
    '<svg viewBox="0 0 28 28" aria-hidden="true"><path d="M4 21 C9 21 9 7 14 7 S19 21 24 21" fill="none" stroke="currentColor" '
    'stroke-width="2.6" stroke-linecap="round"/><circle cx="14" cy="7" r="3.1" fill="currentColor"/></svg>'
)


def build_header(page: Page) -> None:
    with gr.Row(elem_classes="tb-header"):
        page.labels.make(gr.HTML, value=Spoken(_brand), apply_default_css=False, elem_classes="tb-brand-box")
        page.language = gr.Radio(
            LANGUAGE_NAMES, value="en", show_label=False, container=False, interactive=True, elem_classes="tb-language", elem_id="language",
            min_width=120, scale=0,
        )  # fmt: skip
        page.labels.make(gr.HTML, value=Spoken(_shade), apply_default_css=False, elem_classes="tb-shade-box")
        if os.environ.get("OAUTH_CLIENT_ID"):
            # A Space with `hf_oauth`: who signs in keeps their runs on every device, and can push without typing a token.
            page.labels.make(gr.LoginButton, value=words("page.login"), size="sm", min_width=120, scale=0)
    if not page.settings.lasting:
        page.labels.make(gr.HTML, value=Spoken(_passing), apply_default_css=False, elem_id="passing")


def _passing(language: str) -> str:
    """Said where runs do not outlive a restart, before anybody has trained anything."""
    message, todo = (words(f"page.{key}").in_language(language) for key in ("passing", "passing_next"))
    return panel("warning", message, f"<p>{safe(todo)}</p>")


def _brand(language: str) -> str:
    return f'<div class="tb-brand">{MARK}<b>Tunebench</b><span>{safe(words("page.tagline").in_language(language))}</span></div>'


def _shade(language: str) -> str:
    label = safe(words("page.shade").in_language(language))
    return (
        f'<button type="button" class="tb-shade" data-shade title="{label}" aria-label="{label}"><svg viewBox="0 0 20 20" aria-hidden="true">'
        '<circle cx="10" cy="10" r="7" fill="none" stroke="currentColor" stroke-width="1.6"/><path d="M10 3 A7 7 0 0 1 10 17 Z" fill="currentColor"/></svg></button>'
    )
