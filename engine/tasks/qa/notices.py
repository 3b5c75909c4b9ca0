"""Notices about training rows that tokens cannot express as they stand.

Knows encoded rows. Does not know how a notice is shown.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.core.text import Text
from engine.data.findings import counted, excerpt, first_places
from engine.schema import Encoded, Example, Notice, Place


def notices(encoded: Encoded, examples: Sequence[Example]) -> list[Notice]:
    """Questions of which only the beginning is read, and answers that begin or end within a token."""
    result = []
    if encoded.shortened:
        rows = [examples[index] for index in sorted(encoded.shortened)]
        places = [Place("train", row.row, "question", excerpt(row.inputs["question"])) for row in rows]
        result.append(
            Notice(
                "question_cut",
                "warning",
                Text(
                    f"{counted(len(rows), 'question is', 'questions are')} longer than half of what the model reads at once; only their beginning is read.",
                    f"有 {len(rows)} 个问题超过模型单次可读长度的一半，只读取其开头部分。",
                ),
                len(rows),
                first_places(places),
            )
        )
    inside = _within_tokens(encoded, examples)
    if inside:
        places = [Place("train", row.row, "answers", excerpt(row.target[0]["text"])) for row in inside]
        result.append(
            Notice(
                "answer_within_token",
                "info",
                Text(
                    f"{counted(len(inside), 'answer begins or ends', 'answers begin or end')} within a token of this model; the whole token is taught.",
                    f"有 {len(inside)} 个答案的起止位置落在该模型某个 token 的内部，训练时按整个 token 处理。",
                ),
                len(inside),
                first_places(places),
            )
        )
    return result


def _within_tokens(encoded: Encoded, examples: Sequence[Example]) -> list[Example]:
    """The examples none of whose answers stands at the borders of tokens."""
    fitting: set[int] = set()
    for feature in encoded.features:
        answers = examples[feature.example].target
        if not answers or feature.example in fitting:
            continue
        offsets = np.asarray(feature.offsets).reshape(-1, 2)
        starts, ends = set(offsets[:, 0].tolist()), set(offsets[:, 1].tolist())
        if any(answer["start"] in starts and answer["start"] + len(answer["text"]) in ends for answer in answers):
            fitting.add(feature.example)
    return [example for index, example in enumerate(examples) if example.target and index not in fitting]
