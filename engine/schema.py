"""The plain data that the floors of the engine hand to each other: rows of a task, token sequences, answers, notices.

A leaf: it imports texts and nothing else of the project. It knows shapes, not how any of them is made.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Protocol

from engine.core.text import Text

# The two kinds of models that tasks train: an encoder with a head that reads texts, and a model that generates texts.
ENCODER, GENERATIVE = "encoder", "generative"


@dataclass(frozen=True, slots=True)
class Place:
    """Where an example of a finding stands: file, 1-based row in it, column, and what it reads there."""

    file: str
    row: int
    column: str = ""
    excerpt: str = ""

    def to_dict(self) -> dict[str, Any]:
        return {"file": self.file, "row": self.row, "column": self.column, "excerpt": self.excerpt}


@dataclass(frozen=True, slots=True)
class Notice:
    """Something a reader decided or left out, to be said aloud. `severity` is "error", "warning" or "info"."""

    code: str
    severity: str
    message: Text
    count: int = 0
    rows: tuple[Place, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "severity": self.severity,
            "message": self.message.to_dict(),
            "count": self.count,
            "rows": [place.to_dict() for place in self.rows],
        }


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


@dataclass(frozen=True, slots=True)
class Answered:
    """The inputs of each row of a table, by role, and its answer; both None where there was nothing to read."""

    columns: dict[str, str]
    rows: list[dict[str, Any] | None]
    answers: list[dict[str, Any] | None]
