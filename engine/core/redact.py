"""Secrets that must not reach a state, a log, an event, a report or an export, taken out of text.

Knows what access tokens look like, and those that this process was given. Does not know where text goes.
"""

from __future__ import annotations

import logging
import os
import re

_TOKEN = re.compile(r"\b(?:hf_[A-Za-z0-9]{16,}|hf_oauth_[\w.-]{16,}|(?:Bearer|Basic)\s+[\w.~+/=-]{16,})")
_USER_INFO = re.compile(r"(?<=://)[^/\s:@]+:[^/\s@]+(?=@)")  # https://name:password@host
_SECRET_NAMES = ("TOKEN", "SECRET", "PASSWORD", "API_KEY")
_SHORTEST = 12  # a shorter value of a variable may be an ordinary word
HIDDEN = "[hidden]"


def redact(text: str) -> str:
    """The text without anything that looks like a token, or is the value of a secret environment variable."""
    text = _USER_INFO.sub(HIDDEN, _TOKEN.sub(HIDDEN, text))
    for name, value in os.environ.items():
        if len(value) >= _SHORTEST and any(part in name.upper() for part in _SECRET_NAMES) and value in text:
            text = text.replace(value, HIDDEN)
    return text


class RedactingFormatter(logging.Formatter):
    """Formats a record, its traceback included, without secrets."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))
