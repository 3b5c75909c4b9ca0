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
