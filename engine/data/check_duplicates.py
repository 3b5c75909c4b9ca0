"""The data check on repetition: exact and near duplicates, rows shared between tables, equal texts with different answers.

Knows normal forms and near-duplicate groups. Does not know what an answer means.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable

from engine.core.text import Text
from engine.data.corpus import Corpus
from engine.data.findings import MAX_PLACES, Finding, counted, first_places
from engine.data.fixes import DROP_CONFLICTS, DROP_DUPLICATES, DROP_LEAKED, DROP_NEAR_DUPLICATES, input_text, target_key
from engine.data.near_duplicates import near_duplicate_groups
from engine.schema import Example, Place

_TABLE_NAMES = {
    "train": Text("training", "训练"),
    "validation": Text("validation", "验证"),
    "test": Text("test", "测试"),
}


def check_duplicates(corpus: Corpus) -> list[Finding]:
    """Findings duplicates, conflicting_labels, near_duplicates, leakage and near_leakage.

    `details["same_as"]` gives, for each place shown, the training row that it repeats.
    """
    findings = _exact(corpus) + _leakage(corpus)
    return findings if corpus.task.texts_repeat else findings + _near(corpus)


def _exact(corpus: Corpus) -> list[Finding]:
    groups: dict[Hashable, list[Example]] = defaultdict(list)
    for key, example in zip(corpus.keys["train"], corpus.train, strict=True):
        groups[key].append(example)
    repeated: list[Place] = []
    pairs: list[tuple[int, int]] = []
    conflicting: list[Place] = []
    texts_in_conflict = 0
    for members in groups.values():
        if len(members) < 2:
            continue
        answers: dict[Hashable, Example] = {}
        for example in members:
            if target_key(example) in answers:
                repeated.append(corpus.place("train", example))
                pairs.append((example.row, answers[target_key(example)].row))
            answers.setdefault(target_key(example), example)
        # Different labels of one row contradict each other; different texts or answers are further references.
        if len(answers) > 1 and corpus.task.has_labels:
            texts_in_conflict += 1
            conflicting += [
                corpus.place(
                    "train", example, text=f"{_target_words(example)}: {corpus.task.text(example)}", target=True
                )
                for example in answers.values()
            ]
    findings = []
    if repeated:
        share = len(repeated) / len(corpus.train)
        findings.append(
            Finding(
                "duplicates",
                "warning" if share > 0.01 else "info",
                Text(
                    f"{counted(len(repeated), 'row repeats', 'rows repeat')} an earlier row word for word ({share:.1%}).",
                    f"{len(repeated):,} 行与前面的行完全重复（{share:.1%}）。",
                ),
                len(repeated),
                first_places(repeated),
                DROP_DUPLICATES.fix,
                {"same_as": [first for _, first in pairs[:MAX_PLACES]]},
            )
        )
    if conflicting:
        findings.append(
            Finding(
                "conflicting_labels",
                "warning",
                Text(
                    f"{counted(texts_in_conflict, 'text occurs', 'texts occur')} with different labels; no model can get both right.",
                    f"{texts_in_conflict:,} 条相同的文本带有不同的标签，模型无法同时答对。",
                ),
                texts_in_conflict,
                first_places(conflicting),
                DROP_CONFLICTS.fix,
            )
        )
    return findings


def _target_words(example: Example) -> str:
    if isinstance(example.target, str):
        return example.target
    words = [item if isinstance(item, str) else f"{item['label']}@{item['start']}" for item in example.target]
    return ", ".join(words) or "–"


def _leakage(corpus: Corpus) -> list[Finding]:
    findings = []
    in_train = dict(zip(corpus.keys["train"], corpus.train, strict=True))
    for table, examples in corpus.examples.items():
        if table == "train":
            continue
        shared = [
            (example, in_train[key])
            for key, example in zip(corpus.keys[table], examples, strict=True)
            if key in in_train
        ]
        if shared:
            word = _TABLE_NAMES[table]
            findings.append(
                Finding(
                    "leakage",
                    "error" if len(shared) > 0.1 * len(examples) else "warning",
                    Text(
                        f"{len(shared):,} of {len(examples):,} {word.en} rows {'is a' if len(shared) == 1 else 'are'} training "
                        f"row{'' if len(shared) == 1 else 's'} too; the {word.en} score "
                        "will be too high.",
                        f"{len(examples):,} 行{word.zh}数据中有 {len(shared):,} 行也在训练数据里，{word.zh}得分会偏高。",
                    ),
                    len(shared),
                    first_places([corpus.place(table, example) for example, _ in shared]),
                    DROP_LEAKED.fix,
                    {"table": table, "same_as": [train_example.row for _, train_example in shared[:MAX_PLACES]]},
                )
            )
    return findings


def _near(corpus: Corpus) -> list[Finding]:
    """Near duplicates among different texts."""
    first: dict[str, tuple[str, Example]] = {}
    for table, example in corpus.rows():
        first.setdefault(input_text(example, corpus.task), (table, example))
    keys = list(first)
    group = near_duplicate_groups(keys)
    members: dict[int, list[int]] = defaultdict(list)
    for i, head in enumerate(group):
        members[head].append(i)
    repeated: list[Place] = []
    pairs: list[tuple[int, int]] = []
    leaked: dict[str, list[Place]] = defaultdict(list)
    for indices in members.values():
        if len(indices) < 2:
            continue
        rows = [first[keys[i]] for i in indices]
        in_train = [example for table, example in rows if table == "train"]
        repeated += [corpus.place("train", example) for example in in_train[1:]]
        pairs += [(example.row, in_train[0].row) for example in in_train[1:]]
        if in_train:
            for table, example in rows:
                if table != "train":
                    leaked[table].append(corpus.place(table, example))
    findings = []
    if repeated:
        findings.append(
            Finding(
                "near_duplicates",
                "info",
                Text(
                    f"{counted(len(repeated), 'row is', 'rows are')} nearly the same as another row.",
                    f"{len(repeated):,} 行与其他行几乎相同。",
                ),
                len(repeated),
                first_places(repeated),
                DROP_NEAR_DUPLICATES.fix,
                {"same_as": [first for _, first in pairs[:MAX_PLACES]]},
            )
        )
    for table, places in leaked.items():
        word = _TABLE_NAMES[table]
        findings.append(
            Finding(
                "near_leakage",
                "warning" if len(places) > 0.05 * len(corpus.examples[table]) else "info",
                Text(
                    f"{counted(len(places), f'{word.en} row is', f'{word.en} rows are')} nearly the same as a training row.",
                    f"{len(places):,} 行{word.zh}数据与训练数据几乎相同。",
                ),
                len(places),
                first_places(places),
                None,
                {"table": table},
            )
        )
    return findings
