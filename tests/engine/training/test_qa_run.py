"""Question answering on tiny models: whole runs, every method, nine encoder families, contexts of any length.

Run: python -m pytest tests/engine/training/test_qa_run.py
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from engine.config import RunConfig
from engine.core.errors import UserError
from engine.inference.batch_predict import answer_table, write_answers
from engine.inference.encoder_reader import EncoderReader
from engine.inference.forward import collate
from engine.inference.predictor import load_predictor
from engine.inference.score_file import judge_file
from engine.models.device import choose_device
from engine.report.files import load_report, render_html, render_markdown
from engine.run_directory.store import Run
from engine.runs.api import train
from engine.schema import Example
from engine.tasks import TASKS
from engine.tasks.qa.model import QuestionAnswering
from engine.tasks.qa.windows import token_targets
from tests.engine.questions import WORDS, rows, write
from tests.tiny import FAMILIES, save_encoder

TASK = QuestionAnswering()


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_encoder("bert", tmp_path_factory.mktemp("tiny-qa"), WORDS)


@pytest.fixture(scope="session")
def questions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("questions") / "questions.jsonl", rows())


def describe(table: Path, model: Path, **values: object) -> RunConfig:
    training = {"epochs": 12, "learning_rate": 3e-3, "batch_size": 16, "precision": "fp32", "early_stopping": 0}
    return RunConfig.from_dict(
        {
            "task": "qa",
            "data": {"train": str(table)},
            "model": {"id": str(model)},
            "training": {**training, **values.pop("training", {})},
            "evaluation": {"bootstrap_samples": 200},
            **values,
        }
    )


@pytest.fixture(scope="module")
def finished(tiny: Path, questions: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One run that the tests below look at."""
    patch = pytest.MonkeyPatch()
    patch.setenv("TUNEBENCH_RUNS", str(tmp_path_factory.mktemp("runs")))
    patch.setenv("HF_HUB_OFFLINE", "1")
    run = train(describe(questions, tiny))
    patch.undo()
    return run


@pytest.mark.training
def test_a_run_learns_to_find_and_to_keep_silent(finished: Run) -> None:
    assert finished.state == "completed"
    report = load_report(finished.path("report"))
    assert report["headline"]["metric"] == "f1"
    assert report["test"]["f1"] >= 0.6, "names stand before what is asked for; a model that trains must find them"
    assert set(report["baselines"]) == {"silence", "sentence", "window", "untuned"}
    assert report["baselines"]["untuned"]["metrics"]["f1"] < report["test"]["f1"]
    assert report["headline"]["low"] <= report["test"]["f1"] <= report["headline"]["high"]
    outcomes = {part["kind"]: part["count"] for part in report["outcomes"]}
    assert sum(outcomes.values()) == report["headline"]["rows"]
    assert outcomes["silent_right"] > 0 and outcomes["exact"] > 0
    threshold = report["threshold"]
    assert threshold["value"] == finished.manifest.facts["threshold"]
    assert threshold["test"]["chosen"] == pytest.approx(report["test"]["f1"])
    assert sum(part["count"] for part in report["calibration"]["bins"]) == report["headline"]["rows"]
    assert 0 <= report["calibration"]["ece"] <= 1
    assert len(threshold["thresholds"]) == len(threshold["scores"]) > 2


@pytest.mark.training
def test_what_is_recorded_of_each_row_is_what_the_predictor_says(finished: Run) -> None:
    lines = finished.path("report", "predictions.jsonl").read_text(encoding="utf-8").splitlines()
    recorded = [json.loads(line) for line in lines]
    predictor = load_predictor(finished.directory, choose_device("cpu", "fp32"))
    answers = predictor.predict([row["inputs"] for row in recorded])
    assert [answer["answer"] for answer in answers] == [row["prediction"] for row in recorded]
    for answer, row in zip(answers, recorded, strict=True):
        context = row["inputs"]["context"]
        assert answer["confidence"] == pytest.approx(row["confidence"], abs=1e-3)
        if answer["start"] is None:
            assert answer["answer"] == "" and answer["no_answer"] == pytest.approx(answer["confidence"])
        else:
            assert context[answer["start"] : answer["end"]] == answer["answer"] != ""
        for span in [*answer["nbest"], *answer["alternatives"]]:
            assert context[span["start"] : span["end"]] == span["text"]
        scores = [span["score"] for span in answer["nbest"]]
        assert scores == sorted(scores, reverse=True)
        shown = "".join(piece["text"] for piece in row["marked"] if piece["kind"] in ("given", "both"))
        assert shown == row["prediction"]
    base = predictor.predict([row["inputs"] for row in recorded[:20]], base=True)
    assert any(one["nbest"] != two["nbest"] for one, two in zip(base, answers, strict=False))


@pytest.mark.training
def test_a_long_context_is_read_in_one_piece_with_right_offsets(finished: Run) -> None:
    predictor = load_predictor(finished.directory, choose_device("cpu", "fp32"))
    filler = "the red box is on the mat\n\n\U0001f389 "
    context = filler * 700 + "eve has the bird in the box. " + filler * 20
    assert len(context) > 20_000
    [answer] = predictor.predict([{"context": context, "question": "who has the bird"}])
    assert answer["windows"] > 100
    assert answer["nbest"] and all(context[s["start"] : s["end"]] == s["text"] for s in answer["nbest"])
    texts = {span["text"] for span in [answer["best"], *answer["alternatives"]]}
    assert any("eve" in text for text in texts)


@pytest.mark.training
def test_a_file_of_questions_in_and_out(finished: Run, tmp_path: Path) -> None:
    from engine.data.load import read_table

    predictor = load_predictor(finished.directory)
    requests = rows(12, seed=5)
    source = write(
        tmp_path / "ask.jsonl", [{key: row[key] for key in ("id", "context", "question")} for row in requests]
    )
    table = read_table(source, task=TASKS["qa"])
    answered = answer_table(predictor, table)
    for ending in (".csv", ".xlsx", ".jsonl", ".json"):
        write_answers(table, answered, predictor, tmp_path / f"out{ending}")
    output = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert list(output) == [row["id"] for row in requests]
    assert list(output.values()) == [answer["answer"] for answer in answered.answers]
    first = json.loads((tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()[1])
    assert set(first) == {"id", "context", "question", "answer", "answer_start", "confidence", "no_answer"}
    with pytest.raises(UserError, match=r"\.json"):
        write_answers(table, answered, predictor, tmp_path / "out.pickle")


@pytest.mark.training
def test_another_file_is_scored_by_the_same_definition(finished: Run, tmp_path: Path) -> None:
    other = write(tmp_path / "other.jsonl", rows(40, seed=9))
    result = judge_file(load_predictor(finished.directory), other, finished.config)
    assert result["rows"] == 40
    assert 0.4 <= result["test"]["exact_match"] <= result["test"]["f1"] <= 1
    assert result["intervals"]["f1"][0] <= result["test"]["f1"] <= result["intervals"]["f1"][1]


@pytest.mark.training
def test_the_report_is_readable_in_both_languages(finished: Run) -> None:
    report = load_report(finished.path("report"))
    html = render_html(report)
    assert 'class="wanted"' in html or not report["mistakes"]
    assert "SQuAD" in html and "null score difference" in html
    english, chinese = render_markdown(report), render_markdown(report, "zh-CN")
    assert "What became of the questions" in english and "这些问题答得怎么样" in chinese
    assert "no answer" in english and "没有答案" in chinese


@pytest.mark.training
@pytest.mark.parametrize("method", ["lora", "head"])
def test_the_other_methods_and_questions_that_are_all_answered(
    method: str, tiny: Path, tmp_path: Path, runs_dir: Path
) -> None:
    table = write(tmp_path / "answered.jsonl", rows(120, unanswerable=False))
    run = train(describe(table, tiny, method={"name": method}, training={"epochs": 2}))
    report = load_report(run.path("report"))
    assert report["threshold"] is None
    assert "silence" not in report["baselines"]
    assert {part["kind"] for part in report["outcomes"]} <= {"exact", "partial", "elsewhere"}
    [answer] = load_predictor(run.directory).predict([{"context": "ann has the cat", "question": "who has the key"}])
    assert answer["answer"] and answer["no_answer"] == 0, (
        "a model that never saw a question without an answer gives one"
    )


def test_without_any_answer_there_is_nothing_to_learn(tiny: Path, tmp_path: Path, runs_dir: Path) -> None:
    table = write(tmp_path / "none.jsonl", [{**row, "answers": {"text": [], "answer_start": []}} for row in rows(20)])
    with pytest.raises(UserError) as caught:
        train(describe(table, tiny))
    assert caught.value.code == "no_answers" and caught.value.exit_code == 2


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_encodes_learns_and_answers(family: str, tmp_path: Path) -> None:
    examples = [
        Example(
            number,
            {"context": row["context"], "question": row["question"]},
            tuple(
                {"text": text, "start": start}
                for text, start in zip(row["answers"]["text"], row["answers"]["answer_start"], strict=True)
            ),
        )
        for number, row in enumerate(rows(24))
    ]
    outputs = TASK.outputs(examples)
    loaded = TASK.load(str(save_encoder(family, tmp_path, WORDS)), outputs)
    encoded = TASK.encode(examples, loaded.tokenizer, 48, windows=True)
    TASK.attach_targets(encoded, examples, outputs)
    optimizer = torch.optim.AdamW([p for p in loaded.model.parameters() if p.requires_grad], lr=3e-3)
    losses = []
    for _ in range(6):
        loss = TASK.loss(loaded.model, collate(encoded.features, loaded.tokenizer.pad_token_id))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    assert losses[-1] < losses[0]
    reader = EncoderReader(TASK, outputs, loaded.model, loaded.tokenizer, choose_device("cpu", "fp32"), 48)
    encoded = reader.encode(examples)
    predictions = reader.predict(examples, encoded)
    loaded.model.eval()
    with torch.inference_mode():
        for index in range(len(examples)):
            own = [feature for feature in encoded.features if feature.example == index]
            for feature, target in zip(own, token_targets(own, examples[index].target), strict=True):
                feature.token_targets = target.tolist()
        alone = [float(TASK.loss(loaded.model, collate([f], loaded.tokenizer.pad_token_id))) for f in encoded.features]
    assert TASK.evaluation_loss(examples, predictions, outputs) == pytest.approx(sum(alone) / len(alone), rel=1e-3)
    for answer in TASK.answers(examples, predictions, encoded, TASK.fit_postprocessing(examples, predictions, outputs)):
        assert answer["nbest"]
