"""From templates to token sequences: prompts, prompts with targets, and long documents cut or split to fit.

An encoder-decoder has the prompt as its input and the target as its labels; a decoder has both in one sequence, and only the target
counts in the loss. Knows tokenizers, chat templates and lengths. Does not know tasks or models' weights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from transformers import PreTrainedTokenizerBase

from engine.generation.generation_spec import GenerationSpec, fill
from engine.schema import IGNORED, Feature

_MARK = "\u2063tunebench\u2063"  # placeholder of the document while the tokens around it are counted
SENTENCE_SLACK = 0.8  # a part may end early, at the last sentence within its last fifth


@dataclass(frozen=True, slots=True)
class PromptEncoder:
    """Makes token sequences of rows for one model. `decoder_only` tells that it has no encoder; `source` is the role of the long text."""

    tokenizer: PreTrainedTokenizerBase
    spec: GenerationSpec
    decoder_only: bool
    source: str

    @property
    def uses_chat_template(self) -> bool:
        """Whether prompts are turns of a conversation."""
        return self.decoder_only and bool(self.tokenizer.chat_template)

    def render_prompt(self, inputs: Mapping[str, str]) -> str:
        """The filled prompt template, within the model's chat template where it has one."""
        prompt = fill(self.spec.prompt, inputs)
        if not self.uses_chat_template:
            return prompt
        messages = [{"role": "user", "content": prompt}]
        # With tokenize=False and one conversation the result is a text.
        return cast(
            str,
            self.tokenizer.apply_chat_template(
                messages, tokenize=False, add_generation_prompt=True, enable_thinking=False
            ),
        )

    def prompt_ids(self, inputs: Mapping[str, str]) -> list[int]:
        # A chat template contains the special tokens.
        return self.tokenizer(
            self.render_prompt(inputs), add_special_tokens=not self.uses_chat_template, verbose=False
        )["input_ids"]

    def encode_prompt(self, example: int, inputs: Mapping[str, str], max_tokens: int | None) -> tuple[Feature, int]:
        """The prompt of one row in at most `max_tokens` tokens, its document cut at the end where necessary, and the number of tokens cut."""
        ids = self.prompt_ids(inputs)
        if max_tokens is None or len(ids) <= max_tokens:
            return Feature(example, ids), 0
        pieces = self.split_document(inputs[self.source], self._document_tokens(inputs, max_tokens), limit=1)
        shorter = self.prompt_ids({**inputs, self.source: pieces[0] if pieces else ""})
        return Feature(example, shorter[:max_tokens]), len(ids) - len(shorter)

    def encode_parts(self, example: int, inputs: Mapping[str, str], max_tokens: int) -> list[Feature]:
        """The prompts of all parts of a row's document: one where it fits."""
        ids = self.prompt_ids(inputs)
        if len(ids) <= max_tokens:
            return [Feature(example, ids)]
        return [
            Feature(example, self.prompt_ids({**inputs, self.source: piece})[:max_tokens])
            for piece in self.split_document(inputs[self.source], self._document_tokens(inputs, max_tokens))
        ]

    def with_target(self, feature: Feature, target: str) -> Feature:
        """The prompt with a target text, as a training sequence."""
        if not self.decoder_only:
            ids = self.tokenizer(text_target=target, verbose=False)["input_ids"]
            return Feature(feature.example, feature.input_ids, token_targets=self._ended(ids))
        # A plain prompt ends in a word, so the target begins with a blank; a turn of a chat begins on a new line.
        text = target if self.uses_chat_template else " " + target
        ids = self._ended(self.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])
        return Feature(feature.example, feature.input_ids + ids, token_targets=[IGNORED] * len(feature.input_ids) + ids)

    def decode(self, ids: Sequence[int]) -> str:
        """The text of generated tokens."""
        text = cast(str, self.tokenizer.decode(list(ids), skip_special_tokens=True))  # one sequence, one text
        return text.strip()

    def target_length(self, target: str) -> int:
        return len(self.with_target(Feature(0, []), target).token_targets or [])

    def split_document(self, document: str, max_tokens: int, limit: int | None = None) -> list[str]:
        """The document in parts of at most `max_tokens` tokens, at most `limit` of them, each ending with a sentence where one ends in
        its last fifth.
        """
        offsets = self.tokenizer(document, add_special_tokens=False, return_offsets_mapping=True, verbose=False)[
            "offset_mapping"
        ]
        pieces: list[str] = []
        first = 0
        while first < len(offsets) and (limit is None or len(pieces) < limit):
            last = min(first + max(1, max_tokens), len(offsets))
            begin, end = offsets[first][0], offsets[last - 1][1]
            if last < len(offsets):
                stop = _last_sentence_end(document, offsets[first + int(SENTENCE_SLACK * (last - 1 - first))][0], end)
                if stop is not None:
                    end = stop
                    last = next(i for i in range(last, first, -1) if offsets[i - 1][0] < end)
            piece = document[begin:end].strip()
            if piece:
                pieces.append(piece)
            first = max(last, first + 1)
        return pieces

    def _document_tokens(self, inputs: Mapping[str, str], max_tokens: int) -> int:
        """How many tokens of a document fit beside the rest of the prompt."""
        around = len(self.prompt_ids({**inputs, self.source: _MARK})) - len(
            self.tokenizer(_MARK, add_special_tokens=False, verbose=False)["input_ids"]
        )
        return max(1, max_tokens - around - 2)  # words at both ends may be tokenized otherwise in the prompt

    def _ended(self, ids: list[int]) -> list[int]:
        end = self.tokenizer.eos_token_id
        return ids if end is None or ids[-1:] == [end] else [*ids, end]


def _last_sentence_end(text: str, low: int, high: int) -> int | None:
    """The end of the last sentence, or paragraph, that ends in text[low:high]; None where none does."""
    for end in range(high, low, -1):
        mark, after = text[end - 1], text[end : end + 1]
        if mark in "。！？\n" or (mark in ".!?" and (not after or after.isspace())):
            return end
    return None
