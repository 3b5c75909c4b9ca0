"""How a handler tells a visitor what went wrong, in the page's language, without losing what they entered."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import gradio as gr

from demo.i18n import words
from demo.markup import safe
from engine.core.errors import UserError


@contextmanager
def error_toast(language: str) -> Iterator[None]:
    """Turn a UserError into a notice on the page. Gradio shows it and leaves every field as it is."""
    try:
        yield
    except UserError as error:
        # The notice is rendered as markup, and messages quote file names and cells.
        raise gr.Error(
            safe(error.in_language(language)),
            title=words("page.problem").in_language(language),
            duration=12,
            print_exception=False,
        ) from error
