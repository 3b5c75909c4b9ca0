"""The reader of generative tasks: examples in, texts out, in batches or as a stream of tokens.

The same generation (engine/generation/generator.py) serves validation, the test at the end, the page and the command line. Knows a
model, its tokenizer and the `GenerationSpec`; does not know where they came from.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import nn

from engine.config import RunConfig
from engine.generation.generation_spec import GenerationSpec
from engine.generation.generator import MAX_BATCH, Generator, encode_prompts
from engine.generation.loss import target_losses
from engine.generation.prompt_encoder import PromptEncoder
from engine.generation.prompts import prompt_for
from engine.inference.forward import batch_of, token_budget
from engine.inference.reader import Progress, Reader
from engine.models.batching import by_cost
from engine.models.device import Device
from engine.models.speed.unmasked_prefill import PART_COST
from engine.models.unwrap import is_encoder_decoder, unwrap
from engine.schema import Encoded, Example
from engine.tasks.generative import GenerativeTask

VALIDATION_SAMPLE = 12  # validation rows generated at each evaluation; the loss is measured on all of them
LENGTH_MARGIN = 1.1  # an answer may be that much longer than nearly all training targets


@dataclass(slots=True)
class GenerativeReader(Reader):
    """`max_length` counts the tokens of a prompt."""

    task: GenerativeTask
    outputs: GenerationSpec

    @staticmethod
    def place(model: nn.Module, device: Device, half: bool = True) -> nn.Module:
        """With `half` all weights are in the device's number format: decoding token by token, reading them is the main cost."""
        quantised = unwrap(model).config.to_dict().get("quantization_config") is not None
        if quantised:
            return model.eval()
        return model.to(device.name, dtype=device.dtype if half else None).eval()

    @property
    def prompt_encoder(self) -> PromptEncoder:
        """Prompts for this model."""
        return PromptEncoder(self.tokenizer, self.outputs, not is_encoder_decoder(self.model), self.task.source)

    @property
    def generator(self) -> Generator:
        """The model with its prompts, ready to generate."""
        # During training some weights are float32; a placed model has all of them in one format and needs no autocast.
        mixed = any(parameter.dtype == torch.float32 for parameter in self.model.parameters())
        return Generator(
            self.model,
            self.prompt_encoder,
            self.max_length,
            self.device.name,
            min(MAX_BATCH, self.batch_size),
            self.device.autocast if mixed else contextlib.nullcontext,
            self.task.join_parts,
            self.fast_paths,
        )

    def prepare(self, examples: Sequence[Example], config: RunConfig) -> GenerationSpec:
        """The spec of a run: its settings, the prompt in the model's style, and a length that nearly all training targets fit in."""
        settings = config.generation
        chosen = {
            "prompt": settings.prompt or prompt_for(self.model, self.tokenizer, self.task, examples),
            "target": settings.target or self.task.plain_target,
        }
        spec = GenerationSpec.from_config(settings, **chosen, max_new_tokens=settings.max_new_tokens or 0)
        if settings.max_new_tokens is None:
            prompt_encoder = replace(self.prompt_encoder, spec=spec)
            lengths = sorted(prompt_encoder.target_length(self.task.target_text(example, spec)) for example in examples)
            common = lengths[int(np.ceil(0.99 * len(lengths))) - 1]
            spec = spec.with_changes(max_new_tokens=-(-int(LENGTH_MARGIN * common) // 8) * 8)
        return spec

    def input_tokens(self, positions: int) -> int:
        """Prompt and answer share the positions of a decoder."""
        return max(8, positions - self.outputs.max_new_tokens) if self.prompt_encoder.decoder_only else positions

    def encode_to_learn(self, examples: Sequence[Example], max_length: int | None, windows: bool = False) -> Encoded:
        """Prompts with their targets. Long prompts are cut, whatever `windows` is."""
        prompt_encoder = self.prompt_encoder
        features, truncated, lost, total, longest = [], 0, 0, 0, 0
        for index, example in enumerate(examples):
            prompt, cut = prompt_encoder.encode_prompt(index, example.inputs, max_length)
            features.append(prompt_encoder.with_target(prompt, self.task.target_text(example, self.outputs)))
            truncated += cut > 0
            length = len(prompt) + cut
            lost, total, longest = lost + cut, total + length, max(longest, length)
        return Encoded(features, truncated, longest, lost=lost / max(1, total))

    def encode(self, examples: Sequence[Example]) -> Encoded:
        return encode_prompts(self.prompt_encoder, [example.inputs for example in examples], self.max_length)

    def predict(
        self, examples: Sequence[Example], encoded: Encoded | None = None, progress: Progress | None = None
    ) -> list[str]:
        return self.generator.generate([example.inputs for example in examples], encoded, progress)

    def assess(
        self, examples: Sequence[Example], encoded: Encoded, progress: Progress | None = None, briefly: bool = False
    ) -> tuple[float, dict[str, float], GenerationSpec]:
        """The teacher-forced loss of all validation targets; unless `briefly`, the other metrics on a sample that is generated."""
        learned = self.encode_to_learn(examples, self.max_length).features
        total, tokens = 0.0, 0
        self.model.eval()
        with torch.inference_mode(), self.device.autocast():
            for indices in by_cost([len(f) for f in learned], token_budget(self.device), MAX_BATCH, PART_COST):
                batch = batch_of(
                    [learned[index] for index in indices], self.tokenizer.pad_token_id, self.device, targets=True
                )
                sums, counted = target_losses(self.model, batch)
                total, tokens = total + float(sums.sum()), tokens + int(counted.sum())
                if progress is not None:
                    progress(len(indices), len(learned))
        loss = total / max(1, tokens)
        metrics = {"likelihood": float(np.exp(-loss))}
        if briefly:
            return loss, metrics, self.outputs
        step = max(1, len(examples) // VALIDATION_SAMPLE)
        sample = list(examples[::step][:VALIDATION_SAMPLE])
        # The likelihood chooses the checkpoint, so greedy decoding is enough for the sample.
        greedy = self.outputs.with_changes(beams=1, temperature=0.0, long_documents="cut")
        texts = replace(self, outputs=greedy).predict(sample)
        return loss, metrics | self.task.score(sample, texts, self.outputs), self.outputs

    def stream(self, example: Example, spec: GenerationSpec, stop: threading.Event) -> Iterator[str]:
        """The answer as it grows: the whole text so far after every token. Ends soon after `stop` is set."""
        return replace(self, outputs=spec).generator.stream(example.inputs, stop)
