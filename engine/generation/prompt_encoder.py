"""From templates to token sequences: what a model is asked, what it learns to write, and how a long document is made to fit.

A model with an encoder reads the prompt and learns the target apart; a decoder alone reads both as one sequence, and only the
target counts. Knows tokenizers, chat templates and lengths. Does not know tasks or models' weights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from transformers import PreTrainedTokenizerBase

from engine.generation.generation_spec import GenerationSpec, fill
from engine.schema import IGNORED, Feature

_MARK = "\u2063tunebench\u2063"  # stands for the document while the text around it is measured
SENTENCE_SLACK = 0.8  # a part may end early, at the last sentence within its last fifth


@dataclass(frozen=True, slots=True)
class PromptEncoder:
    """Turns rows into sequences for one model. `decoder_only` models continue what they read; `source` is the role of the long text."""

    tokenizer: PreTrainedTokenizerBase
    form: GenerationSpec
    decoder_only: bool
    source: str

    @property
    def chats(self) -> bool:
        """Whether the model expects a conversation."""
        return self.decoder_only and bool(self.tokenizer.chat_template)

    def asked(self, inputs: Mapping[str, str]) -> str:
        """What the model reads, as text: the filled prompt, in the model's own conversation where it has one."""
        prompt = fill(self.form.prompt, inputs)
        if not self.chats:
            return prompt
        said = [{"role": "user", "content": prompt}]
        return self.tokenizer.apply_chat_template(
            said, tokenize=False, add_generation_prompt=True, enable_thinking=False
        )

    def prompt_ids(self, inputs: Mapping[str, str]) -> list[int]:
        # A chat template writes the special tokens itself.
        return self.tokenizer(self.asked(inputs), add_special_tokens=not self.chats, verbose=False)["input_ids"]

    def prompt(self, example: int, inputs: Mapping[str, str], room: int | None) -> tuple[Feature, int]:
        """The prompt of one row within `room` tokens, its document cut at the end where it must be. Also how many tokens were cut."""
        ids = self.prompt_ids(inputs)
        if room is None or len(ids) <= room:
            return Feature(example, ids), 0
        pieces = self.parts(inputs[self.source], self._space(inputs, room), most=1)
        shorter = self.prompt_ids({**inputs, self.source: pieces[0] if pieces else ""})
        return Feature(example, shorter[:room]), len(ids) - len(shorter)

    def prompts(self, example: int, inputs: Mapping[str, str], room: int) -> list[Feature]:
        """The prompts of all parts of a row's document: one where it fits."""
        ids = self.prompt_ids(inputs)
        if len(ids) <= room:
            return [Feature(example, ids)]
        return [
            Feature(example, self.prompt_ids({**inputs, self.source: piece})[:room])
            for piece in self.parts(inputs[self.source], self._space(inputs, room))
        ]

    def learned(self, feature: Feature, target: str) -> Feature:
        """The prompt with what is to be written after it."""
        if not self.decoder_only:
            ids = self.tokenizer(text_target=target, verbose=False)["input_ids"]
            return Feature(feature.example, feature.input_ids, token_targets=self._ended(ids))
        # A plain prompt ends in a word, so that what follows begins with a blank; a chat's turn begins on a line of its own.
        text = target if self.chats else " " + target
        ids = self._ended(self.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])
        return Feature(feature.example, feature.input_ids + ids, token_targets=[IGNORED] * len(feature.input_ids) + ids)

    def written(self, ids: Sequence[int]) -> str:
        """Tokens of an answer as text."""
        return self.tokenizer.decode(ids, skip_special_tokens=True).strip()

    def target_length(self, target: str) -> int:
        return len(self.learned(Feature(0, []), target).token_targets or [])

    def parts(self, document: str, space: int, most: int | None = None) -> list[str]:
        """The document in parts of at most `space` tokens, each ending with a sentence where one ends in its last fifth."""
        offsets = self.tokenizer(document, add_special_tokens=False, return_offsets_mapping=True, verbose=False)[
            "offset_mapping"
        ]
        pieces: list[str] = []
        first = 0
        while first < len(offsets) and (most is None or len(pieces) < most):
            last = min(first + max(1, space), len(offsets))
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

    def _space(self, inputs: Mapping[str, str], room: int) -> int:
        """How many tokens of a document fit beside the rest of the prompt."""
        around = len(self.prompt_ids({**inputs, self.source: _MARK})) - len(
            self.tokenizer(_MARK, add_special_tokens=False, verbose=False)["input_ids"]
        )
        return max(1, room - around - 2)  # words may split otherwise at both ends

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
