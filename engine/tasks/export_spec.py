"""What an exported model of a task needs: plain data that the exported program and the model card are driven by.

A task defines it as `EXPORT` in its `export.py`; `TaskSpec.export` loads it. Knows names, texts and how an answer is shown; does not know runs, files or models.

The module named by `decode` travels with the model and has these functions, which the task's model uses too:

    outputs_from(values)                                        the outputs, from the JSON in tunebench.json
    encode(examples, tokenizer, max_length, windows)            an encoder's token sequences
    predict(logits, encoded, count, outputs)                    its predictions, from the logits of each sequence
    answers(examples, predictions, encoded, outputs)            one dictionary a row

Generative tasks share `engine.generation.decode`. What the module imports when it is loaded may need numpy, regex and
transformers; that of an encoder must not need PyTorch, which ONNX exports do without.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from engine.core.text import Text

# What generates text for every generative task.
GENERATION_DECODE = "engine.generation.decode"
GENERATION_MODULES = ("engine.generation.generator", "engine.generation.prompt_encoder")


@dataclass(frozen=True, slots=True)
class InputBox:
    """A text box of the exported app. `help` describes the input in the app's API, `max_length` is in characters."""

    label: Text
    help: str
    lines: int = 4
    max_length: int = 20_000

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "label": self.label.to_dict()}


@dataclass(frozen=True, slots=True)
class AnswerView:
    """How the exported app shows one value of an answer.

    "label_scores": `key` holds a number for each label. "spans": `key` holds {start, end, label} dictionaries, or with the key ""
    the answer itself is the only one; they are places in the input `text_input`. "text": `key` holds a text.
    """

    kind: Literal["label_scores", "spans", "text"]
    key: str
    label: Text | None = None
    text_input: str = ""

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "label": self.label.to_dict() if self.label else None}


@dataclass(frozen=True, slots=True)
class TaskExport:
    """A task outside of Tunebench.

    `pipeline` is the hub's task id, `auto_class` what transformers loads the model with ("" where that depends on the family),
    `logits` the fields of its output that `decode.predict` takes, stacked in the last dimension where there are several; a
    generative model has none. `metric_ids` are the hub's ids of the metrics that go into the card's front matter, `answer_keys`
    the keys of an answer that tell whether two models gave the same one.

    `pipeline_arguments` gives the keyword arguments of `transformers.pipeline` for a model with that report; None where no
    pipeline answers as the model does.
    """

    pipeline: str
    decode: str
    inputs: Mapping[str, InputBox]
    views: tuple[AnswerView, ...]
    metric_ids: Mapping[str, str]
    answer_keys: tuple[str, ...]
    intended_use: Text
    limits: Text
    button: Text
    missing_input: Text
    description: str  # of the app's API
    auto_class: str = ""
    logits: tuple[str, ...] = ()
    pipeline_arguments: Callable[[dict[str, Any]], dict[str, Any]] | None = None

    @property
    def generative(self) -> bool:
        return not self.logits

    @property
    def onnx(self) -> bool:
        """Whether the model can be exported to ONNX."""
        return bool(self.logits)

    @property
    def modules(self) -> tuple[str, ...]:
        """Modules of the engine that travel with a model; what they import travels too."""
        return (self.decode, "engine.schema", *(GENERATION_MODULES if self.generative else ()))
