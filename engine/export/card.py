"""The model card: what the model is, how well it does, what it was trained on, its intended use and its limits.

Knows a finished run and the hub's conventions for front matter (model-index). English first, Chinese below. Every name that
comes from the data is escaped. `place` ("zip", "onnx" or "hub") selects the instructions for use.
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
from engine.report.common import insight_lines, metric_rows
from engine.report.markdown import Markdown, escape_markdown
from engine.report.run_facts import describe_run
from engine.tasks import task_named
from engine.tasks.export_spec import TaskExport

_MAX_LABELS = 60  # listed in the card
_LANGUAGE_SAMPLE, _LANGUAGE_SHARE = 500, 0.15


def model_card(source: ExportSource, place: str, onnx: dict[str, Any] | None = None, repo: str = "") -> str:
    """README.md for a zip or a hub repository `repo`; `onnx` is what `write_onnx` measured, if there is an ONNX file."""
    parts = ["---\n" + front_matter(source) + "\n---\n"]
    for language in ("en", "zh-CN"):
        parts.append(_body(source, language, place, onnx, repo))
    return "\n\n".join(part.strip() for part in parts) + "\n"


def front_matter(source: ExportSource) -> str:
    """The metadata as YAML, written by the hub's own library."""
    config, export, base = source.config, source.task_export, source.catalog_entry
    languages = languages_of(source)
    return ModelCardData(
        language=languages[0] if len(languages) == 1 else languages or None,
        license=base.licence.lower() if base else None,
        library_name="transformers",
        pipeline_tag=export.pipeline,
        base_model=source.base_id if base or "/" in source.base_id else None,
        datasets=[config.data.hub] if config.data.hub else None,
        tags=[
            export.pipeline,
            "tunebench",
            "safetensors",
            *([config.method.name] if config.method.name in ADAPTERS else []),
        ],
        metrics=sorted({export.metric_ids[name] for name in source.report["test"] if name in export.metric_ids}),
        model_name=_one_line(source.title.en),
        eval_results=_results(source),
    ).to_yaml()


def _results(source: ExportSource) -> list[EvalResult]:
    """Each metric on the held-out rows, for the front matter's model-index."""
    config, export, report = source.config, source.task_export, source.report
    return [
        EvalResult(
            task_type=export.pipeline,
            dataset_type=config.data.hub or "csv",
            dataset_name=_one_line(source.data_name.en),
            dataset_config=config.data.hub_config or None,
            dataset_split="test",
            metric_type=export.metric_ids[name],
            metric_name=metric_format.metric_name(name).en,
            metric_value=round(float(value), 4),
        )
        for name, value in report["test"].items()
        if name in export.metric_ids
    ]


def languages_of(source: ExportSource) -> list[str]:
    """The languages (ISO 639-1) of at least 15% of the training texts, the most frequent first."""
    texts = [text for row in _training_rows(source) for text in row["inputs"].values() if isinstance(text, str)]
    counts = Counter(language for language in detect_languages(texts) if language)
    minimum = _LANGUAGE_SHARE * counts.total()
    return [language for language, count in counts.most_common() if count >= minimum]


def _training_rows(source: ExportSource) -> Iterator[dict[str, Any]]:
    path = source.run.path("data", "train.jsonl")
    if not path.is_file():
        return
    with path.open(encoding="utf-8") as file:
        for _, line in zip(range(_LANGUAGE_SAMPLE), file, strict=False):
            yield json.loads(line)


def _body(source: ExportSource, language: str, place: str, onnx: dict[str, Any] | None, repo: str) -> str:
    def localized(text: dict[str, str] | Text) -> str:
        return (text if isinstance(text, Text) else Text.from_dict(text)).in_language(language)

    def t(en: str, zh: str) -> Markdown:
        return Markdown(Text(en, zh).in_language(language))

    report, export = source.report, source.task_export
    labels = list(report["run"].get("labels") or [])
    return (
        _environment()
        .get_template("card.md")
        .render(
            report=report,
            metrics=metric_rows(report),
            insights=insight_lines(report, task_named(report["task"])),
            localized=localized,
            t=t,
            source=source,
            export=export,
            usage=_pipeline_arguments(export, report),
            place=place,
            repo=repo,
            onnx=onnx,
            chinese=language != "en",
            labels=labels[:_MAX_LABELS],
            more_labels=max(0, len(labels) - _MAX_LABELS),
            supports={row["label"]: row.get("train_support") for row in report.get("classes") or []},
            run_facts=describe_run(report["run"]),
            masked=source.description.masked,
            yaml=Markdown(source.config.to_yaml().strip().replace("```", "'''")),
        )
    )


def _pipeline_arguments(export: TaskExport, report: dict[str, Any]) -> Markdown | None:
    """Further arguments of `transformers.pipeline` as Python source; None where no pipeline answers like the model."""
    if export.pipeline_arguments is None:
        return None
    arguments = export.pipeline_arguments(report).items()
    return Markdown(
        "".join(f", {name}={json.dumps(value) if isinstance(value, str) else value}" for name, value in arguments)
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("engine.export"),
        # Autoescaping would escape HTML; every expression that is not already Markdown is escaped as Markdown instead.
        autoescape=False,
        finalize=escape_markdown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(words=metric_format, Markdown=Markdown)
    return environment
