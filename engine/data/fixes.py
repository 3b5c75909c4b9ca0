"""What can be mended at the press of a button, and how.

Knows each fix by the code that `DataConfig.fixes` records. Fixes change examples after they were read and before they are split,
the same way every time. Test rows are mended in their form (spellings, spans, personal data), never left out for being hard.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from typing import Any

from engine.core.errors import ConfigProblem
from engine.core.text import Text
from engine.data.examples import labels_of
from engine.data.findings import Fix
from engine.data.mask import mask_example
from engine.data.near import near_groups
from engine.data.normal import normal_form
from engine.schema import Example, Notice

Tables = dict[str, list[Example]]

FIXES: dict[str, Fix] = {
    fix.code: fix
    for fix in (
        Fix("merge_label_spellings", Text("Merge the spellings", "合并标签写法")),
        Fix("mask_personal_data", Text("Mask personal data", "对个人信息打码")),
        Fix("trim_spans", Text("Trim blanks off the spans", "去掉区间首尾空白")),
        Fix("widen_spans", Text("Widen the spans to whole words", "将区间扩展到完整单词")),
        Fix("drop_overlaps", Text("Keep the longest of overlapping spans", "重叠区间只保留最长的")),
        Fix("drop_duplicates", Text("Keep one row of each", "重复行只保留一行")),
        Fix("drop_near_duplicates", Text("Keep one row of each group", "每组近似行只保留一行")),
        Fix("drop_conflicts", Text("Leave these rows out", "去掉这些行")),
        Fix("drop_rare_labels", Text("Leave out the rare classes", "去掉稀有类别")),
        Fix("drop_bad_summaries", Text("Leave these rows out of training", "训练时去掉这些行")),
        Fix("drop_leaked", Text("Leave the shared rows out of training", "从训练数据中去掉重合的行")),
    )
}
RARE = 3  # rows of a class below which it cannot be in training, validation and test
_WORD = re.compile(r"[^\W_]")


def apply_fixes(tables: Tables, fixes: Sequence[str], task: str) -> tuple[Tables, list[Notice]]:
    """The tables after the fixes, which run in the order of `FIXES` whatever order they are given in, and a notice for each.

    Raises ConfigProblem for a code that is no fix.
    """
    for code in fixes:
        if code not in FIXES:
            raise unknown_fix(code, list(FIXES))
    notices = []
    for code, fix in FIXES.items():
        if code not in fixes:
            continue
        before = tables
        tables = _APPLY[code](tables, task)
        count = _changed(before, tables)
        label = fix.label
        notices.append(
            Notice(
                f"fixed_{code}",
                "info",
                Text(f"{label.en}: {count:,} rows.", f"{label.zh}：{count:,} 行。"),
                count,
            )
        )
    return tables, notices


def unknown_fix(code: str, known: Sequence[str]) -> ConfigProblem:
    return ConfigProblem(
        "unknown_fix",
        Text(
            f"There is no fix {code!r} for this data. There are: {', '.join(known)}.",
            f"没有适用于此数据的修复项 {code!r}。可用的有：{'、'.join(known)}。",
        ),
        fixes=[code],
    )


def _changed(before: Tables, after: Tables) -> int:
    """Rows that are different or gone."""
    count = 0
    for table, rows in before.items():
        kept = {id(row) for row in after[table]}
        count += sum(id(row) not in kept for row in rows)
    return count


def _on_train(function: Callable[[list[Example], str], list[Example]]) -> Callable[[Tables, str], Tables]:
    return lambda tables, task: {**tables, "train": function(tables["train"], task)}


def _on_each(function: Callable[[Example], Example]) -> Callable[[Tables, str], Tables]:
    return lambda tables, task: {table: [function(row) for row in rows] for table, rows in tables.items()}


def target_key(example: Example) -> Hashable:
    """A target as something that can be compared and counted."""
    if isinstance(example.target, str):
        return example.target
    return tuple(tuple(sorted(item.items())) if isinstance(item, dict) else item for item in example.target)


def input_key(example: Example) -> Hashable:
    """Everything a model reads of an example, in normal form."""
    return tuple(normal_form(v) for k, v in sorted(example.inputs.items()) if isinstance(v, str) and k != "id")


def _drop_duplicates(rows: list[Example], task: str) -> list[Example]:
    seen: set[Hashable] = set()
    kept = []
    for row in rows:
        key = input_key(row), target_key(row)
        if key not in seen:
            seen.add(key)
            kept.append(row)
    return kept


def _drop_near_duplicates(rows: list[Example], task: str) -> list[Example]:
    if task == "qa":
        return rows
    keys = [" ".join(map(str, input_key(row))) for row in rows]
    unique = list(dict.fromkeys(keys))
    heads = {unique[i] for i, head in enumerate(near_groups(unique)) if head == i}
    return [row for row, key in zip(rows, keys, strict=True) if key in heads]


def _drop_conflicts(rows: list[Example], task: str) -> list[Example]:
    if task not in ("classification", "ner"):
        return rows
    answers: dict[Hashable, set[Hashable]] = defaultdict(set)
    for row in rows:
        answers[input_key(row)].add(target_key(row))
    return [row for row in rows if len(answers[input_key(row)]) == 1]


def _drop_leaked(tables: Tables, task: str) -> Tables:
    held_out = {input_key(row) for table, rows in tables.items() if table != "train" for row in rows}
    return {**tables, "train": [row for row in tables["train"] if input_key(row) not in held_out]}


def spelling_groups(counts: Counter[str]) -> dict[str, str]:
    """Spellings of a label that differ by case, width, blanks or `-_ ` only -> the most frequent of them."""
    groups: dict[str, list[str]] = defaultdict(list)
    for label in counts:
        groups[re.sub(r"[\s_-]+", " ", normal_form(label)).strip()].append(label)
    return {
        label: max(members, key=lambda member: (counts[member], member))
        for members in groups.values()
        if len(members) > 1
        for label in members
    }


def _merge_label_spellings(tables: Tables, task: str) -> Tables:
    counts = Counter(label for row in tables["train"] for label in labels_of(row))
    # Spellings of the other tables follow the training table's choice.
    for table, rows in tables.items():
        if table != "train":
            for row in rows:
                for label in labels_of(row):
                    counts.setdefault(label, 0)
    merged = spelling_groups(counts)

    def mend(row: Example) -> Example:
        if not any(merged.get(label, label) != label for label in labels_of(row)):
            return row
        if isinstance(row.target, str):
            return replace(row, target=merged.get(row.target, row.target))
        items = [
            {**item, "label": merged.get(item["label"], item["label"])}
            if isinstance(item, dict)
            else merged.get(item, item)
            for item in row.target
        ]
        return replace(row, target=tuple(items if task == "ner" else dict.fromkeys(items)))

    return _on_each(mend)(tables, task) if task in ("classification", "ner") else tables


def _drop_rare_labels(tables: Tables, task: str) -> Tables:
    if task != "classification":
        return tables
    counts = Counter(label for row in tables["train"] for label in labels_of(row))
    rare = {label for label, count in counts.items() if count < RARE}
    return {
        table: [row for row in rows if not rare.intersection(labels_of(row))] if rare else rows
        for table, rows in tables.items()
    }


def _mend_spans(mend: Callable[[str, list[dict[str, Any]]], list[dict[str, Any]]]) -> Callable[[Example], Example]:
    def mended(row: Example) -> Example:
        if not row.target or not isinstance(row.target, tuple) or not isinstance(row.target[0], dict):
            return row
        if "label" not in row.target[0]:
            return row
        spans = tuple(mend(row.inputs["text"], [dict(span) for span in row.target]))
        return row if spans == row.target else replace(row, target=spans)

    return mended


def _trim(text: str, spans: list[dict[str, Any]]) -> list[dict[str, Any]]:
    for span in spans:
        covered = text[span["start"] : span["end"]]
        span["start"] += len(covered) - len(covered.lstrip())
        span["end"] -= len(covered) - len(covered.rstrip())
    return [span for span in spans if span["start"] < span["end"]]


def inside_word(text: str, at: int) -> bool:
    """Whether an offset parts a word: letters or digits of a script with word spaces on both sides."""
    return 0 < at < len(text) and _in_word(text[at - 1]) and _in_word(text[at])


def _in_word(character: str) -> bool:
    # Han, kana, Hangul with its particles, and Thai are written without spaces between words.
    return _WORD.match(character) is not None and not ("\u0e00" <= character <= "\u0e7f" or character >= "\u2e80")


def _widen(text: str, spans: list[dict[str, Any]]) -> list[dict[str, Any]]:
    for span in spans:
        while inside_word(text, span["start"]):
            span["start"] -= 1
        while inside_word(text, span["end"]):
            span["end"] += 1
    return spans


def _drop_overlaps(text: str, spans: list[dict[str, Any]]) -> list[dict[str, Any]]:
    kept: list[dict[str, Any]] = []
    for span in sorted(spans, key=lambda s: (s["start"] - s["end"], s["start"])):
        if all(span["end"] <= other["start"] or other["end"] <= span["start"] for other in kept):
            kept.append(span)
    return sorted(kept, key=lambda s: s["start"])


def bad_summary(example: Example) -> str:
    """What is wrong with the references of an example: "longer", "copy" or nothing."""
    document = normal_form(example.inputs["document"])
    for reference in example.target:
        summary = normal_form(reference)
        if summary == document:
            return "copy"
        if len(summary) >= len(document):
            return "longer"
    return ""


def _drop_bad_summaries(rows: list[Example], task: str) -> list[Example]:
    return [row for row in rows if not bad_summary(row)] if task == "summarization" else rows


_APPLY: dict[str, Callable[[Tables, str], Tables]] = {
    "merge_label_spellings": _merge_label_spellings,
    "mask_personal_data": _on_each(mask_example),
    "trim_spans": _on_each(_mend_spans(_trim)),
    "widen_spans": _on_each(_mend_spans(_widen)),
    "drop_overlaps": _on_each(_mend_spans(_drop_overlaps)),
    "drop_duplicates": _on_train(_drop_duplicates),
    "drop_near_duplicates": _on_train(_drop_near_duplicates),
    "drop_conflicts": _on_train(_drop_conflicts),
    "drop_rare_labels": _drop_rare_labels,
    "drop_bad_summaries": _on_train(_drop_bad_summaries),
    "drop_leaked": _drop_leaked,
}
