"""Taggers from a file to answers: whole runs on a tiny random model, and real ones on embedded data.

Run: python -m pytest tests/engine/training/test_ner_run.py
"""

from __future__ import annotations

import json
import random

import pytest

from engine.config import RunConfig
from engine.core.errors import UserError
from engine.data.load import read_table
from engine.inference.batch_predict import answer_table, check_output, write_answers
from engine.inference.predictor import load_predictor
from engine.inference.score_file import judge_file
from engine.models.device import choose_device
from engine.report.files import load_report
from engine.runs.api import train
from engine.tasks import TASKS
from engine.tasks.ner.rows import error_rows
from tests.tiny import WORDS, save_encoder

NAMES = ["ann", "bob", "eve", "dan"]
CITIES = ["paris", "rome", "oslo", "new york"]


def sentence(rng: random.Random) -> tuple[str, list[dict]]:
    """Some words, some of them followed by a city, often a name at the end: each word gives its own tag away."""
    text, spans = "", []
    for word in rng.choices(WORDS, k=rng.randint(2, 6)):
        text += word + " "
        if word in ("the", "very"):
            city = rng.choice(CITIES)
            spans.append({"start": len(text), "end": len(text) + len(city), "label": "LOC"})
            text += city + ", "
    if rng.random() < 0.7:
        name = rng.choice(NAMES)
        spans.append({"start": len(text), "end": len(text) + len(name), "label": "PER"})
        text += name + " "
    return text.rstrip(), spans


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    rng = random.Random(3)
    path = tmp_path_factory.mktemp("ner") / "texts.jsonl"
    rows = [dict(zip(("text", "spans"), sentence(rng), strict=True)) for _ in range(240)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    return save_encoder("bert", tmp_path_factory.mktemp("bert"), WORDS + NAMES + " ".join(CITIES).split() + [","])


def describe(table, encoder, **values) -> RunConfig:
    training = {"epochs": 15, "learning_rate": 5e-3, "batch_size": 16, "precision": "fp32", "early_stopping": 0}
    return RunConfig.from_dict(
        {
            "task": "ner",
            "data": {"train": str(table), **values.pop("data", {})},
            "model": {"id": str(encoder), **values.pop("model", {})},
            "training": {**training, **values.pop("training", {})},
            "method": {"freeze_embeddings": False, **values.pop("method", {})},
            "evaluation": {"bootstrap_samples": 100},
            **values,
        }
    )


@pytest.fixture(scope="module")
def run(table, encoder, tmp_path_factory):
    patch = pytest.MonkeyPatch()
    patch.setenv("TUNEBENCH_RUNS", str(tmp_path_factory.mktemp("runs")))
    yield train(describe(table, encoder))
    patch.undo()


@pytest.fixture(scope="module")
def predictor(run):
    return load_predictor(run.directory, choose_device("cpu", "fp32"))


@pytest.mark.training
def test_a_run_learns_reports_and_answers(run, predictor):
    assert run.state == "completed"
    report = load_report(run.path("report"))
    assert report["headline"]["metric"] == "f1" and report["test"]["f1"] >= 0.9
    assert set(report["baselines"]) == {"lexicon", "untuned"}
    assert report["baselines"]["untuned"]["metrics"]["f1"] < report["test"]["f1"]
    assert [row["label"] for row in report["types"]] == ["LOC", "PER"]
    assert sum(group["count"] for group in report["errors"]) >= 0
    rows = [json.loads(line) for line in run.path("report", "predictions.jsonl").read_text().splitlines()]
    assert len(rows) == run.manifest.facts["rows"]["test"]
    answers = predictor.predict([row["inputs"]["text"] for row in rows])
    places = [[(e["start"], e["end"], e["label"]) for e in answer["entities"]] for answer in answers]
    assert places == [[(s["start"], s["end"], s["label"]) for s in row["prediction"]] for row in rows]
    for group in report["errors"]:
        total, shown = error_rows(run.path("report"), group["kind"])
        assert total == group["count"] == len(shown)
    html = run.path("report", "report.html").read_text(encoding="utf-8")
    assert "Type by type" in html and 'class="tb-type tb-e' in html


@pytest.mark.training
def test_a_text_of_twenty_thousand_characters_has_exact_places(predictor):
    line = "a film was the paris, and\t it  is bob\n"
    text = line * (20_000 // len(line) + 1)
    (answer,) = predictor.predict([text])
    assert answer["windows"] > 5
    assert all(text[e["start"] : e["end"]] == e["text"] for e in answer["entities"])
    results = {(e["start"] % len(line), e["text"], e["label"]) for e in answer["entities"]}
    assert {(line.index("paris"), "paris", "LOC"), (line.index("bob"), "bob", "PER")} <= results
    share = sum(e["text"] == "paris" for e in answer["entities"]) / (len(text) // len(line))
    assert share > 0.95, "no window loses what is in it"
    (base,) = predictor.predict([text], base=True)
    assert all(text[e["start"] : e["end"]] == e["text"] for e in base["entities"])


@pytest.mark.training
def test_files_in_and_out(predictor, tmp_path):
    path = tmp_path / "in.csv"
    path.write_text('text\n"the paris, and bob"\n\n"=the rome, ann"\n', encoding="utf-8")
    table = read_table(path, task=TASKS["ner"])
    answered = answer_table(predictor, table)
    for ending in (".csv", ".jsonl", ".xlsx", ".conll"):
        out = tmp_path / f"out{ending}"
        check_output(out, predictor.task.spec.export_formats)
        write_answers(table, answered, predictor, out)
        assert out.stat().st_size
    assert "paris (LOC); bob (PER)" in (tmp_path / "out.csv").read_text(encoding="utf-8-sig")
    lines = (tmp_path / "out.conll").read_text(encoding="utf-8").split("\n")
    assert lines[:6] == ["the\tO", "paris\tB-LOC", ",\tO", "and\tO", "bob\tB-PER", ""]
    again = read_table(tmp_path / "out.conll", task=TASKS["ner"])
    assert again.frame["tokens"].tolist()[0] == ["the", "paris", ",", "and", "bob"]
    back = answer_table(predictor, again)
    assert back.columns == {"tokens": "tokens"}
    assert [e["text"] for e in back.answers[0]["entities"]] == ["paris", "bob"]


@pytest.mark.training
def test_another_file_is_scored_with_its_unknown_types(predictor, run, tmp_path):
    path = tmp_path / "other.conll"
    path.write_text("the O\nparis B-LOC\n, O\nbob B-PER\n\nann B-PER\nfilm B-NEW\n", encoding="utf-8")
    result = judge_file(predictor, path, run.config)
    assert result["rows"] == 2 and result["test"]["recall"] == pytest.approx(3 / 4)
    assert any(notice["code"] == "unknown_labels" for notice in result["notices"])
    path.write_text("the O\nfilm B-NEW\n", encoding="utf-8")
    with pytest.raises(UserError) as caught:
        judge_file(predictor, path, run.config)
    assert caught.value.code == "unknown_labels"


@pytest.mark.training
@pytest.mark.parametrize("method", ["lora", "head"])
def test_methods_and_weights(table, encoder, runs_dir, method):
    described = describe(
        table, encoder, method={"name": method}, model={"layers": 1},
        training={"epochs": 2, "class_weights": True, "label_smoothing": 0.1},
    )  # fmt: skip
    run = train(described)
    assert run.state == "completed" and run.manifest.facts["layers"] == 1
    assert run.manifest.facts["reload_difference"] < 1e-3
    load_predictor(run.directory, choose_device("cpu", "fp32")).predict(["the paris"], base=True)


@pytest.mark.training
def test_long_training_texts_are_read_in_windows_and_lost_spans_are_told(encoder, runs_dir, tmp_path):
    rng = random.Random(5)
    rows = []
    for _ in range(40):
        text, spans = "", []
        for _ in range(25):
            part, results = sentence(rng)
            spans += [{**s, "start": s["start"] + len(text), "end": s["end"] + len(text)} for s in results]
            text += part + "\n"
        rows.append({"text": text, "spans": spans})
    rows[0]["spans"].append({"start": 0, "end": len(rows[0]["text"]), "label": "PER"})
    path = tmp_path / "long.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    received: list[dict] = []
    run = train(describe(path, encoder, training={"epochs": 1}), show=received.append)
    assert run.state == "completed"
    messages = {event["code"] for event in received if event["type"] == "notice"}
    assert "windowed" in messages and "cannot_be_tagged" in messages
    assert "cannot_be_tagged" in {notice["code"] for notice in load_report(run.path("report"))["run"]["notices"]}


def test_training_rows_without_an_entity_are_refused_at_once(encoder, runs_dir, tmp_path):
    path = tmp_path / "none.jsonl"
    path.write_text("".join(json.dumps({"text": f"word {n}", "spans": []}) + "\n" for n in range(30)))
    with pytest.raises(UserError) as caught:
        train(describe(path, encoder))
    assert caught.value.code == "no_entities"
