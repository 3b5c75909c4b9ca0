"""From one tag per token to spans of tokens, for any tag scheme.

Knows IO, IOB1, IOB2 (BIO), BIOES, BILOU, BMES and BMEWO, the type before or after the prefix, `-` or `_` between them. One rule
reads them all: a prefix that begins (B, S, U, W), a change of type or an entity that has ended starts a new entity; any other
prefix continues the open one. Does not know characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_PREFIXED = re.compile(r"([BIESLUMWbieslumw])[-_](.+)")
_SUFFIXED = re.compile(r"(.+)[-_]([BIESLUMW])")
_BARE = re.compile(r"[BIESLUMW]")
_BEGINS, _SINGLE, _ENDS = frozenset("BSUW"), frozenset("SUW"), frozenset("ESLUW")
UNNAMED = "ENTITY"  # the type of tags that are a prefix alone


@dataclass(frozen=True, slots=True)
class Scheme:
    """How the tags of one table are written: `style` is "prefix", "suffix", "bare" or "plain" (IO without prefixes)."""

    style: str
    letters: frozenset[str]
    mixed: tuple[str, ...] = ()  # tags that do not follow the style of the others

    @property
    def name(self) -> str:
        """The usual name of the scheme."""
        if self.style == "plain":
            return "IO"
        if self.letters <= {"I"}:
            return "IO"
        if self.letters <= {"B", "I"}:
            return "BIO"
        if self.letters & {"M"}:
            return "BMES"
        if self.letters & {"L", "U"}:
            return "BILOU"
        return "BIOES"

    @property
    def contradicts(self) -> bool:
        """Whether letters of schemes that exclude each other occur together: M beside I, L beside E, U beside S."""
        return any(pair <= self.letters for pair in ({"M", "I"}, {"L", "E"}, {"U", "S"}, {"U", "W"}, {"S", "W"}))


def is_outside(tag: str) -> bool:
    """Whether a tag says that the token belongs to no entity."""
    return tag in ("O", "o", "", "_", "-X-", "OUT", "OTHER") or tag is None


def detect_scheme(tags: Iterable[str]) -> Scheme:
    """The scheme of the different tags of a table."""
    styles: dict[str, list[str]] = {"prefix": [], "suffix": [], "bare": [], "plain": []}
    for tag in sorted(set(tags)):
        if is_outside(tag):
            continue
        if _PREFIXED.fullmatch(tag):
            styles["prefix"].append(tag)
        elif _SUFFIXED.fullmatch(tag):
            styles["suffix"].append(tag)
        elif _BARE.fullmatch(tag):
            styles["bare"].append(tag)
        else:
            styles["plain"].append(tag)
    style = max(styles, key=lambda name: len(styles[name]))
    letters = {_split(tag, style)[0] for tag in styles[style]} - {""}
    mixed = [tag for name, tags in styles.items() if name != style for tag in tags]
    return Scheme(style, frozenset(letters), tuple(mixed))


def _split(tag: str, style: str) -> tuple[str, str]:
    """Prefix letter (empty when there is none) and entity type of a tag that is not outside."""
    if style == "prefix" and (match := _PREFIXED.fullmatch(tag)):
        return match[1].upper(), match[2]
    if style == "suffix" and (match := _SUFFIXED.fullmatch(tag)):
        return match[2], match[1]
    if style == "bare" and _BARE.fullmatch(tag):
        return tag, UNNAMED
    return "", tag


def token_spans(tags: Sequence[str], scheme: Scheme) -> list[tuple[int, int, str]]:
    """Entities as (first token, token after the last, type)."""
    spans: list[tuple[int, int, str]] = []
    open_at, open_type = -1, ""

    def close(end: int) -> None:
        nonlocal open_at
        if open_at >= 0:
            spans.append((open_at, end, open_type))
        open_at = -1

    for i, tag in enumerate(tags):
        if is_outside(tag):
            close(i)
            continue
        letter, label = _split(tag, scheme.style)
        if letter in _BEGINS or open_at < 0 or label != open_type:
            close(i)
            open_at, open_type = i, label
        if letter in _ENDS:
            close(i + 1)
    close(len(tags))
    return spans
