"""Sentences in both languages of Tunebench.

Knows how one message is kept in English and Simplified Chinese side by side, so that neither can be forgotten.
Does not know which language a reader wants: the page and the command line choose when they show it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

LANGUAGES = ("en", "zh-CN")


@dataclass(frozen=True, slots=True)
class Text:
    """One message in both languages. `str()` gives the English one, for logs and tracebacks."""

    en: str
    zh: str

    def __str__(self) -> str:
        return self.en

    def in_language(self, language: str) -> str:
        """The message for a BCP 47 tag: anything that begins with `zh` reads Chinese, everything else English."""
        return self.zh if language.lower().startswith("zh") else self.en

    def format(self, **values: Any) -> Text:
        """Fill `{name}` fields. A value that is itself a `Text` is filled in language by language."""

        def pick(language: str) -> dict[str, Any]:
            return {key: v.in_language(language) if isinstance(v, Text) else v for key, v in values.items()}

        return Text(en=self.en.format(**pick("en")), zh=self.zh.format(**pick("zh-CN")))

    def to_dict(self) -> dict[str, str]:
        return {"en": self.en, "zh": self.zh}

    @classmethod
    def from_dict(cls, value: dict[str, str]) -> Text:
        return cls(en=value["en"], zh=value["zh"])


def terminal_language() -> str:
    """The language for a terminal: `TUNEBENCH_LANG` where set, else what the POSIX locale variables say."""
    for name in ("TUNEBENCH_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(name, "")
        if value:
            return "zh-CN" if value.lower().startswith("zh") else "en"
    return "en"
