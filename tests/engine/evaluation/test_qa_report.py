"""The parts of a question answering report: baselines, groups of questions, misses in their context.

Run: python -m pytest tests/engine/evaluation/test_qa_report.py
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine.evaluation.slices import KINDS
from engine.schema import Example
from engine.tasks.qa import baselines, report_parts
from engine.tasks.qa.counts import metrics_from, statistics
from engine.tasks.qa.groups import groups, question_word

CONTEXT = (
    "Larkmoor was founded in Leeds. Boxed goods go out with the courier Swiftlane within two days. "
    "Returns are free for thirty days. The warehouse stands in Leicester."
)


def ask(question: str, *answers: str, context: str = CONTEXT, row: int = 1) -> Example:
    return Example(
        row,
        {"context": context, "question": question},
        tuple({"text": answer, "start": context.index(answer)} for answer in answers),
    )


def said(example: Example, text: str, confidence: float = 0.9) -> dict[str, Any]:
    start = example.inputs["context"].index(text) if text else None
    return {
        "answer": text,
        "start": start,
        "end": start + len(text) if start is not None else None,
        "confidence": confidence,
        "no_answer": 0.0 if text else confidence,
    }


def answered(*pairs: tuple[Example, str, float]) -> report_parts.Answered:
    examples = [example for example, _, _ in pairs]
    return report_parts.Answered(
        examples,
        [said(example, text, confidence) for example, text, confidence in pairs],
        statistics(examples, [text for _, text, _ in pairs]),
    )


# Word overlap ---------------------------------------------------------------------------------------------------------------


def test_the_sentence_most_like_the_question_is_found_in_both_languages() -> None:
    train = [ask("Where was Larkmoor founded?", "Leeds"), ask("Which courier carries boxed goods?", "Swiftlane")]
    result = baselines.guess(train, [ask("Where is it that the warehouse stands?", "Leicester")])
    assert result.sentences == ["The warehouse stands in Leicester."]
    assert result.windows == ["Leicester"]
    chinese = "澜禾一共设了四个发货仓。退货在三十天内免费。总部在上海。"
    train = [ask("一共有几个发货仓？", "四个", context=chinese)]
    result = baselines.guess(train, [ask("退货免费多少天？", "三十天", context=chinese)])
    assert result.sentences == ["退货在三十天内免费。"]


def test_sentences_end_where_they_end_in_english_and_chinese() -> None:
    text = "It costs £3.95 today. “Really?” Yes!\n\nNew part"
    assert [text[a:b].strip() for a, b in baselines.sentences(text)] == [
        "It costs £3.95 today.",
        "“Really?”",
        "Yes!",
        "New part",
    ]
    chinese = "他说：“好。”然后走了！下一句？没有"
    assert [chinese[a:b] for a, b in baselines.sentences(chinese)] == ["他说：“好。”", "然后走了！", "下一句？", "没有"]
    assert baselines.sentences("   ") == [(0, 3)]


def test_overlap_keeps_silent_where_training_says_that_little_likeness_means_no_answer() -> None:
    train = [ask(f"Which courier carries boxed goods number {n}?", "Swiftlane") for n in range(8)]
    train += [ask(f"Why do penguins whistle, {n}?") for n in range(8)]
    result = baselines.guess(
        train, [ask("Which courier takes boxed goods?", "Swiftlane"), ask("Why do penguins whistle at night?")]
    )
    assert result.sentences[0] and not result.sentences[1]


# Groups ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "english"),
    [
        ("Why is it late?", "why"),
        ("In what year did it open?", "when"),
        ("How many days are there?", "how many, how much"),
        ("How long does it take?", "how many, how much"),
        ("How do I return it?", "how"),
        ("Which firm is it?", "which"),
        ("Who carries it?", "who"),
        ("To whom does it go?", "who"),
        ("Name the courier.", "other questions"),
        ("Somehow it works?", "other questions"),
        ("为什么没有发货？", "why"),
        ("什么时候发货？", "when"),
        ("哪一年成立？", "when"),
        ("仓库在哪里？", "where"),
        ("谁来送货？", "who"),
        ("一共几个仓？", "how many, how much"),
        ("怎么退货？", "how"),
        ("哪家快递送？", "which"),
        ("运费由什么决定？", "what"),
        ("可以退吗？", "other questions"),
    ],
)
def test_question_words(question: str, english: str) -> None:
    assert question_word(question).en == english


def test_groups_part_the_questions_and_have_names() -> None:
    other = CONTEXT.replace("Leeds", "York") * 3
    rows = [ask("Where was it founded?", "Leeds", row=n) for n in range(30)]
    rows += [ask("Who carries it?", "Swiftlane", context=other, row=n) for n in range(30)]
    rows += [ask("Why is the sky blue?", row=n) for n in range(30)]
    result = groups([ask("Where?", "Leeds")], rows)
    assert set(result) <= set(KINDS)
    assert [int(members.sum()) for _, members in result["answerable"]] == [60, 30]
    assert {name.en for name, _ in result["question_word"]} == {"why", "where", "who"}
    assert [int(members.sum()) for _, members in result["leakage"]] == [60, 30]
    for kind in ("answerable", "question_word", "leakage"):
        assert np.sum([members for _, members in result[kind]], axis=0).tolist() == [1] * 90


# Outcomes and misses --------------------------------------------------------------------------------------------------------


def test_every_question_has_one_outcome() -> None:
    founded, who, none = ask("Where?", "Leeds"), ask("Who carries it?", "the courier Swiftlane"), ask("Why blue?")
    result = answered(
        (founded, "Leeds", 0.9),
        (founded, "Leicester", 0.8),
        (founded, "", 0.7),
        (who, "Swiftlane", 0.6),
        (none, "", 0.5),
        (none, "Leeds", 0.4),
    )
    assert result.outcomes == ["exact", "elsewhere", "missed", "partial", "silent_right", "invented"]
    counted = report_parts.outcome_counts(result)
    assert [part["kind"] for part in counted] == list(report_parts.OUTCOMES)
    assert sum(part["share"] for part in counted) == pytest.approx(1)
    worst = report_parts.misses(result)
    assert [miss["outcome"] for miss in worst] == ["elsewhere", "missed", "invented", "partial"]
    assert all("context" not in miss["inputs"] for miss in worst)


def test_a_miss_is_shown_in_its_context_with_both_spans() -> None:
    row = ask("Where was it founded?", "Leeds")
    pieces = report_parts.marked(row, said(row, "Leicester"))
    assert "".join(piece["text"] for piece in pieces) == CONTEXT
    assert {piece["kind"]: piece["text"] for piece in pieces if piece["kind"]} == {
        "wanted": "Leeds",
        "given": "Leicester",
    }
    overlapping = ask("Who?", "the courier Swiftlane")
    pieces = report_parts.marked(overlapping, said(overlapping, "courier Swiftlane within"))
    marks = [(piece["kind"], piece["text"]) for piece in pieces if piece["kind"]]
    assert marks == [("wanted", "the "), ("both", "courier Swiftlane"), ("given", " within")]


def test_what_lies_far_from_both_spans_is_left_out() -> None:
    context = "x " * 400 + "Leeds " + "y " * 600 + "Leicester " + "z " * 400
    row = ask("Where?", "Leeds", context=context)
    pieces = report_parts.marked(row, said(row, "Leicester"))
    assert [piece["kind"] for piece in pieces if piece["kind"]] == ["gap", "wanted", "gap", "given", "gap"]
    assert sum(len(piece["text"]) for piece in pieces) < 4 * report_parts.AROUND + 20


def test_the_threshold_section_says_what_it_does_on_the_test_rows() -> None:
    validation = (np.array([-2.0, -1.0, 1.0]), np.array([1.0, 1.0, 0.0]), np.array([0.0, 0.0, 1.0]))
    test = (np.array([-0.5, 0.2, 3.0]), np.array([0.5, 1.0, 0.0]), np.array([0.0, 0.0, 1.0]))
    result = report_parts.threshold_section(0.5, validation, test)
    assert result["test"] == {
        "chosen": pytest.approx(2.5 / 3),
        "zero": pytest.approx(0.5),
        "always": pytest.approx(0.5),
    }
    assert result["rows"] == 3 and max(result["scores"]) == 1.0


def test_metrics_are_means_over_the_questions() -> None:
    row = ask("Who?", "the courier Swiftlane")
    sums = statistics([row, row], ["Swiftlane", "the courier Swiftlane"]).sum(axis=0)
    values = metrics_from(sums)
    assert values["exact_match"] == 0.5
    assert values["f1"] == pytest.approx((2 * 1 * 0.5 / 1.5 + 1) / 2)
