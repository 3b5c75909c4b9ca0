"""The example data sets: how each is made, on small sources written here.

Run: python -m pytest tests/engine/assets/test_example_sets.py
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from engine.assets import help_desk, rated_sentences, smart_home
from engine.assets.chinese_reviews import write_chinese_reviews
from engine.assets.package import Member
from engine.assets.peoples_daily import write_peoples_daily


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def entities(row: dict[str, Any]) -> list[tuple[str, str]]:
    return [(row["text"][span["start"] : span["end"]], span["label"]) for span in row["spans"]]


def test_rated_sentences_keeps_what_people_agreed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ["1\t2.5\tA joy.", '2\t-1.5\tCrummy, "sad".', "3\t0.9\tFine.", "4\t-1.0\tMeh.", "5\t1.05\tGood é. "]
    content = "\r\n".join(lines).encode() + b"\r\n"
    member = Member("hutto/movie.txt", hashlib.sha256(content).hexdigest(), len(content), "movie.txt")
    monkeypatch.setattr(rated_sentences, "MOVIE_SENTENCES", member)
    with tarfile.open(tmp_path / "hutto_ICWSM_2014.tar.gz", "w:gz") as archive:
        info = tarfile.TarInfo(member.path)
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))
    (tmp_path / "out").mkdir()
    rated_sentences.write_rated_sentences(tmp_path, tmp_path / "out" / "rows.csv")
    assert read_csv(tmp_path / "out" / "rows.csv") == [
        {"text": "A joy.", "label": "positive"},
        {"text": 'Crummy, "sad".', "label": "negative"},
        {"text": "Good é.", "label": "positive"},
    ]


def test_chinese_reviews_come_once_and_on_one_side(tmp_path: Path) -> None:
    (tmp_path / "pos.txt").write_text("很好，喜欢！\n很好,喜欢!\n 不错 \n两面\n物流&#24555;\n", encoding="utf-8")
    (tmp_path / "neg.txt").write_text("很差。\n两面！\n。\n\n很差。\n", encoding="utf-8")
    write_chinese_reviews(tmp_path, tmp_path / "rows.csv")
    rows = {(row["text"], row["label"]) for row in read_csv(tmp_path / "rows.csv")}
    assert rows == {("很好，喜欢！", "positive"), ("不错", "positive"), ("物流快", "positive"), ("很差。", "negative")}


@pytest.mark.parametrize(
    ("line", "text", "expected"),
    [
        ("江/nr  泽民/nr  在/p  北京/ns", "江泽民在北京", [("江泽民", "PER"), ("北京", "LOC")]),
        ("克林顿/nr  、/w  李/nr  鹏/nr", "克林顿、李鹏", [("克林顿", "PER"), ("李鹏", "PER")]),
        ("欧阳/nr  修/nr", "欧阳修", [("欧阳修", "PER")]),
        ("孟/nr  西安/nr  祁/nr  勇/nr", "孟西安祁勇", [("孟西安", "PER"), ("祁勇", "PER")]),
        ("陈/nr  方/nr  安生/nr  到/v", "陈方安生到", [("陈方安生", "PER")]),
        ("桑普拉斯/nr  威廉姆斯/nr", "桑普拉斯威廉姆斯", [("桑普拉斯", "PER"), ("威廉姆斯", "PER")]),
        ("郭/nr  说/v", "郭说", [("郭", "PER")]),
        ("新华社/nt  １/m  //w  ２/m", "新华社１/２", [("新华社", "ORG")]),
    ],
)
def test_peoples_daily_joins_names(tmp_path: Path, line: str, text: str, expected: list[tuple[str, str]]) -> None:
    (tmp_path / "199801.txt").write_text(f"{line}\n\n", encoding="utf-8")
    write_peoples_daily(tmp_path, tmp_path / "rows.jsonl")
    (row,) = read_jsonl(tmp_path / "rows.jsonl")
    assert (row["text"], entities(row)) == (text, expected)


@pytest.fixture
def intents(tmp_path: Path) -> Path:
    """Three intents, two of which share a wording."""

    def block(*sentences: str, **context: Any) -> dict[str, Any]:
        return {"sentences": list(sentences)} | ({"requires_context": context} if context else {})

    data = {
        "intents": {
            "HassTurnOn": {"data": [block("turn on [the] {name} in <room>", domain=["light"])]},
            "HassPauseTimer": {"data": [block("(pause|stop) the {timer_minutes:start} minute timer")]},
            "HassCancelTimer": {"data": [block("(cancel|stop) the {timer_minutes:start} minute timer")]},
            "HassNevermind": {"data": [block("never mind")]},
        },
        "lists": {"timer_minutes": {"range": {"from": 1, "to": 100}}},
        "expansion_rules": {"room": "[the] {area}"},
    }
    (tmp_path / "en.json").write_text(json.dumps(data))
    return tmp_path


def test_smart_home_commands_are_different_clear_and_repeatable(intents: Path) -> None:
    commands = smart_home.commands(intents, "en")
    assert commands == smart_home.commands(intents, "en")
    assert len({command.text.casefold() for command in commands}) == len(commands)
    assert {command.intent for command in commands} == {"TurnOn", "PauseTimer", "CancelTimer"}, (
        "one has too few wordings"
    )
    assert not [command.text for command in commands if "stop" in command.text], "it may be either of two intents"


def test_smart_home_slots_are_marked(intents: Path, tmp_path: Path) -> None:
    smart_home.write_slots(intents, tmp_path / "slots.jsonl", "en")
    smart_home.write_intents(intents, tmp_path / "intents.csv", "en")
    rows = read_jsonl(tmp_path / "slots.jsonl")
    assert [row["text"] for row in rows] == [row["text"] for row in read_csv(tmp_path / "intents.csv")]
    for row in rows:
        kinds = [kind for _, kind in entities(row)]
        assert kinds == (["device", "room"] if "turn on" in row["text"] else ["minutes"])
        for words, kind in entities(row):
            assert words == words.strip()
            assert not words.startswith("the ")
            assert kind != "minutes" or 1 <= int(words) <= 59


def test_help_desk_serves_four_tasks(tmp_path: Path) -> None:
    messages, articles = tmp_path / "messages.jsonl", tmp_path / "articles.jsonl"
    entity = {"start": 3, "end": 6, "type": "PRODUCT", "text": "L40"}
    messages.write_text(
        json.dumps({"id": "1", "text": "My L40, broken", "topic": "fault", "entities": [entity]}) + "\n"
    )
    questions = [
        {"question": "How long?", "answers": [{"text": "two days", "start": 3}], "answerable": True},
        {"question": "Who?", "answers": [], "answerable": False},
    ]
    article = {
        "id": "a",
        "title": "T",
        "topic": "x",
        "text": "In two days.",
        "summary": "Soon.",
        "questions": questions,
    }
    articles.write_text(json.dumps(article) + "\n")

    help_desk.write_topics(messages, tmp_path / "topics.csv")
    assert read_csv(tmp_path / "topics.csv") == [{"text": "My L40, broken", "label": "fault"}]
    help_desk.write_entities(messages, tmp_path / "entities.jsonl")
    assert entities(read_jsonl(tmp_path / "entities.jsonl")[0]) == [("L40", "PRODUCT")]
    help_desk.write_summaries(articles, tmp_path / "summaries.csv")
    assert read_csv(tmp_path / "summaries.csv") == [{"document": "In two days.", "summary": "Soon."}]
    help_desk.write_questions(articles, tmp_path / "questions.jsonl")
    answered, unanswerable = read_jsonl(tmp_path / "questions.jsonl")
    assert answered == {
        "context": "In two days.",
        "question": "How long?",
        "answers": {"text": ["two days"], "answer_start": [3]},
    }
    assert unanswerable["answers"] == {"text": [], "answer_start": []}
    assert help_desk.count(articles, "question") == 2


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_question_comes_with_the_paragraph_that_answers_it(tmp_path: Path, language: str) -> None:
    source = help_desk.articles_file(language)
    help_desk.write_questions(source, tmp_path / "questions.jsonl")
    requests = [(article, question) for article in read_jsonl(source) for question in article["questions"]]
    for (article, question), row in zip(requests, read_jsonl(tmp_path / "questions.jsonl"), strict=True):
        assert row["question"] == question["question"]
        assert row["context"] in article["text"].split("\n\n")
        answers = row["answers"]
        assert answers["text"] == [answer["text"] for answer in question["answers"]]
        for text, start in zip(answers["text"], answers["answer_start"], strict=True):
            assert row["context"][start:].startswith(text)
