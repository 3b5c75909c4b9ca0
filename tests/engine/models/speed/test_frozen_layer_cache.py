"""Cached frozen layers return the outputs of the layers themselves, and what is trained above them gets the same gradients.

Run: python -m pytest tests/engine/models/speed/test_frozen_layer_cache.py
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from peft import LoraConfig, TaskType, get_peft_model
from torch import nn
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    PreTrainedModel,
)

from engine.generation.loss import target_loss
from engine.models.generator_methods import linear_layers, upper_layers
from engine.models.load import set_dropout
from engine.models.speed import frozen_layer_cache, last_layer_first_token
from engine.models.speed.frozen_layer_cache import FrozenLayerCache, enable, freeze_below, frozen_layers
from engine.training.memory import bytes_kept
from tests.tiny import FAMILIES
from tests.tiny_generators import DECODERS, save_generator

PAD = 0
ROWS = ([5, 6, 7, 8, 9], [5, 10, 11])


def upper_lora(folder: Path, family: str, layers: int = 1) -> tuple[nn.Module, PreTrainedModel]:
    """A tiny decoder of three layers with LoRA on the last `layers`: PEFT's model, and the one inside."""
    source = save_generator(family, folder / family)
    config = AutoConfig.from_pretrained(source)
    for name, value in config.to_dict().items():
        if "pdrop" in name or "dropout" in name:
            setattr(config, name, 0.0 if isinstance(value, float) else value)
    config.num_hidden_layers = 3
    if hasattr(config, "layer_types"):
        config.layer_types = None
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(type(config).from_dict(config.to_dict()))
    targets = upper_layers(linear_layers(model), layers)
    wrapped = get_peft_model(model, LoraConfig(task_type=TaskType.CAUSAL_LM, target_modules=targets, r=2))
    for name, parameter in wrapped.named_parameters():
        if "lora_B" in name:
            nn.init.normal_(parameter, std=0.1)
    return wrapped, wrapped.get_base_model()


def batch(rows: tuple[list[int], ...] = ROWS) -> dict[str, torch.Tensor]:
    width = max(map(len, rows))
    ids = torch.tensor([row + [PAD] * (width - len(row)) for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows])
    labels = torch.where(mask > 0, ids, -100)
    labels[:, :2] = -100
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}


def loss_and_gradients(model: nn.Module, inputs: dict[str, torch.Tensor]) -> tuple[float, dict[str, torch.Tensor]]:
    model.zero_grad()
    loss = target_loss(model.train(), inputs)
    loss.backward()
    return float(loss.detach()), {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


def computed(model: PreTrainedModel, layer: int) -> list[int]:
    """The number of rows that a layer's attention computes, appended at each call from now on."""
    calls: list[int] = []
    inside = next(iter(layers_of(model)[layer].children()))
    inside.register_forward_hook(lambda module, args, out: calls.append(len(out[0] if isinstance(out, tuple) else out)))
    return calls


def layers_of(model: PreTrainedModel) -> nn.ModuleList:
    return next(module for module in model.modules() if isinstance(module, nn.ModuleList))


@pytest.mark.parametrize("family", DECODERS)
def test_loss_and_gradients_are_those_of_the_whole_model(tmp_path: Path, family: str) -> None:
    wrapped, model = upper_lora(tmp_path, family)
    expected, gradients = loss_and_gradients(wrapped, batch())
    cache = enable(model, PAD)
    assert cache is not None and cache.count == 2
    calls = computed(model, 0)
    for _ in range(2):  # the second time from the cache
        loss, again = loss_and_gradients(wrapped, batch())
        assert loss == pytest.approx(expected, rel=1e-5)
        assert again.keys() == gradients.keys()
        for name, gradient in gradients.items():
            torch.testing.assert_close(again[name], gradient)
    assert calls == [2]
    cache.remove()
    assert loss_and_gradients(wrapped, batch())[0] == pytest.approx(expected, rel=1e-5)
    assert calls == [2, 2]


def test_cached_sequences_are_computed_in_no_batch(tmp_path: Path) -> None:
    wrapped, model = upper_lora(tmp_path, "llama")
    expected, alone = (loss_and_gradients(wrapped, batch(rows))[0] for rows in (ROWS, (ROWS[1],)))
    cache = enable(model, PAD)
    below, above = computed(model, 0), computed(model, 2)
    cache.fill({"input_ids": batch()["input_ids"]})
    assert (below, above) == ([2], [])
    assert loss_and_gradients(wrapped, batch())[0] == pytest.approx(expected, rel=1e-5)
    # The shorter row without the padding that it had beside the longer one.
    assert loss_and_gradients(wrapped, batch((ROWS[1],)))[0] == pytest.approx(alone, rel=1e-5)
    assert (below, above) == ([2], [2, 1])


def test_generation_with_a_kv_cache_computes_all_layers(tmp_path: Path) -> None:
    wrapped, model = upper_lora(tmp_path, "llama")
    inputs = {"input_ids": torch.tensor([ROWS[0]]), "attention_mask": torch.ones(1, 5, dtype=torch.long)}
    plain = wrapped.eval().generate(**inputs, max_new_tokens=6, do_sample=False)
    cache = enable(model, PAD)
    cache.fill({"input_ids": torch.tensor([ROWS[0]])})
    assert torch.equal(wrapped.generate(**inputs, max_new_tokens=6, do_sample=False), plain)


def test_what_does_not_fit_is_computed_again(tmp_path: Path) -> None:
    wrapped, model = upper_lora(tmp_path, "llama")
    expected = loss_and_gradients(wrapped, batch())[0]
    FrozenLayerCache(model, 2, PAD, max_bytes=4 * 32 * len(ROWS[1]))  # room for the shorter row in float32
    calls = computed(model, 0)
    for _ in range(2):
        assert loss_and_gradients(wrapped, batch())[0] == pytest.approx(expected, rel=1e-5)
    loss_and_gradients(wrapped, batch((ROWS[1],)))
    assert calls == [2, 2]


def test_only_layers_below_all_that_is_trained_are_frozen(tmp_path: Path) -> None:
    assert frozen_layers(upper_lora(tmp_path, "llama", layers=2)[1]) == 1
    assert frozen_layers(upper_lora(tmp_path, "llama", layers=3)[1]) == 0
    model = upper_lora(tmp_path, "llama")[1]
    model.get_input_embeddings().weight.requires_grad_(True)
    assert frozen_layers(model) == 0
    model.requires_grad_(False)
    assert enable(model, PAD) is None


def test_dropout_below_forbids_it_and_dropout_above_does_not(tmp_path: Path) -> None:
    model = upper_lora(tmp_path, "gpt2")[1]
    layers_of(model)[2].mlp.dropout.p = 0.1
    assert frozen_layers(model) == 2
    layers_of(model)[0].mlp.dropout.p = 0.1
    assert frozen_layers(model) == 0
    model = upper_lora(tmp_path, "llama")[1]
    model.config.attention_dropout = 0.1
    assert frozen_layers(model) == 0


def test_bypassed_layers_do_not_change_what_is_kept_for_the_backward_pass(tmp_path):
    wrapped, model = upper_lora(tmp_path, "llama")

    def forward() -> torch.Tensor:
        return target_loss(wrapped.train(), batch())

    expected = bytes_kept(wrapped, forward)
    cache = enable(model, PAD)
    calls = computed(model, 0)
    with cache.bypass():
        assert bytes_kept(wrapped, forward) == expected
    assert not calls
    forward()
    assert calls


def encoder(family: str, head: type = AutoModelForTokenClassification) -> PreTrainedModel:
    """A tiny encoder of three layers whose first two are frozen."""
    torch.manual_seed(0)
    config = FAMILIES[family](30)
    set_dropout(config, 0.0)
    config.num_hidden_layers = 3
    if hasattr(config, "layer_types"):
        config.layer_types = ["full_attention"] * 3
    model = head.from_config(config).train()
    freeze_below(model, 2)
    return model


def inputs_of(rows: tuple[list[int], ...] = ROWS) -> dict[str, torch.Tensor]:
    return {name: tensor for name, tensor in batch(rows).items() if name != "labels"}


def logits_and_gradients(model: PreTrainedModel, inputs: dict[str, torch.Tensor]) -> tuple[torch.Tensor, dict]:
    model.zero_grad()
    logits = model(**inputs).logits
    real = logits[inputs["attention_mask"].bool()] if logits.ndim == 3 else logits
    real.square().sum().backward()
    return real.detach(), {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


def check_as_expected(results: tuple[torch.Tensor, dict], expected: tuple[torch.Tensor, dict]) -> None:
    torch.testing.assert_close(results[0], expected[0])
    assert results[1].keys() == expected[1].keys()
    for name, gradient in results[1].items():
        torch.testing.assert_close(gradient, expected[1][name], rtol=1e-4, atol=1e-6, msg=name)


@pytest.mark.parametrize("family", sorted(FAMILIES.keys() - {"albert"}))
def test_logits_and_gradients_above_frozen_layers_are_the_same(family: str) -> None:
    model = encoder(family)
    expected = logits_and_gradients(model, inputs_of())
    alone = logits_and_gradients(model, inputs_of((ROWS[1],)))
    cache = enable(model, PAD)
    assert cache is not None and cache.count == 2
    calls = computed(model, 0)
    cache.fill(inputs_of())
    for _ in range(2):
        check_as_expected(logits_and_gradients(model, inputs_of()), expected)
    check_as_expected(logits_and_gradients(model, inputs_of((ROWS[1],))), alone)
    assert len(calls) == 1
    cache.remove()
    check_as_expected(logits_and_gradients(model, inputs_of()), expected)
    assert len(calls) == 2


def test_pairs_of_texts_differ_by_their_types() -> None:
    model = encoder("bert")
    inputs = inputs_of((ROWS[0],))
    kinds = [{**inputs, "token_type_ids": torch.tensor([types])} for types in ([0, 0, 0, 1, 1], [0, 1, 1, 1, 1])]
    expected = [logits_and_gradients(model, kind) for kind in kinds]
    cache = enable(model, PAD)
    for kind in kinds:
        cache.fill(kind)
    calls = computed(model, 0)
    for kind, result in zip(kinds, expected, strict=True):
        check_as_expected(logits_and_gradients(model, kind), result)
    assert not calls


def test_a_padding_token_within_a_text_is_part_of_it() -> None:
    model = encoder("bert")
    inputs = inputs_of(([5, 6, PAD], [5, 6]))
    expected = logits_and_gradients(model, inputs)
    enable(model, PAD).fill(inputs)
    check_as_expected(logits_and_gradients(model, inputs), expected)


def test_it_goes_with_a_last_layer_of_first_tokens() -> None:
    model = encoder("bert", AutoModelForSequenceClassification)
    last_layer_first_token.enable(model)
    expected = logits_and_gradients(model, inputs_of())
    cache = enable(model, PAD)
    cache.fill(inputs_of())
    calls = computed(model, 0)
    check_as_expected(logits_and_gradients(model, inputs_of()), expected)
    assert not calls


@pytest.mark.parametrize("family", sorted(FAMILIES.keys() - {"albert"}))
def test_parameters_below_frozen_layers_are_frozen_and_those_above_are_not(family: str) -> None:
    model = encoder(family, AutoModelForSequenceClassification)
    layers = [[p.requires_grad for p in layer.parameters()] for layer in frozen_layer_cache.layers_of(model)]
    assert [set(layer) for layer in layers] == [{False}, {False}, {True}]
    assert not model.get_input_embeddings().weight.requires_grad
    outside = {name for name, p in model.named_parameters() if not name.startswith(model.base_model_prefix + ".")}
    assert outside and all(model.get_parameter(name).requires_grad for name in outside)
    assert frozen_layers(model) == 2


def test_layers_that_share_weights_are_no_list_of_layers() -> None:
    torch.manual_seed(0)
    model = AutoModelForTokenClassification.from_config(FAMILIES["albert"](30))
    assert frozen_layer_cache.layers_of(model) is None
