"""One label a text, or several. Run: python -m pytest tests/engine/tasks/classification/test_label_form.py"""

from __future__ import annotations

import json

from engine.config import DataConfig, RunConfig
from engine.core.settings import Settings
from engine.schema import Example
from engine.tasks import TASKS
from engine.tasks.classification.label_form import targets_in_form, unify_targets
from engine.training.data_check import check_config


def rows(*targets) -> list[Example]:
    return [Example(number, {"text": f"text {number}"}, target) for number, target in enumerate(targets, start=1)]


def targets(tables) -> dict[str, list]:
    return {name: [row.target for row in results] for name, results in tables.items()}


def test_lists_of_one_are_labels_where_no_table_has_more():
    tables = {"train": rows(("a",), ("b",)), "test": rows(("a",))}
    assert targets(unify_targets(tables, DataConfig())) == {"train": ["a", "b"], "test": ["a"]}


def test_one_row_with_more_or_none_makes_all_of_them_lists():
    for odd in (("a", "b"), ()):
        tables = {"train": rows("a", ("b",)), "test": rows(odd)}
        results = targets(unify_targets(tables, DataConfig()))
        assert results == {"train": [("a",), ("b",)], "test": [odd]}


def test_a_separator_that_was_set_says_that_there_may_be_several():
    tables = {"train": rows(("a",), ("b",))}
    results = unify_targets(tables, DataConfig(label_separator=";"))
    assert targets(results) == {"train": [("a",), ("b",)]}


def test_targets_of_other_tasks_stay():
    tables = {"train": [Example(1, {"document": "d"}, ("one reference",))]}
    assert targets(TASKS["summarization"].unify_targets(tables, DataConfig())) == {"train": [("one reference",)]}


def test_rows_are_scored_in_the_form_of_the_model():
    assert [row.target for row in targets_in_form(rows("a", ("b",)), several=True)] == [("a",), ("b",)]
    assert [row.target for row in targets_in_form(rows("a", ("b",), ("a", "b")), several=False)] == [
        "a",
        "b",
        ("a", "b"),
    ]


def test_a_single_choice_export_of_doccano_is_no_multi_label_task(tmp_path):
    path = tmp_path / "export.jsonl"
    lines = [{"id": n, "text": f"message number {n} of many", "label": ["spam" if n % 3 else "ham"]} for n in range(60)]
    path.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    result = check_config(RunConfig.from_dict({"data": {"train": str(path)}}), Settings.from_env())
    assert result.labels == {"spam": 40, "ham": 20}
    assert not [finding for finding in result.findings if finding.severity == "error"]
