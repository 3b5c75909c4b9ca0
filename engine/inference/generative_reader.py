"""A model that writes: examples in, texts out, in batches or token by token.

The same writing (engine/writing/generator.py) serves validation, the test at the end, the page and the command line. Knows a model, its
tokenizer and the form of what it is asked; does not know where they came from.
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

from engine.generation import generator
from engine.generation.generation_spec import GenerationSpec
from engine.generation.generator import MOST_AT_ONCE, Generator
from engine.generation.loss import inner, is_encoder_decoder, target_losses
from engine.generation.prompt_encoder import PromptEncoder
from engine.generation.prompts import prompt_for
from engine.inference.forward import collate, tokens_at_once
from engine.inference.reader import Progress, Reader
from engine.models.batching import by_cost
from engine.models.device import Device
from engine.models.speed.unmasked_prefill import PART_COST
from engine.schema import Encoded, Example

SAMPLE = 12  # validation rows that are written at each evaluation; all of them have their loss measured
ROOM_FOR_LONGER = 1.1  # an answer may be that much longer than nearly all targets of training


@dataclass(slots=True)
class GenerativeReader(Reader):
    """What is needed to write with one model. `outputs` is a `GenerationSpec`; `max_length` counts the tokens of a prompt."""

    @staticmethod
    def ready(model: nn.Module, device: Device, half: bool = True) -> nn.Module:
        """On its device and, with `half`, in its number format: a token a time, reading the weights is all the work there is."""
        quantised = inner(model).config.to_dict().get("quantization_config") is not None
        if quantised:
            return model.eval()
        return model.to(device.name, dtype=device.dtype if half else None).eval()

    @property
    def scribe(self) -> PromptEncoder:
        return PromptEncoder(self.tokenizer, self.outputs, not is_encoder_decoder(self.model), self.task.source)

    @property
    def pen(self) -> Generator:
        # While training, some weights are float32; a model made ready for writing has all of them in one format.
        mixed = any(parameter.dtype == torch.float32 for parameter in self.model.parameters())
        return Generator(
            self.model,
            self.scribe,
            self.max_length,
            self.device.name,
            min(MOST_AT_ONCE, self.batch_size),
            self.device.autocast if mixed else contextlib.nullcontext,
            self.task.joined,
            self.fast_paths,
        )

    def prepare(self, examples: Sequence[Example], config: Any) -> GenerationSpec:
        """The form of a run: its settings, the prompt that suits the model, and room for what training rows hold."""
        asked = config.generation
        chosen = {
            "prompt": asked.prompt or prompt_for(self.model, self.tokenizer, self.task, examples),
            "target": asked.target or self.task.plain_target,
        }
        form = GenerationSpec.of(asked, **chosen, max_new_tokens=asked.max_new_tokens or 0)
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
        return generator.encode(self.scribe, [example.inputs for example in examples], self.max_length)

    def predict(
        self, examples: Sequence[Example], encoded: Encoded | None = None, progress: Progress | None = None
    ) -> list[str]:
        """The answer to each example. `encoded` saves encoding them again."""
        return self.pen.answers([example.inputs for example in examples], encoded, progress)

    def assess(
        self, examples: Sequence[Example], encoded: Encoded, progress: Progress | None = None, briefly: bool = False
    ) -> tuple[float, dict[str, float], GenerationSpec]:
        """The loss of all validation targets, teacher-forced; unless `briefly`, the other metrics on a sample that is really written."""
        learned = self.encode_to_learn(examples, self.max_length).features
        total, tokens = 0.0, 0
        self.model.eval()
        with torch.inference_mode(), self.device.autocast():
            for indices in by_cost([len(f) for f in learned], tokens_at_once(self.device), MOST_AT_ONCE, PART_COST):
                batch = collate([learned[index] for index in indices], self.tokenizer.pad_token_id)
                batch = {name: tensor.to(self.device.name) for name, tensor in batch.items()}
                sums, counted = target_losses(self.model, batch)
                total, tokens = total + float(sums.sum()), tokens + int(counted.sum())
                if progress is not None:
                    progress(len(indices), len(learned))
        loss = total / max(1, tokens)
        metrics = {"likelihood": float(np.exp(-loss))}
        if briefly:
            return loss, metrics, self.outputs
        step = max(1, len(examples) // SAMPLE)
        sample = list(examples[::step][:SAMPLE])
        # The likelihood chooses the checkpoint, so what the sample says need not be the best that beams could find.
        plain = self.outputs.but(beams=1, temperature=0.0, long_documents="cut")
        written = replace(self, outputs=plain).predict(sample)
        return loss, metrics | self.task.score(sample, written, self.outputs), self.outputs

    def stream(self, example: Example, form: GenerationSpec, stop: threading.Event) -> Iterator[str]:
        """The answer as it grows: what is written so far, again and again. Ends soon after `stop` is set."""
        return replace(self, outputs=form).pen.stream(example.inputs, stop)
