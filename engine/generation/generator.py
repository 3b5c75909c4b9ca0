"""Generating texts with a model: many in a batch, one as a stream of tokens, long sources part by part.

The same generation serves training, the page and exported models (engine/export), so it needs PyTorch and transformers alone. Knows a
model and its prompt encoder; does not know tasks, runs or where the model came from.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from transformers import Cache, StoppingCriteria, StoppingCriteriaList
from transformers import GenerationConfig as HFGenerationConfig

from engine.generation.generation_spec import GenerationSpec
from engine.generation.prompt_encoder import PromptEncoder
from engine.generation.token_stream import TokenStream
from engine.models.batching import by_cost
from engine.models.speed.few_row_linear import few_rows
from engine.models.speed.preallocated_kv_cache import kv_bytes_per_token, preallocated_cache
from engine.models.speed.shrinking_batch import generate_shrinking
from engine.models.speed.unmasked_prefill import unmasked_prefill
from engine.models.unwrap import FamilyModule, unwrap
from engine.schema import Encoded, Feature

TOKENS_PER_BATCH = 8192  # of prompts, counted once for each beam
CACHE_BYTES = 2**30  # batches may have more tokens as long as their key-value cache takes no more than that
TOKENS_PER_STEP = (
    32  # of a prompt that cost as much as a decoding step, which reads all weights however small the batch is
)
MAX_BATCH = 32  # answers generated together
# Fast paths of generation (engine/models/speed), by name.
FAST_PATHS = frozenset({"few_row_linear", "preallocated_kv_cache", "unmasked_prefill", "shrinking_batch"})
Progress = Callable[[int, int], None]
Row = Mapping[str, str]


class StopOnEvent(StoppingCriteria):
    """Ends generation once one of the events is set: each request has its own."""

    def __init__(self, *events: threading.Event):
        self._events = events

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor, **kwargs: Any) -> torch.Tensor:
        ended = any(event.is_set() for event in self._events)
        return torch.full((len(input_ids),), ended, dtype=torch.bool, device=input_ids.device)


def encode_prompts(prompt_encoder: PromptEncoder, rows: Sequence[Row], max_tokens: int | None) -> Encoded:
    """The prompts of rows in at most `max_tokens` tokens. With `long_documents` "parts" a long document has several."""
    features: list[Feature] = []
    truncated, lost, total, longest = 0, 0, 0, 0
    shortened = set()
    for index, row in enumerate(rows):
        if prompt_encoder.spec.long_documents == "parts" and max_tokens is not None:
            prompts, cut = prompt_encoder.encode_parts(index, row, max_tokens), 0
        else:
            prompt, cut = prompt_encoder.encode_prompt(index, row, max_tokens)
            prompts = [prompt]
        features += prompts
        truncated += cut > 0 or len(prompts) > 1
        if cut:
            shortened.add(index)
        length = sum(map(len, prompts)) + cut
        lost, total, longest = lost + cut, total + length, max(longest, length)
    return Encoded(features, truncated, longest, frozenset(shortened), lost / max(1, total))


@dataclass(frozen=True, slots=True)
class Generator:
    """A model with its prompt encoder. `max_prompt_tokens` is the length of a prompt, `device` the model's, `max_batch` the number of
    texts generated together; `autocast` is entered around every forward pass, `join` makes one text of the answers to parts. Of
    `fast_paths` those of generation are used.
    """

    model: FamilyModule
    prompt_encoder: PromptEncoder
    max_prompt_tokens: int
    device: str = "cpu"
    max_batch: int = MAX_BATCH
    autocast: Callable[[], contextlib.AbstractContextManager] = contextlib.nullcontext
    join: Callable[[Sequence[str]], str] = " ".join
    fast_paths: frozenset[str] = FAST_PATHS

    def generate(
        self, rows: Sequence[Row], encoded: Encoded | None = None, progress: Progress | None = None
    ) -> list[str]:
        """The answer to each row. `encoded` saves encoding them again."""
        encoded = encoded or encode_prompts(self.prompt_encoder, rows, self.max_prompt_tokens)
        texts = self.generate_texts(encoded.features, progress)
        parts_of_row: list[list[str]] = [[] for _ in rows]
        for feature, text in zip(encoded.features, texts, strict=True):
            parts_of_row[feature.example].append(text)
        answers = [self.join(parts) for parts in parts_of_row]
        for index, parts in enumerate(parts_of_row):
            if len(parts) > 1:
                generator, row = self._for_joined_parts(rows[index], answers[index])
                [answers[index]] = generator.generate([row])
        return answers

    def stream(self, row: Row, stop: threading.Event) -> Iterator[str]:
        """The answer as it grows: the whole text so far after every token. Ends soon after `stop` is set."""
        generator = self
        features = encode_prompts(generator.prompt_encoder, [row], self.max_prompt_tokens).features
        while len(features) > 1:
            parts = []
            for feature in features:
                if stop.is_set():
                    return
                parts += generator.generate_texts([feature], None, stop)
            generator, row = generator._for_joined_parts(row, self.join(parts))
            features = encode_prompts(generator.prompt_encoder, [row], self.max_prompt_tokens).features
        if generator.prompt_encoder.spec.beams > 1:
            # The best beam is known only at the end.
            yield generator.generate_texts(features, None, stop)[0]
            return
        stream = TokenStream(generator.prompt_encoder.decode)
        unread = threading.Event()  # the consumer stopped iterating
        work = threading.Thread(
            target=stream.run, args=(generator.generate_tokens, features, stop, unread), daemon=True
        )
        work.start()
        try:
            yield from stream
        finally:
            unread.set()
            work.join()

    def generate_texts(
        self, features: Sequence[Feature], progress: Progress | None = None, *stops: threading.Event
    ) -> list[str]:
        """The text generated for each prompt, in their order."""
        texts = [""] * len(features)
        beams = self.prompt_encoder.spec.beams
        done = 0
        lengths, batch_size = [len(feature) for feature in features], max(1, self.max_batch // beams)
        for indices in by_cost(lengths, self._token_budget() // beams, batch_size, self._batch_overhead() // beams):
            for index, ids in zip(indices, self.generate_tokens([features[i] for i in indices], *stops), strict=True):
                texts[index] = self.prompt_encoder.decode(ids)
            done += len(indices)
            if progress is not None:
                progress(done, len(features))
        return texts

    def generate_tokens(
        self, features: Sequence[Feature], *stops: threading.Event, streamer: Any = None
    ) -> list[list[int]]:
        """Token ids of the answers."""
        self.model.eval()
        settings = decoding_settings(
            self.prompt_encoder.spec, self.model.generation_config, self.prompt_encoder.tokenizer
        )
        stopping = StoppingCriteriaList([StopOnEvent(*stops)] if stops else [])
        linear = few_rows(self.model) if "few_row_linear" in self.fast_paths else contextlib.nullcontext()
        with torch.inference_mode(), self.autocast(), linear:
            several = len(features) > 1 and min(map(len, features)) > 1
            if several and settings.num_beams == 1 and self._preallocates:
                return self._generate_batch(features, settings, stopping)
            return self._generate_plain(features, settings, stopping, streamer)

    def _generate_batch(
        self, features: Sequence[Feature], settings: HFGenerationConfig, stopping: StoppingCriteriaList
    ) -> list[list[int]]:
        """Greedy decoding or sampling of several prompts: prefill, then decoding steps, each on its fast path where that is on."""
        pad = self.prompt_encoder.tokenizer.pad_token_id
        ids, mask = (tensor.to(self.device) for tensor in _padded(features, pad, left=True))
        if "unmasked_prefill" in self.fast_paths:
            # The last token of a prompt is left to `generate`, which takes the first new token from its logits.
            beginnings = [feature.input_ids[:-1] for feature in features]
            cache: Cache | None = unmasked_prefill(
                unwrap(self.model), beginnings, pad, self.device, settings.max_new_tokens + 1
            )
        else:
            cache = preallocated_cache(unwrap(self.model), settings.max_new_tokens)
        assert cache is not None  # `_preallocates` holds for the models that come here
        if "shrinking_batch" in self.fast_paths:
            return generate_shrinking(self.model, ids, mask, cache, settings, stopping)
        output = self.model.generate(
            input_ids=ids,
            attention_mask=mask,
            past_key_values=cache,
            generation_config=settings,
            stopping_criteria=stopping,
        )
        return output[:, ids.shape[1] :].tolist()

    def _generate_plain(
        self,
        features: Sequence[Feature],
        settings: HFGenerationConfig,
        stopping: StoppingCriteriaList,
        streamer: Any,
    ) -> list[list[int]]:
        """transformers' own generation. A decoder's prompts are padded on the left, so that all answers begin at the same position; an
        encoder counts positions from its first token, so there the padding comes last.
        """
        decoder_only = self.prompt_encoder.decoder_only
        ids, mask = _padded(features, self.prompt_encoder.tokenizer.pad_token_id, left=decoder_only)
        cache = preallocated_cache(unwrap(self.model), settings.max_new_tokens) if self._preallocates else None
        generated = self.model.generate(
            input_ids=ids.to(self.device),
            attention_mask=mask.to(self.device),
            generation_config=settings,
            stopping_criteria=stopping,
            streamer=streamer,
            **({"past_key_values": cache} if cache is not None else {}),
        )
        start = ids.shape[1] if decoder_only else 1
        return [row[start:] for row in generated.cpu().tolist()]

    def _token_budget(self) -> int:
        """Prompt tokens of a batch. A larger batch shares the reading of the weights, but its key-value cache has to fit."""
        each = kv_bytes_per_token(self.model.config, next(self.model.parameters()).element_size())
        return TOKENS_PER_BATCH if each is None else max(TOKENS_PER_BATCH, CACHE_BYTES // each)

    def _batch_overhead(self) -> int:
        """Padding tokens that cost as much as one more batch. Each of its steps reads all weights, and the cache with its padding;
        where prompts are prefilled without padding (`unmasked_prefill`) that is the only cost of padding.
        """
        if self.prompt_encoder.spec.beams == 1 and self._preallocates and "unmasked_prefill" in self.fast_paths:
            weights = sum(parameter.numel() * parameter.element_size() for parameter in self.model.parameters())
            each = kv_bytes_per_token(self.model.config, next(self.model.parameters()).element_size())
            if each is not None:
                return weights // each
        return TOKENS_PER_STEP * self.prompt_encoder.spec.max_new_tokens

    @property
    def _preallocates(self) -> bool:
        """Whether the key-value cache can be preallocated. A prefix-tuned model has a cache of PEFT's."""
        prefix = getattr(getattr(self.model, "active_peft_config", None), "is_prompt_learning", False)
        allowed = "preallocated_kv_cache" in self.fast_paths and not prefix
        return allowed and preallocated_cache(unwrap(self.model), 0) is not None

    def _for_joined_parts(self, row: Row, document: str) -> tuple[Generator, Row]:
        """The generator and the row for the second pass over `document`, the joined answers to the parts of a long one. Where they are
        no shorter than the source, only their beginning is read, so that this ends.
        """
        source, prompt_encoder = self.prompt_encoder.source, self.prompt_encoder
        if len(document) >= len(row[source]):
            prompt_encoder = replace(prompt_encoder, spec=prompt_encoder.spec.with_changes(long_documents="cut"))
        return replace(self, prompt_encoder=prompt_encoder), {**row, source: document}


def _padded(features: Sequence[Feature], pad: int, left: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """`input_ids` and `attention_mask` [b, t], padded on the left or the right."""
    width = max(map(len, features))
    ids, mask = np.full((len(features), width), pad, dtype=np.int64), np.zeros((len(features), width), dtype=np.int64)
    for row, feature in enumerate(features):
        place = slice(width - len(feature), width) if left else slice(0, len(feature))
        ids[row, place], mask[row, place] = feature.input_ids, 1
    return torch.from_numpy(ids), torch.from_numpy(mask)


def decoding_settings(spec: GenerationSpec, own: HFGenerationConfig, tokenizer: Any) -> HFGenerationConfig:
    """The settings of `spec` for transformers, and of the checkpoint's `own` only the special tokens.

    Checkpoints come with their authors' defaults (minimum lengths, sampling), which a run did not choose.
    """
    kept = {
        name: getattr(own, name)
        for name in ("bos_token_id", "decoder_start_token_id", "forced_bos_token_id", "bad_words_ids")
    }
    ends = {tokenizer.eos_token_id} | set(
        np.atleast_1d(own.eos_token_id).tolist() if own.eos_token_id is not None else []
    )
    sampling = {"temperature": spec.temperature, "top_p": spec.top_p, "top_k": 0} if spec.temperature > 0 else {}
    beam_search = {"length_penalty": spec.length_penalty, "early_stopping": True} if spec.beams > 1 else {}
    return HFGenerationConfig(
        **kept,
        **sampling,
        **beam_search,
        eos_token_id=sorted(end for end in ends if end is not None) or None,
        pad_token_id=tokenizer.pad_token_id,
        max_new_tokens=spec.max_new_tokens,
        num_beams=spec.beams,
        do_sample=spec.temperature > 0,
        no_repeat_ngram_size=spec.no_repeat_ngram,
        repetition_penalty=spec.repetition_penalty,
        use_cache=True,
    )
