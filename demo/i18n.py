"""Every string that the page itself shows, in both languages, and how a running page changes from one to the other.

Knows the locale files, how a visitor's language is found, and which property of which component shows which string. Does not
know what the strings are about. Gradio's own `gr.I18n` follows the browser alone and cannot be switched, so it is not used:
`Labels` sends every registered label anew when the visitor chooses, and leaves what was typed where it is.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gradio as gr

from engine.core.text import LANGUAGES, Text

LOCALES = Path(__file__).parent / "locales"
Phrase = Callable[[str], Any]  # language -> what a property is set to


@functools.cache
def _locale(language: str) -> dict[str, str]:
    """The strings of one language, their nested keys joined by dots."""
    flat: dict[str, str] = {}

    def walk(prefix: str, values: dict[str, Any]) -> None:
        for key, value in values.items():
            if isinstance(value, dict):
                walk(f"{prefix}{key}.", value)
            else:
                flat[prefix + key] = value

    walk("", json.loads((LOCALES / f"{language}.json").read_text(encoding="utf-8")))
    return flat


def words(key: str, **values: Any) -> Text:
    """The string of `key` in both languages, its `{name}` fields filled where values are given. KeyError for an unknown key."""
    text = Text(_locale("en")[key], _locale("zh-CN")[key])
    return text.format(**values) if values else text


def choose_language(requested: str, remembered: str, accepted: str) -> str:
    """One of LANGUAGES: what the address asks for, else what was chosen before, else the browser's Accept-Language."""
    for tag in (requested, remembered):
        if tag:
            return "zh-CN" if tag.lower().startswith("zh") else "en"
    ranked: list[tuple[float, str]] = []
    for part in accepted.split(","):
        tag, _, weight = part.strip().partition(";q=")
        try:
            ranked.append((float(weight or 1), tag.lower()))
        except ValueError:
            continue  # a malformed preference is no preference
    for _, tag in sorted(ranked, key=lambda pair: -pair[0]):
        if tag.startswith("zh"):
            return "zh-CN"
        if tag.startswith("en"):
            return "en"
    return LANGUAGES[0]


@dataclass
class Labels:
    """Which property of which component shows which phrase."""

    entries: list[tuple[gr.blocks.Block, dict[str, Phrase]]] = field(default_factory=list)

    def make(self, kind: type, *args: Any, **properties: Any) -> Any:
        """Build a component. A property given as `Text`, or as a function of the language, follows the language from then on."""
        spoken = {name: _phrase(value) for name, value in properties.items() if isinstance(value, Text | Spoken)}
        fixed = {name: value for name, value in properties.items() if name not in spoken}
        component = kind(*args, **fixed, **{name: phrase(LANGUAGES[0]) for name, phrase in spoken.items()})
        if spoken:
            self.entries.append((component, spoken))
        return component

    def since(self, mark: int) -> Labels:
        """What was registered after there were `mark` entries: the labels of one part of the page."""
        return Labels(self.entries[mark:])

    def without(self, parts: Iterable[Labels]) -> Labels:
        """What belongs to none of the parts."""
        theirs = {id(component) for part in parts for component in part.components}
        return Labels([entry for entry in self.entries if id(entry[0]) not in theirs])

    @property
    def components(self) -> list[gr.blocks.Block]:
        return [component for component, _ in self.entries]

    def updates(self, language: str) -> list[dict[str, Any]]:
        """One update a component, in the order of `components`. Values that a person entered are not among them."""
        return [gr.update(**{name: phrase(language) for name, phrase in spoken.items()}) for _, spoken in self.entries]

    def first_updates(self, language: str) -> list[dict[str, Any]]:
        """What a page that was never relabelled needs: nothing in the language it was built in.

        The browser looks for the component anew for every property that is set, so each that is spared is time.
        """
        return [gr.skip() for _ in self.entries] if language == LANGUAGES[0] else self.updates(language)


@dataclass(frozen=True)
class Spoken:
    """A property that is a function of the language, such as the choices of a dropdown or a block of HTML."""

    in_language: Phrase


def _phrase(value: Text | Spoken) -> Phrase:
    return value.in_language
