"""The model card: what the model is, how well it does, on what it was trained, what it is for and where it ends.

Knows a finished run and the hub's conventions for front matter (model-index). English first, Chinese below. Every name that came
from a person's table is escaped. Does not know where the card goes, only which way of using the model to show.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any

from huggingface_hub import EvalResult, ModelCardData
from jinja2 import Environment, PackageLoader, StrictUndefined

from engine.core.languages import detect_languages
from engine.core.text import Text
from engine.evaluation import metric_format
from engine.export.source import ExportSource
from engine.inference.saved import ADAPTERS
from engine.report.layout import arrange
from engine.report.markdown import Markdown, escape_markdown
from engine.report.run_facts import describe_run

_MOST_LABELS = 60  # listed in the card; more would bury what follows
_LANGUAGE_SAMPLE, _LANGUAGE_SHARE = 500, 0.15


def model_card(leaving: ExportSource, place: str, onnx: dict[str, Any] | None = None, repo: str = "") -> str:
    """README.md for a zip or a hub repository `repo`; `onnx` is what `write_onnx` measured, where there is an ONNX file."""
    parts = ["---\n" + front_matter(leaving) + "\n---\n"]
    for language in ("en", "zh-CN"):
        parts.append(_body(leaving, language, place, onnx, repo))
    return "\n\n".join(part.strip() for part in parts) + "\n"


def front_matter(leaving: ExportSource) -> str:
    """The metadata as YAML, made by the hub's own library, so that the hub reads it."""
    config, kind, base = leaving.config, leaving.kind, leaving.base
    languages = languages_of(leaving)
    return ModelCardData(
        language=languages[0] if len(languages) == 1 else languages or None,
        license=base.licence.lower() if base else None,
        library_name="transformers",
        pipeline_tag=kind.pipeline,
        base_model=leaving.base_id if base or "/" in leaving.base_id else None,
        datasets=[config.data.hub] if config.data.hub else None,
        tags=[
            kind.pipeline,
            "tunebench",
            "safetensors",
            *([config.method.name] if config.method.name in ADAPTERS else []),
        ],
        metrics=sorted({kind.cards[name] for name in leaving.report["test"] if name in kind.cards}),
        model_name=_one_line(leaving.title.en),
        eval_results=_results(leaving),
    ).to_yaml()


def _results(leaving: ExportSource) -> list[EvalResult]:
    """Each metric on the held-out rows, for the front matter's model-index."""
    config, kind, report = leaving.config, leaving.kind, leaving.report
    return [
        EvalResult(
            task_type=kind.pipeline,
            dataset_type=config.data.hub or "csv",
            dataset_name=_one_line(leaving.data_name.en),
            dataset_config=config.data.hub_config or None,
            dataset_split="test",
            metric_type=kind.cards[name],
            metric_name=metric_format.metric_name(name).en,
            metric_value=round(float(value), 4),
        )
        for name, value in report["test"].items()
        if name in kind.cards
    ]


def languages_of(leaving: ExportSource) -> list[str]:
    """The languages (ISO 639-1) of a good part of the training texts, the most frequent first."""
    texts = [text for row in _training_rows(leaving) for text in row["inputs"].values() if isinstance(text, str)]
    counts = Counter(language for language in detect_languages(texts) if language)
    enough = _LANGUAGE_SHARE * counts.total()
    return [language for language, count in counts.most_common() if count >= enough]


def _training_rows(leaving: ExportSource) -> Iterator[dict[str, Any]]:
    path = leaving.run.path("data", "train.jsonl")
    if not path.is_file():
        return
    with path.open(encoding="utf-8") as file:
        for _, line in zip(range(_LANGUAGE_SAMPLE), file, strict=False):
            yield json.loads(line)


def _body(leaving: ExportSource, language: str, place: str, onnx: dict[str, Any] | None, repo: str) -> str:
    def said(text: dict[str, str] | Text) -> str:
        return (text if isinstance(text, Text) else Text.from_dict(text)).in_language(language)

    def t(en: str, zh: str) -> Markdown:
        return Markdown(Text(en, zh).in_language(language))

    report = leaving.report
    labels = list(report["run"].get("labels") or [])
    return (
        _environment()
        .get_template("card.md")
        .render(
            **arrange(report),
            said=said,
            t=t,
            leaving=leaving,
            kind=leaving.kind,
            place=place,
            repo=repo,
            onnx=onnx,
            chinese=language != "en",
            labels=labels[:_MOST_LABELS],
            more_labels=max(0, len(labels) - _MOST_LABELS),
            supports={row["label"]: row.get("train_support") for row in report.get("classes") or []},
            ran=describe_run(report["run"]),
            masked=leaving.description.masked,
            yaml=Markdown(leaving.config.to_yaml().strip().replace("```", "'''")),
        )
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("engine.export"),
        # Autoescaping is HTML's; every expression that is not already Markdown goes through Markdown's.
        autoescape=False,
        finalize=escape_markdown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(words=metric_format, Markdown=Markdown)
    return environment
