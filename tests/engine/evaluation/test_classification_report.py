"""What a classification report says, and when. Run: python -m pytest tests/engine/evaluation/test_classification_report.py"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from engine.schema import Example
from engine.tasks.classification.report import build_report, predictions
from tests.engine.evaluation.answers import probabilities_for
from tests.engine.evaluation.conftest import Make


def kinds(report: dict[str, Any]) -> set[str]:
    return {point["kind"] for point in report["verdict"]["points"]}


def said(report: dict[str, Any], kind: str) -> str:
    return next(point["text"]["en"] for point in report["verdict"]["points"] if point["kind"] == kind)


def test_report_is_json_with_every_part(make: Make):
    report = build_report(make())
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    assert {
        "schema", "task", "created", "run", "headline", "verdict", "test", "intervals", "baselines", "classes",
        "confusion", "calibration", "mistakes", "slices", "more_data",
    } <= set(report)  # fmt: skip
    assert report["headline"]["metric"] == "accuracy"
    assert report["headline"]["value"] == report["test"]["accuracy"] == 0.9
    assert report["intervals"]["accuracy"] == [report["headline"]["low"], report["headline"]["high"]]
    assert np.sum(report["confusion"]["matrix"]) == 200
    assert set(report["baselines"]) == {"majority", "tfidf_logreg"}


@pytest.mark.parametrize(
    ("level", "settings"),
    [
        ("strong", {"right": 0.95, "keyword": 0.3, "test": 400}),
        ("useful", {"right": 0.65, "keyword": 0.1, "test": 400}),
        ("unclear", {"right": 0.8, "keyword": 0.75, "test": 20}),
        ("no_better", {"right": 0.7, "keyword": 1.0}),
    ],
)
def test_each_level_is_reached(make: Make, level: str, settings: dict[str, Any]):
    assert build_report(make(**settings))["verdict"]["level"] == level


def test_points_from_the_scores(make: Make):
    report = build_report(make(test=60, right=0.8, sure=0.99, keyword=0.9))
    assert {"keyword_baseline", "small_test", "calibration", "more_data"} <= kinds(report)
    assert "surer than it should be" in said(report, "calibration")
    assert "60 rows" in said(report, "small_test")


def test_no_points_without_cause(make: Make):
    evidence = make(test=600, right=0.88, sure=0.88, keyword=0.2)
    result = kinds(build_report(replace(evidence, facts={"truncated_share": 0.01, "history": []})))
    assert result <= {"keyword_baseline", "more_data"}


def test_weak_class_is_named_and_no_other(make: Make):
    evidence = make(classes=4, test=400, right=1.0)
    targets = np.arange(400) % 4
    answers = np.where((targets == 2) & (np.arange(400) % 8 == 2), 3, targets)
    report = build_report(replace(evidence, probabilities=probabilities_for(answers, 4)))
    assert "label 02" in said(report, "weak_classes")
    assert "label 00" not in said(report, "weak_classes")
    row = report["classes"][2]
    assert row["confused_with"] == [{"label": "label 03", "count": 50}]
    assert row["f1"] == pytest.approx(2 / 3)
    assert row["f1_low"] < row["f1"] < row["f1_high"]


def test_points_from_the_facts(make: Make):
    history = [
        {"step": 10, "epoch": 1.0, "train_loss": 0.9, "validation": {"loss": 0.5, "accuracy": 0.8}},
        {"step": 20, "epoch": 2.0, "train_loss": 0.4, "validation": {"loss": 0.4, "accuracy": 0.9}},
        {"step": 30, "epoch": 3.0, "train_loss": 0.1, "validation": {"loss": 0.7, "accuracy": 0.9}},
    ]
    facts = {
        "truncated_share": 0.31,
        "max_length": 64,
        "history": history,
        "best_epoch": 2.0,
        "train_metrics": {"accuracy": 0.99},
    }
    report = build_report(replace(make(right=0.8), facts=facts))
    assert "31% of the training texts are longer than the maximum length of 64 tokens" in said(report, "truncation")
    assert "lowest at epoch 2 (0.40) and rose to 0.70" in said(report, "overfitting")
    assert "knows its training rows far better (99.0%)" in said(report, "more_data")


def test_leakage_is_said_with_the_score_on_the_other_rows(make: Make):
    evidence = make(test=200, right=1.0)
    copies = [Example(row.row, {"text": "  " + row.inputs["text"].upper()}, row.target) for row in evidence.test[:50]]
    answers = np.arange(200) % 3
    answers[50:100] = (answers[50:100] + 1) % 3
    report = build_report(replace(evidence, train=evidence.train + copies, probabilities=probabilities_for(answers, 3)))
    assert report["leakage"] == {"rows": 50, "share": 0.25}
    assert "50 test rows (25.0%)" in said(report, "leakage")
    assert "On the others accuracy is 66.7%" in said(report, "leakage")
    result = {part["name"]["en"]: part for part in report["slices"] if part["kind"] == "leakage"}
    assert result["text also in training"]["value"] == 1.0
    assert result["text not in training"]["n"] == 150


def test_imbalance_is_said(make: Make):
    evidence = make(test=200)
    skewed = [replace_target(row, "label 00" if index < 170 else row.target) for index, row in enumerate(evidence.test)]
    assert "“label 00”" in said(build_report(replace(evidence, test=skewed)), "imbalance")


def replace_target(example: Example, target: Any) -> Example:
    return Example(example.row, example.inputs, target)


def test_untuned_model_is_compared(make: Make):
    evidence = make(right=0.9)
    worse = probabilities_for(np.zeros(200, dtype=int), 3)
    report = build_report(replace(evidence, pretrained_probabilities=worse))
    assert report["baselines"]["untuned"]["difference"]["low"] > 0
    assert "Fine-tuning was worth it" in said(report, "untuned")
    report = build_report(replace(evidence, pretrained_probabilities=evidence.probabilities))
    assert report["baselines"]["untuned"]["difference"]["value"] == 0
    assert "brought little" in said(report, "untuned")


def test_validation_far_above_test_is_said(make: Make):
    evidence = make(right=0.7)
    held = [Example(row, {"text": "x"}, f"label {row % 3:02d}") for row in range(200)]
    perfect = probabilities_for(np.arange(200) % 3, 3)
    report = build_report(replace(evidence, validation=held, validation_probabilities=perfect))
    assert "harder than the validation rows" in said(report, "shift")


def test_without_baselines_only_the_constant_answer_remains(make: Make):
    evidence = make(right=0.95)
    alone = replace(evidence.settings, baselines=False)
    report = build_report(replace(evidence, settings=alone, pretrained_probabilities=evidence.probabilities))
    assert set(report["baselines"]) == {"majority"}
    assert report["more_data"] is None
    assert report["verdict"]["level"] == "useful"
    assert "not compared with keywords" in report["verdict"]["sentence"]["en"]


def test_selection_metric_is_the_headline(make: Make):
    evidence = make()
    report = build_report(replace(evidence, settings=replace(evidence.settings, metric="macro_f1")))
    assert report["headline"]["metric"] == "macro_f1"
    assert report["baselines"]["majority"]["difference"]["metric"] == "macro_f1"
    assert report["verdict"]["sentence"]["en"].startswith("Macro F1 of 0.9")


def test_a_class_without_test_rows_has_no_score(make: Make):
    evidence = make(classes=3)
    rows = [row for row in evidence.test if row.target != "label 02"]
    kept = [index for index, row in enumerate(evidence.test) if row.target != "label 02"]
    answers = np.array([int(row.target[-2:]) for row in rows])
    report = build_report(replace(evidence, test=rows, probabilities=probabilities_for(answers, 3)))
    assert len(kept) == len(rows)
    untested = report["classes"][2]
    assert untested["support"] == 0
    assert untested["f1"] is untested["recall"] is untested["f1_low"] is None
    assert report["test"]["macro_f1"] == 1.0
    assert "“label 02”" in said(report, "untested_classes")


def test_labels_that_training_never_had_are_mistakes(make: Make):
    evidence = make(right=1.0)
    rows = [replace_target(row, "new") if row.row <= 20 else row for row in evidence.test]
    report = build_report(replace(evidence, test=rows))
    assert report["test"]["accuracy"] == 0.9
    assert report["unseen_labels"] == [{"label": "new", "count": 20}]
    assert "20 test rows" in said(report, "unseen_labels")
    assert np.sum(report["confusion"]["matrix"]) == 180


def test_five_rows(make: Make):
    report = build_report(make(test=5, train=12, right=1.0))
    assert report["headline"]["high"] == 1.0
    assert report["headline"]["low"] < 0.5
    assert report["verdict"]["level"] in ("unclear", "no_better")
    assert report["more_data"] is None
    assert "small_test" in kinds(report)


def test_two_and_77_classes(make: Make):
    assert len(build_report(make(classes=2))["classes"]) == 2
    report = build_report(make(classes=77, train=308, test=308))
    assert len(report["classes"]) == 77
    assert np.shape(report["confusion"]["matrix"]) == (77, 77)


def test_several_labels(make: Make):
    evidence = make(classes=3, test=90, train=180)
    answers = np.zeros((90, 3))

    def several(example: Example) -> Example:
        names = {0: ("label 00",), 1: ("label 01", "label 02"), 2: ()}[example.row % 3]
        return Example(example.row, example.inputs, names)

    for index, example in enumerate(evidence.test):
        for name in several(example).target:
            answers[index, int(name[-2:])] = 0.9
    answers[1] = 0.8
    report = build_report(
        replace(
            evidence,
            multi_label=True,
            train=[several(row) for row in evidence.train],
            test=[several(row) for row in evidence.test],
            probabilities=answers,
        )
    )
    assert report["headline"]["metric"] == "micro_f1"
    assert report["test"]["accuracy"] == pytest.approx(89 / 90)
    assert report["confusion"]["per_class"][0] == [[59, 1], [0, 30]]
    assert [mistake["prediction"] for mistake in report["mistakes"]] == [["label 00", "label 01", "label 02"]]
    assert report["mistakes"][0]["label"] == []
    assert sum(part["count"] for part in report["calibration"]["bins"]) == 270


def test_pairs_are_read_whole(make: Make):
    evidence = make(classes=2)

    def paired(example: Example) -> Example:
        return Example(example.row, {"text": "same", "text_pair": example.inputs["text"]}, example.target)

    report = build_report(
        replace(evidence, train=[paired(row) for row in evidence.train], test=[paired(row) for row in evidence.test])
    )
    assert report["baselines"]["tfidf_logreg"]["metrics"]["accuracy"] > 0.6
    assert set(report["mistakes"][0]["inputs"]) == {"text", "text_pair"}


def test_worst_mistakes_come_first_and_doubtful_labels_are_marked(make: Make):
    evidence = make(classes=3, test=120, right=1.0, keyword=1.0)
    answers, sure = np.arange(120) % 3, np.full(120, 0.9)
    answers[7], sure[7] = (answers[7] + 1) % 3, 0.6
    answers[30], sure[30] = (answers[30] + 1) % 3, 0.99
    rows = list(evidence.test)
    # Row 50 is labelled wrong: its words and the model agree with each other.
    rows[50] = replace_target(rows[50], f"label {(50 % 3 + 1) % 3:02d}")
    report = build_report(replace(evidence, test=rows, probabilities=probabilities_for(answers, 3, sure)))
    assert [mistake["row"] for mistake in report["mistakes"]] == [31, 51, 8]
    assert [mistake["likely_mislabelled"] for mistake in report["mistakes"]] == [False, True, False]
    assert report["mistake_count"] == 3
    assert "Of its 3 mistakes, 1 may be a wrong label" in said(report, "label_noise")
    assert list(report["mistakes"][0]["probabilities"].values()) == sorted(
        report["mistakes"][0]["probabilities"].values(), reverse=True
    )


def test_mixed_scripts_and_lengths_are_scored_apart(make: Make):
    evidence = make(test=200)
    rows = [
        Example(row.row, {"text": "订单什么时候到" * (1 + row.row % 5)}, row.target) if row.row % 2 else row
        for row in evidence.test
    ]
    result = [part["name"]["en"] for part in build_report(replace(evidence, test=rows))["slices"]]
    assert {"Latin script", "Chinese characters"} <= set(result)
    lengths = [part for part in build_report(evidence)["slices"] if part["kind"] == "length"]
    assert len(lengths) == 4
    assert sum(part["n"] for part in lengths) == 200


def test_more_data_curve_rises_when_words_are_to_be_learned(make: Make):
    report = build_report(make(classes=20, train=400, test=600, keyword=0.95, right=0.97))
    more = report["more_data"]
    assert more["sizes"] == [50, 100, 200, 400]
    assert more["scores"][0] < more["scores"][-1] == report["baselines"]["tfidf_logreg"]["metrics"]["accuracy"]
    assert more["gain"] == pytest.approx(more["scores"][-1] - more["scores"][-2])


def test_predictions_hold_every_test_row(make: Make):
    evidence = make(classes=7, test=40)
    rows = list(predictions(evidence))
    assert [row["row"] for row in rows] == list(range(1, 41))
    assert sum(row["correct"] for row in rows) == 36
    assert all(len(row["probabilities"]) == 5 for row in rows)
    assert all(row["prediction"] == next(iter(row["probabilities"])) for row in rows)


def test_probabilities_must_fit_the_rows(make: Make):
    evidence = make()
    with pytest.raises(ValueError, match="200 examples and 3 labels"):
        build_report(replace(evidence, probabilities=evidence.probabilities[:-1]))
    with pytest.raises(ValueError, match="at least one test row"):
        build_report(replace(evidence, test=[]))


def test_same_evidence_same_report(make: Make):
    one, two = build_report(make()), build_report(make())
    one.pop("created"), two.pop("created")
    assert one == two
