"""Reports on disk: complete, self-contained, safe to open. Run: python -m pytest tests/engine/evaluation/test_report_files.py"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from markdown_it import MarkdownIt

from engine.core.errors import RunProblem
from engine.report.charts import ticks
from engine.report.files import load_report, render_html, render_markdown, write_report
from engine.report.markdown import escape_markdown
from engine.schema import Example
from engine.sections import axis_span
from engine.tasks.classification.evidence import Evidence
from engine.tasks.classification.report import build_report, predictions
from engine.tasks.classification.rows import confusion_rows
from tests.engine.evaluation.answers import probabilities_for
from tests.engine.evaluation.conftest import Make

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src="https://evil.example/x.png" onerror=alert(1)>',
    "</style><style>*{display:none}</style>",
    "a|b `code` **bold** _em_ [link](javascript:alert(1)) ![i](https://evil.example/i.png)",
    "line one\n\n# heading\n- item\n| x | y |\n|---|---|\n",
    "{{ 7*7 }}{% raw %}",
    "half a pair \ud800 and a nul \x00",
]

FACTS: dict[str, Any] = {
    "model": "<b>minilm</b>",
    "method": "lora",
    "parameters": 22_700_000,
    "trainable_parameters": 700_000,
    "device": "cpu",
    "device_reason": {"en": "No GPU.", "zh": "没有 GPU。"},
    "dtype": "bf16",
    "seconds": {"train": 84.0, "evaluate": 5.2, "report": 0.1},
    "peak_memory_mb": 1890.0,
    "versions": {"torch": "2.13.0"},
    "data_sha256": "ab" * 32,
    "seed": 42,
    "rows": {"train": 240, "validation": 30, "test": 200},
    "sources": {"train": {"name": "a|b.csv", "sha256": "", "rows": 240}},
    "epochs": 3.0,
    "batch_size": 16,
    "learning_rate": 2e-4,
    "max_length": 64,
    "best_epoch": 2.0,
    "best_step": 1234,
    "notices": [
        {"code": "x", "severity": "warning", "message": {"en": "<i>12 rows</i> left out.", "zh": "跳过 12 行。"}}
    ],
    "history": [
        {"step": 1, "epoch": 1.0, "train_loss": None, "validation": {"loss": 0.5, "accuracy": 0.8}},
        {"step": 2, "epoch": 2.0, "train_loss": 0.3, "validation": {"loss": 0.4, "accuracy": 0.9}},
    ],
}


class Tags(HTMLParser):
    """Every start tag with its attributes, and the text outside the style sheet."""

    def __init__(self, page: str):
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text += data


def hostile(make: Make) -> Evidence:
    evidence = make(classes=len(HOSTILE), test=140, train=280, right=0.8)
    rename = dict(zip(evidence.labels, HOSTILE, strict=True))

    def spoil(rows: list[Example]) -> list[Example]:
        return [
            Example(row.row, {"text": row.inputs["text"] + HOSTILE[row.row % len(HOSTILE)]}, rename[row.target])
            for row in rows
        ]

    return replace(evidence, labels=HOSTILE, train=spoil(evidence.train), test=spoil(evidence.test), facts=FACTS)


def written(evidence: Evidence, directory: Path) -> dict[str, Any]:
    report = build_report(evidence)
    write_report(report, directory, predictions(evidence))
    return report


def test_all_files_are_there_and_read_back(make: Make, tmp_path: Path):
    report = written(make(), tmp_path / "report")
    assert {path.name for path in (tmp_path / "report").iterdir()} == {
        "report.json", "report.md", "report.zh-CN.md", "report.html", "predictions.jsonl",
    }  # fmt: skip
    assert load_report(tmp_path / "report") == report
    rows = [json.loads(line) for line in (tmp_path / "report" / "predictions.jsonl").open(encoding="utf-8")]
    assert len(rows) == 200
    assert {"row", "inputs", "target", "prediction", "confidence", "probabilities"} <= set(rows[0])


def test_a_missing_report_is_a_problem_with_a_name(tmp_path: Path):
    with pytest.raises(RunProblem) as caught:
        load_report(tmp_path)
    assert caught.value.code == "no_report"


def test_hostile_texts_stay_texts_in_html(make: Make, tmp_path: Path):
    written(hostile(make), tmp_path)
    page = Tags((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert not {tag for tag, _ in page.found} & {"script", "img", "iframe", "object", "embed", "link", "base", "i"}
    assert not [name for _, attributes in page.found for name in attributes if name.startswith("on")]
    assert [tag for tag, _ in page.found].count("style") == 1
    assert "<script>alert(1)</script>" in page.text
    assert "{{ 7*7 }}" in page.text
    assert "<b>minilm</b>" in page.text


def test_html_asks_for_nothing_outside_itself(make: Make, tmp_path: Path):
    written(make(classes=30, train=300, test=300, facts=FACTS), tmp_path)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    for tag, attributes in Tags(page).found:
        assert not {"src", "href", "srcset", "data", "action"} & set(attributes), tag
    assert "url(" not in page
    assert "@import" not in page
    assert "http://" not in page
    assert "https://" not in page
    assert "default-src 'none'" in page


def test_html_has_both_languages_and_starts_in_the_one_asked_for(make: Make):
    report = build_report(make(facts=FACTS))
    for language, checked in (("en", "english"), ("zh-CN", "chinese"), ("zh", "chinese"), ("fr", "english")):
        page = Tags(render_html(report, language))
        switches = {a["id"]: "checked" in a for tag, a in page.found if tag == "input"}
        assert switches == {"english": checked == "english", "chinese": checked == "chinese"}
        assert report["verdict"]["sentence"]["en"] in page.text
        assert report["verdict"]["sentence"]["zh"] in page.text


def test_every_bilingual_part_has_its_twin(make: Make):
    page = render_html(build_report(make(facts=FACTS)))
    assert len(re.findall(r'class="en[" ]', page)) == len(re.findall(r'class="zh[" ]', page)) > 60


def test_hostile_texts_stay_texts_in_markdown(make: Make, tmp_path: Path):
    report = written(hostile(make), tmp_path)
    parser = MarkdownIt("commonmark", {"html": True}).enable("table").enable("strikethrough")
    for name in ("report.md", "report.zh-CN.md"):
        tokens = parser.parse((tmp_path / name).read_text(encoding="utf-8"))
        inner = [child for token in tokens for child in token.children or []]
        kinds = {token.type for token in tokens} | {child.type for child in inner}
        assert not kinds & {"html_block", "html_inline", "link_open", "image", "code_inline", "fence", "code_block"}
        assert "em_open" not in kinds
        headings = [tokens[i + 1].content for i, token in enumerate(tokens) if token.type == "heading_open"]
        assert not [heading for heading in headings if heading.strip() == "heading"]
        text = "\n".join(child.content for child in inner)
        assert "a|b `code` **bold** _em_ [link](javascript:alert(1))" in text
    assert report["verdict"]["sentence"]["en"].split(",")[0][:20] in (tmp_path / "report.md").read_text(
        encoding="utf-8"
    )


def test_markdown_tables_keep_their_columns(make: Make):
    tables = [[]]
    for line in render_markdown(build_report(hostile(make)), "en").splitlines():
        if line.startswith("|"):
            tables[-1].append(len(re.findall(r"(?<!\\)\|", line)))
        elif tables[-1]:
            tables.append([])
    tables = [table for table in tables if table]
    assert len(tables) >= 6
    assert all(len(set(table)) == 1 for table in tables), tables


def test_markdown_is_in_one_language(make: Make):
    report = build_report(make(facts={**FACTS, "notices": []}))
    assert not re.search(r"[\u4e00-\u9fff]", render_markdown(report, "en"))
    chinese = render_markdown(report, "zh-CN")
    assert report["verdict"]["sentence"]["zh"] in chinese
    assert "Class by class" not in chinese


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("card_not_working", "card_not_working"),
        ("_x_ and __y__", r"\_x\_ and \_\_y\_\_"),
        ("a|b", r"a\|b"),
        ("<b>&amp;", "&lt;b&gt;&amp;amp;"),
        ("two\nlines  here", "two lines here"),
        ("back\\slash*", r"back\\slash\*"),
    ],
)
def test_markdown_escaping(text: str, safe: str):
    assert escape_markdown(text) == safe


def test_many_classes_show_pairs_instead_of_a_matrix(make: Make):
    evidence = make(classes=30, train=300, test=300, right=0.8)
    page = render_html(build_report(evidence))
    assert "With 30 classes a matrix cannot be read" in page
    assert page.index("With 30 classes a matrix cannot be read") < page.index(
        "The 30 most confused classes as a matrix"
    )
    assert 'class="tb-matrix' in page[page.index("The 30 most confused classes as a matrix") :]
    small = render_html(build_report(make(classes=5)))
    assert 'class="tb-matrix' in small and "taken for" not in small


def test_cells_lead_to_their_rows(make: Make, tmp_path: Path):
    evidence = make(classes=3, test=90, right=1.0)
    answers, sure = np.arange(90) % 3, np.full(90, 0.9)
    for row, certainty in ((0, 0.6), (3, 0.8), (6, 0.7)):
        answers[row], sure[row] = 2, certainty
    written(replace(evidence, probabilities=probabilities_for(answers, 3, sure)), tmp_path)
    assert [row["row"] for row in confusion_rows(tmp_path, "label 00", "label 02", 10)] == [4, 7, 1]
    assert [row["row"] for row in confusion_rows(tmp_path, "label 00", "label 02", 1)] == [4]
    assert confusion_rows(tmp_path, "label 01", "label 02", 10) == []
    assert len(confusion_rows(tmp_path, "label 00", "label 00", 100)) == 27


def test_cells_of_several_labels_lead_to_their_rows(tmp_path: Path):
    def row(number: int, target: list[str], prediction: list[str]) -> dict[str, Any]:
        return {"row": number, "target": target, "prediction": prediction, "confidence": 0.9}

    rows = [row(1, ["a", "b"], ["a"]), row(2, ["b"], ["a"]), row(3, [], []), row(4, ["a"], ["b"])]
    tmp_path.joinpath("predictions.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    assert [r["row"] for r in confusion_rows(tmp_path, "a", "a", 9)] == [1]
    assert [r["row"] for r in confusion_rows(tmp_path, "a", None, 9)] == [4]
    assert [r["row"] for r in confusion_rows(tmp_path, None, "a", 9)] == [2]


def test_a_report_of_another_task_shows_what_it_has(make: Make):
    report = build_report(make(facts=FACTS))
    for part in ("classes", "confusion", "calibration", "mistakes", "slices", "more_data"):
        report.pop(part)
    assert "What was run" in render_html(report)
    assert "What was run" in render_markdown(report, "en")


@pytest.mark.parametrize("facts", [{}, {"history": [], "notices": [], "rows": {}, "seconds": {}, "versions": {}}])
def test_facts_may_be_missing(make: Make, facts: dict[str, Any]):
    report = build_report(make(test=5, train=9, facts=facts))
    assert "How it learned" not in render_html(report)
    assert "Evaluation report" in render_markdown(report, "en")


def test_several_labels_and_pairs_render(make: Make):
    evidence = make(classes=2, test=30, train=60)

    def several(rows: list[Example]) -> list[Example]:
        return [Example(r.row, {"text": r.inputs["text"], "text_pair": "second"}, (r.target,)) for r in rows]

    report = build_report(
        replace(evidence, multi_label=True, train=several(evidence.train), test=several(evidence.test))
    )
    page = render_html(report)
    assert "Wrongly given" in page
    assert "<blockquote>second</blockquote>" in page
    assert "Wrongly given" in render_markdown(report, "en")


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0.0, 1.0, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]), (0.81, 0.86, [0.81, 0.82, 0.83, 0.84, 0.85, 0.86]), (5.0, 5.0, [5.0])],
)
def test_ticks_are_round(low: float, high: float, expected: list[float]):
    assert ticks(low, high) == pytest.approx(expected)


def test_an_axis_holds_what_is_drawn():
    for low, high in ((0.012, 0.938), (0.8, 0.85), (0.0, 0.0), (1.0, 1.0), (0.95, 0.999)):
        first, last = axis_span(low, high)
        assert 0 <= first <= low <= high <= last <= 1
        assert last - first >= 0.0999
