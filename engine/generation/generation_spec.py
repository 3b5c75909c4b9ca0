"""The form of a writing task: what the model is asked, what it is to write, and how it goes about it.

LRUCache with the tuned model, so that it is asked as it was taught, also where it goes without the engine. Knows templates and settings;
does not know tokens.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.config import GenerationConfig

CHAT, PLAIN, PREFIXED, BARE = "chat", "plain", "prefixed", "bare"  # ways to ask


@dataclass(frozen=True, slots=True)
class GenerationSpec:
    """The outputs of a writing task. `prompt` and `target` are templates whose fields are the task's roles.

    `max_new_tokens` 0 means that it has not been measured yet. The other fields are those of `GenerationConfig`.
    """

    prompt: str = ""
    target: str = ""
    max_new_tokens: int = 0
    beams: int = 1
    temperature: float = 0.0
    top_p: float = 1.0
    no_repeat_ngram: int = 0
    repetition_penalty: float = 1.0
    length_penalty: float = 1.0
    long_documents: str = "cut"

    @property
    def labels(self) -> list[str]:
        """There are no classes: anything may be written."""
        return []

    def to_dict(self) -> dict[str, Any]:
        return {"generation": asdict(self)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> GenerationSpec:
        return cls(**values.get("generation", {}))

    @classmethod
    def of(cls, config: GenerationConfig, **chosen: Any) -> GenerationSpec:
        """The settings of a run, with what was left to be chosen."""
        return cls(**{**{field.name: getattr(config, field.name) for field in fields(cls)}, **chosen})

    def but(self, **changes: Any) -> GenerationSpec:
        return replace(self, **changes)


def fill(template: str, values: Mapping[str, str]) -> str:
    """The template with its `{role}` fields filled. Other braces stay as they are: a text may be full of them."""
    return re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], found[0]), template)
