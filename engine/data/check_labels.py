"""The data check on labels: spellings, rare classes, imbalance, and labels that follow from a detail of the text.

Knows tasks with labels, of whole rows or of parts of them. Does not know models: a label that follows from one word or from the
text length is a shortcut that any model learns and that does not transfer to other data.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict

import numpy as np

from engine.core.text import Text
from engine.data.corpus import Corpus
from engine.data.findings import Finding, Fix, counted, first_places, listed_names
from engine.data.fixes import DROP_RARE_LABELS, MERGE_LABEL_SPELLINGS, RARE, spelling_groups

_FEW = 10  # training rows of a class below which its score is unreliable
_UNEVEN = 10.0  # most frequent to least frequent class
_SAMPLE = 20_000
_TOKEN = re.compile(r"[\u3400-\u9fff]|[^\W\u3400-\u9fff]+(?:['-][^\W\u3400-\u9fff]+)*")
_GIVEAWAY = 0.95  # share of a class that has the token, and share of the token's rows that are of the class


def check_labels(corpus: Corpus) -> list[Finding]:
    """Findings label_spellings and unseen_labels_*; where whole rows are classified also rare_labels, imbalance, label_from_length
    and label_from_token."""
    if not corpus.task.has_labels:
        return []
    counts = Counter(label for labels in corpus.labels for label in labels)
    findings = _spellings(corpus, counts) + _unseen(corpus, counts)
    if corpus.task.classifies_rows:
        # A variant spelling of a class is not a rare class.
        spellings = spelling_groups(counts)
        classes: Counter[str] = Counter()
        for label, count in counts.items():
            classes[spellings.get(label, label)] += count
        findings += _rare(corpus, classes) + _imbalance(classes)
        if all(isinstance(example.target, str) for example in corpus.train):
            findings += _from_length(corpus) + _from_token(corpus)
    return findings


def _spellings(corpus: Corpus, counts: Counter[str]) -> list[Finding]:
    everywhere = Counter(label for _, example in corpus.rows() for label in corpus.task.labels(example))
    replacements = {label: to for label, to in spelling_groups(everywhere).items() if label != to}
    if not replacements:
        return []
    places = [
        corpus.place(table, example, text=", ".join(corpus.task.labels(example)), target=True)
        for table, example in corpus.rows()
        if any(label in replacements for label in corpus.task.labels(example))
    ]
    listed = listed_names([f"{label!r} → {to!r}" for label, to in sorted(replacements.items())])
    return [
        Finding(
            "label_spellings",
            "warning",
            Text(
                f"{counted(len(places), 'row spells', 'rows spell')} a label in another way, by case or blanks only: {listed.en}.",
                f"{len(places):,} 行的标签只有大小写或空白不同：{listed.zh}。",
            ),
            len(places),
            first_places(places),
            MERGE_LABEL_SPELLINGS.fix,
            {"merged": replacements},
        )
    ]


def _unseen(corpus: Corpus, counts: Counter[str]) -> list[Finding]:
    findings = []
    for table, examples in corpus.examples.items():
        if table == "train":
            continue
        unseen = Counter(label for example in examples for label in corpus.task.labels(example) if label not in counts)
        if unseen:
            places = [
                corpus.place(table, example, text=", ".join(corpus.task.labels(example)), target=True)
                for example in examples
                if any(label in unseen for label in corpus.task.labels(example))
            ]
            listed = listed_names([f"{label} ({count})" for label, count in unseen.most_common()])
            word = {"test": Text("test", "测试"), "validation": Text("validation", "验证")}[table]
            findings.append(
                Finding(
                    f"unseen_labels_{table}",
                    "warning",
                    Text(
                        f"The {word.en} rows have labels that the training rows lack: {listed.en}. No model can get them right.",
                        f"{word.zh}数据中有训练数据没有的标签：{listed.zh}。模型不可能答对它们。",
                    ),
                    len(places),
                    first_places(places),
                )
            )
    return findings


def _rare(corpus: Corpus, counts: Counter[str]) -> list[Finding]:
    few = {label: count for label, count in counts.items() if count < _FEW}
    # In a tiny table every class is rare, which the finding "few_rows" covers already.
    if not few or (len(few) == len(counts) and len(corpus.train) < 50):
        return []
    rare = {label for label, count in few.items() if count < RARE}
    places = [
        corpus.place("train", example)
        for example, labels in zip(corpus.train, corpus.labels, strict=True)
        if any(label in few for label in labels)
    ]
    listed = listed_names([f"{label} ({count})" for label, count in sorted(few.items(), key=lambda item: item[1])])
    return [
        Finding(
            "rare_labels",
            "warning",
            Text(
                f"{len(few):,} of {len(counts):,} classes {'has' if len(few) == 1 else 'have'} fewer than {_FEW} training rows: {listed.en}.",
                f"{len(counts):,} 个类别中有 {len(few):,} 个的训练数据少于 {_FEW} 行：{listed.zh}。",
            ),
            len(few),
            first_places(places),
            DROP_RARE_LABELS.fix if rare else None,
            {"counts": few},
        )
    ]


def _imbalance(counts: Counter[str]) -> list[Finding]:
    if len(counts) < 2:
        return []
    (most, largest), (least, smallest) = counts.most_common()[0], counts.most_common()[-1]
    if largest < _UNEVEN * smallest:
        return []
    return [
        Finding(
            "imbalance",
            "info",
            Text(
                f"The classes are uneven: {most!r} has {largest:,} rows, {least!r} has {smallest:,}. Read macro F1, not accuracy.",
                f"类别不均衡：{most!r} 有 {largest:,} 行，{least!r} 只有 {smallest:,} 行。请看宏平均 F1，而不是准确率。",
            ),
            len(counts),
            (),
            Fix("class_weights", Text("Weight the classes", "开启类别加权"), {"training.class_weights": True}),
            {"ratio": largest / smallest, "most": most, "least": least},
        )
    ]


def _sampled(corpus: Corpus) -> list[int]:
    """Evenly spread rows of classes that have enough of them."""
    counts = Counter(example.target for example in corpus.train)
    step = -(-len(corpus.train) // _SAMPLE)
    return [i for i in range(0, len(corpus.train), step) if counts[corpus.train[i].target] >= _FEW]


def _from_length(corpus: Corpus) -> list[Finding]:
    """Whether length alone separates the classes: a histogram rule, learned on every other row and scored on the rest."""
    rows = _sampled(corpus)
    labels = sorted({corpus.train[i].target for i in rows})
    if len(labels) < 2 or len(rows) < 40:
        return []
    lengths = np.array([len(corpus.texts["train"][i]) for i in rows])
    truth = np.array([labels.index(corpus.train[i].target) for i in rows])
    edges = np.unique(np.quantile(lengths, np.linspace(0, 1, 11)[1:-1]))
    bins = np.searchsorted(edges, lengths, side="right")
    # Alternate within each class: tables are often sorted by it.
    order = np.argsort(truth, kind="stable")
    learned = np.zeros(len(rows), dtype=bool)
    learned[order[::2]] = True
    table = np.zeros((len(edges) + 1, len(labels)))
    np.add.at(table, (bins[learned], truth[learned]), 1)
    table /= np.maximum(1, table.sum(axis=0))  # every class has the same weight
    guessed = table.argmax(axis=1)[bins]
    recalls = [float((guessed[~learned & (truth == k)] == k).mean()) for k in range(len(labels))]
    balanced, chance = float(np.mean(recalls)), 1 / len(labels)
    if balanced - chance < 0.6 * (1 - chance):
        return []
    return [
        Finding(
            "label_from_length",
            "warning",
            Text(
                f"The length of a text alone gives its label away: {balanced:.0%} are right by it (chance {chance:.0%}).",
                f"仅凭文本长度就能猜对 {balanced:.0%} 的标签（随机为 {chance:.0%}），标签可能由长度泄露。",
            ),
            round(balanced * len(corpus.train)),
            (),
            None,
            {"balanced_accuracy": balanced, "chance": chance},
        )
    ]


def _from_token(corpus: Corpus) -> list[Finding]:
    rows = _sampled(corpus)
    classes = Counter(corpus.train[i].target for i in rows)
    if len(classes) < 2:
        return []
    total: Counter[str] = Counter()
    inside: dict[str, Counter[str]] = defaultdict(Counter)
    for i in rows:
        present = set(_TOKEN.findall(corpus.texts["train"][i].lower()))
        total.update(present)
        inside[corpus.train[i].target].update(present)
    giveaways: dict[str, str] = {}
    for label, tokens in inside.items():
        for token, count in tokens.most_common(20):
            if count < _GIVEAWAY * classes[label]:
                break
            if count >= _GIVEAWAY * total[token] and classes[label] >= _FEW:
                giveaways[label] = token
                break
    if not giveaways:
        return []
    places = [
        corpus.place("train", example)
        for example, text in zip(corpus.train[:_SAMPLE], corpus.texts["train"], strict=False)
        if giveaways.get(example.target, "\0") in _TOKEN.findall(text.lower())
    ]
    listed = listed_names([f"{label}: {token!r}" for label, token in giveaways.items()])
    rows_covered = sum(classes[label] for label in giveaways)
    return [
        Finding(
            "label_from_token",
            "warning" if rows_covered > 0.3 * len(rows) else "info",
            Text(
                f"One word gives the label away ({listed.en}); if it comes from how the data was made, the scores mean nothing.",
                f"只凭一个词就能猜出标签（{listed.zh}）；如果这是数据制作时留下的痕迹，得分就没有意义。",
            ),
            rows_covered,
            first_places(places),
            None,
            {"tokens": giveaways},
        )
    ]
