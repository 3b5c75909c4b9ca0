"""A model that writes, and how it goes about it: many texts side by side, one token by token, long ones part by part.

The same writing serves training, the page and the program that leaves with a model (engine/export), so it needs PyTorch and
transformers alone. Knows a model and its scribe; does not know tasks, runs or where the model came from.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import nn
from transformers import GenerationConfig as HFGenerationConfig
from transformers import StoppingCriteria, StoppingCriteriaList

from engine.generation.generation_spec import GenerationSpec
from engine.generation.prompt_encoder import PromptEncoder
from engine.generation.token_stream import TokenStream
from engine.models.batching import by_cost
from engine.models.speed.few_row_linear import few_rows
from engine.models.speed.preallocated_kv_cache import kv_bytes_per_token, preallocated_cache
from engine.models.speed.shrinking_batch import generate_shrinking
from engine.models.speed.unmasked_prefill import unmasked_prefill
from engine.schema import Encoded, Feature

TOKENS_PER_BATCH = 8192  # read at once, several drafts of one text counted apiece
CACHE_BYTES = 2**30  # more tokens are read at once where what is kept of them takes no more than that
TOKENS_A_STEP = 32  # that are read in the time of a step, which reads all weights, however few answers are written
MOST_AT_ONCE = 32  # answers written side by side
# Fast paths of generation (engine/models/speed), by name.
FAST_PATHS = frozenset({"few_row_linear", "preallocated_kv_cache", "unmasked_prefill", "shrinking_batch"})
Progress = Callable[[int, int], None]
Row = Mapping[str, str]


class Stopped(StoppingCriteria):
    """Ends generation once one of the events is set: each request has its own."""

    def __init__(self, *events: threading.Event):
        self._events = events

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor, **kwargs: Any) -> torch.Tensor:
        ended = any(event.is_set() for event in self._events)
        return torch.full((len(input_ids),), ended, dtype=torch.bool, device=input_ids.device)


def encode(scribe: PromptEncoder, rows: Sequence[Row], room: int | None) -> Encoded:
    """The prompts of rows within `room` tokens. With the form's `long_documents` "parts" a long document has several."""
    features: list[Feature] = []
    truncated, lost, whole, longest = 0, 0, 0, 0
    in_parts = scribe.form.long_documents == "parts" and room is not None
    shortened = set()
    for index, row in enumerate(rows):
        if in_parts:
            found, cut = scribe.prompts(index, row, room), 0
        else:
            prompt, cut = scribe.prompt(index, row, room)
            found = [prompt]
        features += found
        truncated += cut > 0 or len(found) > 1
        if cut:
            shortened.add(index)
        read = sum(map(len, found))
        lost, whole, longest = lost + cut, whole + read + cut, max(longest, read + cut)
    return Encoded(features, truncated, longest, frozenset(shortened), lost / max(1, whole))


@dataclass(frozen=True, slots=True)
class Generator:
    """A model and the scribe that reads for it. `room` is the length of a prompt in tokens, `device` the model's, `at_once` how many
    texts it writes side by side at most; `cast` is entered around every product, `join` makes the answers to parts one text. Of
    `fast_paths` those of generation are used.
    """

    model: nn.Module
    scribe: PromptEncoder
    room: int
    device: str = "cpu"
    at_once: int = MOST_AT_ONCE
    cast: Callable[[], contextlib.AbstractContextManager] = contextlib.nullcontext
    join: Callable[[Sequence[str]], str] = " ".join
    fast_paths: frozenset[str] = FAST_PATHS

    def answers(
        self, rows: Sequence[Row], encoded: Encoded | None = None, progress: Progress | None = None
    ) -> list[str]:
        """The answer to each row. `encoded` saves encoding them again."""
        encoded = encoded or encode(self.scribe, rows, self.room)
        texts = self.write(encoded.features, progress)
        of: list[list[str]] = [[] for _ in rows]
        for feature, text in zip(encoded.features, texts, strict=True):
            of[feature.example].append(text)
        answers = [self.join(parts) for parts in of]
        for index, parts in enumerate(of):
            if len(parts) > 1:
                pen, row = self._again(rows[index], answers[index])
                [answers[index]] = pen.answers([row])
        return answers

    def stream(self, row: Row, stop: threading.Event) -> Iterator[str]:
        """The answer as it grows: what is written so far, again and again. Ends soon after `stop` is set."""
        pen = self
        features = encode(pen.scribe, [row], self.room).features
        while len(features) > 1:
            parts = []
            for feature in features:
                if stop.is_set():
                    return
                parts += pen.write([feature], None, stop)
            pen, row = pen._again(row, self.join(parts))
            features = encode(pen.scribe, [row], self.room).features
        if pen.scribe.form.beams > 1:
            # Drafts change places until the end: there is nothing to show before it.
            yield pen.write(features, None, stop)[0]
            return
        stream = TokenStream(pen.scribe.written)
        unread = threading.Event()  # nobody reads any more
        work = threading.Thread(target=stream.run, args=(pen.tokens, features, stop, unread), daemon=True)
        work.start()
        try:
            yield from stream
        finally:
            unread.set()
            work.join()

    def write(
        self, features: Sequence[Feature], progress: Progress | None = None, *stops: threading.Event
    ) -> list[str]:
        """What the model writes for each prompt, in their order."""
        texts = [""] * len(features)
        beams = self.scribe.form.beams
        done = 0
        lengths, most = [len(feature) for feature in features], max(1, self.at_once // beams)
        for indices in by_cost(lengths, self._tokens_at_once() // beams, most, self._padding_for_a_batch() // beams):
            for index, ids in zip(indices, self.tokens([features[i] for i in indices], *stops), strict=True):
                texts[index] = self.scribe.written(ids)
            done += len(indices)
            if progress is not None:
                progress(done, len(features))
        return texts

    def tokens(self, features: Sequence[Feature], *stops: threading.Event, streamer: Any = None) -> list[list[int]]:
        """Token ids of the answers."""
        self.model.eval()
        form = settings(self.scribe.form, self.model.generation_config, self.scribe.tokenizer)
        stopped = StoppingCriteriaList([Stopped(*stops)] if stops else [])
        linear = few_rows(self.model) if "few_row_linear" in self.fast_paths else contextlib.nullcontext()
        with torch.inference_mode(), self.cast(), linear:
            several = len(features) > 1 and min(map(len, features)) > 1
            if several and form.num_beams == 1 and self._has_room:
                return self._side_by_side(features, form, stopped)
            return self._at_once(features, form, stopped, streamer)

    def _side_by_side(
        self, features: Sequence[Feature], form: HFGenerationConfig, stopped: StoppingCriteriaList
    ) -> list[list[int]]:
        pad = self.scribe.tokenizer.pad_token_id
        ids, mask = (tensor.to(self.device) for tensor in _padded(features, pad, left=True))
        if "unmasked_prefill" in self.fast_paths:
            # The last token of a prompt is left to `generate`, which takes the first new token from its logits.
            begun = [feature.input_ids[:-1] for feature in features]
            cache = unmasked_prefill(self._base, begun, pad, self.device, form.max_new_tokens + 1)
        else:
            cache = preallocated_cache(self._base, form.max_new_tokens)
        if "shrinking_batch" in self.fast_paths:
            return generate_shrinking(self.model, ids, mask, cache, form, stopped)
        output = self.model.generate(
            input_ids=ids,
            attention_mask=mask,
            past_key_values=cache,
            generation_config=form,
            stopping_criteria=stopped,
        )
        return output[:, ids.shape[1] :].tolist()

    def _at_once(
        self, features: Sequence[Feature], form: HFGenerationConfig, stopped: StoppingCriteriaList, streamer: Any
    ) -> list[list[int]]:
        """A decoder's prompts are padded on the left, so that every answer begins at the same place; an encoder counts positions from its
        first token, so there the padding comes last.
        """
        decoder_only = self.scribe.decoder_only
        ids, mask = _padded(features, self.scribe.tokenizer.pad_token_id, left=decoder_only)
        said = self.model.generate(
            input_ids=ids.to(self.device),
            attention_mask=mask.to(self.device),
            generation_config=form,
            stopping_criteria=stopped,
            streamer=streamer,
            **({"past_key_values": preallocated_cache(self._base, form.max_new_tokens)} if self._has_room else {}),
        )
        start = ids.shape[1] if decoder_only else 1
        return [row[start:] for row in said.cpu().tolist()]

    def _tokens_at_once(self) -> int:
        """Answers that are written side by side share the reading of the weights; what was read of each has to be held."""
        each = kv_bytes_per_token(self.model.config, next(self.model.parameters()).element_size())
        return TOKENS_PER_BATCH if each is None else max(TOKENS_PER_BATCH, CACHE_BYTES // each)

    def _padding_for_a_batch(self) -> int:
        """Tokens of padding that cost as much as one more batch. A step of it reads all weights, and all that is remembered with its
        padding; where prompts are read without padding (`unmasked_prefill`) that is all.
        """
        if self.scribe.form.beams == 1 and self._has_room and "unmasked_prefill" in self.fast_paths:
            weights = sum(parameter.numel() * parameter.element_size() for parameter in self.model.parameters())
            return weights // kv_bytes_per_token(self.model.config, next(self.model.parameters()).element_size())
        return TOKENS_A_STEP * self.scribe.form.max_new_tokens

    @property
    def _base(self) -> nn.Module:
        """The model without PEFT around it. Asked without PEFT, which does not go along with a model that leaves."""
        return self.model.get_base_model() if hasattr(self.model, "get_base_model") else self.model

    @property
    def _has_room(self) -> bool:
        """Whether what the model remembers can stand in memory of ours. A tuned prefix stands in a cache of PEFT's."""
        prompted = getattr(getattr(self.model, "active_peft_config", None), "is_prompt_learning", False)
        allowed = "preallocated_kv_cache" in self.fast_paths and not prompted
        return allowed and preallocated_cache(self._base, 0) is not None

    def _again(self, row: Row, document: str) -> tuple[Generator, Row]:
        """The answers to the parts are a document in turn; where they are no shorter than it, only their beginning is read."""
        source, scribe = self.scribe.source, self.scribe
        if len(document) >= len(row[source]):
            scribe = replace(scribe, form=scribe.form.but(long_documents="cut"))
        return replace(self, scribe=scribe), {**row, source: document}


def _padded(features: Sequence[Feature], pad: int, left: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """`input_ids` and `attention_mask` [b, t], padded on the left or the right."""
    width = max(map(len, features))
    ids, mask = np.full((len(features), width), pad, dtype=np.int64), np.zeros((len(features), width), dtype=np.int64)
    for row, feature in enumerate(features):
        place = slice(width - len(feature), width) if left else slice(0, len(feature))
        ids[row, place], mask[row, place] = feature.input_ids, 1
    return torch.from_numpy(ids), torch.from_numpy(mask)


def settings(form: GenerationSpec, own: HFGenerationConfig, tokenizer: Any) -> HFGenerationConfig:
    """How to generate: the form's settings, and of the checkpoint's `own` nothing but its special tokens.

    Checkpoints come with settings of their makers' (minimum lengths, sampling, blocked words) that nobody here asked for.
    """
    kept = {
        name: getattr(own, name)
        for name in ("bos_token_id", "decoder_start_token_id", "forced_bos_token_id", "bad_words_ids")
    }
    ends = {tokenizer.eos_token_id} | set(
        np.atleast_1d(own.eos_token_id).tolist() if own.eos_token_id is not None else []
    )
    sampling = {"temperature": form.temperature, "top_p": form.top_p, "top_k": 0} if form.temperature > 0 else {}
    beaming = {"length_penalty": form.length_penalty, "early_stopping": True} if form.beams > 1 else {}
    return HFGenerationConfig(
        **kept,
        **sampling,
        **beaming,
        eos_token_id=sorted(end for end in ends if end is not None) or None,
        pad_token_id=tokenizer.pad_token_id,
        max_new_tokens=form.max_new_tokens,
        num_beams=form.beams,
        do_sample=form.temperature > 0,
        no_repeat_ngram_size=form.no_repeat_ngram,
        repetition_penalty=form.repetition_penalty,
        use_cache=True,
    )
