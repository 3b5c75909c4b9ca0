"""Train, validation and test: from files, or drawn from the training rows.

Knows strata, groups of identical texts that must stay on one side, and rare classes. Does not know tables or models. The same
rows, settings and seed always give the same split.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

from engine.core.errors import FileProblem
from engine.core.text import Text
from engine.data.config import DataConfig
from engine.data.findings import excerpt, first_places, listed_names
from engine.data.task import DataTask
from engine.schema import Example, Notice, Place

_SPLIT_NAMES = {
    "train": Text("training", "训练集"),
    "validation": Text("validation", "验证集"),
    "test": Text("test", "测试集"),
}


@dataclass(slots=True)
class Splits:
    """The three sets of a run. The test set is read once, at the end."""

    train: list[Example]
    validation: list[Example]
    test: list[Example]
    notices: list[Notice] = field(default_factory=list)

    def sizes(self) -> dict[str, int]:
        return {"train": len(self.train), "validation": len(self.validation), "test": len(self.test)}


def split(
    tables_examples: dict[str, list[Example]], data: DataConfig, seed: int, task: DataTask, draw_test: bool = True
) -> Splits:
    """Sets for training, choosing the checkpoint, and the final test.

    `tables_examples` has "train" and, where files were given, "validation" and "test", which are taken as they are. What is
    missing is drawn from the training rows: the test set with `data.test_share` of them (see `_test_share` where it is not set), then
    the validation set with `data.validation_share` of the rest (see `_validation_share`), both stratified by label, with identical
    texts on one side. `data.max_train_rows` samples the training rows last. Notices (see `findings`) say which classes were too rare
    to be drawn, which labels of the test set cannot be learned, and which rows of a given file are in the training set too.

    Without `draw_test` and without given test rows the test set stays empty: for a run whose test file is not read.

    Raises LabelProblem where the training rows have nothing to tell apart, FileProblem where there are too few of them.
    """
    rng = random.Random(seed)
    notices: list[Notice] = []
    train = list(tables_examples["train"])
    task.require_labels(train)
    task.refuse_unique_labels(train)
    validation = list(tables_examples.get("validation", ()))
    test = list(tables_examples.get("test", ()))
    rare: dict[str, int] = {}
    if not test and draw_test:
        share = data.test_share or _test_share(len(train))
        train, test = _draw(train, share, task, rng, rare, keep=1 if validation else 2)
        _require_rows(train, test, "test")
    if not validation:
        train, validation = _draw(
            train, data.validation_share or _validation_share(len(train)), task, rng, rare, keep=1
        )
        _require_rows(train, validation, "validation")
    if rare:
        notices.append(_too_rare(rare, train, task))
    if data.max_train_rows is not None and len(train) > data.max_train_rows:
        whole = len(train)
        train = _sample(train, data.max_train_rows, task, rng)
        notices.append(
            Notice(
                "train_sampled",
                "info",
                Text(
                    f"{len(train):,} of {whole:,} training rows were sampled (setting “Maximum training rows”).",
                    f"已从 {whole:,} 行训练数据中抽取 {len(train):,} 行（设置项“训练行数上限”）。",
                ),
                len(train),
            )
        )
        task.require_labels(train)
    for name, rows in (("validation", validation), ("test", test)):
        if tables_examples.get(name):
            notices.extend(_leakage(train, rows, name, task))
        notices.extend(_unseen_labels(train, rows, name, task))
    return Splits(train, validation, test, notices)


def _test_share(rows: int) -> float:
    """A fifth, but up to a third where that is fewer than 30 rows: an interval over a dozen rows is too wide to be useful."""
    return min(1 / 3, max(0.2, 30 / max(rows, 1)))


def _validation_share(rows: int) -> float:
    """A tenth, but from 5,000 rows on 500 of them or a twentieth: more rows hardly help to choose a checkpoint, but do help training."""
    return min(0.1, max(0.05, 500 / max(rows, 1)))


def _require_rows(train: list[Example], drawn: list[Example], name: str) -> None:
    if train and drawn:
        return
    word = _SPLIT_NAMES[name]
    raise FileProblem(
        "too_few_rows",
        Text(
            f"There are too few different rows to set a {word.en} set apart.",
            f"不重复的数据太少，无法划分出{word.zh}。",
        ),
        Text(f"Add rows, or give a {name} file.", f"请补充数据，或单独提供{word.zh}文件。"),
        row=1,
    )


def _draw(
    rows: list[Example], share: float, task: DataTask, rng: random.Random, rare: dict[str, int], *, keep: int
) -> tuple[list[Example], list[Example]]:
    """Split `rows` into (remaining, drawn): `share` of the rows of every class, whole groups of identical texts at a time.

    A class of which there are no more than `keep` groups (one for each set still to be filled) is not drawn from and noted in
    `rare` with its number of rows; so is one that is noted there already.
    """
    frequency = Counter(label for row in rows for label in task.labels(row))
    groups: dict[Hashable, list[int]] = defaultdict(list)
    for i, row in enumerate(rows):
        groups[task.group(row)].append(i)
    strata: dict[str, list[list[int]]] = defaultdict(list)
    for members in groups.values():
        strata[task.stratum(rows[members[0]], frequency)].append(members)
    named_strata = {name for name in strata if name and task.has_labels}
    too_rare = {name for name in named_strata if len(strata[name]) <= keep or name in rare}
    if len(too_rare) == len(strata):
        # There are rare classes only: a small draw without strata is better than none.
        strata, too_rare = {"": list(groups.values())}, set()
    rare.update({name: sum(map(len, strata[name])) for name in too_rare})
    drawn: set[int] = set()
    carried = 0.0  # rounding error of one class, added to the next, so that the total matches `share`
    for name in sorted(strata.keys() - too_rare, key=lambda name: (len(strata[name]), name)):
        choices = strata[name]
        rng.shuffle(choices)
        exact = share * sum(map(len, choices)) + carried
        quota = max(1, round(exact))
        count = 0
        available = len(choices) - keep  # groups that may be drawn
        for group in choices:
            if count >= quota or available <= 0:
                break
            if count and count + len(group) > 1.5 * quota:
                continue  # a large group of duplicates would overfill the set; a smaller one may fit
            drawn.update(group)
            count += len(group)
            available -= 1
        carried = max(-2.0, min(2.0, exact - count))
    remaining = [row for i, row in enumerate(rows) if i not in drawn]
    return remaining, [row for i, row in enumerate(rows) if i in drawn]


def _too_rare(rare: dict[str, int], train: list[Example], task: DataTask) -> Notice:
    names = listed_names([f"{name} ({count})" for name, count in sorted(rare.items(), key=lambda item: item[1])])
    places = [
        Place("train", row.row, "", excerpt(task.text(row))) for row in train if set(task.labels(row)) & rare.keys()
    ]
    return Notice(
        "class_too_rare",
        "warning",
        Text(
            f"Too rare to be split, so kept for training only: {names.en}. They cannot be tested.",
            f"以下类别数量太少，无法划分，只用于训练而不参与测试：{names.zh}。",
        ),
        len(rare),
        first_places(places),
    )


def _sample(rows: list[Example], size: int, task: DataTask, rng: random.Random) -> list[Example]:
    """`size` rows, every class in proportion (largest remainders) and, where there is room, at least once."""
    frequency = Counter(label for row in rows for label in task.labels(row))
    strata: dict[str, list[int]] = defaultdict(list)
    for i, row in enumerate(rows):
        strata[task.stratum(row, frequency)].append(i)
    share = size / len(rows)
    least = 1 if len(strata) <= size else 0
    quotas = {name: max(least, int(share * len(members))) for name, members in strata.items()}
    remainders = sorted(strata, key=lambda name: (share * len(strata[name])) % 1, reverse=True)
    while (total := sum(quotas.values())) != size:
        step = 1 if total < size else -1
        movable = [n for n in remainders if (quotas[n] < len(strata[n]) if step > 0 else quotas[n] > least)]
        # Rounding up goes to the largest remainders first, rounding down is taken from the largest classes.
        order = movable if step > 0 else sorted(movable, key=lambda n: quotas[n], reverse=True)
        for name in order[: abs(size - total)]:
            quotas[name] += step
    chosen: set[int] = set()
    for name in sorted(strata):
        chosen.update(rng.sample(strata[name], quotas[name]))
    return [row for i, row in enumerate(rows) if i in chosen]


def _leakage(train: Sequence[Example], rows: Sequence[Example], name: str, task: DataTask) -> list[Notice]:
    train_keys = {task.leak_key(row) for row in train}
    shared = [row for row in rows if task.leak_key(row) in train_keys]
    if not shared:
        return []
    word = _SPLIT_NAMES[name]
    places = [Place(name, row.row, "", excerpt(task.text(row))) for row in shared]
    return [
        Notice(
            "leakage",
            "warning",
            Text(
                f"{len(shared):,} of {len(rows):,} {word.en} rows are in the training rows too; the {word.en} score will be too high.",
                f"{word.zh}的 {len(rows):,} 行中有 {len(shared):,} 行也出现在训练数据里，得分会偏高。",
            ),
            len(shared),
            first_places(places),
        )
    ]


def _unseen_labels(train: Sequence[Example], rows: Sequence[Example], name: str, task: DataTask) -> list[Notice]:
    if not task.has_labels:
        return []
    train_labels = {label for row in train for label in task.labels(row)}
    unseen = Counter(label for row in rows for label in task.labels(row) if label not in train_labels)
    if not unseen:
        return []
    word = _SPLIT_NAMES[name]
    names = listed_names([f"{label} ({count})" for label, count in unseen.most_common()])
    places = [
        Place(name, row.row, "", excerpt(task.text(row))) for row in rows if set(task.labels(row)) & unseen.keys()
    ]
    return [
        Notice(
            f"unseen_labels_{name}",
            "warning",
            Text(
                f"The {word.en} set has labels that the training set has not: {names.en}. No model can get them right.",
                f"{word.zh}中有训练集没有的标签：{names.zh}。模型不可能答对它们。",
            ),
            len(places),
            first_places(places),
        )
    ]
