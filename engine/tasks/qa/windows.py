"""A question with its context as token sequences: the question first, then as much of the context as fits, window by window.

Knows tokens and character offsets. Does not know models or scores.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.schema import IGNORED, Encoded, Example, Feature

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

OUTSIDE = (0, 0)  # the offsets of a token that no answer can begin or end with
START, END = 1, 2  # bits of a token target
MAX_OVERLAP = 128  # tokens that two windows share: an answer of up to that length lies whole in one of them
QUESTION_SHARE = 2  # a question may take one part in so many of a sequence; the rest is cut


@dataclass(frozen=True, slots=True)
class Layout:
    """The special tokens that a tokenizer puts around and between the two texts of a pair, and its token types, if it has any."""

    before: list[int]
    between: list[int]
    after: list[int]
    types: tuple[int, int] | None

    @classmethod
    def of(cls, tokenizer: PreTrainedTokenizerBase) -> Layout:
        pair = tokenizer("a", "b")
        ids, owners = pair["input_ids"], pair.sequence_ids()
        first, second = (
            [place for place, owner in enumerate(owners) if owner == 0],
            [place for place, owner in enumerate(owners) if owner == 1],
        )
        types = pair.get("token_type_ids")
        return cls(
            ids[: first[0]],
            ids[first[-1] + 1 : second[0]],
            ids[second[-1] + 1 :],
            (types[first[0]], types[second[0]]) if types else None,
        )

    @property
    def size(self) -> int:
        return len(self.before) + len(self.between) + len(self.after)


def encode_windows(
    examples: Sequence[Example], tokenizer: PreTrainedTokenizerBase, max_length: int | None, windows: bool
) -> Encoded:
    """Sequences of at most `max_length` tokens for {"context", "question"}; None makes one sequence an example, however long.

    A context that does not fit becomes several overlapping windows of even length, or without `windows` its beginning alone.
    A question longer than half of a sequence is cut, and noted in `Encoded.shortened`.
    """
    layout = Layout.of(tokenizer)
    contexts = list(dict.fromkeys(example.inputs["context"] for example in examples))
    tokenized = (
        tokenizer(contexts, add_special_tokens=False, return_offsets_mapping=True, verbose=False) if contexts else {}
    )
    blank = _blank_tokens(tokenizer)
    known = {
        context: (ids, [OUTSIDE if token in blank else place for token, place in zip(ids, places, strict=True)])
        for context, ids, places in zip(
            contexts, tokenized.get("input_ids", ()), tokenized.get("offset_mapping", ()), strict=True
        )
    }
    question_texts = [example.inputs["question"] for example in examples]
    questions = (
        tokenizer(question_texts, add_special_tokens=False, verbose=False)["input_ids"] if question_texts else []
    )
    features: list[Feature] = []
    too_long, longest = 0, 0
    shortened: set[int] = set()
    for index, (example, question) in enumerate(zip(examples, questions, strict=True)):
        ids, places = known[example.inputs["context"]]
        longest = max(longest, layout.size + len(question) + len(ids))
        if max_length is not None and len(question) > (most := max(1, (max_length - layout.size) // QUESTION_SHARE)):
            question = question[:most]
            shortened.add(index)
        room = len(ids) if max_length is None else max_length - layout.size - len(question)
        parts = split_evenly(len(ids), room)
        too_long += len(parts) > 1
        for start, end in parts if windows else parts[:1]:
            features.append(_feature(index, layout, question, ids[start:end], places[start:end]))
    return Encoded(features, truncated=too_long, longest=longest, shortened=frozenset(shortened))


def split_evenly(length: int, room: int) -> list[tuple[int, int]]:
    """[start, end) of the fewest overlapping parts of at most `room` that cover `length`, all of about the same size."""
    if length <= room:
        return [(0, length)]
    overlap = min(MAX_OVERLAP, room // 3)
    parts = -(-(length - overlap) // (room - overlap))
    size = min(room, -(-(length + (parts - 1) * overlap) // parts))
    starts = np.linspace(0, length - size, parts).round().astype(int)
    return [(int(start), int(start) + size) for start in starts]


def answer_tokens(offsets: np.ndarray, answers: Sequence[dict[str, Any]]) -> list[tuple[int, int]]:
    """(first token, last token) of each answer that lies whole in a window; `offsets` [t, 2] are the window's.

    An answer that begins or ends within a token takes the whole token.
    """
    inside = np.flatnonzero(offsets[:, 1] > offsets[:, 0])
    if not len(inside):
        return []
    starts, ends = offsets[inside, 0], offsets[inside, 1]
    token_spans = []
    for answer in answers:
        start, end = answer["start"], answer["start"] + len(answer["text"])
        if start < starts[0] or end > ends[-1]:
            continue
        touched = inside[(starts < end) & (ends > start)]
        if len(touched):
            token_spans.append((int(touched[0]), int(touched[-1])))
    return token_spans


def token_targets(
    encoded_windows: Sequence[Feature], answers: Sequence[dict[str, Any]], size: int | None = None
) -> list[np.ndarray]:
    """The token targets of all windows of one example: IGNORED, or START and END bits.

    The first token stands for "no answer" and has both bits where no answer lies whole in the window. An answer that fits in no window
    is a target in the window that holds most of it.
    """
    offsets = [np.asarray(feature.offsets).reshape(-1, 2) for feature in encoded_windows]
    spans = [answer_tokens(places, answers) for places in offsets]
    if answers and not any(spans):
        clipped = [_most_of(places, answers[0]) for places in offsets]
        widest = max(range(len(clipped)), key=lambda window: clipped[window][1], default=0)
        if clipped[widest][1] > 0:
            spans[widest] = answer_tokens(offsets[widest], [clipped[widest][0]])
    targets = []
    for places, answer_spans in zip(offsets, spans, strict=True):
        target = np.where(places[:, 1] > places[:, 0], 0, IGNORED)
        target[0] = 0 if answer_spans else START | END
        for first, last in answer_spans:
            target[first] |= START
            target[last] |= END
        targets.append(target)
    return targets


def _most_of(offsets: np.ndarray, answer: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """The part of an answer that lies in a window, and its length."""
    inside = offsets[offsets[:, 1] > offsets[:, 0]]
    start, end = answer["start"], answer["start"] + len(answer["text"])
    if len(inside):
        start, end = max(start, int(inside[0, 0])), min(end, int(inside[-1, 1]))
    text = answer["text"][start - answer["start"] : max(start, end) - answer["start"]]
    return {"text": text, "start": start}, len(text)


def _feature(
    index: int, layout: Layout, question: list[int], context: list[int], places: list[tuple[int, int]]
) -> Feature:
    head = [*layout.before, *question, *layout.between]
    types = None
    if layout.types is not None and layout.types[0] != layout.types[1]:
        types = [layout.types[0]] * len(head) + [layout.types[1]] * (len(context) + len(layout.after))
    return Feature(
        index,
        [*head, *context, *layout.after],
        token_type_ids=types,
        offsets=[OUTSIDE] * len(head) + places + [OUTSIDE] * len(layout.after),
    )


def _blank_tokens(tokenizer: PreTrainedTokenizerBase) -> set[int]:
    """Tokens that stand for a blank alone. SentencePiece gives them the place of the character after it."""
    indices = (tokenizer.convert_tokens_to_ids(token) for token in ("▁", "▁▁", "Ġ", "ĠĠ", " "))
    return {index for index in indices if isinstance(index, int) and index != tokenizer.unk_token_id}
