"""The style sheet. Run: python -m pytest tests/demo/test_style.py"""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
REPORT = (ROOT / "engine" / "report" / "report.css").read_text(encoding="utf-8")
STYLE = REPORT + (ROOT / "demo" / "style.css").read_text(encoding="utf-8")
PARTS = {
    "border": ("top", "right", "bottom", "left", "color", "style", "width"),
    "border-color": (),
    "margin": ("top", "right", "bottom", "left"),
    "padding": ("top", "right", "bottom", "left"),
    "background": ("color", "image", "position", "size"),
}
SIDES = ("border-top-color", "border-right-color", "border-bottom-color", "border-left-color")


def test_nothing_on_the_page_is_animated_without_end() -> None:
    assert re.findall(r"infinite|@keyframes", STYLE) == []


def test_the_report_does_not_choose_among_classes_in_brackets() -> None:
    """Gradio puts its prefix before each comma's part, within brackets too, and such a rule then outweighs those meant to refine it."""
    assert re.findall(r":(?:is|where|not)\([^)]*,", REPORT) == []


def test_no_shorthand_with_a_variable_is_overridden_in_part() -> None:
    """Gradio writes every rule anew from the browser's own words for it, in which such a shorthand is empty."""
    lost = []
    for selector, body in re.findall(r"([^{}]+)\{([^{}]*)\}", re.sub(r"/\*.*?\*/", "", STYLE, flags=re.DOTALL)):
        rule = [line.split(":", 1) for line in body.split(";") if ":" in line]
        names = [name.strip() for name, _ in rule]
        for place, (name, value) in enumerate(zip(names, (value for _, value in rule), strict=True)):
            longhands = {f"{name}-{part}" for part in PARTS.get(name, ())} | set(
                SIDES if name in ("border", "border-color") else ()
            )
            if "var(" in value and longhands & set(names[place + 1 :]):
                lost.append((selector.strip(), name))
    assert lost == []
