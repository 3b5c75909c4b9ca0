"""The command line keeps its contract. Run: python -m pytest tests/engine/test_cli.py"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

from engine.config import RunConfig
from engine.run_directory.store import Store

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]


def engine(*arguments: object) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "engine", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.training
def test_from_a_file_to_predictions(tiny_bert, sentences, runs_dir, tmp_path):
    trained = engine(
        "train", "--task", "classification", "--train", sentences, "--model", tiny_bert, "--epochs", 8,
        "--learning-rate", 3e-3, "--batch-size", 16, "--seed", 1, "--runs-dir", runs_dir, "--json",
    )  # fmt: skip
    assert trained.returncode == 0, trained.stderr
    result = json.loads(trained.stdout.splitlines()[-1])
    assert {"run", "state", "headline", "test", "baselines", "seconds"} <= set(result)
    assert result["state"] == "completed"
    assert set(result["headline"]) == {"metric", "value", "low", "high"}
    assert {"accuracy", "macro_f1", "micro_f1", "weighted_f1"} <= set(result["test"])
    assert all(0 <= value <= 1 for value in result["test"].values())
    assert {"majority", "tfidf_logreg", "untuned"} == set(result["baselines"])
    assert "step" not in trained.stdout and "Training" in trained.stderr
    run = result["run"]

    answered = engine("predict", run, "--text", "good film", "--text", "awful film", "--json")
    assert answered.returncode == 0, answered.stderr
    answers = json.loads(answered.stdout)
    assert [a["label"] for a in answers] == ["positive", "negative"]

    out = tmp_path / "answers.csv"
    filed = engine("predict", run, "--file", sentences, "--out", out)
    assert filed.returncode == 0, filed.stderr
    with out.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 240
    assert sum(row["prediction"] == row["verdict"] for row in rows) > 200

    judged = engine("evaluate", run, "--file", sentences, "--json")
    assert judged.returncode == 0, judged.stderr
    scores = json.loads(judged.stdout)
    agreement = sum(row["prediction"] == row["verdict"] for row in rows) / 240
    assert scores["test"]["accuracy"] == pytest.approx(agreement)
    low, high = scores["intervals"]["accuracy"]
    assert low <= agreement <= high

    listed = engine("runs", "--runs-dir", runs_dir, "--json")
    assert [m["state"] for m in json.loads(listed.stdout)] == ["completed"]
    assert engine("report", run).stdout.startswith("#")
    assert "<html" in engine("report", run, "--format", "html", "--language", "zh-CN").stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "--train", "no-such-file.csv"], ["no-such-file.csv"]),
        (["train", "--train", "x.csv", "--learning-rate", "-1"], ["training.learning_rate"]),
        (["train", "--train", "x.csv", "--task", "clasification"], ["classification"]),
        (["train"], ["data.train"]),
        (["train", "--train", "x.csv", "--set", "training.warmupp=0.1"], ["training.warmupp", "warmup"]),
        (["predict", "no-such-run", "--text", "a"], ["no-such-run"]),
        (["predict", "x"], ["--text", "--file"]),
        (["train", "--train"], ["--train"]),
        (["train", "reviews.csv"], ["reviews.csv", "--train"]),
        (["train", "--train", "x.csv", "--set", "training.epochs=[1"], ["training.epochs"]),
        (["train", "--train", "x.csv", "--set", "training.epochs.x=1"], ["training.epochs"]),
        (["train", "--train", "x.csv", "--set", "data=3", "--set", "data.sheet=a"], ["data.train"]),
        (["train", "--train", "x.csv", "--runs-dir", "/proc/none"], ["/proc/none", "--runs-dir"]),
        (["train", "--example", "rated-sentnces"], ["rated-sentences"]),
        (["predict", "x", "--text", " "], ["empty"]),
        (["report", "x", "--language", "fr"], ["zh-CN"]),
    ],
    ids=lambda value: " ".join(value)[:30] if isinstance(value, list) else None,
)
def test_wrong_input_ends_with_2_and_a_message(arguments, words, runs_dir):
    done = engine(*arguments)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert all(word in done.stderr for word in words), done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["train", "--train", "x.csv", "--learning-rate", "-1"],
        ["check", "no-such-file.csv"],
        ["predict", "no-such-run", "--text", "a"],
        ["evaluate", "no-such-run", "--file", "x.csv"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_with_json_a_failure_is_an_object_too(arguments, runs_dir):
    done = engine(*arguments, "--json")
    assert done.returncode == 2
    messages = json.loads(done.stdout.splitlines()[-1])
    assert messages["state"] == "failed"
    assert set(messages["error"]["message"]) == {"en", "zh"}


def test_check_says_how_the_file_was_read(runs_dir, tmp_path):
    path = tmp_path / "评论.csv"
    rows = "".join(
        f"这部电影第{i}次看还是{'很好看' if i % 2 else '太无聊'}\t{'好评' if i % 2 else '差评'}\r\n" for i in range(60)
    )
    path.write_bytes(("评论内容\t评论内容\t类别\r\n" + rows.replace("\t", "\tx\t")).encode("gb18030"))
    done = engine("check", path)
    assert done.returncode == 0, done.stderr
    assert "gb18030" in done.stdout and "'\\t'" in done.stdout
    assert "评论内容" in done.stdout.splitlines()[1]  # the two columns of one name


def test_wrong_tables_end_with_2_and_name_the_place(runs_dir, tmp_path, tiny_bert):
    def failing(content: bytes, *extra: str) -> str:
        path = tmp_path / "bad.csv"
        path.write_bytes(content)
        done = engine("train", "--train", path, "--model", tiny_bert, *extra, "--json")
        assert done.returncode == 2, (content[:40], done.stderr)
        assert "Traceback" not in done.stderr
        assert json.loads(done.stdout.splitlines()[-1])["state"] == "failed"
        return done.stderr

    assert "bad.csv" in failing(b"")
    assert "bad.csv" in failing(b"text,label\n")
    assert "bad.csv" in failing(b"\x7fELF\x02\x01\x01" + bytes(range(256)) * 20)
    rows = b"".join(b"some text number %d,%s\n" % (i, b"ab"[i % 2 : i % 2 + 1]) for i in range(40))
    message = failing(b"body,kind\n" + rows, "--text", "bdy")
    assert "bdy" in message and "body" in message and "kind" in message


def test_a_model_that_does_not_exist_ends_with_2(runs_dir, sentences):
    done = engine("train", "--train", sentences, "--model", "minilmm")
    assert done.returncode == 2
    assert "minilm" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_yaml_file_with_flags_on_top(runs_dir, sentences, tmp_path):
    path = tmp_path / "run.yaml"
    path.write_text(f"data: {{train: {sentences}}}\ntraining: {{epochs: 3}}\nmodel: {{id: nothing-here/at-all}}\n")
    done = engine("train", path, "--epochs", 2, "--set", "training.warmup=0.2", "--json")
    assert done.returncode == 2

    [run] = Store(runs_dir)
    assert (run.config.training.epochs, run.config.training.warmup) == (2.0, 0.2)
    assert run.config.data.train == str(sentences)


def test_the_help_names_every_command():
    done = engine("--help")
    assert done.returncode == 0
    assert all(
        name in done.stdout
        for name in (
            "resume",
            "stop",
            "clone",
            "delete",
            "train",
            "check",
            "evaluate",
            "predict",
            "report",
            "runs",
            "examples",
        )
    )


def test_starting_a_run_needs_no_pytorch():
    code = "import sys, engine.cli, engine.runs.api; sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_runs_are_named_noted_and_deleted_from_the_command_line(runs_dir):
    run = Store(runs_dir).create(RunConfig.from_dict({"data": {"train": "a.csv"}}))
    run.update(state="stopped")
    assert engine("rename", run.id, "Second try").returncode == 0
    assert engine("note", run.id, "Labels were wrong").returncode == 0
    [listed] = json.loads(engine("runs", "--json").stdout)
    assert (listed["name"], listed["note"], listed["resumable"]) == ("Second try", "Labels were wrong", True)
    refused = engine("stop", run.id, "--json")
    assert refused.returncode == 2 and json.loads(refused.stdout)["error"]["code"] == "run_has_ended"
    assert engine("delete", run.id, "--yes").returncode == 0
    assert list(Store(runs_dir)) == []


def test_an_example_knows_its_task(tmp_path):
    done = engine("train", "--example", "help-desk-questions-en", "--no-start", "--runs-dir", tmp_path / "runs")
    assert done.returncode == 0, done.stderr
    (run,) = (tmp_path / "runs").glob("2*")
    assert RunConfig.load(run / "config.yaml").task == "qa"
    checked = engine("check", "--example", "help-desk-entities-en", "--json")
    assert json.loads(checked.stdout.splitlines()[-1])["task"] == "ner"
