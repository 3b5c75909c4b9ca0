"""Messages in both languages. Run: python -m pytest tests/engine/test_text.py"""

from __future__ import annotations

import pytest

from engine.core.text import Text, terminal_language


def test_language_tags():
    text = Text("yes", "是")
    assert [text.in_language(tag) for tag in ("en", "en-GB", "zh", "zh-CN", "ZH_cn.UTF-8", "de")] == [
        "yes", "yes", "是", "是", "是", "yes",
    ]  # fmt: skip


def test_a_text_inside_a_text_is_filled_in_language_by_language():
    outer = Text("{what}: {n}", "{what}：{n}").format(what=Text("rows", "行数"), n=3)
    assert outer == Text("rows: 3", "行数：3")


@pytest.mark.parametrize(
    ("variables", "language"),
    [({"LANG": "zh_CN.UTF-8"}, "zh-CN"), ({"LANG": "zh_CN", "TUNEBENCH_LANG": "en"}, "en"), ({}, "en")],
)
def test_the_terminal_language_follows_the_locale(monkeypatch, variables, language):
    for name in ("TUNEBENCH_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert terminal_language() == language
