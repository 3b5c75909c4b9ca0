"""A report on disk and as something to read: JSON, Markdown and one HTML file that needs nothing else.

Knows how the parts of a report are shown, for any task: a part that is not in the report is not in the page. Does not know how
they were computed. Everything that came from a person's table is escaped on its way out.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from engine.core.errors import RunProblem
from engine.core.text import LANGUAGES, Text
from engine.evaluation import metric_format
from engine.report import charts
from engine.report.layout import arrange
from engine.report.markdown import Markdown, escape_markdown
from engine.report.run_facts import describe_run

FILES = {"en": "report.md", "zh-CN": "report.zh-CN.md"}


def write_report(report: dict[str, Any], directory: Path, predictions: Iterable[dict[str, Any]]) -> None:
    """Write predictions.jsonl, report.md, report.zh-CN.md, report.html, and report.json last: where it is, all of them are."""
    directory.mkdir(parents=True, exist_ok=True)
    # Texts may hold half a surrogate pair, which UTF-8 cannot; written as \\udc00 it is still the same JSON.
    with directory.joinpath("predictions.jsonl").open("w", encoding="utf-8", errors="backslashreplace") as file:
        for prediction in predictions:
            file.write(json.dumps(prediction, ensure_ascii=False, allow_nan=False) + "\n")
    for language, name in FILES.items():
        _write(directory / name, render_markdown(report, language))
    _write(directory / "report.html", render_html(report))
    unfinished = directory / "report.json.part"
    _write(unfinished, json.dumps(report, ensure_ascii=False, allow_nan=False))
    os.replace(unfinished, directory / "report.json")


def load_report(directory: Path) -> dict[str, Any]:
    """The report of a run's report directory. Raises RunProblem when there is none."""
    try:
        return json.loads(directory.joinpath("report.json").read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RunProblem(
            "no_report",
            Text("This run has no report.", "该运行还没有评估报告。"),
            Text("A report is written when training is done.", "训练完成后会生成报告。"),
        ) from error


def render_html(report: dict[str, Any], language: str = "en") -> str:
    """One HTML page in both languages, with `language` shown first and a switch that needs no script."""
    chinese = language.lower().startswith("zh")
    return _html().get_template("report.html").render(**arrange(report), chinese=chinese)


def render_markdown(report: dict[str, Any], language: str = "en") -> str:
    """The report as GitHub-flavoured Markdown in one language."""

    def said(text: dict[str, str] | Text) -> str:
        return (text if isinstance(text, Text) else Text.from_dict(text)).in_language(language)

    def t(en: str, zh: str) -> str:
        return Markdown(Text(en, zh).in_language(language))

    return _markdown().get_template("report.md").render(**arrange(report), said=said, t=t)


def read_predictions(directory: Path) -> Iterator[dict[str, Any]]:
    """What predictions.jsonl holds, one test row at a time."""
    with directory.joinpath("predictions.jsonl").open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", errors="backslashreplace")


def _both(en: str, zh: str) -> Markup:
    """A sentence of ours in both languages; the style sheet shows one."""
    return Markup('<span class="en" lang="en">{}</span><span class="zh" lang="zh-CN">{}</span>').format(en, zh)


def _said(text: dict[str, str] | Text) -> Markup:
    found = text if isinstance(text, Text) else Text.from_dict(text)
    if found.en == found.zh:
        return escape(found.en)
    return _both(found.en, found.zh)


def _breakable(label: str) -> Markup:
    """A label that may be broken after its underscores and the like, where a line ends."""
    return Markup("<wbr>").join(Markup.escape(part) for part in re.split(r"(?<=[_\-/.:])", label))


@cache
def _html() -> Environment:
    environment = Environment(
        loader=PackageLoader("engine.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        breakable=_breakable,
        t=_both,
        said=_said,
        charts=charts,
        words=metric_format,
        run_facts=describe_run,
        languages=LANGUAGES,
    )
    return environment


@cache
def _markdown() -> Environment:
    environment = Environment(
        loader=PackageLoader("engine.report"),
        # Autoescaping is HTML's; here every expression that is not already Markdown goes through Markdown's.
        autoescape=False,
        finalize=escape_markdown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(words=metric_format, run_facts=describe_run)
    return environment
