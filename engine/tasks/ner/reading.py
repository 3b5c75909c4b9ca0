"""NER rows: text with entities as character spans, from whatever a table holds.

Knows lists of tokens and tags, and the ways in which tools write spans. Offsets count Unicode code points of the text, as Python
does. Does not know models; overlapping spans are kept, the task decides.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from engine.core.errors import LabelProblem
from engine.core.text import Text
from engine.data.cells import as_label, as_text, as_value
from engine.data.findings import counted, excerpt, first_places
from engine.data.profile import as_items
from engine.data.table import Table
from engine.schema import Example, Notice, Place
from engine.tasks.ner.tags import detect_scheme, token_spans

# Scripts written without spaces between words: Han, kana, CJK punctuation, full-width forms, Thai.
_UNSPACED = re.compile(
    "[\u0e00-\u0e7f\u2e80-\u2eff\u3000-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef]"
)
_START = ("start", "start_offset", "begin", "startIndex")
_END = ("end", "end_offset", "stop", "endIndex")
_LABEL = ("label", "labels", "type", "tag", "entity", "entity_group", "entity_type", "category", "标签", "类型")


def join_tokens(tokens: list[str]) -> tuple[str, list[list[int]]]:
    """The text of a list of tokens, and [start, end] of each in it.

    A space goes between tokens, except between two that both meet it with a character of a script without word spaces.
    """
    parts: list[str] = []
    offsets: list[list[int]] = []
    length = 0
    before = ""
    for token in tokens:
        if before and token and not (_UNSPACED.match(before[-1]) and _UNSPACED.match(token[0])):
            parts.append(" ")
            length += 1
        offsets.append([length, length + len(token)])
        parts.append(token)
        length += len(token)
        before = token or before
    return "".join(parts), offsets


def read_tagged(table: Table, tokens_column: str, tags_column: str) -> tuple[list[Example], list[Notice]]:
    """Rows of tokens and tags. `inputs["tokens"]` keeps the offset of each token, so that a score by token can be had again.

    Raises LabelProblem with the row where there are not as many tags as tokens, and where tags are numbers without names.
    """
    file = table.source.name
    rows: list[tuple[int, list[str], list[str]]] = []
    empty: list[Place] = []
    for line, first, second in zip(table.lines, table.frame[tokens_column], table.frame[tags_column], strict=True):
        tokens, tags = as_items(first), as_items(second)
        if not tokens or not any(as_text(token).strip() for token in tokens):
            empty.append(Place(file, line, tokens_column))
            continue
        if tags is None or len(tags) != len(tokens):
            count = 0 if tags is None else len(tags)
            raise LabelProblem(
                "tags_do_not_fit",
                Text(
                    f"{file}, row {line}: {len(tokens)} tokens, but {count} tags.",
                    f"{file} 第 {line} 行：有 {len(tokens)} 个词元，却有 {count} 个标注。",
                ),
                Text("Give one tag for each token.", "请为每个词元提供一个标注。"),
                file=file,
                row=line,
                column=tags_column,
            )
        rows.append((line, [as_text(token) for token in tokens], [as_label(tag) for tag in tags]))
    different = {tag for _, _, tags in rows for tag in tags}
    if different and all(tag.isdigit() for tag in different):
        raise LabelProblem(
            "tags_are_numbers",
            Text(
                f"{file}: the tags in {tags_column!r} are numbers; their names are not in the file.",
                f"{file}：{tags_column!r} 列的标注是数字，文件中没有对应的名称。",
            ),
            Text("Write names such as B-PER, I-PER, O.", "请写成 B-PER、I-PER、O 这样的名称。"),
            file=file,
            row=rows[0][0],
            column=tags_column,
        )
    scheme = detect_scheme(different)
    notices = _empty_notice(empty)
    if scheme.mixed or scheme.contradicts:
        strange = set(scheme.mixed)
        places = [Place(file, line, tags_column, " ".join(tags)[:120]) for line, _, tags in rows if strange & set(tags)]
        shown = ", ".join(scheme.mixed[:8]) or "/".join(sorted(scheme.letters))
        notices.append(
            Notice(
                "mixed_tag_schemes",
                "warning",
                Text(
                    f"The tags mix several schemes; most are {scheme.name}, but there is also {shown}.",
                    f"标注混用了多种体系：多数为 {scheme.name}，但也有 {shown}。",
                ),
                len(places) or len(rows),
                first_places(places),
            )
        )
    examples = []
    for line, tokens, tags in rows:
        text, offsets = join_tokens(tokens)
        spans = tuple(
            {"start": offsets[first][0], "end": offsets[after - 1][1], "label": label}
            for first, after, label in token_spans(tags, scheme)
        )
        examples.append(Example(line, {"text": text, "tokens": offsets}, spans))
    return examples, notices


def read_spans(table: Table, text_column: str, spans_column: str) -> tuple[list[Example], list[Notice]]:
    """Rows of text and spans. A row whose cell of spans is missing is left out; an empty list means no entities."""
    file = table.source.name
    examples: list[Example] = []
    empty: list[Place] = []
    unmarked: list[Place] = []
    wrong: list[Place] = []
    moved: list[Place] = []
    for line, first, second in zip(table.lines, table.frame[text_column], table.frame[spans_column], strict=True):
        text = as_text(first)
        if not text.strip():
            empty.append(Place(file, line, text_column))
            continue
        given = as_value(second)
        if given is None or given == "":
            unmarked.append(Place(file, line, spans_column, excerpt(text)))
            continue
        if isinstance(given, dict):
            given = given.get("entities", given.get("spans", [given]))
        if not isinstance(given, list):
            wrong.append(Place(file, line, spans_column, excerpt(as_text(second))))
            continue
        spans = []
        for item in given:
            span, was_moved = _read_span(item, text)
            if span is None:
                wrong.append(Place(file, line, spans_column, excerpt(str(item))))
                continue
            if was_moved:
                moved.append(Place(file, line, spans_column, excerpt(text, span["start"])))
            spans.append(span)
        spans.sort(key=lambda span: (span["start"], span["end"], span["label"]))
        examples.append(Example(line, {"text": text}, tuple(spans)))
    notices = _empty_notice(empty)
    if unmarked:
        notices.append(
            Notice(
                "missing_labels",
                "warning",
                Text(
                    f"{counted(len(unmarked), 'row has', 'rows have')} no spans at all (not even an empty list); left out.",
                    f"{len(unmarked)} 行没有实体标注（连空列表也没有），已略过。",
                ),
                len(unmarked),
                first_places(unmarked),
            )
        )
    if wrong:
        notices.append(
            Notice(
                "span_out_of_range",
                "error",
                Text(
                    f"{counted(len(wrong), 'span lies', 'spans lie')} outside the text or without start, end or label; left out.",
                    f"{len(wrong)} 个实体区间超出文本，或缺少起点、终点、标签，已略过。",
                ),
                len(wrong),
                first_places(wrong),
            )
        )
    if moved:
        notices.append(
            Notice(
                "span_moved",
                "warning",
                Text(
                    f"{counted(len(moved), 'span did', 'spans did')} not stand where the file says; found again by the text.",
                    f"{len(moved)} 个实体区间的位置与文字不符，已按文字重新定位。",
                ),
                len(moved),
                first_places(moved),
            )
        )
    return examples, notices


def _read_span(item: Any, text: str) -> tuple[dict[str, Any] | None, bool]:
    """A span as {start, end, label}, and whether it had to be moved to where its own text stands. None where it is none."""
    quoted = ""
    if isinstance(item, dict):
        start, end = _first(item, _START), _first(item, _END)
        label = _first(item, _LABEL)
        quoted = item["text"] if isinstance(item.get("text"), str) else ""
    elif isinstance(item, list | tuple) and len(item) >= 3:
        start, end, label = item[:3]
    else:
        return None, False
    if isinstance(label, list):
        label = label[0] if label else None
    start, end, label = _whole(start), _whole(end), as_label(label)
    if start is None or end is None or not label:
        return None, False
    if quoted and text[start:end] != quoted:
        place = _locate(text, quoted, start)
        if place is not None:
            return {"start": place, "end": place + len(quoted), "label": label}, True
    if not 0 <= start < end <= len(text):
        return None, False
    return {"start": start, "end": end, "label": label}, False


def _first(item: dict[str, Any], names: tuple[str, ...]) -> Any:
    return next((item[name] for name in names if item.get(name) is not None), None)


def _whole(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return int(number) if number.is_integer() else None


def _locate(text: str, quoted: str, start: int) -> int | None:
    """Where `quoted` stands nearest to `start`, which may have been counted in UTF-16 units as browsers do."""
    places = [match.start() for match in re.finditer(re.escape(quoted), text)]
    return min(places, key=lambda place: abs(place - start), default=None)


def _empty_notice(empty: list[Place]) -> list[Notice]:
    if not empty:
        return []
    return [
        Notice(
            "empty_text",
            "warning",
            Text(
                f"{counted(len(empty), 'row has', 'rows have')} no text; left out.",
                f"{len(empty)} 行没有文本，已略过。",
            ),
            len(empty),
            first_places(empty),
        )
    ]


def require_entities(examples: Sequence[Example]) -> None:
    """Raise LabelProblem where no training row has an entity."""
    if not any(example.target for example in examples):
        raise LabelProblem(
            "no_entities",
            Text("No training row has an entity.", "训练数据中没有任何实体。"),
            Text("Choose the column that holds spans or tags.", "请选择包含实体区间或标注的列。"),
        )
