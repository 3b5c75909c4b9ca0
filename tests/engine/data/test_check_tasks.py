"""For every task: each fault planted in a file is found by the command line, and a clean file is clean.

Run: python -m pytest tests/engine/data/test_check_tasks.py
"""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from engine.cli import app
from engine.config import DataConfig, RunConfig
from engine.core.errors import ConfigProblem
from engine.core.settings import Settings
from engine.data.fixes import fixes_for
from engine.data.model_facts import ModelFacts
from engine.tasks import TASKS as SPECS
from engine.training.data_check import check_config, settle_fixes
from tests.engine.data.planted import FAULTS as CLASSIFICATION_FAULTS
from tests.engine.data.planted import clean_rows
from tests.engine.data.planted_tasks import CLEAN, FAULTS, write

TASKS = list(CLEAN)


@pytest.fixture
def deployment(tmp_path):
    return Settings(cache_dir=tmp_path / "cache", runs_dir=tmp_path / "runs")


def look(task, train, deployment, test="", **data):
    config = RunConfig(task=task, data=DataConfig(train=train, test=test, **data))
    return check_config(config, deployment, ModelFacts())


@pytest.mark.parametrize("task", TASKS)
def test_a_clean_file_has_no_findings(task, tmp_path, deployment):
    train = write(tmp_path / "train.jsonl", CLEAN[task]())
    test = write(tmp_path / "test.jsonl", CLEAN[task](seed=11, count=20))
    result = look(task, train, deployment, test)
    assert [(f.code, f.message.en) for f in result.findings] == []
    assert result.worst == "ok"


@pytest.mark.parametrize("task", TASKS)
def test_every_planted_fault_is_found_and_nothing_else(task, tmp_path, deployment):
    clean = CLEAN[task]()
    planted = [row for rows in FAULTS[task].values() for row in rows]
    train = write(tmp_path / "train.jsonl", clean + planted)
    test = write(tmp_path / "test.jsonl", [*CLEAN[task](seed=11, count=20), *clean[:3]])
    result = look(task, train, deployment, test)
    assert {finding.code for finding in result.findings} == {*FAULTS[task], "leakage"}
    first = len(clean) + 1
    for finding in result.findings:
        assert finding.count >= 1
        assert finding.message.en and finding.message.zh != finding.message.en
        assert finding.rows, finding.code
        for place in finding.rows:
            assert place.file == "test.jsonl" if finding.code == "leakage" else place.row >= first, finding
    counts = {finding.code: finding.count for finding in result.findings}
    assert counts["leakage"] == 3
    assert counts["duplicates"] == counts["personal_data"] == counts["broken_characters"] == 1


@pytest.mark.parametrize("task", TASKS)
def test_what_can_be_mended_is_gone_after_its_fix(task, tmp_path, deployment):
    clean = CLEAN[task]()
    train = write(tmp_path / "train.jsonl", clean + [row for rows in FAULTS[task].values() for row in rows])
    test = write(tmp_path / "test.jsonl", clean[:3])
    results = look(task, train, deployment, test).findings
    mended = {f.code: f.fix.code for f in results if f.fix and f.fix.code in fixes_for(SPECS[task])}
    assert len(mended) >= 3
    after = look(task, train, deployment, test, fixes=list(mended.values()))
    assert {finding.code for finding in after.findings} == {finding.code for finding in results} - set(mended)
    assert len(after.fixed) == len(set(mended.values()))


def run(*arguments):
    done = CliRunner().invoke(app, ["check", *map(str, arguments), "--json"], catch_exceptions=False)
    return json.loads(done.output.strip().splitlines()[-1])


@pytest.mark.parametrize("task", TASKS)
def test_the_command_line_says_the_same_as_json(task, tmp_path):
    rows = CLEAN[task]() + [row for rows in FAULTS[task].values() for row in rows]
    results = run(write(tmp_path / "train.jsonl", rows), "--task", task)
    assert set(results) == {"task", "model", "worst", "sources", "columns", "rows", "labels", "findings", "fixed"}
    # What depends on the model that is chosen for the data: its languages, its vocabulary, how much it reads.
    of_the_model = {"language_not_read", "language_mix", "unknown_tokens", "too_long"}
    assert {finding["code"] for finding in results["findings"]} - of_the_model == set(FAULTS[task]) - of_the_model
    for finding in results["findings"]:
        assert set(finding) == {"code", "severity", "message", "count", "rows", "fix", "details"}
        assert finding["severity"] in ("error", "warning", "info")
        assert all(set(place) == {"file", "row", "column", "excerpt"} for place in finding["rows"])


def test_several_files_are_told_apart_by_name(tmp_path):
    for name, seed, count in (("my_train", 1, 60), ("my_dev", 2, 10), ("my_test", 3, 12)):
        write(tmp_path / f"{name}.jsonl", CLEAN["ner"](seed, count))
    results = run(*(tmp_path / f"my_{n}.jsonl" for n in ("test", "dev", "train")), "--task", "ner")
    assert results["rows"] == {"train": 60, "validation": 10, "test": 12}


def labelled(path, rows):
    path.write_text("text,label\n" + "".join(f'"{text}","{label}"\n' for text, label in rows), encoding="utf-8")
    return path


def test_cells_of_several_labels_suggest_their_separator(tmp_path):
    combined = ["billing;delivery", "product;billing", "delivery;product"]
    rows = [(t, combined[i % 3] if i % 4 == 0 else label) for i, (t, label) in enumerate(clean_rows())]
    path = labelled(tmp_path / "several.csv", rows)
    results = {f["code"]: f for f in run(path)["findings"]}
    assert results["several_labels"]["fix"]["settings"] == {"data.label_separator": ";"}
    assert results["several_labels"]["count"] == 60
    parted = run(path, "--fix", "split_labels")
    assert set(parted["labels"]) == {"billing", "delivery", "product"}
    assert "several_labels" not in {f["code"] for f in parted["findings"]}


@pytest.mark.parametrize("name", ["Arts, Culture", "N/A", "C++", "and/or"])
def test_a_name_with_a_sign_in_it_is_one_label(name, tmp_path):
    rows = [(text, name if label == "product" else label) for text, label in clean_rows()]
    assert "several_labels" not in {f["code"] for f in run(labelled(tmp_path / "a.csv", rows))["findings"]}


def test_a_fix_that_is_a_setting_is_set_by_its_code(tmp_path, deployment):
    rows = [*clean_rows(), *CLASSIFICATION_FAULTS["rare_labels"]]
    train = str(labelled(tmp_path / "train.csv", rows))
    config = RunConfig(data=DataConfig(train=train, fixes=["class_weights", "drop_duplicates"]))
    settled = settle_fixes(config, deployment)
    assert settled.training.class_weights is True
    assert settled.data.fixes == ["drop_duplicates"]
    with pytest.raises(ConfigProblem, match="no fix 'max_length'"):
        settle_fixes(RunConfig(data=DataConfig(train=train, fixes=["max_length"])), deployment)


def test_the_share_lost_at_each_length_and_the_windows_are_told(tmp_path, deployment):
    rows = [*clean_rows(), *[(" ".join([text] * 40), label) for text, label in clean_rows(20, seed=9)]]
    finding = next(
        f for f in look("classification", str(labelled(tmp_path / "a.csv", rows)), deployment).findings if f.code == "too_long"
    )  # fmt: skip
    lost = finding.details["lost"]
    assert list(lost) == ["64", "128", "256", "512"]
    assert all(lost[a]["tokens"] >= lost[b]["tokens"] for a, b in zip(lost, list(lost)[1:], strict=False))
    assert finding.details["windows"] >= 2
    assert "windows" in finding.message.en and "窗口" in finding.message.zh
