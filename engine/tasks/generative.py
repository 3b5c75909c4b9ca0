"""What tasks whose model generates a text share; translation and dialogue are this and a file each.

Knows how a `GenerationSpec`, prompts and the loss on the target tokens belong together. Does not know what any of the texts is about;
PyTorch is imported where it is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from engine.core.text import Text
from engine.generation import decode
from engine.generation.generation_spec import GenerationSpec, fill
from engine.generation.templates import check_template
from engine.schema import Encoded, Example, Notice
from engine.tasks.model import TaskModel
from engine.tasks.pretrained_baseline import ModelReader, Progress

if TYPE_CHECKING:
    import torch
    from torch import nn

    from engine.models.load import LoadedModel


class PretrainedGenerator:
    """The pretrained baseline of a generative task: the pretrained model with the same prompt. Nothing of it is kept."""

    @classmethod
    def fit(cls, reader: ModelReader[Any, Any], examples: Sequence[Example], seed: int) -> PretrainedGenerator:
        return cls()

    def predict(
        self,
        reader: ModelReader[Any, Any],
        examples: Sequence[Example],
        encoded: Encoded | None = None,
        progress: Progress | None = None,
    ) -> list[str]:
        return reader.predict(examples, encoded, progress)

    def save(self, directory: Path) -> None:
        """Nothing: the base model is all of it."""

    @classmethod
    def is_in(cls, directory: Path) -> bool:
        return True

    @classmethod
    def load(cls, directory: Path) -> PretrainedGenerator:
        return cls()


class GenerativeTask(TaskModel[GenerationSpec, list[str]]):
    """A task whose model generates a text from a prompt; predictions are one text an example.

    A subclass says which role the model reads (`source`), which it generates (`target`), the prompts by style
    (engine/models/prompt_styles.py), and how texts are scored and reported.
    """

    source: ClassVar[str]
    target: ClassVar[str]
    prompts: ClassVar[dict[str, Text]]

    pretrained_baseline = PretrainedGenerator

    @property
    def plain_target(self) -> str:
        """The template of the target with nothing around it."""
        return "{" + self.target + "}"

    def default_metric(self, outputs: GenerationSpec) -> str:
        """The likelihood of all validation targets: ROUGE or the like of a few generated texts is too noisy to choose by."""
        return "likelihood"

    def outputs(self, train: Sequence[Example]) -> GenerationSpec:
        """An empty spec: prompt and length are chosen when the model is known (`GenerativeReader.prepare`)."""
        return GenerationSpec()

    def outputs_from(self, values: dict[str, Any]) -> GenerationSpec:
        return decode.outputs_from(values)

    def load(
        self, source: str, outputs: GenerationSpec, *, revision: str = "", layers: int | None = None, **options: Any
    ) -> LoadedModel:
        """A pretrained generative model (ModelProblem). Decoders take the fused attention, which measured faster for them, and all
        their layers.
        """
        from engine.models.generators import load_generator

        known = {name: value for name, value in options.items() if name in ("dropout", "four_bit")}
        return load_generator(source, revision=revision, **known)

    def check_templates(self, prompt: str, target: str) -> None:
        """ConfigProblem for a template that does not fit the task's columns. An empty one is chosen later."""
        if prompt:
            check_template(prompt, "generation.prompt", (self.source,), (self.source,))
        if target:
            check_template(target, "generation.target", (self.target,), (self.target, self.source))

    def target_text(self, example: Example, outputs: GenerationSpec) -> str:
        """The text that the model learns to generate for a row: its first reference in the target template."""
        return fill(outputs.target, {**example.inputs, self.target: example.target[0]})

    def join_parts(self, parts: Sequence[str]) -> str:
        """One text from the answers to the parts of a long source."""
        return " ".join(parts)

    def attach_targets(self, encoded: Encoded, examples: Sequence[Example], outputs: GenerationSpec) -> list[Notice]:
        """Nothing: training sequences are encoded with their targets (`GenerativeReader.encode_to_learn`)."""
        return []

    def read(self, model: nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        """The probabilities [b, vocabulary] of the first token of an answer."""
        from engine.generation.loss import next_logits

        return next_logits(model, batch).float().softmax(dim=-1)

    def loss(
        self,
        model: nn.Module,
        batch: dict[str, torch.Tensor],
        weights: torch.Tensor | None = None,
        smoothing: float = 0.0,
    ) -> torch.Tensor:
        """Cross-entropy of the target tokens. There are no classes, so `weights` are not used."""
        from engine.generation.loss import target_loss

        return target_loss(model, batch, smoothing)

    def class_weights(self, examples: Sequence[Example], outputs: GenerationSpec) -> list[float]:
        return []

    def answers(
        self, examples: Sequence[Example], predictions: list[str], encoded: Encoded, outputs: GenerationSpec
    ) -> list[dict[str, Any]]:
        """The text under the name of its role, in how many `parts` its source was read, and whether it was `cut`."""
        return decode.answers(predictions, encoded, self.target)

    def cells(self, answers: Sequence[dict[str, Any] | None], outputs: GenerationSpec) -> dict[str, list[Any]]:
        return {"prediction": [answer and answer[self.target] for answer in answers]}
