"""What the data doctor wants to know of the model that is to be trained. All of it may be unknown.

Knows nothing of files or weights: whoever chose the model fills it in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """`tokenizer` is called as transformers' tokenizers are: a list of texts, `truncation=False`, giving "input_ids".

    `most_tokens` is what the model can read at all, `max_length` what it is set to read (None: as much as it can).
    `languages` are ISO 639-1 codes; none means that nothing is known.
    """

    tokenizer: Callable[..., Any] | None = None
    unknown_id: int | None = None
    most_tokens: int = 512
    max_length: int | None = None
    languages: frozenset[str] = frozenset()
