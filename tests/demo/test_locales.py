"""Both languages say the same things, and nothing visible bypasses them. Run: python -m pytest tests/demo/test_locales.py"""

from __future__ import annotations

import ast
import json
import re
import string
from pathlib import Path

import pytest

from demo.i18n import LOCALES, choose_language, words

DEMO = Path(__file__).resolve().parents[2] / "demo"
TEMPLATES = sorted(DEMO.glob("templates/*.html"))
SOURCES = sorted(path for path in DEMO.rglob("*.py") if "examples" not in path.parts)
# Names that are the same in every language.
NAMES = {"en", "zh-CN", "Tunebench", "dair-ai/emotion", "ada/film-verdicts", "F1", "YAML", "Python"}
SPOKEN = {"label", "info", "placeholder", "title", "value", "message"}


def flat(language: str) -> dict[str, str]:
    result: dict[str, str] = {}

    def walk(prefix: str, values: dict) -> None:
        for key, value in values.items():
            if isinstance(value, dict):
                walk(f"{prefix}{key}.", value)
            else:
                result[prefix + key] = value

    walk("", json.loads((LOCALES / f"{language}.json").read_text(encoding="utf-8")))
    return result


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_the_locales_have_the_same_keys_and_fields() -> None:
    en, zh = flat("en"), flat("zh-CN")
    assert en.keys() == zh.keys()
    for key in en:
        assert en[key].strip() and zh[key].strip(), key
        assert fields(en[key]) == fields(zh[key]), key


def test_the_chinese_is_chinese() -> None:
    # What is only fields and punctuation has no words to translate.
    output = {key: re.sub(r"{\w+}", "", value) for key, value in flat("zh-CN").items()}
    same = {
        key for key, value in output.items() if re.search(r"\w", value) and not re.search(r"[\u4e00-\u9fff]", value)
    }
    assert same == set(), "translate these"


def test_chinese_sentences_use_chinese_punctuation() -> None:
    for key, value in flat("zh-CN").items():
        assert not re.search(r"[\u4e00-\u9fff][,;?!]|[\u4e00-\u9fff]\.(\s|$)", value), f"{key}: {value}"


def test_every_key_that_the_code_names_exists_and_every_key_is_named() -> None:
    source = "\n".join(path.read_text(encoding="utf-8") for path in [*SOURCES, *TEMPLATES])
    named = set(re.findall(r"""(?:words|say)\(\s*["']([a-z_.A-Z0-9]+)["']""", source))
    named = {key for key in named if not key.endswith(".")}  # the beginning of a key that a template joins
    known = flat("en")
    for key in named:
        assert key in known, key
    quoted = set(re.findall(r"""["']([a-z_]+\.[a-z_.A-Z0-9]+)["']""", source))
    built = tuple(re.findall(r"""words\(\s*f["']([a-z_]*\.?[a-z_]*?)\{""", source)) + tuple(
        re.findall(r"""say\(\s*f["']([a-z_]*\.?[a-z_]*?)\{""", source)
    )
    joined = tuple(re.findall(r"""say\(["']([a-z_]+\.)["'] ~""", source))  # templates
    unused = [
        key
        for key in known
        if key not in named
        and key not in quoted
        and not any(key.startswith(prefix) for prefix in (*built, *joined) if prefix)
        # The titles of tasks are built from the task's name.
        and not key.endswith(".title")
    ]
    assert unused == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(DEMO)))
def test_no_literal_is_shown_that_is_in_no_locale(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            for keyword in node.keywords:
                value = keyword.value
                if keyword.arg in SPOKEN and isinstance(value, ast.Constant) and isinstance(value.value, str):
                    visible = re.search(r"[A-Za-z\u4e00-\u9fff]{2,}", value.value)
                    assert not visible or value.value in NAMES, f"line {node.lineno}: {value.value!r}"
        if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str)):
            parts = node.values if isinstance(node, ast.JoinedStr) else [node]
            markup = "".join(str(p.value) if isinstance(p, ast.Constant) else "{}" for p in parts)
            for output in re.findall(r">([^<>{}]*)<", markup):
                assert not re.search(r"[A-Za-z]{2,}", output) or output in NAMES, f"line {node.lineno}: {output!r}"


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_literal_of_a_template_is_shown(path: Path) -> None:
    markup = re.sub(r"{#.*?#}|{%.*?%}|{{.*?}}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    for text in re.findall(r">([^<>]*)<", markup):
        assert not re.search(r"[A-Za-z\u4e00-\u9fff]{2,}", text), repr(text)


def test_a_key_fills_its_fields_in_both_languages() -> None:
    text = words("data.rows", rows="1,000")
    assert text.en == "1,000 rows"
    assert text.zh == "1,000 行"
    with pytest.raises(KeyError):
        words("no.such.key")


@pytest.mark.parametrize(
    ("requests", "remembered", "accepted", "expected"),
    [
        ("", "", "", "en"),
        ("", "", "zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"),
        ("", "", "zh-TW", "zh-CN"),
        ("", "", "en-GB,en;q=0.9,zh;q=0.1", "en"),
        ("", "", "fr-FR,fr;q=0.9,zh;q=0.5", "zh-CN"),
        ("", "", "fr;q=bad,de", "en"),
        ("", "en", "zh-CN", "en"),
        ("zh-CN", "en", "en", "zh-CN"),
        ("en", "zh-CN", "zh-CN", "en"),
        ("<script>", "", "zh-CN", "en"),
    ],
)
def test_the_language_is_the_asked_then_the_remembered_then_the_browsers(
    requests: str, remembered: str, accepted: str, expected: str
) -> None:
    assert choose_language(requests, remembered, accepted) == expected
