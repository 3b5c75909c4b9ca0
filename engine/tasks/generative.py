"""What tasks that answer with texts of their own share: asking, learning, writing. Translation and dialogue are this and a file each.

Knows how a `GenerationSpec`, a `GenerativeReader` and the loss on the target belong together. Does not know what any of the texts is about; PyTorch is
imported where it is used.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from engine.config import ModelConfig
from engine.core.text import Text
from engine.evaluation.intervals import MetricsFrom
from engine.generation.generation_spec import GenerationSpec, fill
from engine.generation.templates import check_template
from engine.schema import Encoded, Example, Notice
from engine.tasks.base import EvaluationData
from engine.tasks.spec import TaskSpec

if TYPE_CHECKING:
    import torch
    from torch import nn
    from transformers import PreTrainedTokenizerBase

    from engine.inference.reader import Reader
    from engine.models.load import LoadedModel


class PretrainedGenerator:
    """The untuned model of a writing task: the pretrained model, asked the same. There is nothing to keep of it."""

    @classmethod
    def fit(cls, reader: Reader, examples: Sequence[Example], seed: int) -> PretrainedGenerator:
        return cls()

    def predict(
        self, reader: Reader, examples: Sequence[Example], encoded: Encoded | None = None, progress: Any = None
    ) -> Any:
        return reader.predict(examples, encoded, progress)

    def save(self, directory: Path) -> None:
        """Nothing: the base model is all of it."""

    @classmethod
    def is_in(cls, directory: Path) -> bool:
        return True

    @classmethod
    def load(cls, directory: Path) -> PretrainedGenerator:
        return cls()


class GenerativeTask:
    """A task whose model writes. A subclass says what is read (`source`), what is written (`target`), how models are asked
    (`prompts`, by manner: see engine/generation/prompts.py), and how what was written is scored and reported.
    """

    spec: ClassVar[TaskSpec]
    source: ClassVar[str]
    target: ClassVar[str]
    prompts: ClassVar[dict[str, Text]]

    untuned = PretrainedGenerator

    @property
    def plain_target(self) -> str:
        """The target as it stands, with nothing around it."""
        return "{" + self.target + "}"

    @property
    def reader(self) -> type[Reader]:
        from engine.inference.generative_reader import GenerativeReader

        return GenerativeReader

    def default_metric(self, form: GenerationSpec) -> str:
        """The likelihood of all validation targets: a score of a few written samples is too noisy to choose by."""
        return "likelihood"

    def outputs(self, train: Sequence[Example]) -> GenerationSpec:
        """Nothing is known of the form before the model is: see `GenerativeReader.prepare`."""
        return GenerationSpec()

    def outputs_from(self, values: dict[str, Any]) -> GenerationSpec:
        return GenerationSpec.from_dict(values)

    def settle(self, examples: Sequence[Example], predictions: Any, form: GenerationSpec) -> GenerationSpec:
        return form

    def load(self, source: str, form: GenerationSpec, model: ModelConfig, **options: Any) -> LoadedModel:
        """A pretrained model that writes (ModelProblem). Decoders take the fused attention, which measured faster for them."""
        from engine.models.generators import load_generator

        kept = {name: value for name, value in options.items() if name in ("dropout", "four_bit")}
        return load_generator(source, revision=model.revision, **kept)

    def check_form(self, prompt: str, target: str) -> None:
        """ConfigProblem for a template that does not fit the task's columns. An empty one is chosen later."""
        if prompt:
            check_template(prompt, "generation.prompt", (self.source,), (self.source,))
        if target:
            check_template(target, "generation.target", (self.target,), (self.target, self.source))

    def wanted(self, example: Example, form: GenerationSpec) -> str:
        """What the model learns to write for a row: its first reference, in the form's words."""
        return fill(form.target, {**example.inputs, self.target: example.target[0]})

    def joined(self, parts: Sequence[str]) -> str:
        """The answers to the parts of one text as one text."""
        return " ".join(parts)

    def encode(
        self,
        examples: Sequence[Example],
        tokenizer: PreTrainedTokenizerBase,
        max_length: int | None,
        windows: bool = False,
    ) -> Encoded:
        raise NotImplementedError("what a writing model reads depends on its form: ask its GenerativeReader")

    def attach_targets(self, encoded: Encoded, examples: Sequence[Example], form: GenerationSpec) -> list[Notice]:
        """Nothing: the sequences to learn from come with their targets."""
        return []

    def read(self, model: nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        """The probabilities [b, vocabulary] of the first token to be written."""
        from engine.generation.loss import next_logits

        return next_logits(model, batch).float().softmax(dim=-1)

    def loss(
        self,
        model: nn.Module,
        batch: dict[str, torch.Tensor],
        weights: torch.Tensor | None = None,
        smoothing: float = 0.0,
    ) -> torch.Tensor:
        """Cross-entropy of the target tokens. There are no classes to weigh."""
        from engine.generation.loss import target_loss

        return target_loss(model, batch, smoothing)

    def class_weights(self, examples: Sequence[Example], form: GenerationSpec) -> list[float]:
        return []

    def predict(self, logits: list[np.ndarray], encoded: Encoded, count: int, form: GenerationSpec) -> Any:
        raise NotImplementedError("a writing model answers through its GenerativeReader")

    def evaluation_loss(self, examples: Sequence[Example], predictions: Any, form: GenerationSpec) -> float:
        raise NotImplementedError("the loss of targets that were not written is measured by the GenerativeReader")

    def counts(self, examples: Sequence[Example], texts: Sequence[str], form: GenerationSpec) -> np.ndarray:
        raise NotImplementedError

    def metrics_from(self, form: GenerationSpec) -> MetricsFrom:
        raise NotImplementedError

    def score(self, examples: Sequence[Example], texts: Sequence[str], form: GenerationSpec) -> dict[str, float]:
        """The task's metrics of written texts."""
        values = self.metrics_from(form)(self.counts(examples, texts, form).sum(axis=0))
        return {name: float(value) for name, value in values.items()}

    def answers(
        self, examples: Sequence[Example], texts: Sequence[str], encoded: Encoded, form: GenerationSpec
    ) -> list[dict[str, Any]]:
        """The text under the name of its role, in how many `parts` its source was read, and whether it was `cut`."""
        parts = (
            np.bincount([f.example for f in encoded.features], minlength=len(texts))
            if encoded.features
            else [1] * len(texts)
        )
        return [
            {self.target: text, "parts": int(count), "cut": index in encoded.shortened}
            for index, (text, count) in enumerate(zip(texts, parts, strict=True))
        ]

    def cells(self, answers: Sequence[dict[str, Any] | None], form: GenerationSpec) -> dict[str, list[Any]]:
        return {"prediction": [answer and answer[self.target] for answer in answers]}

    def report(self, judgement: EvaluationData) -> tuple[dict[str, Any], Iterable[dict[str, Any]]]:
        raise NotImplementedError
