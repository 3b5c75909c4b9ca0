"""The data check finds every planted fault, and nothing in a clean table.

Run: python -m pytest tests/engine/data/test_check.py
"""

from __future__ import annotations

import csv
import json

import pytest

from engine.config import DataConfig, RunConfig
from engine.core.settings import Settings
from engine.data.check import check_examples
from engine.data.fixes import fixes_for
from engine.data.model_facts import ModelFacts
from engine.schema import Example
from engine.tasks import TASKS
from engine.training.data_check import check_config
from tests.engine.data.planted import CLASSES, FAULTS, clean_rows, planted_rows

UNKNOWN = ModelFacts()


@pytest.fixture
def deployment(tmp_path):
    return Settings(cache_dir=tmp_path / "cache", runs_dir=tmp_path / "runs")


def write(path, rows):
    with path.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows([("text", "label"), *rows])
    return str(path)


def look(tmp_path, deployment, rows, *, test=None, model=UNKNOWN, **data):
    train = write(tmp_path / "train.csv", rows)
    held_out = write(tmp_path / "test.csv", test) if test else ""
    config = RunConfig(data=DataConfig(train=train, test=held_out, **data))
    return check_config(config, deployment, model)


def classified(*rows):
    return [Example(i, {"text": text}, label) for i, (text, label) in enumerate(rows, start=2)]


def found(examples, task="classification", model=None, **tables):
    return {f.code: f for f in check_examples({"train": examples, **tables}, TASKS[task], model=model)}


def test_a_clean_table_has_no_findings(tmp_path, deployment):
    result = look(tmp_path, deployment, clean_rows(), test=clean_rows(60, seed=6))
    assert [finding.code for finding in result.findings] == []
    assert result.worst == "ok"
    assert result.rows == {"train": 240, "test": 60}
    assert set(result.labels) == set(CLASSES)


def test_every_planted_fault_is_found_and_nothing_else(tmp_path, deployment):
    result = look(tmp_path, deployment, planted_rows())
    assert {finding.code for finding in result.findings} == set(FAULTS)
    counts = {finding.code: finding.count for finding in result.findings}
    assert counts["empty_text"] == 2
    assert counts["duplicates"] == counts["near_duplicates"] == counts["conflicting_labels"] == 1
    assert counts["label_spellings"] == counts["personal_data"] == counts["missing_labels"] == 1
    assert counts["language_mix"] == 6
    for finding in result.findings:
        assert finding.message.en and finding.message.zh != finding.message.en
        for place in finding.rows:
            assert place.file == "train.csv"
            assert place.row >= 242 or finding.code == "rare_labels"
    assert json.loads(json.dumps(result.to_dict()))["worst"] == "warning"


def test_findings_that_can_be_mended_are_gone_after_their_fixes(tmp_path, deployment):
    result = look(tmp_path, deployment, planted_rows())
    fixes = [f.fix.code for f in result.findings if f.fix and not f.fix.settings]
    assert len(fixes) >= 6
    mended = look(tmp_path, deployment, planted_rows(), fixes=fixes)
    left = {finding.code for finding in mended.findings}
    assert left == {"empty_text", "missing_labels", "too_long", "broken_characters", "language_mix"}
    assert [notice.code for notice in mended.fixed] == [f"fixed_{code}" for code in sorted(fixes, key=order_of)]
    assert all(notice.count >= 1 for notice in mended.fixed)


def order_of(code):
    return list(fixes_for(TASKS["classification"])).index(code)


def test_rows_shared_with_a_test_file(tmp_path, deployment):
    rows = clean_rows()
    near = rows[9][0] + " !"
    result = look(
        tmp_path, deployment, rows, test=[*rows[:2], (near, rows[9][1]), *clean_rows(30, seed=9), ("new", "strange")]
    )
    by_code = {finding.code: finding for finding in result.findings}
    assert by_code["leakage"].count == 2
    assert [(p.file, p.row) for p in by_code["leakage"].rows] == [("test.csv", 2), ("test.csv", 3)]
    assert by_code["leakage"].details["same_as"] == [2, 3]
    assert by_code["near_leakage"].count == 1
    assert by_code["unseen_labels_test"].count == 1
    mended = look(tmp_path, deployment, rows, test=rows[:2], fixes=["drop_leaked"])
    assert mended.rows == {"train": 238, "test": 2}
    assert "leakage" not in {finding.code for finding in mended.findings}


def test_a_label_given_away_by_length():
    rows = [(f"{'word ' * (3 if i % 2 else 30)}{i}", "short" if i % 2 else "long") for i in range(100)]
    assert found(classified(*rows))["label_from_length"].details["balanced_accuracy"] > 0.95
    assert "label_from_length" not in found(classified(*clean_rows()))


def test_a_label_given_away_by_one_word():
    rows = [(f"{text} xposx" if label == "billing" else text, label) for text, label in clean_rows()]
    finding = found(classified(*rows))["label_from_token"]
    assert finding.details["tokens"] == {"billing": "xposx"}
    assert finding.count == 80
    chinese = [(f"商品{i}号{'好' if i % 2 else '差'}评", "正面" if i % 2 else "负面") for i in range(60)]
    assert found(classified(*chinese))["label_from_token"].details["tokens"] == {"正面": "好", "负面": "差"}


def test_few_rows_and_one_label():
    assert found(classified(("a", "x"), ("b", "y")))["few_rows"].count == 2
    assert found(classified(("a", "x"), ("b", "x")))["one_label"].severity == "error"


def test_languages_against_the_model():
    rows = classified(*clean_rows(), *[(f"这个商品的第{i}个按钮坏了", "product") for i in range(20)])
    english = found(rows, model=ModelFacts(languages=frozenset({"en"})))
    assert english["language_not_read"].count == 20
    assert "language_mix" not in english
    everything = found(rows, model=ModelFacts(languages=frozenset({"multilingual"})))
    assert not {"language_not_read", "language_mix"} & everything.keys()


def tokenizer(texts, truncation, **_):
    assert truncation is False
    return {"input_ids": [[1 if word.isascii() else 0 for word in text.split()] for text in texts]}


def test_lengths_by_the_tokenizer():
    rows = classified(*[("word " * (100 if i < 10 else 20), "x") for i in range(100)])
    facts = ModelFacts(tokenizer=tokenizer, unknown_id=0, max_length=64)
    finding = found(rows, model=facts)["too_long"]
    assert (finding.count, finding.details["longest"], finding.details["estimated"]) == (10, 100, False)
    assert finding.details["lost"]["64"] == {"rows": 0.1, "tokens": pytest.approx(10 * 36 / (10 * 100 + 90 * 20))}
    assert finding.details["lost"]["128"] == {"rows": 0, "tokens": 0}
    assert finding.fix.settings == {"model.max_length": 128}
    assert "too_long" not in found(rows, model=ModelFacts(tokenizer=tokenizer, max_length=100))


def test_lengths_without_a_tokenizer_are_announced_as_estimates():
    finding = found(classified(*[("word " * 900, "x")] * 3))["too_long"]
    assert "estimated" in finding.message.en and "估算" in finding.message.zh


def test_unknown_tokens():
    rows = classified(*[("好 的 word", "x")] * 5, *[("word word word", "y")] * 5)
    facts = ModelFacts(tokenizer=tokenizer, unknown_id=0)
    finding = found(rows, model=facts)["unknown_tokens"]
    assert (finding.severity, finding.count) == ("error", 5)
    assert finding.details["share"] == pytest.approx(1 / 3)


def entity(text, *spans, row=2):
    return Example(row, {"text": text}, tuple({"start": s, "end": e, "label": label} for s, e, label in spans))


def test_spans():
    examples = [
        entity("Ann Lee met Bob", (0, 7, "PER"), (12, 15, "PER")),
        entity("Ann Lee left", (0, 8, "PER"), row=3),
        entity("Ann Lee stayed", (0, 5, "PER"), row=4),
        entity("Ann Lee ran", (0, 7, "PER"), (4, 7, "per"), row=5),
        entity("北京大学很好", (0, 2, "LOC"), row=6),  # no word spaces, so no word is cut
    ]
    findings = found(examples, "ner")
    places = {code: [place.row for place in finding.rows] for code, finding in findings.items()}
    assert places["span_blanks"] == [3]
    assert places["span_inside_word"] == [4]
    assert places["span_overlap"] == [5]
    assert places["label_spellings"] == [5]


def question(row, answer, context="The tower was built in 1889 by a bridge engineer and his team."):
    start = context.find(answer)
    return Example(row, {"context": context, "question": f"Question {row}?"}, ({"text": answer, "start": start},))


def test_answers():
    findings = found(
        [
            question(2, "1889"),
            question(3, "188"),
            question(4, "The tower was built in 1889 by a bridge engineer and his"),
        ],
        "qa",
    )
    assert [place.row for place in findings["answer_inside_word"].rows] == [3]
    assert [place.row for place in findings["answer_is_context"].rows] == [4]


def test_faults_that_the_readers_meet_become_findings(tmp_path, deployment):
    path = tmp_path / "qa.csv"
    path.write_text("context,question,answer,answer_start\nAnn is in Rome.,Where?,Rome,2\nAnn is in Rome.,Who?,Bob,0\n")
    config = RunConfig(task="qa", data=DataConfig(train=str(path)))
    codes = {finding.code for finding in check_config(config, deployment, UNKNOWN).findings}
    assert {"answer_moved", "answer_not_in_context"} <= codes
    path = tmp_path / "ner.conll"
    path.write_text("Ann\tB-PER\nLee\tI-PER\n\nRome\tLOC\nis\tO\n\nBonn\tB-LOC\n")
    config = RunConfig(task="ner", data=DataConfig(train=str(path)))
    assert "mixed_tag_schemes" in {finding.code for finding in check_config(config, deployment, UNKNOWN).findings}


def summary(row, document, *references):
    return Example(row, {"document": document}, references)


def test_summaries():
    findings = found(
        [
            summary(2, "A long report on forty trains and 1,200 people in May.", "Forty trains, 1200 people."),
            summary(3, "Short text.", "A summary that is longer than its text."),
            summary(4, "The same words here.", "The same words here."),
            summary(5, "Two men met in the city hall on Friday evening to talk.", "3 men met."),
            summary(6, "会议有一百二十人参加，持续两天，讨论了预算。", "120人开会2天。"),
        ],
        "summarization",
    )
    places = {code: [place.row for place in finding.rows] for code, finding in findings.items()}
    assert places["summary_longer"] == [3]
    assert places["summary_copy"] == [4]
    assert places["summary_numbers"] == [5]
