"""A model that writes: examples in, texts out, in batches or token by token.

The same writing serves validation, the test at the end, the page and the command line. Knows a model, its tokenizer and the form
of what it is asked; does not know where they came from.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import nn
from transformers import GenerationConfig as HFGenerationConfig
from transformers import StoppingCriteria, StoppingCriteriaList

from engine.inference.forward import collate
from engine.inference.reader import Progress, Reader
from engine.inference.stream import TokenStream
from engine.models.device import Device
from engine.tasks.base import Encoded, Example, Feature
from engine.training.batching import by_length
from engine.writing.encode import Scribe
from engine.writing.form import Form
from engine.writing.loss import inner, is_encoder_decoder, target_losses
from engine.writing.prompts import prompt_for

TOKENS_PER_BATCH = 8192  # read at once, several drafts of one text counted apiece
MOST_AT_ONCE = 32  # answers written side by side
SAMPLE = 12  # validation rows that are written at each evaluation; all of them have their loss measured
ROOM_FOR_LONGER = 1.1  # an answer may be that much longer than nearly all targets of training


class Stopped(StoppingCriteria):
    """Ends generation once one of the events is set: each request has its own."""

    def __init__(self, *events: threading.Event):
        self._events = events

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor, **kwargs: Any) -> torch.Tensor:
        ended = any(event.is_set() for event in self._events)
        return torch.full((len(input_ids),), ended, dtype=torch.bool, device=input_ids.device)


@dataclass(slots=True)
class Writer(Reader):
    """What is needed to write with one model. `outputs` is a `Form`; `max_length` counts the tokens of a prompt."""

    @staticmethod
    def ready(model: nn.Module, device: Device) -> nn.Module:
        """On its device and in its number format: a token a time, reading the weights is all the work there is."""
        quantised = inner(model).config.to_dict().get("quantization_config") is not None
        return model.eval() if quantised else model.to(device.name, dtype=device.dtype).eval()

    @property
    def scribe(self) -> Scribe:
        return Scribe(self.tokenizer, self.outputs, not is_encoder_decoder(self.model), self.task.source)

    def prepare(self, examples: Sequence[Example], config: Any) -> Form:
        """The form of a run: its settings, the prompt that suits the model, and room for what training rows hold."""
        asked = config.generation
        chosen = {
            "prompt": asked.prompt or prompt_for(self.model, self.tokenizer, self.task, examples),
            "target": asked.target or "{" + self.task.target + "}",
        }
        form = Form.of(asked, **chosen, max_new_tokens=asked.max_new_tokens or 0)
        if asked.max_new_tokens is None:
            scribe = replace(self.scribe, form=form)
            lengths = sorted(scribe.target_length(self.task.wanted(example, form)) for example in examples)
            common = lengths[int(np.ceil(0.99 * len(lengths))) - 1]
            form = form.but(max_new_tokens=-(-int(ROOM_FOR_LONGER * common) // 8) * 8)
        return form

    def readable(self, positions: int) -> int:
        """Tokens of a prompt: a decoder alone must also have room for the answer."""
        return max(8, positions - self.outputs.max_new_tokens) if self.scribe.decoder_only else positions

    def encode_to_learn(self, examples: Sequence[Example], max_length: int | None, windows: bool = False) -> Encoded:
        scribe, features, lost, whole, longest = self.scribe, [], 0, 0, 0
        truncated = 0
        for index, example in enumerate(examples):
            prompt, cut = scribe.prompt(index, example.inputs, max_length)
            features.append(scribe.learned(prompt, self.task.wanted(example, self.outputs)))
            truncated += cut > 0
            lost, whole = lost + cut, whole + len(prompt) + cut
            longest = max(longest, len(prompt) + cut)
        return Encoded(features, truncated, longest, lost=lost / max(1, whole))

    def encode(self, examples: Sequence[Example]) -> Encoded:
        """The prompts. With `long_documents` "parts" a long document has several."""
        scribe, features, truncated, lost, whole, longest = self.scribe, [], 0, 0, 0, 0
        in_parts = self.outputs.long_documents == "parts"
        shortened = set()
        for index, example in enumerate(examples):
            if in_parts:
                found, cut = scribe.prompts(index, example.inputs, self.max_length), 0
            else:
                prompt, cut = scribe.prompt(index, example.inputs, self.max_length)
                found = [prompt]
            features += found
            truncated += cut > 0 or len(found) > 1
            if cut:
                shortened.add(index)
            read = sum(map(len, found))
            lost, whole, longest = lost + cut, whole + read + cut, max(longest, read + cut)
        return Encoded(features, truncated, longest, frozenset(shortened), lost / max(1, whole))

    def predict(
        self, examples: Sequence[Example], encoded: Encoded | None = None, progress: Progress | None = None
    ) -> list[str]:
        """The answer to each example. `encoded` saves encoding them again."""
        encoded = encoded or self.encode(examples)
        texts = self._write(encoded.features, progress)
        of: list[list[str]] = [[] for _ in examples]
        for feature, text in zip(encoded.features, texts, strict=True):
            of[feature.example].append(text)
        answers = [self.task.joined(parts) for parts in of]
        several = [index for index, parts in enumerate(of) if len(parts) > 1]
        if several:
            # The answers to the parts are a document in turn; where they are no shorter than it, only their beginning is read.
            for index in several:
                again = self._again(examples[index], answers[index])
                longer = len(answers[index]) >= len(examples[index].inputs[self.task.source])
                writer = replace(self, outputs=self.outputs.but(long_documents="cut")) if longer else self
                [answers[index]] = writer.predict([again])
        return answers

    def _again(self, example: Example, document: str) -> Example:
        """The same row with another document."""
        return replace(example, inputs={**example.inputs, self.task.source: document})

    def assess(
        self, examples: Sequence[Example], encoded: Encoded, progress: Progress | None = None
    ) -> tuple[float, dict[str, float], Form]:
        """The loss of all validation targets, teacher-forced; the other metrics on a sample that is really written."""
        learned = self.encode_to_learn(examples, self.max_length).features
        total, tokens = 0.0, 0
        self.model.eval()
        with torch.inference_mode(), self.device.autocast():
            for indices in by_length([len(f) for f in learned], TOKENS_PER_BATCH, MOST_AT_ONCE):
                batch = self._tensors([learned[index] for index in indices])
                sums, counted = target_losses(self.model, batch)
                total, tokens = total + float(sums.sum()), tokens + int(counted.sum())
                if progress is not None:
                    progress(len(indices), len(learned))
        loss = total / max(1, tokens)
        step = max(1, len(examples) // SAMPLE)
        sample = list(examples[::step][:SAMPLE])
        # The likelihood chooses the checkpoint, so what the sample says need not be the best that beams could find.
        written = replace(self, outputs=self.outputs.but(beams=1, temperature=0.0, long_documents="cut")).predict(
            sample
        )
        metrics = {"likelihood": float(np.exp(-loss)), **self.task.score(sample, written, self.outputs)}
        return loss, metrics, self.outputs

    def stream(self, example: Example, form: Form, stop: threading.Event) -> Iterator[str]:
        """The answer as it grows: what is written so far, again and again. Ends soon after `stop` is set."""
        writer = replace(self, outputs=form)
        features = writer.encode([example]).features
        while len(features) > 1:
            parts = []
            for feature in features:
                if stop.is_set():
                    return
                parts += writer._write([feature], None, stop)
            document = self.task.joined(parts)
            if len(document) >= len(example.inputs[self.task.source]):
                writer = replace(writer, outputs=form.but(long_documents="cut"))
            example = self._again(example, document)
            features = writer.encode([example]).features
        if form.beams > 1:
            # Drafts change places until the end: there is nothing to show before it.
            yield writer._write(features, None, stop)[0]
            return
        stream = TokenStream(writer.scribe.written)
        unread = threading.Event()  # nobody reads any more
        work = threading.Thread(target=stream.run, args=(writer._generate, features, stop, unread), daemon=True)
        work.start()
        try:
            yield from stream
        finally:
            unread.set()
            work.join()

    def _write(
        self, features: Sequence[Feature], progress: Progress | None = None, *stops: threading.Event
    ) -> list[str]:
        """What the model writes for each prompt, in their order."""
        texts = [""] * len(features)
        most = max(1, min(MOST_AT_ONCE, self.batch_size) // self.outputs.beams)
        done = 0
        for indices in by_length([len(f) for f in features], TOKENS_PER_BATCH // self.outputs.beams, most):
            for index, ids in zip(indices, self._generate([features[i] for i in indices], *stops), strict=True):
                texts[index] = self.scribe.written(ids)
            done += len(indices)
            if progress is not None:
                progress(done, len(features))
        return texts

    def _generate(self, features: Sequence[Feature], *stops: threading.Event, streamer: Any = None) -> list[list[int]]:
        """Token ids of the answers. A decoder's prompts are padded on the left, so that every answer begins at the same place;
        an encoder counts positions from its first token, so there the padding comes last.
        """
        self.model.eval()
        form, model = self.outputs, inner(self.model)
        batch = self._tensors(features, left=not model.config.is_encoder_decoder)
        stopping = StoppingCriteriaList([Stopped(*stops)] if stops else [])
        # While training, some weights are float32; a model made ready for writing has all of them in one format.
        mixed = any(parameter.dtype == torch.float32 for parameter in self.model.parameters())
        cast = self.device.autocast() if mixed else contextlib.nullcontext()
        with torch.inference_mode(), cast:
            said = self.model.generate(
                input_ids=batch["input_ids"],
                attention_mask=batch["attention_mask"],
                generation_config=settings(form, model, self.tokenizer),
                stopping_criteria=stopping,
                streamer=streamer,
            )
        start = 1 if model.config.is_encoder_decoder else batch["input_ids"].shape[1]
        return [row[start:] for row in said.cpu().tolist()]

    def _tensors(self, features: Sequence[Feature], left: bool = False) -> dict[str, torch.Tensor]:
        batch = collate(features, self.tokenizer.pad_token_id)
        if left:
            for row, feature in enumerate(features):
                empty = batch["input_ids"].shape[1] - len(feature.input_ids)
                for name in ("input_ids", "attention_mask"):
                    batch[name][row] = batch[name][row].roll(empty)
        return {name: tensor.to(self.device.name) for name, tensor in batch.items()}


def settings(form: Form, model: nn.Module, tokenizer: Any) -> HFGenerationConfig:
    """How to generate: the form's settings, and of the checkpoint's own nothing but its special tokens.

    Checkpoints come with settings of their makers' (minimum lengths, sampling, blocked words) that nobody here asked for.
    """
    own = model.generation_config
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
