"""Facts about the model to be trained that the data check uses. Each may be unknown.

Knows the catalogue, and the tokenizer of a model that is stored on this machine. Fetches nothing, and needs neither torch nor
transformers.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_EVERY_LANGUAGE = "multilingual"


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """`tokenizer` is called as transformers' tokenizers are: a list of texts, `truncation=False`, giving "input_ids".

    `most_tokens` is the number of tokens the model can read, `max_length` the configured number (None: `most_tokens`).
    `languages` are ISO 639-1 codes, or "multilingual"; None means that nothing is known.
    """

    tokenizer: Callable[..., Any] | None = None
    unknown_id: int | None = None
    most_tokens: int = 512
    max_length: int | None = None
    languages: frozenset[str] | None = None

    def reads(self, language: str) -> bool:
        """Whether the model is known to read a language, or not known not to."""
        return self.languages is None or _EVERY_LANGUAGE in self.languages or language in self.languages


def facts_of(model_id: str, max_length: int | None = None) -> ModelFacts:
    """What is known of a model without fetching anything: languages and length from the catalogue, the tokenizer if it is here."""
    from engine.assets import is_cached, model_folder
    from engine.models.catalog_entries import CATALOG

    entry = next((e for e in CATALOG.values() if model_id in (e.name, e.hub_id)), None)
    if entry is None:
        folder = Path(model_id).expanduser()
        return _with_tokenizer(ModelFacts(max_length=max_length), folder if folder.is_dir() else None)
    facts = ModelFacts(most_tokens=entry.max_length, max_length=max_length, languages=frozenset(entry.languages))
    here = entry.package is not None and is_cached(entry.name)
    return _with_tokenizer(facts, model_folder(entry.name) if here else None)


def _with_tokenizer(facts: ModelFacts, folder: Path | None) -> ModelFacts:
    path = folder / "tokenizer.json" if folder else None
    if path is None or not path.is_file():
        return facts
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_truncation()
    tokenizer.no_padding()

    def tokenize(texts: list[str], **_: Any) -> dict[str, list[list[int]]]:
        return {"input_ids": [encoding.ids for encoding in tokenizer.encode_batch_fast(texts)]}

    # WordPiece and BPE name their unknown token, Unigram gives its number; byte-level vocabularies have none.
    model = json.loads(path.read_text(encoding="utf-8"))["model"]
    unknown = tokenizer.token_to_id(model["unk_token"]) if model.get("unk_token") else model.get("unk_id")
    return ModelFacts(
        tokenizer=tokenize,
        unknown_id=unknown,
        most_tokens=facts.most_tokens,
        max_length=facts.max_length,
        languages=facts.languages,
    )
