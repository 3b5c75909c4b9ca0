"""Models that cannot be loaded, and why. Run: python -m pytest tests/engine/models/test_load_encoder.py"""

from __future__ import annotations

import httpx
import pytest
from huggingface_hub.errors import GatedRepoError, LocalEntryNotFoundError, RepositoryNotFoundError
from transformers import AutoModelForSequenceClassification

from engine.core.errors import UserError
from engine.models.load import explained, load_encoder
from tests.tiny import save_encoder


def test_a_folder_without_its_tokenizer_is_refused(tmp_path):
    save_encoder("bert", tmp_path)
    load_encoder(str(tmp_path), AutoModelForSequenceClassification, labels=["a", "b"])
    for file in tmp_path.glob("tokenizer*"):
        file.unlink()
    with pytest.raises(UserError) as caught:
        load_encoder(str(tmp_path), AutoModelForSequenceClassification, labels=["a", "b"])
    assert caught.value.code == "no_tokenizer"


def test_a_tokenizer_at_hand_is_not_read_again(tmp_path):
    save_encoder("bert", tmp_path)
    known = load_encoder(str(tmp_path), AutoModelForSequenceClassification, labels=["a", "b"]).tokenizer
    for file in tmp_path.glob("tokenizer*"):
        file.unlink()
    again = load_encoder(str(tmp_path), AutoModelForSequenceClassification, labels=["a", "b"], tokenizer=known)
    assert again.tokenizer is known


RESPONSE = httpx.Response(403, request=httpx.Request("GET", "https://hub/a/b"))


@pytest.mark.parametrize(
    ("cause", "code", "exit_code"),
    [
        (LocalEntryNotFoundError("no connection"), "hub_unreachable", 1),
        (GatedRepoError("gated", response=RESPONSE), "gated_model", 2),
        (RepositoryNotFoundError("no such", response=RESPONSE), "no_such_model", 2),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_the_hub_said_is_found_below_what_transformers_says(cause, code, exit_code):
    with pytest.raises(UserError) as caught, explained("a/b"):
        raise OSError("We could not load a/b.") from cause
    assert (caught.value.code, caught.value.exit_code) == (code, exit_code)
