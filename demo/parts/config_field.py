"""A field of RunConfig as a control: label, help, range and choices come from its option, the single source."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from demo.form import AUTO, NO, YES, Field, fields, written
from demo.i18n import Spoken, words
from demo.page import Page
from engine.core.text import Text

_CHOICES = {
    ("training.scheduler", "linear"): "choice.linear",
    ("training.scheduler", "cosine"): "choice.cosine",
    ("training.scheduler", "constant_with_warmup"): "choice.constant",
    ("training.precision", "auto"): "choice.auto",
    ("training.device", "auto"): "choice.auto",
    ("method.name", "full"): "choice.full",
    ("method.name", "lora"): "choice.lora",
    ("method.name", "head"): "choice.head",
    ("method.name", "prefix"): "choice.prefix",
    ("method.name", "ia3"): "choice.ia3",
    ("generation.long_documents", "cut"): "choice.cut",
    ("generation.long_documents", "parts"): "choice.parts",
}


def config_field(page: Page, path: str, **extra: Any) -> gr.components.Component:
    """The control of one field. `extra` goes to the component as it is."""
    field = fields()[path]
    shared: dict[str, Any] = {"label": field.option.label, "info": _info(field), **extra}
    make = page.labels.make
    if field.kind == "choice":
        return make(gr.Dropdown, choices=_choices(field), value=field.default, filterable=False, **shared)
    if field.kind == "switch":
        return make(gr.Checkbox, value=field.default, **shared)
    if field.kind == "maybe":
        return make(gr.Dropdown, choices=_maybe(field), value=AUTO, filterable=False, **shared)
    if field.kind in ("integer", "number"):
        # A text field, because gr.Number turns an empty one into 0, and here empty means automatic.
        return make(gr.Textbox, value=written(field.default), placeholder=_when_empty(field), max_lines=1, **shared)
    tall = max(field.option.lines, 1)
    hint = {"placeholder": field.option.automatic} if field.option.automatic is not None else {}
    return make(
        gr.Textbox, value=field.default, lines=tall, max_lines=max(tall, 8) if tall > 1 else 1, **{**hint, **shared}
    )


def config_radio(page: Page, path: str, only: Sequence[str], value: str, **extra: Any) -> gr.Radio:
    """The same for a field with a few choices that deserve to be read side by side: those in `only`."""
    field = fields()[path]
    return page.labels.make(
        gr.Radio,
        choices=_choices(field, only),
        value=value,
        **{"label": field.option.label, **extra},
    )


def _choices(field: Field, only: Sequence[str] = ()) -> Spoken:
    def in_language(language: str) -> list[tuple[str, str]]:
        return [
            (words(key).in_language(language) if (key := _CHOICES.get((field.path, choice))) else choice, choice)
            for choice in only or field.option.choices
        ]

    return Spoken(in_language)


def _maybe(field: Field) -> Spoken:
    def in_language(language: str) -> list[tuple[str, str]]:
        automatic = words("choice.automatic", what=field.option.automatic or Text("", "")).in_language(language)
        return [
            (automatic, AUTO),
            (words("choice.yes").in_language(language), YES),
            (words("choice.no").in_language(language), NO),
        ]

    return Spoken(in_language)


def _info(field: Field) -> Text:
    """The help, and what an empty field stands for where that is no plain default."""
    automatic = field.option.automatic
    if automatic is None or field.kind in ("maybe", "text"):
        return field.option.help
    empty = words("choice.empty", what=automatic)
    return Text(f"{field.option.help.en} {empty.en}", field.option.help.zh + empty.zh)


def _when_empty(field: Field) -> Text:
    """What an empty number stands for."""
    if field.option.automatic is not None:
        return words("choice.auto")
    return Text(written(field.default), written(field.default))
