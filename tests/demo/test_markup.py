"""Pieces of markup that every tab uses."""

from __future__ import annotations

from demo.markup import bar


def test_a_bar_of_nothing_shows_nothing() -> None:
    assert "min-width:0" in bar("none", 0.0, "0"), "the style sheet gives each bar two pixels"
    assert "min-width" not in bar("little", 0.001, "1")
    assert "width:100.00%" in bar("more than all", 1.5, "150")
