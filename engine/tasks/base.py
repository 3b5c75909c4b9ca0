"""What every task is made of.

A task knows its columns, how examples become model inputs, how outputs become predictions, and how predictions are scored.
It does not know files, devices, training or pages. `Example` is what the rest of the engine passes around.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from engine.text import Text


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


@dataclass(slots=True)
class Feature:
    """One token sequence. `example` is the index of the example it was made from; a long text makes several."""

    example: int
    input_ids: list[int]
    token_type_ids: list[int] | None = None
    target: Any = None

    def __len__(self) -> int:
        return len(self.input_ids)


@dataclass(slots=True)
class Encoded:
    """The features of some examples, how many texts did not fit, and the longest text in tokens before any cut."""

    features: list[Feature]
    truncated: int = 0
    longest: int = 0
