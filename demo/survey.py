"""A look at the data before anything is trained: read the tables, guess the columns, count the classes, ask the data doctor.

Knows which engine functions answer which question, and keeps their last answers. Does not know how they are shown.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, replace

from demo.page import Page
from engine.assets import is_cached, model_folder
from engine.config import RunConfig
from engine.data.check import CheckResult, check_config
from engine.data.findings import Finding
from engine.data.load import read_tables
from engine.data.model_facts import ModelFacts
from engine.data.table import Table
from engine.models.entries import CATALOG, MULTILINGUAL
from engine.text import Text


def read(page: Page, config: RunConfig, progress: Callable[[Text, float], None] | None = None) -> dict[str, Table]:
    """The tables that a configuration names. Raises what the reader raises (UserError)."""
    data = config.data
    key = (
        config.task,
        *(getattr(data, name) for name in ("example", "train", "validation", "test", "hub", "hub_config")),
        *(getattr(data, name) for name in ("encoding", "delimiter", "sheet")),
    )
    return page.tables.get(key, lambda: read_tables(data, config.task, page.settings, progress))


def check(page: Page, config: RunConfig) -> CheckResult:
    """What the data doctor says of a configuration's data, with all that is known of its model without loading it."""
    return page.checks.get(_asked(config), lambda: check_config(config, page.settings, model_facts(config)))


def known_errors(page: Page, config: RunConfig) -> list[Finding]:
    """What the data doctor has already found that no training can get past; empty while it was not asked."""
    result = page.checks.peek(_asked(config))
    return [finding for finding in result.findings if finding.severity == "error"] if result else []


def _asked(config: RunConfig) -> tuple:
    return (config.task, config.model.id, config.model.max_length, json.dumps(asdict(config.data), sort_keys=True))


def model_facts(config: RunConfig) -> ModelFacts:
    """The languages of a model of the catalogue, and its tokenizer where it is on this machine already."""
    entry = CATALOG.get(config.model.id)
    if entry is None:
        return ModelFacts(max_length=config.model.max_length)
    languages = frozenset() if entry.languages == MULTILINGUAL else frozenset(entry.languages)
    facts = ModelFacts(most_tokens=entry.max_length, max_length=config.model.max_length, languages=languages)
    if entry.package is None or not is_cached(entry.name):
        return facts
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(model_folder(entry.name) / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()

    def encode(texts: list[str], **_: bool) -> dict[str, list[list[int]]]:
        return {"input_ids": [encoding.ids for encoding in tokenizer.encode_batch(texts)]}

    unknown = tokenizer.token_to_id("[UNK]")
    return replace(facts, tokenizer=encode, unknown_id=tokenizer.token_to_id("<unk>") if unknown is None else unknown)


def class_counts(table: Table, column: str, separator: str = "") -> list[tuple[str, int]]:
    """How often each label occurs, most frequent first. Cells with several labels count for each."""
    counts: Counter[str] = Counter()
    for cell in table.frame[column]:
        if cell is None:
            continue
        if isinstance(cell, list):
            labels = [str(label) for label in cell]
        elif separator:
            labels = [label.strip() for label in str(cell).split(separator)]
        else:
            labels = [str(cell).strip()]
        counts.update(label for label in labels if label)
    return counts.most_common()
