"""The help desk corpus keeps its promises, in English and in Chinese.

Run: pytest tests/demo/test_help_desk_corpus.py

Knows the format and the rules that demo/examples/README.md states (counts, exact spans, wording that is not copied, topics that
must be read). It does not judge whether a label or a fact is right: people did that while writing.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from difflib import SequenceMatcher
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline

EXAMPLES = Path(__file__).resolve().parents[2] / "demo" / "examples"
LANGUAGES = ("en", "zh")
TOPICS = {
    "delivery",
    "returns",
    "payment",
    "account",
    "product_fault",
    "warranty",
    "subscription",
    "installation",
}
ENTITY_TYPES = {"PERSON", "ORGANISATION", "PLACE", "PRODUCT", "DATE", "AMOUNT", "ORDER"}

pytestmark = pytest.mark.parametrize("language", LANGUAGES)


@cache
def _rows(language: str, kind: str) -> list[dict[str, Any]]:
    path = EXAMPLES / f"help_desk.{language}.{kind}.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _messages(language: str) -> list[dict[str, Any]]:
    return _rows(language, "messages")


def _articles(language: str) -> list[dict[str, Any]]:
    return _rows(language, "articles")


def _texts(language: str) -> list[str]:
    return [row["text"] for row in _messages(language)]


def _normalised(text: str) -> str:
    """Letters and digits only, lower case: what is left when punctuation, spaces and case are ignored."""
    return re.sub(r"[\W_]+", "", text.lower())


def _size(text: str, language: str) -> int:
    """Words in English, characters in Chinese."""
    return len(text.split()) if language == "en" else len(text)


def _pairs_above(texts: list[str], jaccard: float) -> list[tuple[float, str, str]]:
    """Pairs of texts whose sets of character 5-grams overlap by `jaccard` or more (intersection over union)."""
    grams = CountVectorizer(analyzer="char", ngram_range=(5, 5), binary=True).fit_transform(texts)
    sizes = grams.sum(axis=1).A1
    shared = (grams @ grams.T).tocoo()
    return [
        (round(n / (sizes[i] + sizes[j] - n), 2), texts[i], texts[j])
        for i, j, n in zip(shared.row, shared.col, shared.data, strict=True)
        if i < j and n / (sizes[i] + sizes[j] - n) >= jaccard
    ]


def _longest_shared_run(text: str, other: str, language: str) -> int:
    """Length of the longest run (words in English, characters in Chinese) that both texts contain."""
    a, b = (text.lower().split(), other.lower().split()) if language == "en" else (text, other)
    return SequenceMatcher(None, a, b, autojunk=False).find_longest_match().size


# Messages


def test_messages_have_exactly_the_documented_columns(language: str) -> None:
    for row in _messages(language):
        assert set(row) == {"id", "text", "topic", "entities"}, row["id"]
        assert row["text"] == row["text"].strip() and row["text"], row["id"]


def test_enough_messages_and_unique_ids(language: str) -> None:
    ids = [row["id"] for row in _messages(language)]
    assert len(ids) >= 480
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(rf"{language}-\d{{4}}", identifier) for identifier in ids)


def test_eight_topics_roughly_balanced(language: str) -> None:
    counts = Counter(row["topic"] for row in _messages(language))
    assert set(counts) == TOPICS
    assert min(counts.values()) >= 40
    assert max(counts.values()) <= 1.5 * min(counts.values())


def test_spans_are_exact_ordered_and_apart(language: str) -> None:
    for row in _messages(language):
        end = 0
        for span in row["entities"]:
            assert set(span) == {"start", "end", "type", "text"}, row["id"]
            assert row["text"][span["start"] : span["end"]] == span["text"], row["id"]
            assert span["text"] == span["text"].strip() and span["text"], row["id"]
            assert span["start"] >= end, f"{row['id']}: overlapping or unordered spans"
            end = span["end"]


def test_every_entity_type_is_frequent(language: str) -> None:
    counts = Counter(span["type"] for row in _messages(language) for span in row["entities"])
    assert set(counts) == ENTITY_TYPES
    assert min(counts.values()) >= 80, counts


def test_most_messages_have_entities_and_some_have_none(language: str) -> None:
    share = sum(bool(row["entities"]) for row in _messages(language)) / len(_messages(language))
    assert 0.6 <= share <= 0.9


def test_names_are_marked_wherever_they_occur(language: str) -> None:
    """A name or order number marked in one message may not stand unmarked in another."""
    names = {
        span["text"]
        for row in _messages(language)
        for span in row["entities"]
        if span["type"] in {"PERSON", "ORGANISATION", "ORDER", "PRODUCT"} and len(span["text"]) >= 3
    }
    boundary = r"(?<!\w){}(?!\w)" if language == "en" else "{}"
    pattern = re.compile("|".join(boundary.format(re.escape(n)) for n in sorted(names, key=len, reverse=True)))
    for row in _messages(language):
        marked = {i for span in row["entities"] for i in range(span["start"], span["end"])}
        for hit in pattern.finditer(row["text"]):
            assert marked & set(range(*hit.span())), f"{row['id']}: {hit.group()!r} is not marked"


def test_no_name_has_two_types(language: str) -> None:
    types: dict[str, set[str]] = defaultdict(set)
    for row in _messages(language):
        for span in row["entities"]:
            types[span["text"]].add(span["type"])
    assert {text: result for text, result in types.items() if len(result) > 1} == {}


def test_no_two_messages_are_alike(language: str) -> None:
    normalised = Counter(_normalised(text) for text in _texts(language))
    assert [text for text, count in normalised.items() if count > 1] == []
    assert _pairs_above(_texts(language), 0.6) == []


def test_lengths_vary_as_in_real_mail(language: str) -> None:
    sizes = [_size(text, language) for text in _texts(language)]
    brief, long, longest = (8, 60, 130) if language == "en" else (12, 70, 300)
    assert sum(size <= brief for size in sizes) >= 15
    assert sum(size >= long for size in sizes) >= 15
    assert max(sizes) <= longest


def test_messages_do_not_leak_their_label(language: str) -> None:
    """Neither label ids nor leftovers of markup in the text, and the order of rows says nothing about the topic."""
    for row in _messages(language):
        assert not re.search(r"[a-z]_[a-z]|[\[\]{}|]", row["text"]), row["id"]
        assert not any(topic in row["id"] for topic in TOPICS)
    neighbours = [a["topic"] == b["topic"] for a, b in pairwise(_messages(language))]
    assert sum(neighbours) / len(neighbours) < 0.25


def test_topics_must_be_read(language: str) -> None:
    """Word counts alone neither solve the topics (the example would prove nothing) nor fail (the labels would be noise)."""
    vectoriser = (
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
        if language == "en"
        else TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True)
    )
    accuracy = cross_val_score(
        make_pipeline(vectoriser, LogisticRegression(C=10, max_iter=300)),
        _texts(language),
        [row["topic"] for row in _messages(language)],
        cv=StratifiedKFold(5, shuffle=True, random_state=0),
    ).mean()
    assert 0.5 < accuracy < 0.97


# Articles


def test_enough_articles_of_every_topic(language: str) -> None:
    articles = _articles(language)
    assert len(articles) >= 80
    assert len({row["id"] for row in articles}) == len(articles)
    assert len({row["title"] for row in articles}) == len(articles)
    assert all(re.fullmatch(rf"{language}-a\d{{3}}", row["id"]) for row in articles)
    counts = Counter(row["topic"] for row in articles)
    assert set(counts) == TOPICS and min(counts.values()) >= 8


def test_articles_have_exactly_the_documented_columns(language: str) -> None:
    for row in _articles(language):
        assert set(row) == {"id", "title", "topic", "text", "summary", "questions"}, row["id"]
        assert _size(row["text"], language) >= (150 if language == "en" else 250), row["id"]
        assert len(row["text"].split("\n\n")) >= 2, f"{row['id']}: no paragraphs"


def test_articles_differ(language: str) -> None:
    assert _pairs_above([row["text"] for row in _articles(language)], 0.3) == []
    assert _pairs_above([row["summary"] for row in _articles(language)], 0.4) == []


def test_answers_are_exact_spans(language: str) -> None:
    for row in _articles(language):
        for question in row["questions"]:
            assert set(question) == {"question", "answers", "answerable"}, row["id"]
            assert question["answerable"] is bool(question["answers"]), question["question"]
            for answer in question["answers"]:
                assert set(answer) == {"text", "start"}, row["id"]
                end = answer["start"] + len(answer["text"])
                assert answer["text"] and row["text"][answer["start"] : end] == answer["text"], question["question"]


def test_every_article_answers_five_questions(language: str) -> None:
    for row in _articles(language):
        assert sum(question["answerable"] for question in row["questions"]) >= 5, row["id"]


def test_half_of_the_articles_have_questions_without_answer(language: str) -> None:
    having = sum(any(not question["answerable"] for question in row["questions"]) for row in _articles(language))
    assert having >= len(_articles(language)) / 2


def test_questions_are_their_own_words(language: str) -> None:
    questions = [question["question"] for row in _articles(language) for question in row["questions"]]
    assert len(set(questions)) == len(questions)
    for row in _articles(language):
        for question in row["questions"]:
            assert question["question"].endswith(("?", "？")), question["question"]
            run = _longest_shared_run(question["question"], row["text"], language)
            assert run <= (6 if language == "en" else 12), question["question"]


def test_summaries_are_one_short_sentence(language: str) -> None:
    for row in _articles(language):
        summary = row["summary"]
        ends = re.findall(r"[.!?](?=\s|$)" if language == "en" else r"[。！？]", summary)
        assert len(ends) == 1 and summary.endswith(ends[0]), row["id"]
        assert len(summary) < 0.35 * len(row["text"]), row["id"]


def test_summaries_are_not_copied(language: str) -> None:
    for row in _articles(language):
        assert _normalised(row["summary"]) not in _normalised(row["text"])
        run = _longest_shared_run(row["summary"], row["text"], language)
        assert run <= (6 if language == "en" else 15), f"{row['id']}: {run} in a row from the article"


def test_readme_states_the_counts(language: str) -> None:
    readme = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    questions = [question for row in _articles(language) for question in row["questions"]]
    counts = (
        len(_messages(language)),
        sum(len(row["entities"]) for row in _messages(language)),
        len(_articles(language)),
        sum(question["answerable"] for question in questions),
        sum(not question["answerable"] for question in questions),
    )
    assert f"| {language} | " + " | ".join(f"{count:,}" for count in counts) + " |" in readme
