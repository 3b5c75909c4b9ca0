"""Texts as token sequences with exact character offsets, for taggers.

Words are given to the tokenizer one by one, each with the blank before it, so that offsets are exact whatever the tokenizer
does, and no token spans two words: one token or more for each Chinese character. Byte-level BPE and SentencePiece mark a
word by the blank before it; given with that blank, and without one of the tokenizer's own, a word gets the tokens it has in
running text, and the first word those of any other. Does not know tags.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast

from engine.core.errors import ModelProblem
from engine.core.text import Text
from engine.schema import Encoded, Example, Feature
from engine.tasks.ner.words import PIECE, is_unspaced, split_words

NOTHING = -1


@dataclass(slots=True)
class PieceFeature(Feature):
    """A sequence, or one window of it. `reads` holds for each token the index of the piece that is predicted there, or NOTHING.

    A token in two windows is predicted only in the one where it has more context on both sides.
    """

    reads: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Pieces:
    """Where the pieces of one text lie ([starts, ends) in characters) and how deep the edge before each is (`words`)."""

    starts: np.ndarray
    ends: np.ndarray
    levels: np.ndarray
    from_tokens: bool  # whether the row was given as tokens

    def units(self, level: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Units that begin where the edge is at least `level` deep: the piece each begins with, starts and ends."""
        heads = np.flatnonzero(self.levels >= level)
        if not len(heads):
            return heads, self.starts[:0], self.ends[:0]
        last = np.append(heads[1:], len(self.levels)) - 1
        return heads, self.starts[heads], self.ends[last]


@dataclass(slots=True)
class EncodedPieces(Encoded):
    """`pieces` holds those of each example, in their order."""

    pieces: list[Pieces] = field(default_factory=list)


def encode_pieces(
    examples: Sequence[Example], tokenizer: PreTrainedTokenizerBase, max_length: int | None, windows: bool
) -> EncodedPieces:
    """Token sequences for examples with `inputs["text"]` and perhaps `inputs["tokens"]` (places of tokens).

    A text longer than `max_length` tokens becomes overlapping windows (a quarter is shared) or, without `windows`, is cut.
    """
    backend, before, after, unknown = _prepared(tokenizer)
    texts = [example.inputs["text"] for example in examples]
    split = [split_words(text, example.inputs.get("tokens")) for text, example in zip(texts, examples, strict=True)]
    spelled = [
        [_with_blank(text, start, end) for start, end in words] for text, (words, _) in zip(texts, split, strict=True)
    ]
    encodings = backend.encode_batch(spelled, is_pretokenized=True, add_special_tokens=False)
    content_tokens = None if max_length is None else max(1, max_length - len(before) - len(after))
    encoded = EncodedPieces([])
    for index, (encoding, (words, levels)) in enumerate(zip(encodings, split, strict=True)):
        ids, reads, pieces = _read_encoding(encoding, spelled[index], words, levels, unknown)
        pieces.from_tokens = examples[index].inputs.get("tokens") is not None
        encoded.pieces.append(pieces)
        length = len(ids) + len(before) + len(after)
        encoded.longest = max(encoded.longest, length)
        if content_tokens is None or len(ids) <= content_tokens:
            parts = [(0, len(ids), 0, len(ids))]
        else:
            encoded.truncated += 1
            parts = _windows(len(ids), content_tokens) if windows else [(0, content_tokens, 0, content_tokens)]
        for start, end, own_start, own_end in parts:
            own = [reads[at] if own_start <= at < own_end else NOTHING for at in range(start, end)]
            encoded.features.append(
                PieceFeature(
                    index,
                    [*before, *ids[start:end], *after],
                    reads=[*[NOTHING] * len(before), *own, *[NOTHING] * len(after)],
                )
            )
    return encoded


def _with_blank(text: str, start: int, end: int) -> str:
    """A word with the blank before it, which the first word of a text gets as well, unless its script is written without blanks."""
    word = text[start:end]
    blank = (start == 0 or text[start - 1].isspace()) and not is_unspaced(word[0])
    return " " + word if blank else word


def _read_encoding(
    encoding: Any, spelled: list[str], words: list[tuple[int, int]], levels: list[int], unknown: int
) -> tuple[list[int], list[int], Pieces]:
    """Token ids, the piece predicted at each, and the pieces. A word without tokens gets the unknown token."""
    tokens: list[list[tuple[int, int, int]]] = [[] for _ in words]  # of each word: id, start, end
    for token, word, (first, last) in zip(encoding.ids, encoding.word_ids, encoding.offsets, strict=True):
        tokens[word].append((token, first, last))
    ids: list[int] = []
    reads: list[int] = []
    starts: list[int] = []
    ends: list[int] = []
    edges: list[int] = []
    for (start, end), written, level, word_tokens in zip(words, spelled, levels, tokens, strict=True):
        blank = len(written) - (end - start)
        # A token of the blank alone covers no character of the word; it is used only where there is no other.
        head = next((position for position, (_, _, last) in enumerate(word_tokens) if last > blank), 0)
        for position, (token, first, _) in enumerate(word_tokens or [(unknown, 0, 0)]):
            ids.append(token)
            place = start + max(first - blank, 0)
            if position == head:
                starts.append(start)
                ends.append(end)
                edges.append(level)
            elif position > head and starts[-1] < place < end:
                ends[-1] = place
                starts.append(place)
                ends.append(end)
                edges.append(PIECE)
            else:
                # Of the byte tokens of one character only the first has a piece.
                reads.append(NOTHING)
                continue
            reads.append(len(starts) - 1)
    return ids, reads, Pieces(np.array(starts, np.int64), np.array(ends, np.int64), np.array(edges, np.int8), False)


def _windows(length: int, width: int) -> list[tuple[int, int, int, int]]:
    """(start, end, first own token, token after the last own one) of each window over `length` tokens."""
    step = max(1, width - width // 4)
    starts = [*range(0, length - width, step), length - width]
    ends = [start + width for start in starts]
    # The overlap of two windows is divided in its middle.
    middles = [(end + start + 1) // 2 for end, start in zip(ends, starts[1:], strict=False)]
    return list(zip(starts, ends, [0, *middles], [*middles, length], strict=True))


@functools.lru_cache(maxsize=4)  # a vocabulary of 250,000 takes a second to copy
def _prepared(tokenizer: PreTrainedTokenizerBase) -> tuple[Tokenizer, list[int], list[int], int]:
    """A copy of the tokenizer that adds no blanks, the special tokens before and after a text, and the unknown token."""
    if not isinstance(tokenizer, PreTrainedTokenizerFast):
        raise ModelProblem(
            "slow_tokenizer",
            Text(
                "This model's tokenizer cannot give the positions of its tokens in a text.",
                "该模型的分词器无法给出 token 在文本中的位置。",
            ),
            Text("Choose a model with a tokenizer.json.", "请选择带有 tokenizer.json 的模型。"),
        )
    original = tokenizer.backend_tokenizer
    described = json.loads(original.to_str())
    described["pre_tokenizer"] = _without_blanks(described["pre_tokenizer"])
    described["normalizer"] = _without_blanks(described["normalizer"])
    described["truncation"] = described["padding"] = None
    copy = Tokenizer.from_str(json.dumps(described))
    marked = tokenizer("a", add_special_tokens=True)["input_ids"]
    special = set(tokenizer.all_special_ids) - (
        {tokenizer.unk_token_id} if tokenizer.unk_token_id is not None else set()
    )
    content = [position for position, token in enumerate(marked) if token not in special]
    first, last = (content[0], content[-1] + 1) if content else (len(marked) // 2, (len(marked) + 1) // 2)
    unknown = tokenizer.unk_token_id if tokenizer.unk_token_id is not None else tokenizer.pad_token_id
    return copy, marked[:first], marked[last:], unknown


def _without_blanks(part: dict[str, Any] | None) -> dict[str, Any] | None:
    """The normaliser or pre-tokenizer changed so that it neither adds a blank at the start nor removes one."""
    if part is None:
        return None
    if part["type"] == "Sequence":
        key = "normalizers" if "normalizers" in part else "pretokenizers"
        members = part[key]
        if any(member["type"] == "Metaspace" for member in members):
            members = [member for member in members if member["type"] not in ("WhitespaceSplit", "Whitespace")]
        kept = [changed for member in members if (changed := _without_blanks(member)) is not None]
        return {**part, key: kept} if kept else None
    if part["type"] in ("Strip", "Prepend"):
        return None
    if part["type"] == "Metaspace":
        return {**part, "prepend_scheme": "never", "split": False}
    if part["type"] == "ByteLevel":
        return {**part, "add_prefix_space": False}
    return part
