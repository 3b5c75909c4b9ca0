"""Fixes of rows that one click applies.

Each fix has a code, which `DataConfig.fixes` records. Fixes change examples after they were read and before they are split, the
same way every time. Test rows are corrected in their form (spellings, spans, personal data), never left out for being hard.
Here are the fixes that make sense for any task; what only one task needs is in `DataTask.fixes`.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import replace

from engine.core.errors import ConfigProblem
from engine.core.text import Text
from engine.data.masking import mask_example
from engine.data.near_duplicates import near_duplicate_groups
from engine.data.normalization import normal_form
from engine.data.task import DataTask, RowFix, Tables
from engine.schema import Example, Notice

RARE = 3  # rows of a class below which it cannot be in training, validation and test


def fixes_for(task: DataTask) -> dict[str, RowFix]:
    """Every fix of rows by its code, in the order in which they run: the common ones and the task's own."""
    own = task.fixes()
    fixes = (
        *_CHANGE_ROWS,
        *(fix for fix in own if not fix.drops_rows),
        *_DROP_ROWS,
        *(fix for fix in own if fix.drops_rows),
        DROP_LEAKED,
    )
    return {fix.code: fix for fix in fixes}


def apply_fixes(tables: Tables, codes: Sequence[str], task: DataTask) -> tuple[Tables, list[Notice]]:
    """The tables after the fixes, and a notice for each. They run in the order of `fixes_for`, whatever the order of `codes`.

    Raises ConfigProblem for a code that is no fix of the task's rows.
    """
    available = fixes_for(task)
    for code in codes:
        if code not in available:
            raise unknown_fix(code, list(available))
    notices = []
    for code, fix in available.items():
        if code not in codes:
            continue
        before = tables
        tables = fix.apply(tables, task)
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


def unknown_fix(code: str, available: Sequence[str]) -> ConfigProblem:
    return ConfigProblem(
        "unknown_fix",
        Text(
            f"There is no fix {code!r} for this data. There are: {', '.join(available)}.",
            f"没有适用于此数据的修复项 {code!r}。可用的有：{'、'.join(available)}。",
        ),
        fixes=[code],
    )


def _changed(before: Tables, after: Tables) -> int:
    """Number of rows that were changed or removed."""
    count = 0
    for table, rows in before.items():
        unchanged = {id(row) for row in after[table]}
        count += sum(id(row) not in unchanged for row in rows)
    return count


def on_each_row(function: Callable[[Example], Example]) -> Callable[[Tables, DataTask], Tables]:
    """A fix that changes the rows of all tables one by one. `function` returns the same object for a row that stays unchanged."""
    return lambda tables, task: {table: [function(row) for row in rows] for table, rows in tables.items()}


def on_training_rows(function: Callable[[list[Example]], list[Example]]) -> Callable[[Tables, DataTask], Tables]:
    """A fix that removes training rows."""
    return lambda tables, task: {**tables, "train": function(tables["train"])}


def target_key(example: Example) -> Hashable:
    """A hashable form of the target, to compare and count."""
    if not isinstance(example.target, tuple | list):
        return example.target
    return tuple(tuple(sorted(item.items())) if isinstance(item, dict) else item for item in example.target)


def input_text(example: Example, task: DataTask) -> str:
    """All texts that a model reads of a row, in normal form: what near duplicates are compared by."""
    inputs = (example.inputs.get(name) for name in task.inputs)
    return "\n".join(normal_form(value) for value in inputs if isinstance(value, str))


def _mask_personal_data(tables: Tables, task: DataTask) -> Tables:
    return on_each_row(lambda row: mask_example(row, task))(tables, task)


def _drop_duplicates(tables: Tables, task: DataTask) -> Tables:
    first: dict[Hashable, Example] = {}
    for row in tables["train"]:
        first.setdefault((task.identity(row), target_key(row)), row)
    return {**tables, "train": list(first.values())}


def _drop_near_duplicates(tables: Tables, task: DataTask) -> Tables:
    if task.texts_repeat:
        return tables
    texts = [input_text(row, task) for row in tables["train"]]
    unique = list(dict.fromkeys(texts))
    heads = {unique[i] for i, head in enumerate(near_duplicate_groups(unique)) if head == i}
    return {**tables, "train": [row for row, text in zip(tables["train"], texts, strict=True) if text in heads]}


def _drop_conflicts(tables: Tables, task: DataTask) -> Tables:
    if not task.has_labels:
        return tables
    targets: dict[Hashable, set[Hashable]] = defaultdict(set)
    for row in tables["train"]:
        targets[task.identity(row)].add(target_key(row))
    return {**tables, "train": [row for row in tables["train"] if len(targets[task.identity(row)]) == 1]}


def _drop_leaked(tables: Tables, task: DataTask) -> Tables:
    held_out = {task.identity(row) for table, rows in tables.items() if table != "train" for row in rows}
    return {**tables, "train": [row for row in tables["train"] if task.identity(row) not in held_out]}


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


def _merge_label_spellings(tables: Tables, task: DataTask) -> Tables:
    if not task.has_labels:
        return tables
    counts = Counter(label for row in tables["train"] for label in task.labels(row))
    # Labels of the other tables are mapped to the spelling that is most frequent in the training table.
    for table, rows in tables.items():
        if table != "train":
            for row in rows:
                for label in task.labels(row):
                    counts.setdefault(label, 0)
    replacements = spelling_groups(counts)

    def merge(row: Example) -> Example:
        if not any(replacements.get(label, label) != label for label in task.labels(row)):
            return row
        if isinstance(row.target, str):
            return replace(row, target=replacements.get(row.target, row.target))
        if any(isinstance(item, dict) for item in row.target):
            items: Iterable = [{**item, "label": replacements.get(item["label"], item["label"])} for item in row.target]
        else:
            items = dict.fromkeys(replacements.get(item, item) for item in row.target)
        return replace(row, target=tuple(items))

    return on_each_row(merge)(tables, task)


def _drop_rare_labels(tables: Tables, task: DataTask) -> Tables:
    if not task.classifies_rows:
        return tables
    counts = Counter(label for row in tables["train"] for label in task.labels(row))
    rare = {label for label, count in counts.items() if count < RARE}
    return {
        table: [row for row in rows if not rare.intersection(task.labels(row))] if rare else rows
        for table, rows in tables.items()
    }


MERGE_LABEL_SPELLINGS = RowFix(
    "merge_label_spellings", Text("Merge the spellings", "合并标签写法"), _merge_label_spellings
)
MASK_PERSONAL_DATA = RowFix("mask_personal_data", Text("Mask personal data", "对个人信息打码"), _mask_personal_data)
DROP_DUPLICATES = RowFix(
    "drop_duplicates", Text("Keep one row of each", "重复行只保留一行"), _drop_duplicates, drops_rows=True
)
DROP_NEAR_DUPLICATES = RowFix(
    "drop_near_duplicates",
    Text("Keep one row of each group", "每组近似行只保留一行"),
    _drop_near_duplicates,
    drops_rows=True,
)
DROP_CONFLICTS = RowFix("drop_conflicts", Text("Leave these rows out", "去掉这些行"), _drop_conflicts, drops_rows=True)
DROP_RARE_LABELS = RowFix(
    "drop_rare_labels", Text("Leave out the rare classes", "去掉稀有类别"), _drop_rare_labels, drops_rows=True
)
DROP_LEAKED = RowFix(
    "drop_leaked",
    Text("Leave the shared rows out of training", "从训练数据中去掉重合的行"),
    _drop_leaked,
    drops_rows=True,
)
_CHANGE_ROWS = (MERGE_LABEL_SPELLINGS, MASK_PERSONAL_DATA)
_DROP_ROWS = (DROP_DUPLICATES, DROP_NEAR_DUPLICATES, DROP_CONFLICTS, DROP_RARE_LABELS)
