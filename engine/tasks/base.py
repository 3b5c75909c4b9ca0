"""What every task is made of.

A task knows its columns, how examples become model inputs, how outputs become predictions, and how predictions are scored.
It does not know files, devices, training or pages. `Example` is what the rest of the engine passes around.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

from engine.text import Text

if TYPE_CHECKING:
    import numpy as np
    import torch
    from torch import nn
    from transformers import PreTrainedTokenizerBase

    from engine.config import ModelConfig, RunConfig
    from engine.data.findings import Notice
    from engine.data.table import Table
    from engine.inference.batch import Answered
    from engine.inference.reader import Reader
    from engine.models.load import LoadedModel
    from engine.training.pace import Pace


@dataclass(frozen=True, slots=True)
class Role:
    """A part that a column can play in a task, such as the text or the label."""

    name: str
    label: Text
    help: Text
    required: bool = True


@dataclass(frozen=True, slots=True)
class Example:
    """One row, read for a task. JSON-serialisable.

    `row` is its 1-based place in the source. `inputs` maps role names to what the model reads. `target` is what it should say:
    a label (classification), a tuple of labels (multi-label), a list of spans (NER), answers (QA), a text (generation).
    """

    row: int
    inputs: dict[str, Any]
    target: Any

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> Example:
        target = value["target"]
        return cls(
            row=value["row"], inputs=value["inputs"], target=tuple(target) if isinstance(target, list) else target
        )


IGNORED = -100  # a target that torch's cross-entropy leaves out


@dataclass(slots=True)
class Feature:
    """One token sequence. `example` is the index of the example it was made from; a long text makes several.

    What the loss compares the model's answer with is `target`, one for the sequence (a class, a 0/1 vector, two positions), or
    `token_targets`, one for each token (IGNORED where there is nothing to learn). `offsets` are
    the [start, end) of each token in the example's text, in characters, for tasks that answer with places in it.
    """

    example: int
    input_ids: list[int]
    token_type_ids: list[int] | None = None
    target: Any = None
    token_targets: list[int] | None = None
    offsets: list[tuple[int, int]] | None = None

    def __len__(self) -> int:
        return len(self.input_ids)


@dataclass(slots=True)
class Encoded:
    """The features of some examples, how many texts did not fit, and the longest text in tokens before any cut.

    `shortened` are the indices of examples of which a part is read in no window at all (a question longer than half of one).
    """

    features: list[Feature]
    truncated: int = 0
    longest: int = 0
    shortened: frozenset[int] = frozenset()
    lost: float = 0.0  # share of all tokens that is read nowhere, where a task cuts


class Outputs(Protocol):
    """What a model of a task can answer, fixed by the training rows: classes, entity types, nothing for generation."""

    @property
    def labels(self) -> list[str]: ...

    def to_dict(self) -> dict[str, Any]: ...


@dataclass(slots=True)
class Judgement:
    """Everything a task may use to report on a model. The test rows were never used to choose anything.

    `predictions`, `untuned` and `validation_predictions` are what the task's `predict` returned for the test rows (by the
    tuned and the untuned model) and for the validation rows. `facts` is JSON-able: what was run, and how it went.
    """

    config: RunConfig
    outputs: Outputs
    train: list[Example]
    validation: list[Example]
    test: list[Example]
    predictions: Any
    untuned: Any | None
    validation_predictions: Any
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Exchange:
    """A file format of a task's own field in which answers can be handed on. `write` takes the table that was answered and what
    was read and said of its rows (engine/inference/batch.py: Answered) and gives the text of the file.
    """

    label: str  # needs no translation
    write: Callable[[Table, Answered], str]


NO_EXCHANGE: Mapping[str, Exchange] = MappingProxyType({})


class Task(Protocol):
    """What the rest of the engine asks of a task. Implementations hold no state."""

    name: str
    label: Text
    roles: tuple[Role, ...]
    metrics: tuple[str, ...]  # each between 0 and 1, higher is better
    drawn: tuple[str, ...]  # of them, whose curves tell how training goes; the first one tells most
    pace: Pace  # how fast it is learned, where nobody says otherwise
    most_rows: (
        int | None
    )  # test rows that are answered unless more are asked for; None: all, because answering is cheap
    windowed: bool  # whether long training texts are read in overlapping windows; else they are cut
    reader: type[Reader]  # how a model of the task is asked (engine/inference/reader.py)
    exchange: Mapping[str, Exchange]  # by file ending, beside the tables that every task can write
    untuned: type  # the pretrained model made able to answer without training (engine/inference/untuned.py)

    def default_metric(self, outputs: Outputs) -> str:
        """The metric that chooses the best checkpoint."""

    def outputs(self, train: Sequence[Example]) -> Outputs:
        """What a model can answer, from the training rows (LabelProblem)."""

    def outputs_from(self, values: dict[str, Any]) -> Outputs:
        """The inverse of `Outputs.to_dict`."""

    def load(self, source: str, outputs: Outputs, model: ModelConfig, **options: Any) -> LoadedModel:
        """A pretrained model with a head for the outputs (ModelProblem)."""

    def encode(
        self,
        examples: Sequence[Example],
        tokenizer: PreTrainedTokenizerBase,
        max_length: int | None,
        windows: bool = False,
    ) -> Encoded:
        """Token sequences; None cuts nothing, `windows` reads long texts in overlapping parts."""

    def attach_targets(self, encoded: Encoded, examples: Sequence[Example], outputs: Outputs) -> list[Notice]:
        """Give every feature of the training rows what the loss compares it with. Says what of it could not be expressed."""

    def read(self, model: nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        """What the model says of a batch without targets, [b, ...]."""

    def loss(
        self,
        model: nn.Module,
        batch: dict[str, torch.Tensor],
        weights: torch.Tensor | None = None,
        smoothing: float = 0.0,
    ) -> torch.Tensor:
        """The scalar to minimise on a batch with `labels`: the features' targets, as `collate` made them."""

    def class_weights(self, examples: Sequence[Example], outputs: Outputs) -> list[float]:
        """A weight for each label, higher for rarer ones."""

    def predict(self, logits: list[np.ndarray], encoded: Encoded, count: int, outputs: Outputs) -> Any:
        """Predictions for `count` examples from what `read` gave of each feature, the windows of each example put together.

        What is told of each token comes padded to its batch: the first `len(feature)` rows are the feature's.
        """

    def settle(self, examples: Sequence[Example], predictions: Any, outputs: Outputs) -> Outputs:
        """What the validation rows decide beside the weights, such as a threshold; `outputs` themselves where nothing is."""

    def evaluation_loss(self, examples: Sequence[Example], predictions: Any, outputs: Outputs) -> float:
        """The loss on rows that were predicted, comparable with the training loss without smoothing."""

    def counts(self, examples: Sequence[Example], predictions: Any, outputs: Outputs) -> np.ndarray:
        """Additive statistics [examples, k], from which every metric and its interval is computed."""

    def metrics_from(self, outputs: Outputs) -> Any:
        """The function from sums of `counts` [..., k] to metrics [...]."""

    def score(self, examples: Sequence[Example], predictions: Any, outputs: Outputs) -> dict[str, float]:
        """The task's metrics on examples."""

    def answers(
        self, examples: Sequence[Example], predictions: Any, encoded: Encoded, outputs: Outputs
    ) -> list[dict[str, Any]]:
        """Predictions as a person or a program reads them, one dictionary an example."""

    def cells(self, answers: Sequence[dict[str, Any] | None], outputs: Outputs) -> dict[str, list[Any]]:
        """The columns that a file of answers has beside its rows; None for a row without an answer."""

    def report(self, judgement: Judgement) -> tuple[dict[str, Any], Iterable[dict[str, Any]]]:
        """The report, and one record for each test row."""
