"""The rules by which columns are guessed, one for each task.

Knows how names (`names`) and contents (`profile`) are weighed against each other. Does not know what was given by hand, beside that
those columns are taken.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from engine.core.text import Text
from engine.data.names import is_identifier, name_score, plain_name
from engine.data.profile import Profile, contained, profile, same_lengths
from engine.data.table import Table


@dataclass(frozen=True, slots=True)
class Guess:
    """A column for a role, how sure (0 to 1), and why."""

    column: str
    score: float
    reason: Text


_BY_NAME = Text("its name says so", "列名表明如此")
_BY_TEXT = Text("it holds the longest and most varied text", "内容是最长、最多样的文本")
_BY_CLASSES = Text("it holds few short values that repeat", "内容是少量重复出现的短值")
_BY_LISTS = Text("its lists fit", "列表内容相符")
_BY_QUESTIONS = Text("it holds questions", "内容是问句")
_BY_CONTAINED = Text("its cells stand word for word in the context", "内容原样出现在原文中")
_BY_SHORTER = Text("it is shorter than the document", "比文档更短")


class Column:
    """One column under consideration."""

    def __init__(self, table: Table, name: str, task: str):
        self.name = name
        self.task = task
        self.facts: Profile = profile(table, name)
        self.place = table.columns.index(name)
        self.identifies = is_identifier(name)

    def named(self, role: str) -> float:
        return name_score(self.name, self.task, role)

    @property
    def readable(self) -> bool:
        """Whether it may be text at all: no identifier, date, number, list."""
        return self.facts.is_text and not self.identifies

    def guess(self, role: str, score: float, otherwise: Text) -> Guess:
        return Guess(self.name, round(min(1.0, score), 3), _BY_NAME if self.named(role) >= 0.3 else otherwise)


def _length_score(column: Column) -> float:
    return min(column.facts.chars, 200) / 200


def _classification(table: Table, columns: list[Column], given: dict[str, str]) -> dict[str, Guess]:
    def text_score(column: Column) -> float:
        if not column.readable:
            return -1.0
        few = column.facts.is_label_like and len(table) >= 10
        varied = 0.0 if few else 0.3
        return 0.6 * column.named("text") + varied + 0.3 * _length_score(column)

    def label_score(column: Column) -> float:
        facts, named = column.facts, column.named("label")
        if facts.filled == 0 or facts.date >= 0.5 or column.identifies or facts.spans >= 0.5 or facts.chars > 200:
            return -1.0
        if facts.is_label_like or facts.lists > 0.5:
            alike = 1 - facts.distinct / max(1, facts.rows)
            return 0.6 * named + 0.25 + 0.1 * alike + 0.01 * column.place / max(1, len(columns))
        # A small table may have few rows of each class; then the name decides.
        return 0.6 * named if named >= 0.5 and (facts.rows < 200 or facts.repeated > 0.3) else -1.0

    found: dict[str, Guess] = {}
    best = (0.0, None, None)
    for text in columns if "text" not in given else [None]:
        for label in columns if "label" not in given else [None]:
            if text is label and text is not None:
                continue
            scores = [text_score(text) if text else 0.0, label_score(label) if label else 0.0]
            if min(scores) >= 0 and (best[1] is best[2] is None or sum(scores) > best[0]):
                best = (sum(scores), text, label)
    _, text, label = best
    if text is None and "text" not in given:  # no pair: take what there is
        text = max((c for c in columns if text_score(c) >= 0), key=text_score, default=None)
    if label is None and "label" not in given:
        label = max((c for c in columns if label_score(c) >= 0 and c is not text), key=label_score, default=None)
    if text:
        found["text"] = text.guess("text", text_score(text), _BY_TEXT)
    if label:
        found["label"] = label.guess("label", label_score(label), _BY_CLASSES)
    pairs = [
        c
        for c in columns
        if c not in (text, label) and c.facts.text >= 0.6 and not c.identifies and c.named("text_pair") >= 0.6
    ]
    if pairs and (text or "text" in given):
        pair = max(pairs, key=lambda c: c.named("text_pair"))
        found["text_pair"] = pair.guess("text_pair", pair.named("text_pair"), _BY_TEXT)
    return found


def _ner(table: Table, columns: list[Column], given: dict[str, str]) -> dict[str, Guess]:
    # Where every list is empty the name alone can tell; that nothing is marked is then said of the right column.
    marked = [c for c in columns if c.facts.spans >= 0.5 or (c.facts.lists >= 0.9 and c.named("spans") >= 0.9)]
    spans = max(marked, key=lambda c: c.facts.spans + c.named("spans"), default=None)
    texts = [c for c in columns if c.readable and c is not spans]
    text = max(texts, key=lambda c: 0.6 * c.named("text") + 0.4 * _length_score(c), default=None)
    if (spans or "spans" in given) and (text or "text" in given):
        found = {}
        if text:
            found["text"] = text.guess("text", 0.6 * text.named("text") + 0.4, _BY_TEXT)
        if spans:
            found["spans"] = spans.guess("spans", 0.6 * spans.named("spans") + 0.4, _BY_LISTS)
        return found

    def tag_score(column: Column) -> float:
        facts, named = column.facts, column.named("tags")
        listed = facts.lists >= 0.9 and named >= 0.5
        return facts.tags + named if facts.tags >= 0.9 or listed else 0.0

    best: tuple[float, Column | None, Column | None] = (0.0, None, None)
    for tags in columns:
        score = tag_score(tags)
        for tokens in columns if score else []:
            if tokens is tags or tokens.facts.tags >= 0.9 or not same_lengths(table, tokens.name, tags.name):
                continue
            total = score + tokens.named("tokens") + 0.2 * (tokens.facts.lists >= 0.9)
            if total > best[0]:
                best = (total, tokens, tags)
    _, tokens, tags = best
    found = {}
    if tokens and tags:
        found["tokens"] = tokens.guess("tokens", 0.6 * tokens.named("tokens") + 0.4, _BY_LISTS)
        found["tags"] = tags.guess("tags", 0.6 * tags.named("tags") + 0.4, _BY_LISTS)
    elif text:
        found["text"] = text.guess("text", 0.5 * text.named("text"), _BY_TEXT)
    return found


def _qa(table: Table, columns: list[Column], given: dict[str, str]) -> dict[str, Guess]:
    found: dict[str, Guess] = {}
    free = list(columns)

    def take(role: str, scored: list[tuple[float, Column]], otherwise: Text) -> None:
        score, column = max(scored, key=lambda pair: pair[0], default=(0.0, None))
        if column is not None and score > 0:
            found[role] = column.guess(role, score, otherwise)
            free.remove(column)

    texts = [c for c in free if c.readable]
    if "question" not in given:
        scored = [(0.6 * c.named("question") + 0.4 * c.facts.question - 0.05, c) for c in texts]
        take("question", [pair for pair in scored if pair[0] > 0.2], _BY_QUESTIONS)
    if "context" not in given:
        others = [c for c in texts if c in free]
        scored = [(0.6 * c.named("context") + 0.4 * min(c.facts.chars, 500) / 500, c) for c in others]
        take(
            "context",
            [pair for pair in scored if pair[1].named("context") >= 0.3 or pair[1].facts.chars > 80],
            _BY_TEXT,
        )
    context = given.get("context") or (found["context"].column if "context" in found else "")
    if "answers" not in given:
        scored = []
        for c in free:
            if c.identifies or c.facts.filled == 0:
                continue
            inside = contained(table, c.name, context) if context else 0.0
            shaped = 0.6 if c.facts.answers >= 0.5 else 0.0
            fits = shaped or c.facts.lists >= 0.5 or inside > 0.5 or c.named("answers") >= 0.6
            scored.append((0.6 * c.named("answers") + 0.4 * inside + shaped if fits else 0.0, c))
        take("answers", scored, _BY_CONTAINED)
    if "answer_start" not in given:
        scored = [
            (c.named("answer_start"), c) for c in free if c.facts.number >= 0.9 and c.named("answer_start") >= 0.3
        ]
        take("answer_start", scored, _BY_NAME)
    return found


def _summarization(table: Table, columns: list[Column], given: dict[str, str]) -> dict[str, Guess]:
    texts = [c for c in columns if (c.readable or c.facts.lists >= 0.9) and not c.identifies and c.facts.spans < 0.5]
    longest = max((c.facts.chars for c in texts), default=1.0) or 1.0

    def document_score(column: Column) -> float:
        return 0.5 * column.named("document") + 0.5 * column.facts.chars / longest

    def summary_score(column: Column) -> float:
        named = column.named("summary")
        if column.facts.lists >= 0.9 and plain_name(column.name) in ("label", "labels"):
            named = max(named, 0.6)  # how doccano writes the texts that it was given for a text
        if column.facts.is_label_like and named < 0.6:
            return -1.0
        return 0.6 * named + 0.2 * min(column.facts.chars, 60) / 60

    found: dict[str, Guess] = {}
    pairs = []
    for document in texts if "document" not in given else [None]:
        for summary in texts if "summary" not in given else [None]:
            if document is not None and document is summary:
                continue
            # A column of lists (several references) has no length of its own.
            if document and summary and summary.facts.lists < 0.9 and summary.facts.chars >= document.facts.chars:
                continue
            score = (document_score(document) if document else 0.0) + (summary_score(summary) if summary else 0.0)
            if not summary or summary_score(summary) > 0:
                pairs.append((score, document, summary))
    _, document, summary = max(pairs, key=lambda pair: pair[0], default=(0.0, None, None))
    if document is None and "document" not in given:
        document = max(texts, key=document_score, default=None)
    if document:
        found["document"] = document.guess("document", document_score(document), _BY_TEXT)
    if summary:
        found["summary"] = summary.guess("summary", summary_score(summary), _BY_SHORTER)
    return found


RULES: dict[str, Callable[[Table, list[Column], dict[str, str]], dict[str, Guess]]] = {
    "classification": _classification,
    "ner": _ner,
    "qa": _qa,
    "summarization": _summarization,
}
