"""What the question answering tab shows, without a browser. Run: python -m pytest tests/demo/test_qa_tab.py"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from demo.parts.report_view import picked_html
from demo.tabs import qa
from demo.tabs.qa import Mark, marked_html
from engine.core.errors import UserError
from engine.report.html import sections_html
from engine.schema import Example
from engine.tasks import task_named
from engine.tasks.qa.report_parts import OUTCOMES, marked

CONTEXT = "The oven <b>Larkmoor</b> costs £60 & comes from Leicester."
HOSTILE = '<img src=x onerror="hurt()">'


def span(text: str, confidence: float, context: str = CONTEXT) -> dict[str, Any]:
    start = context.index(text)
    return {"text": text, "start": start, "end": start + len(text), "confidence": confidence, "score": confidence}


def answer(text: str, *others: str, context: str = CONTEXT) -> dict[str, Any]:
    best = span(text or "£60", 0.8 if text else 0.1, context)
    return {
        "answer": text,
        "start": best["start"] if text else None,
        "end": best["end"] if text else None,
        "confidence": 0.8,
        "no_answer": 0.1 if text else 0.8,
        "best": best,
        "nbest": [best],
        "alternatives": [span(other, 0.07, context) for other in others],
        "windows": 1,
        "question_cut": False,
    }


def bare(markup: str) -> str:
    return re.sub(r"<[^>]*>", "", markup)


def test_a_marked_text_is_the_text_and_nothing_of_it_is_markup() -> None:
    shown = marked_html(HOSTILE, [Mark(0, 4, "1"), Mark(2, 8, "2")])
    assert "<img" not in shown
    assert bare(shown) == "&lt;img src=x onerror=&quot;hurt()&quot;&gt;"
    assert 'data-place="1 2"' in shown


def test_marks_stand_at_their_characters() -> None:
    text = "\U0001f389 四个仓 in Leeds"
    shown = marked_html(text, [Mark(2, 4, "1", "1"), Mark(9, 14, "2", "2")])
    assert re.findall(r"<mark[^>]*><sup>(\d)</sup>([^<]*)</mark>", shown) == [("1", "四个"), ("2", "Leeds")]


def test_every_line_is_a_question() -> None:
    rows = qa.questions_of({"context": CONTEXT, "question": " What? \n\n Where?\r\nWho?"})
    assert [row["question"] for row in rows] == ["What?", "Where?", "Who?"]
    assert all(row["context"] == CONTEXT for row in rows)
    with pytest.raises(UserError, match="200"):
        qa.questions_of({"context": "c", "question": "\n".join(map(str, range(200)))})


@pytest.mark.parametrize(
    ("language", "none"), [("en", "There is no answer in this text."), ("zh-CN", "这段文本里没有答案。")]
)
def test_several_questions_each_have_their_answer_in_place(language: str, none: str) -> None:
    rows = qa.questions_of({"context": CONTEXT, "question": f"How much?\nWhere from?\n{HOSTILE}"})
    tuned = [answer("£60", "Leicester"), answer("Leicester"), answer("")]
    base = [answer("Leicester"), answer("£60"), answer("£60")]
    shown = qa.answers_html(rows, tuned, base, language)
    assert shown.count('class="tb-qa-item') == 3
    assert none in shown
    assert "<img" not in shown and "<b>Larkmoor" not in shown
    context = shown[shown.index('<div class="tb-context"') :]
    hits = re.findall(r'<mark class="tb-hit" data-place="([^"]*)"[^>]*><sup>(\d)</sup>([^<]*)</mark>', context)
    assert [(number, text) for _, number, text in hits] == [("1", "£60"), ("2", "Leicester")]
    # The alternative of the first question is the answer of the second: one piece, two places.
    assert set(hits[1][0].split()) == {"1-1", "2"}
    for goto in re.findall(r'data-goto="([^"]*)"', shown):
        assert re.search(rf'data-place="(?:[^"]* )?{goto}(?: [^"]*)?"', context), "what a link names must be there"


def test_one_question_needs_no_number() -> None:
    shown = qa.answer_html({"context": CONTEXT, "question": "How much?"}, answer("£60"), None, "en")
    assert "tb-qa-number" not in shown and "<sup>" not in shown
    assert "80% sure" in shown


def test_a_file_is_summed_up_and_its_first_rows_shown() -> None:
    rows = [{"context": CONTEXT, "question": "How much?"}, {"context": CONTEXT, "question": HOSTILE}]
    shown = qa.batch_html(rows, [answer("£60"), answer("")], "en")
    assert "1 of 2 questions answered" in shown
    assert '<mark class="tb-hit">£60</mark>' in shown and "<img" not in shown


def content(context: str = CONTEXT) -> dict[str, Any]:
    example = Example(4, {"context": context, "question": HOSTILE}, ({"text": "£60", "start": context.index("£60")},))
    given = span("Leicester", 0.9, context)
    miss = {
        "row": 4,
        "inputs": {"question": HOSTILE},
        "target": [dict(one) for one in example.target],
        "prediction": "Leicester",
        "confidence": 0.9,
        "f1": 0.0,
        "outcome": "elsewhere",
        "marked": marked(example, {"start": given["start"], "end": given["end"]}),
    }
    return {
        "task": "qa",
        "outcomes": [{"kind": "elsewhere", "label": OUTCOMES["elsewhere"].to_dict(), "count": 1, "share": 1.0}],
        "mistakes": [miss],
        "mistake_count": 1,
        "scored_as": {"squad": 1, "cmrc": 0},
        "threshold": {
            "value": -0.5,
            "rows": 10,
            "thresholds": [-1.0, -0.5, 2.0],
            "scores": [0.2, 0.6, 0.4],
            "test": {"chosen": 0.5, "zero": 0.4, "always": 0.3},
        },
    }


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_misses_are_shown_with_both_spans_and_escaped(language: str, tmp_path: Path) -> None:
    result = content()
    shown = sections_html(task_named("qa").report_sections(result), language, picks=True)
    assert '<mark class="tb-m-gold">£60</mark>' in shown
    assert '<mark class="tb-m-predicted">Leicester</mark>' in shown
    assert "<img" not in shown and "<b>Larkmoor" not in shown
    row = {**result["mistakes"][0], "inputs": {"question": HOSTILE, "context": CONTEXT}}
    (tmp_path / "predictions.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    opened = picked_html(tmp_path, result, "elsewhere", language)
    assert '<mark class="tb-m-predicted">Leicester</mark>' in opened and "<img" not in opened
    assert 'data-pick="elsewhere"' in shown
    assert "−0.50" in shown and "0.500" in shown and "SQuAD" in shown


def test_without_unanswerable_questions_no_threshold_is_shown() -> None:
    sections = task_named("qa").report_sections({**content(), "threshold": None})
    assert [section.id for section in sections] == ["outcomes", "mistakes"]


def test_a_suggestion_says_the_question_and_its_answer() -> None:
    row = {"inputs": {"context": CONTEXT, "question": "How much?"}, "target": [{"text": "£60", "start": 27}]}
    assert qa.TAB.answers.target(row) == "£60"
    assert qa.TAB.answers.target({**row, "target": []}) == "–"
    assert qa.TAB.suggested_input == "question"
