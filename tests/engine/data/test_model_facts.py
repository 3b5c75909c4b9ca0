"""What is known of a model without fetching it.

Run: python -m pytest tests/engine/data/test_model_facts.py
"""

from __future__ import annotations

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from engine.data.model_facts import ModelFacts, facts_of


def test_a_folder_gives_its_tokenizer(tmp_path):
    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0, "good": 1}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.enable_truncation(2)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    facts = facts_of(str(tmp_path), 64)
    assert facts.unknown_id == 0
    assert facts.max_length == 64
    assert facts.tokenizer(["good bad good", "good"])["input_ids"] == [[1, 0, 1], [1]]


@pytest.mark.parametrize("model", ["owner/unheard-of", "no such folder"])
def test_an_unknown_model_is_no_error(model):
    assert facts_of(model) == ModelFacts()


def test_the_catalogue_knows_languages():
    # The cache of the embedded models may be empty: languages are known all the same.
    assert facts_of("minilm").reads("en")
    assert not facts_of("minilm").reads("zh")
    assert facts_of("e5-small").reads("zh")
    assert ModelFacts().reads("zh")
