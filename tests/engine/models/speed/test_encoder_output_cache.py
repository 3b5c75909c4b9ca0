"""A cached encoder returns the outputs of the encoder itself, and what is trained above it gets the same gradients.

Run: python -m pytest tests/engine/models/speed/test_encoder_output_cache.py
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForSequenceClassification

from engine.models.speed.encoder_output_cache import EncoderOutputCache, disable, enable, fits
from tests.tiny import save_encoder

FAMILIES = ("bert", "roberta", "distilbert", "modernbert", "deberta-v2", "electra")


def batch(rows: list[list[int]]) -> dict[str, torch.Tensor]:
    width = max(map(len, rows))
    ids = torch.tensor([row + [0] * (width - len(row)) for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows])
    return {"input_ids": ids, "attention_mask": mask}


def head_only(folder: Path, kind: str) -> torch.nn.Module:
    model = AutoModelForSequenceClassification.from_pretrained(save_encoder(kind, folder / kind), num_labels=3).eval()
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(not name.startswith(model.base_model_prefix + "."))
    return model


@pytest.mark.parametrize("kind", FAMILIES)
def test_outputs_and_gradients_are_those_of_the_encoder(tmp_path: Path, kind: str) -> None:
    model, inputs = head_only(tmp_path, kind), batch([[5, 6, 7, 8], [5, 9]])
    plain = model(**inputs).logits
    plain.sum().backward()
    expected = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
    model.zero_grad()
    cache = enable(model)
    for _ in range(2):  # the second time from the cache
        model.zero_grad()
        logits = model(**inputs).logits
        logits.sum().backward()
        torch.testing.assert_close(logits, plain)
        for name, p in model.named_parameters():
            if name in expected:
                torch.testing.assert_close(p.grad, expected[name])
    assert len(cache) == 2
    disable(model)
    torch.testing.assert_close(model(**inputs).logits, plain)


@pytest.mark.parametrize("kind", ["bert", "modernbert"])
def test_two_models_share_a_cache_and_read_different_tokens(tmp_path: Path, kind: str) -> None:
    tuned, pretrained = head_only(tmp_path / "1", kind), head_only(tmp_path / "2", kind)
    inputs = batch([[5, 6, 7, 8], [5, 9]])
    expected = tuned.base_model(**inputs).last_hidden_state
    cache = enable(tuned)
    tuned(**inputs)
    enable(pretrained, cache, all_tokens=True)
    real = inputs["attention_mask"].bool()
    torch.testing.assert_close(pretrained.base_model(**inputs).last_hidden_state[real], expected[real])
    tokens = 1 if kind == "bert" else 4  # the head of the other reads all tokens
    assert tuned.base_model(**inputs).last_hidden_state.shape[1] == tokens
    assert len(cache) == 2


def test_a_sequence_is_encoded_once_whatever_its_batch(tmp_path: Path) -> None:
    model = head_only(tmp_path, "bert")
    batches: list[int] = []
    model.base_model.register_forward_hook(
        lambda module, args, kwargs, out: batches.append(len(out[0])), with_kwargs=True
    )
    enable(model)
    with torch.inference_mode():
        model(**batch([[5, 6, 7], [8, 9]]))
        first = model(**batch([[8, 9]])).logits
    again = model(**batch([[5, 6, 7, 5], [8, 9]])).logits[1:]
    assert batches == [2, 1]
    torch.testing.assert_close(first, again)
    again.sum().backward()  # states encoded in inference mode take part in training


def test_a_pair_is_not_the_same_tokens_of_one_text(tmp_path: Path) -> None:
    model = head_only(tmp_path, "bert")
    inputs = batch([[5, 6, 7, 8]])
    pair = {**inputs, "token_type_ids": torch.tensor([[0, 0, 1, 1]])}
    alone, paired = model(**inputs).logits, model(**pair).logits
    assert not torch.allclose(alone, paired)
    enable(model)
    for _ in range(2):
        torch.testing.assert_close(model(**inputs).logits, alone)
        torch.testing.assert_close(model(**pair).logits, paired)


def test_what_does_not_fit_is_encoded_again(tmp_path: Path) -> None:
    model = head_only(tmp_path, "bert")
    plain = model(**batch([[5, 6], [7, 8, 9]])).logits
    cache = EncoderOutputCache(model.base_model, max_bytes=2 * model.config.hidden_size * 4)
    enable(model, cache)
    for _ in range(2):
        torch.testing.assert_close(model(**batch([[5, 6], [7, 8, 9]])).logits, plain)
    assert len(cache) == 1


def test_a_large_batch_is_encoded_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.models.speed.encoder_output_cache.MAX_TOKENS", 8)
    model, inputs = head_only(tmp_path, "bert"), batch([[5, 6, 7, 8], [5, 9], [6, 7, 9]])
    plain, batches = model(**inputs).logits, []
    model.base_model.register_forward_hook(
        lambda module, args, kwargs, out: batches.append(len(out[0])), with_kwargs=True
    )
    enable(model)
    torch.testing.assert_close(model(**inputs).logits, plain)
    assert batches == [2, 1]


def test_only_a_frozen_encoder_without_dropout_is_cached(tmp_path: Path) -> None:
    model = head_only(tmp_path, "bert")
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    assert fits(model)
    model.base_model.pooler.dense.weight.requires_grad_(True)
    assert fits(model), "a pooler that is new to the checkpoint is trained above the cached states"
    model.base_model.encoder.layer[0].output.dense.bias.requires_grad_(True)
    assert not fits(model)
    model.requires_grad_(False)
    model.base_model.embeddings.dropout.p = 0.1
    assert not fits(model)
