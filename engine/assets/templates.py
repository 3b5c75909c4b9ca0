"""Sentence templates as voice assistants write them, and drawing sentences from them at random.

The grammar is that of hassil: `[optional]`, `(one|of|these)`, `(in;any order)`, `<rule>`, `{list}` or `{list:slot}`.
Knows nothing of what the sentences mean.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

_TOKEN = re.compile(r"[\[\]()|;]|<[^<>]*>|\{[^{}]*\}|[^\[\]()|;<>{}]+")


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several sequences; all of them in some order where `permuted`."""

    options: tuple[tuple[Node, ...], ...]
    permuted: bool = False


@dataclass(frozen=True, slots=True)
class Slot:
    """A value from a list."""

    list_name: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A template that has a name."""

    name: str


Node = str | Choice | Slot | Rule
Piece = tuple[str, str | None]  # text, and the name of the list where it fills a slot


def parse(template: str) -> tuple[Node, ...]:
    """The template as a tree. Raises ValueError for brackets that do not match."""
    tokens = _TOKEN.findall(template)
    if "".join(tokens) != template:
        raise ValueError(f"not a template: {template!r}")
    tokens.reverse()
    options, permuted = _alternatives(tokens, None, template)
    return options[0] if len(options) == 1 else (Choice(tuple(options), permuted),)


def _alternatives(tokens: list[str], closing: str | None, template: str) -> tuple[list[tuple[Node, ...]], bool]:
    """The sequences up to `closing`, and whether they were parted by `;`. Takes them off the end of `tokens`."""
    options: list[list[Node]] = [[]]
    permuted = False
    while tokens:
        token = tokens.pop()
        if token == closing:
            return [tuple(option) for option in options], permuted
        if token in ("(", "["):
            inner, in_any_order = _alternatives(tokens, ")" if token == "(" else "]", template)
            options[-1].append(Choice((*inner, ()) if token == "[" else tuple(inner), in_any_order))
        elif token in ("|", ";"):
            permuted = permuted or token == ";"
            options.append([])
        elif token in (")", "]"):
            raise ValueError(f"unmatched {token!r} in {template!r}")
        elif token.startswith("{"):
            options[-1].append(Slot(token[1:-1].split(":")[0]))
        elif token.startswith("<"):
            options[-1].append(Rule(token[1:-1]))
        else:
            options[-1].append(token)
    if closing is not None:
        raise ValueError(f"missing {closing!r} in {template!r}")
    return [tuple(option) for option in options], permuted


@dataclass(frozen=True, slots=True)
class Sampler:
    """Draws sentences. `value` gives the text for a list, as a template of its own."""

    rules: Mapping[str, tuple[Node, ...]]
    value: Callable[[str, random.Random], tuple[Node, ...]]
    rng: random.Random

    def draw(self, sequence: tuple[Node, ...]) -> list[Piece]:
        pieces: list[Piece] = []
        for node in sequence:
            if isinstance(node, str):
                pieces.append((node, None))
            elif isinstance(node, Rule):
                pieces += self.draw(self.rules[node.name])
            elif isinstance(node, Slot):
                text = "".join(text for text, _ in self.draw(self.value(node.list_name, self.rng)))
                pieces.append((text, node.list_name))
            elif node.permuted:
                for option in self.rng.sample(node.options, len(node.options)):
                    pieces += [(" ", None), *self.draw(option)]
            else:
                pieces += self.draw(self.rng.choice(node.options))
        return pieces


def join(pieces: Iterable[Piece]) -> tuple[str, list[tuple[int, int, str]]]:
    """The sentence with single spaces, and (start, end, list name) for each slot."""
    text, slots = "", []
    for raw, list_name in pieces:
        words = re.sub(r"\s+", " ", raw)
        if not text or text.endswith(" "):
            words = words.lstrip()
        if list_name is not None and words.strip():
            start = len(text) + len(words) - len(words.lstrip())
            slots.append((start, start + len(words.strip()), list_name))
        text += words
    return text.rstrip(), slots
