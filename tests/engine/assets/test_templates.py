"""Sentence templates: the grammar, and that what is drawn from it keeps track of its slots.

Run: python -m pytest tests/engine/assets/test_templates.py
"""

from __future__ import annotations

import random

import pytest

from engine.assets.templates import Sampler, join, parse

VALUES = {"room": "(kitchen|hall)", "color": "red"}
RULES = {"the": parse("(the|my)"), "either": parse("left|right")}


def drawn(template: str, times: int = 200) -> set[str]:
    sampler = Sampler(RULES, lambda name, rng: parse(VALUES[name]), random.Random(0))
    return {join(sampler.draw(parse(template)))[0] for _ in range(times)}


@pytest.mark.parametrize(
    ("template", "sentences"),
    [
        ("lights on", {"lights on"}),
        ("light[s] on", {"light on", "lights on"}),
        ("(turn|switch) on", {"turn on", "switch on"}),
        ("turn [on|off] [it]", {"turn", "turn on", "turn off", "turn it", "turn on it", "turn off it"}),
        ("<the> light", {"the light", "my light"}),
        ("go <either>", {"go left", "go right"}),
        ("(stop;{color} light)", {"stop red light", "red light stop"}),
        (
            "in [<the> ]{room:area}",
            {"in kitchen", "in hall", "in the kitchen", "in the hall", "in my kitchen", "in my hall"},
        ),
        ("a[[b]c]", {"a", "ac", "abc"}),
        ("今日|今天", {"今日", "今天"}),
    ],
)
def test_every_sentence_of_a_template_and_no_other(template: str, sentences: set[str]) -> None:
    assert drawn(template) == sentences


@pytest.mark.parametrize("template", ["(a|b", "a]", "[a)", "a)b", "<a", "{b"])
def test_unmatched_brackets_are_refused(template: str) -> None:
    with pytest.raises(ValueError):
        parse(template)


def test_slots_are_where_their_values_stand() -> None:
    sampler = Sampler(RULES, lambda name, rng: parse(VALUES[name]), random.Random(0))
    for _ in range(50):
        text, slots = join(sampler.draw(parse("[please]  make  [<the>] {room}   {color} (now|)")))
        assert "  " not in text and text == text.strip()
        assert [(text[start:end], name) for start, end, name in slots] == [
            (next(room for room in ("kitchen", "hall") if room in text), "room"),
            ("red", "color"),
        ]
