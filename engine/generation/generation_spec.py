"""The outputs of a generative task: templates of prompt and target, and the settings of decoding.

Saved with the fine-tuned model, so that its prompts are those of training, also where it runs without the engine. Knows templates and
settings; does not know tokens.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.generation.config import GenerationConfig


@dataclass(frozen=True, slots=True)
class GenerationSpec:
    """`prompt` and `target` are templates whose fields are the task's roles.

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
        """There are no classes."""
        return []

    def to_dict(self) -> dict[str, Any]:
        return {"generation": asdict(self)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> GenerationSpec:
        return cls(**values.get("generation", {}))

    @classmethod
    def from_config(cls, config: GenerationConfig, **chosen: Any) -> GenerationSpec:
        """The settings of a run, with `chosen` values for what the configuration leaves automatic."""
        return cls(**{**{field.name: getattr(config, field.name) for field in fields(cls)}, **chosen})

    def with_changes(self, **changes: Any) -> GenerationSpec:
        """A copy with some fields replaced."""
        return replace(self, **changes)


def fill(template: str, values: Mapping[str, str]) -> str:
    """The template with its `{role}` fields filled. Other braces stay as they are: a text may be full of them."""
    return re.sub(r"\{(\w+)\}", lambda match: values.get(match[1], match[0]), template)
