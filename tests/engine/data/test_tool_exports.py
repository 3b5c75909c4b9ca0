"""Files as Label Studio, doccano, SQuAD, CMRC and the CoNLL family write them, from bytes to examples, with nothing but the task.

Run: python -m pytest tests/engine/data/test_tool_exports.py
"""

from __future__ import annotations

import csv
import gzip
import io
import json

import pytest

from engine.config import DataConfig
from engine.data.columns import resolve_columns
from engine.data.examples import read_examples
from engine.data.load import read_table
from engine.tasks import TASKS

TEXTS = ["Ann Lee met Bob in New York.", "Nothing to see here.", "😀 Carla flew to 北京 today."]
SPANS = [[(0, 7, "PER"), (12, 15, "PER"), (19, 27, "LOC")], [], [(2, 7, "PER"), (16, 18, "LOC")]]
ENTITIES = [[("Ann Lee", "PER"), ("Bob", "PER"), ("New York", "LOC")], [], [("Carla", "PER"), ("北京", "LOC")]]


def load(tmp_path, name, data, task):
    """(format, examples, codes of notices) of a file."""
    path = tmp_path / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    table = read_table(path, task=TASKS[task])
    examples, notices = read_examples(table, TASKS[task], resolve_columns(table, TASKS[task], {}), DataConfig())
    return table.source.format, examples, [notice.code for notice in notices]


def entities(examples):
    return [[(e.inputs["text"][s["start"] : s["end"]], s["label"]) for s in e.target] for e in examples]


def lines(records):
    return "\n".join(json.dumps(record, ensure_ascii=False) for record in records)


# Label Studio ---------------------------------------------------------------------------------------------------------------


def label_studio_task(number, result, **more):
    """A task of the full JSON export, with the fields that the tool puts around the annotation."""
    annotation = {
        "id": 10 + number, "completed_by": 1, "result": result, "was_cancelled": False, "ground_truth": False,
        "created_at": "2026-01-05T10:00:00.000000Z", "updated_at": "2026-01-05T10:00:00.000000Z", "draft_created_at": None,
        "lead_time": 12.3, "prediction": {}, "result_count": 0, "unique_id": f"u{number}", "task": number, "project": 1,
    }  # fmt: skip
    return {
        "id": number, "annotations": [annotation], "file_upload": "a.txt", "drafts": [], "predictions": [],
        "data": {"text": TEXTS[(number - 1) % 3]}, "meta": {}, "created_at": "2026-01-05T09:00:00.000000Z", "inner_id": number,
        "total_annotations": 1, "cancelled_annotations": 0, "comment_authors": [], **more,
    }  # fmt: skip


def region(number, start, end, label, utf16=False, with_text=True):
    text = TEXTS[number]
    value = {"start": start, "end": end, "labels": [label]}
    if utf16:  # the browser counts UTF-16 units
        value |= {"start": len(text[:start].encode("utf-16-le")) // 2, "end": len(text[:end].encode("utf-16-le")) // 2}
    if with_text:
        value["text"] = text[start:end]
    return {
        "value": value, "id": "x1", "from_name": "label", "to_name": "text", "type": "labels", "origin": "manual",
    }  # fmt: skip


@pytest.mark.parametrize("utf16", [False, True])
def test_label_studio_json(tmp_path, utf16):
    tasks = [label_studio_task(i + 1, [region(i, *s, utf16=utf16) for s in spans]) for i, spans in enumerate(SPANS)]
    format_, examples, notices = load(tmp_path, "export.json", json.dumps(tasks), "ner")
    assert format_ == "label-studio"
    assert entities(examples) == ENTITIES
    assert notices == (["span_moved"] if utf16 else [])


def test_label_studio_json_leaves_out_what_nobody_annotated(tmp_path):
    tasks = [
        label_studio_task(1, [region(0, *s, with_text=False) for s in SPANS[0]]),
        label_studio_task(2, [], annotations=[]),
        label_studio_task(2, [], annotations=[{"was_cancelled": True, "result": [region(1, 0, 7, "PER")]}]),
    ]
    _, examples, notices = load(tmp_path, "export.json", json.dumps(tasks), "ner")
    assert entities(examples) == ENTITIES[:1]
    assert notices == ["missing_labels"]


def short_rows():
    rows = []
    for number, spans in enumerate(SPANS):
        row = {"text": TEXTS[number], "id": number + 1, "annotator": 1, "annotation_id": number + 7, "lead_time": 3.2,
               "created_at": "2026-01-05T10:00:00Z", "updated_at": "2026-01-05T10:00:00Z"}  # fmt: skip
        if spans:  # a task without a region has no cell for them
            row["label"] = [region(number, *span)["value"] for span in spans]
        rows.append(row)
    return rows


def test_label_studio_json_min(tmp_path):
    format_, examples, notices = load(tmp_path, "export.json", json.dumps(short_rows()), "ner")
    assert (format_, entities(examples), notices) == ("label-studio", ENTITIES, [])


@pytest.mark.parametrize("delimiter", [",", "\t"])
def test_label_studio_csv_and_tsv(tmp_path, delimiter):
    out = io.StringIO()
    names = ["annotation_id", "annotator", "created_at", "id", "label", "lead_time", "text", "updated_at"]
    writer = csv.DictWriter(out, names, delimiter=delimiter)
    writer.writeheader()
    for row in short_rows():
        writer.writerow({name: json.dumps(v) if isinstance(v, list) else v for name, v in row.items()})
    _, examples, notices = load(tmp_path, "export.csv", out.getvalue(), "ner")
    assert (entities(examples), notices) == (ENTITIES, [])


def test_label_studio_conll(tmp_path):
    text = "-DOCSTART- -X- O\nAnn -X- _ B-PER\nLee -X- _ I-PER\nmet -X- _ O\n\nBob -X- _ B-PER\n\n"
    _, examples, _ = load(tmp_path, "export.conll", text, "ner")
    assert entities(examples) == [[("Ann Lee", "PER")], [("Bob", "PER")]]


def test_label_studio_choices_and_texts(tmp_path):
    tasks = [label_studio_task(i, [{"type": "choices", "value": {"choices": ["ab"[i % 2]]}}]) for i in range(1, 10)]
    _, examples, _ = load(tmp_path, "one.json", json.dumps(tasks), "classification")
    assert [e.target for e in examples[:2]] == ["b", "a"]
    rows = [
        {"text": f"{TEXTS[i % 3]} {i}", "id": i, "topics": {"choices": ["a", "b"]} if i % 2 else "a", "annotator": 1,
         "annotation_id": i, "lead_time": 2.0} for i in range(9)
    ]  # fmt: skip
    _, examples, notices = load(tmp_path, "several.json", json.dumps(rows), "classification")
    assert [e.target for e in examples[:2]] == [("a",), ("a", "b")]
    assert notices == []
    written = [label_studio_task(i, [{"type": "textarea", "value": {"text": ["Short."]}}]) for i in (1, 2, 3)]
    _, examples, _ = load(tmp_path, "texts.json", json.dumps(written), "summarization")
    assert [e.target for e in examples] == [("Short.",)] * 3


# doccano ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["text", "data"])
@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2)])
def test_doccano_sequence_labels(tmp_path, key, order):
    records = [{"id": i, key: TEXTS[i], "label": [list(s) for s in SPANS[i]], "Comments": []} for i in order]
    format_, examples, notices = load(tmp_path, "all.jsonl", lines(records), "ner")
    assert (format_, notices) == ("doccano", [])
    assert entities(examples) == [ENTITIES[i] for i in order]


def test_doccano_with_relations(tmp_path):
    records = [
        {
            "id": i, "text": TEXTS[i], "Comments": [], "relations": [],
            "entities": [{"id": 9, "label": label, "start_offset": s, "end_offset": e} for s, e, label in SPANS[i]],
        }
        for i in range(3)
    ]  # fmt: skip
    format_, examples, _ = load(tmp_path, "admin.jsonl", lines(records), "ner")
    assert (format_, entities(examples)) == ("doccano", ENTITIES)


def test_doccano_classes_and_texts(tmp_path):
    records = [{"id": i, "text": f"{TEXTS[i % 3]} {i}", "label": ["ab"[i % 2]], "Comments": []} for i in range(9)]
    assert [e.target for e in load(tmp_path, "c.jsonl", lines(records), "classification")[1]][:2] == [("a",), ("b",)]
    records = [{"id": i, "text": TEXTS[i] * 4, "label": ["A short text."]} for i in range(3)]
    assert load(tmp_path, "s.jsonl", lines(records), "summarization")[1][0].target == ("A short text.",)


# Questions ----------------------------------------------------------------------------------------------------------------------

CONTEXT = "Ann lives in Rome since 1990."


def squad(version, *questions):
    return json.dumps(
        {"version": version, "data": [{"title": "T", "paragraphs": [{"context": CONTEXT, "qas": questions}]}]}
    )


def test_squad_v1_and_v2(tmp_path):
    answers = [{"text": "Rome", "answer_start": 13}, {"text": "in Rome", "answer_start": 10}]
    format_, examples, _ = load(
        tmp_path, "v1.json", squad("1.1", {"id": "a", "question": "Where?", "answers": answers}), "qa"
    )
    assert format_ == "squad"
    assert examples[0].target == ({"text": "Rome", "start": 13}, {"text": "in Rome", "start": 10})
    impossible = {
        "id": "b", "question": "Why?", "is_impossible": True, "answers": [],
        "plausible_answers": [{"text": "Ann", "answer_start": 0}],
    }  # fmt: skip
    possible = {"id": "a", "question": "Where?", "is_impossible": False, "answers": answers[:1]}
    _, examples, _ = load(tmp_path, "v2.json", squad("v2.0", possible, impossible), "qa")
    assert [e.target for e in examples] == [({"text": "Rome", "start": 13},), ()]


def test_cmrc_paragraphs_without_articles(tmp_path):
    paragraphs = [{"context_id": "D1", "context_text": "北京是首都。", "title": "城市",
                   "qas": [{"query_id": "D1_Q1", "query_text": "首都是哪里？", "answers": ["北京", "北京"]}]}]  # fmt: skip
    _, examples, _ = load(tmp_path, "cmrc.json", json.dumps(paragraphs), "qa")
    assert examples[0].inputs == {"context": "北京是首都。", "question": "首都是哪里？", "id": "D1_Q1"}
    assert examples[0].target[0] == {"text": "北京", "start": 0}


def test_an_answer_that_is_written_otherwise_is_found_again(tmp_path):
    rows = [
        {"context": "The  OLD bridge of Rome.", "question": "Which?", "answer": "old bridge", "answer_start": 3},
        {"context": "价格是１２８元。", "question": "多少钱？", "answer": "128元", "answer_start": 0},
        {"context": "The OLD bridge.", "question": "Where?", "answer": "the old town", "answer_start": 0},
    ]
    _, examples, notices = load(tmp_path, "a.jsonl", lines(rows), "qa")
    assert [e.target for e in examples] == [({"text": "OLD bridge", "start": 5},), ({"text": "１２８元", "start": 3},)]
    assert notices == ["answer_moved", "answer_not_in_context"]


# Column files -------------------------------------------------------------------------------------------------------------------

SCHEMES = {
    "BIO": ["B-PER", "I-PER", "O", "B-PER"],
    "IO": ["I-PER", "I-PER", "O", "I-PER"],
    "IO without letters": ["PER", "PER", "O", "PER"],
    "BIOES": ["B-PER", "E-PER", "O", "S-PER"],
    "BILOU": ["B-PER", "L-PER", "O", "U-PER"],
    "BMES": ["B-PER", "E-PER", "O", "S-PER"],
    "BMEWO": ["B-PER", "E-PER", "O", "W-PER"],
    "letter last": ["PER-B", "PER-I", "O", "PER-B"],
    "underscore": ["B_PER", "I_PER", "O", "B_PER"],
}


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("sign", [" ", "\t", "   "])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_every_scheme(tmp_path, scheme, sign, newline):
    sentence = newline.join(
        f"{token}{sign}{tag}" for token, tag in zip(["Ann", "Lee", "met", "Bob"], SCHEMES[scheme], strict=True)
    )
    file = f"# a comment of mine{newline}-DOCSTART-{sign}O{newline}{newline}" + f"{sentence}{newline}{newline}" * 2
    format_, examples, notices = load(tmp_path, "train.txt", file, "ner")
    assert format_ == "conll"
    assert notices == []
    assert entities(examples) == [[("Ann Lee", "PER"), ("Bob", "PER")]] * 2


def test_chinese_characters(tmp_path):
    file = "北 B-LOC\n京 M-LOC\n市 E-LOC\n很 O\n大 O\n。 O\n\n我 O\n爱 O\n"
    _, examples, _ = load(tmp_path, "a.bmes", file.encode("gb18030"), "ner")
    assert [e.inputs["text"] for e in examples] == ["北京市很大。", "我爱"]
    assert entities(examples) == [[("北京市", "LOC")], []]


def test_conllu_with_numbered_tokens(tmp_path):
    file = (
        "# sent_id = 1\n# text = Ann ran\n1\tAnn\tann\tPROPN\tNNP\t_\t2\tnsubj\t_\tB-PER\n"
        "2\tran\trun\tVERB\tVBD\t_\t0\troot\t_\tO\n\n"
    )
    _, examples, _ = load(tmp_path, "a.conllu", file, "ner")
    assert examples[0].inputs["text"] == "Ann ran"
    assert entities(examples) == [[("Ann", "PER")]]


def test_wikiann_and_mit(tmp_path):
    assert entities(load(tmp_path, "w.txt", "en:Ann\tB-PER\nen:ran\tO\n\n", "ner")[1]) == [[("Ann", "PER")]]
    _, examples, _ = load(tmp_path, "m.bio", "B-TITLE\tthe\nI-TITLE\tshining\nO\tfilm\n\nO\twhat\n", "ner")
    assert entities(examples) == [[("the shining", "TITLE")], []]


# Pairs and packed files -----------------------------------------------------------------------------------------------------


def test_plain_pairs(tmp_path):
    file = "".join(f"a longer document number {i} about things\tsummary {i}\n" for i in range(9))
    _, examples, _ = load(tmp_path, "p.txt", file, "summarization")
    assert examples[0].target == ("summary 0",)
    file = "".join(
        f"{label}\ta {word} film {i}\n" for i in range(6) for label, word in (("pos", "good"), ("neg", "bad"))
    )
    _, examples, _ = load(tmp_path, "p.tsv", file, "classification")
    assert (examples[0].inputs["text"], examples[0].target) == ("a good film 0", "pos")


def test_pairs_of_texts_with_a_label_packed(tmp_path):
    file = "".join(f"is {i} a number? ||| what is {i}? ||| {i % 2}\n" for i in range(12))
    _, examples, _ = load(tmp_path, "p.txt.gz", gzip.compress(file.encode()), "classification")
    assert examples[0].inputs == {"text": "is 0 a number?", "text_pair": "what is 0?"}
    assert examples[1].target == "1"
