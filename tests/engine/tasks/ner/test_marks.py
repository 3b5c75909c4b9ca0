"""Marked text and the colours of types.

Run: python -m pytest tests/engine/evaluation/ner/test_marks.py
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.tasks.ner.marks import COLOURS, colours, runs, window

ROOT = Path(__file__).parents[4]


def test_usual_types_have_the_same_colour_everywhere():
    assert colours(["PER", "LOC"])["PER"] == colours(["zzz", "PER", "ORG", "abc"])["PER"]
    assert colours(["Person"])["Person"] == colours(["PER"])["PER"]
    assert colours(["b", "a"]) == colours(["a", "b", "a"])


@given(st.sets(st.text(max_size=6), max_size=COLOURS))
def test_types_differ_as_long_as_there_are_colours(labels):
    assert len(set(colours(labels).values())) == len(labels)


def test_more_types_than_colours_share_them():
    named = colours(f"type {n}" for n in range(30))
    assert set(named.values()) == set(range(COLOURS))


_spans = st.lists(st.tuples(st.integers(0, 20), st.integers(1, 8)).map(lambda t: {"start": t[0], "end": t[0] + t[1], "label": "A"}), max_size=5)  # fmt: skip


@given(st.text(min_size=20, max_size=30), _spans, st.integers(0, 10), st.integers(10, 20))
def test_runs_give_the_text_back(text, spans, start, end):
    assert "".join(run.text for run in runs(text, spans, start, end)) == text[start:end]


def test_of_overlapping_entities_the_first_and_longest_is_marked():
    spans = [
        {"start": 2, "end": 4, "label": "B"},
        {"start": 0, "end": 4, "label": "A"},
        {"start": 3, "end": 6, "label": "C"},
    ]
    assert [(run.text, run.span and run.span["label"]) for run in runs("abcdefg", spans)] == [
        ("abcd", "A"),
        ("efg", None),
    ]


def test_a_long_text_is_cut_at_blanks_around_the_error():
    text = "word " * 60 + "Paris" + " word" * 60
    first, last = window(text, 300, 305)
    assert text[first - 1] == " " and text[last] == " " and text[first:last].count("Paris") == 1
    assert 150 < last - first < 200
    assert window("short", 1, 2) == (0, 5)


def _luminance(colour: str) -> float:
    def linear(value: int) -> float:
        share = value / 255
        return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(int(colour[i : i + 2], 16)) for i in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _mixed(colour: str, paper: str, share: float) -> str:
    return "#" + "".join(
        f"{round(int(colour[i : i + 2], 16) * share + int(paper[i : i + 2], 16) * (1 - share)):02x}" for i in (1, 3, 5)
    )


@pytest.mark.parametrize(
    "papers",
    [("#e3f0eb", "#262521"), ("#faf9f6", "#1f1e1b"), ("#ffffff", "#161513")],
)
def test_colours_can_be_read_in_light_and_dark(papers):
    """WCAG 2.2, 1.4.3: 4.5 to 1 for the name of the type on its own tint."""
    text = (ROOT / "engine" / "report" / "report.css").read_text(encoding="utf-8")
    for number in range(COLOURS):
        result = [part.split(";")[0].strip() for part in text.split(f"--tb-e{number}:")[1:]]
        assert len(result) == 2, "one for light, one for dark"
        for colour, paper in zip(result, papers, strict=True):
            tint = _luminance(_mixed(colour, paper, 0.15))
            one, other = sorted((_luminance(colour), tint))
            assert (other + 0.05) / (one + 0.05) >= 4.5, (number, colour)
