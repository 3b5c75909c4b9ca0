"""A frozen encoder that reads once answers like one that reads every time, and never stands in the way of what is trained."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForSequenceClassification

from engine.models.speed.encoder_output_cache import Memory, can_remember, forget, remember
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
def test_answers_and_gradients_are_the_encoders_own(tmp_path: Path, kind: str) -> None:
    model, asked = head_only(tmp_path, kind), batch([[5, 6, 7, 8], [5, 9]])
    plain = model(**asked).logits
    plain.sum().backward()
    expected = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
    model.zero_grad()
    memory = remember(model)
    for _ in range(2):  # the second time from memory
        model.zero_grad()
        said = model(**asked).logits
        said.sum().backward()
        torch.testing.assert_close(said, plain)
        for name, p in model.named_parameters():
            if name in expected:
                torch.testing.assert_close(p.grad, expected[name])
    assert len(memory) == 2
    forget(model)
    torch.testing.assert_close(model(**asked).logits, plain)


@pytest.mark.parametrize("kind", ["bert", "modernbert"])
def test_two_models_share_what_was_read_and_see_what_each_looks_at(tmp_path: Path, kind: str) -> None:
    tuned, untuned = head_only(tmp_path / "1", kind), head_only(tmp_path / "2", kind)
    asked = batch([[5, 6, 7, 8], [5, 9]])
    expected = tuned.base_model(**asked).last_hidden_state
    memory = remember(tuned)
    tuned(**asked)
    remember(untuned, memory, whole=True)
    real = asked["attention_mask"].bool()
    torch.testing.assert_close(untuned.base_model(**asked).last_hidden_state[real], expected[real])
    seen = 1 if kind == "bert" else 4  # the head of the other looks at all tokens
    assert tuned.base_model(**asked).last_hidden_state.shape[1] == seen
    assert len(memory) == 2


def test_every_sequence_is_read_once_whatever_batch_it_comes_in(tmp_path: Path) -> None:
    model = head_only(tmp_path, "bert")
    read: list[int] = []
    model.base_model.register_forward_hook(lambda module, args, kwargs, out: read.append(len(out[0])), with_kwargs=True)
    remember(model)
    with torch.inference_mode():
        model(**batch([[5, 6, 7], [8, 9]]))
        first = model(**batch([[8, 9]])).logits
    again = model(**batch([[5, 6, 7, 5], [8, 9]])).logits[1:]
    assert read == [2, 1]
    torch.testing.assert_close(first, again)
    again.sum().backward()  # what was read in inference mode takes part in training


def test_pairs_are_told_from_the_same_tokens_of_one_text(tmp_path: Path) -> None:
    model = head_only(tmp_path, "bert")
    asked = batch([[5, 6, 7, 8]])
    pair = {**asked, "token_type_ids": torch.tensor([[0, 0, 1, 1]])}
    alone, paired = model(**asked).logits, model(**pair).logits
    assert not torch.allclose(alone, paired)
    remember(model)
    for _ in range(2):
        torch.testing.assert_close(model(**asked).logits, alone)
        torch.testing.assert_close(model(**pair).logits, paired)


def test_what_does_not_fit_is_read_again(tmp_path: Path) -> None:
    model = head_only(tmp_path, "bert")
    plain = model(**batch([[5, 6], [7, 8, 9]])).logits
    memory = Memory(model.base_model, most_bytes=2 * model.config.hidden_size * 4)
    remember(model, memory)
    for _ in range(2):
        torch.testing.assert_close(model(**batch([[5, 6], [7, 8, 9]])).logits, plain)
    assert len(memory) == 1


def test_a_large_batch_is_read_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.models.speed.encoder_output_cache.TOKENS_AT_ONCE", 8)
    model, asked = head_only(tmp_path, "bert"), batch([[5, 6, 7, 8], [5, 9], [6, 7, 9]])
    plain, read = model(**asked).logits, []
    model.base_model.register_forward_hook(lambda module, args, kwargs, out: read.append(len(out[0])), with_kwargs=True)
    remember(model)
    torch.testing.assert_close(model(**asked).logits, plain)
    assert read == [2, 1]


def test_only_a_frozen_encoder_that_drops_nothing_is_remembered(tmp_path: Path) -> None:
    model = head_only(tmp_path, "bert")
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    assert can_remember(model)
    model.base_model.pooler.dense.weight.requires_grad_(True)
    assert can_remember(model), "a pooler that is new to the checkpoint is learned above what is remembered"
    model.base_model.encoder.layer[0].output.dense.bias.requires_grad_(True)
    assert not can_remember(model)
    model.requires_grad_(False)
    model.base_model.embeddings.dropout.p = 0.1
    assert not can_remember(model)
