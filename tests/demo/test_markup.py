"""Pieces of markup that every tab uses."""

from __future__ import annotations

from demo.markup import bar, chip, panel, render, table


def test_a_bar_of_nothing_shows_nothing() -> None:
    assert "min-width:0" in bar("none", 0.0, "0"), "the style sheet gives each bar two pixels"
    assert "min-width" not in bar("little", 0.001, "1")
    assert "width:100.00%" in bar("more than all", 1.5, "150")


def test_a_template_escapes_values_and_leaves_markup() -> None:
    attack = '"><script>'
    cards = [{"name": attack, "title": attack, "about": attack, "facts": [attack, attack]}]
    html = render("cards.html", "en", cards=cards, chosen=attack, kind="")
    assert "<script>" not in html and html.count("&lt;script&gt;") == 5 and 'aria-pressed="true"' in html
    assert "<script>" not in chip(attack) + bar(attack, 0.5, attack, note=attack) + panel("info", attack)
    assert panel("info", "title", "<p>body</p>").endswith('<div class="tb-panel-body"><p>body</p></div></div>')
    assert '<th>a</th><th class="tb-number">b</th>' in table(["a", "b"], [["1", "2"]], numeric=frozenset({1}))
