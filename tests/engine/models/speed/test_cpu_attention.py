"""Attention that passes rarely over its scores: the numbers and gradients of plain attention, for encoders and decoders.

Run: python -m pytest tests/engine/models/test_few_passes.py
"""

from __future__ import annotations

from copy import deepcopy

import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    AutoModelForTokenClassification,
    CamembertConfig,
    LlamaConfig,
    MistralConfig,
    Qwen2Config,
    Qwen3Config,
    SmolLM3Config,
)

from engine.core.text import Text
from engine.models.adapters import checkpoint_activations
from engine.models.device import Device
from engine.models.load import set_dropout
from engine.models.speed import cpu_attention
from engine.models.speed.cpu_attention import DECODERS, ENCODERS, NAME, fits, use
from engine.training.memory import bytes_kept
from tests.tiny import FAMILIES, IDS, SIZE

CPU = Device("cpu", torch.float32, Text("", ""))
KINDS = {**FAMILIES, "camembert": lambda n: CamembertConfig(vocab_size=n, **SIZE, **IDS)}
GROUPED = {
    "vocab_size": 30,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "pad_token_id": 0,
}
WRITERS = {
    "llama": LlamaConfig(**GROUPED),
    "mistral": MistralConfig(**GROUPED, sliding_window=5),
    "qwen2": Qwen2Config(**GROUPED),
    "qwen3": Qwen3Config(**GROUPED),
    "smollm3": SmolLM3Config(**GROUPED),
}
LENGTHS = (19, 6, 1)  # more keys than a vector holds, and fewer


def encoder(kind: str, attention: str = "eager") -> torch.nn.Module:
    torch.manual_seed(0)
    config = KINDS[kind](30)
    set_dropout(config, 0.0)
    return AutoModelForTokenClassification.from_config(config, attn_implementation=attention)


def decoder(kind: str) -> torch.nn.Module:
    torch.manual_seed(0)
    # A configuration of its own: it holds how the model attends.
    return AutoModelForCausalLM.from_config(deepcopy(WRITERS[kind]))


def batch(lengths: tuple[int, ...] = LENGTHS) -> dict[str, torch.Tensor]:
    torch.manual_seed(1)
    mask = (torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]).long()
    return {"input_ids": torch.randint(5, 30, mask.shape) * mask, "attention_mask": mask}


def check_same(plain: torch.nn.Module, rare: torch.nn.Module, given: dict[str, torch.Tensor]) -> None:
    """The same logits of real tokens and the same gradients."""
    use(rare)
    assert plain.config._attn_implementation != NAME == rare.config._attn_implementation
    real = given["attention_mask"].bool()
    said = [model.train()(**given).logits[real] for model in (plain, rare)]
    torch.testing.assert_close(said[1], said[0])
    for logits in said:
        logits.square().sum().backward()
    expected = {name: value.grad for name, value in plain.named_parameters()}
    for name, value in rare.named_parameters():
        torch.testing.assert_close(value.grad, expected[name], rtol=1e-4, atol=1e-5, msg=name)


@pytest.mark.parametrize("lengths", [LENGTHS, (7, 3)])
@pytest.mark.parametrize("kind", ENCODERS)
def test_an_encoder_says_and_learns_the_same(kind, lengths):
    check_same(encoder(kind), encoder(kind), batch(lengths))


@pytest.mark.parametrize("lengths", [LENGTHS, (19, 19)])
@pytest.mark.parametrize("kind", DECODERS)
def test_a_decoder_says_and_learns_the_same(kind, lengths, monkeypatch):
    monkeypatch.setattr(cpu_attention, "QUERIES", 8)  # so that several parts of a text add to the same keys
    check_same(decoder(kind), decoder(kind), batch(lengths))


def test_parts_of_a_batch_are_put_together_in_order(monkeypatch):
    monkeypatch.setattr(cpu_attention, "AT_ONCE", 1)  # every text for itself
    check_same(encoder("bert"), encoder("bert"), batch())


def test_keys_after_a_query_are_not_computed():
    parts = list(cpu_attention._parts(batch=2, heads=4, queries=300, keys=300, causal=True))
    assert [(part.queries.start, part.queries.stop, part.keys) for part in parts] == [
        (0, 128, 128),
        (128, 256, 256),
        (256, 300, 300),
    ]
    assert {(part.texts.start, part.texts.stop) for part in parts} == {(0, 2)}


@pytest.mark.parametrize("lengths", [(40, 33), (12, 5)])
def test_bf16_is_as_near_to_float32_as_plain_attention_is(lengths):
    given = batch(lengths)
    real = given["attention_mask"].bool()
    exact = encoder("bert")(**given).logits[real]
    errors = {}
    for name in ("eager", NAME):
        model = encoder("bert")
        model.set_attn_implementation(name)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = model(**given).logits[real]
        logits.float().square().sum().backward()
        errors[name] = float((logits.float() - exact).detach().abs().mean())
        assert torch.isfinite(model.bert.encoder.layer[0].attention.self.key.weight.grad).all()
    assert errors[NAME] < 1.5 * errors["eager"]


def test_no_more_is_kept_for_the_backward_pass():
    given = batch((64,) * 4)
    kept = {}
    for name in ("eager", NAME):
        model = encoder("bert", name)

        def forward(model=model):
            with torch.autocast("cpu", dtype=torch.bfloat16):
                return model(**given).logits.float().square().sum()

        kept[name] = bytes_kept(model, forward)
    assert kept[NAME] <= kept["eager"]


def test_layers_can_be_recomputed_in_the_backward_pass():
    plain, rare = encoder("bert"), encoder("bert", NAME)
    checkpoint_activations(rare)
    for model in (plain, rare.train()):
        model(**batch()).logits[batch()["attention_mask"].bool()].square().sum().backward()
    name = "bert.encoder.layer.0.attention.self.query.weight"
    torch.testing.assert_close(rare.get_parameter(name).grad, plain.get_parameter(name).grad, rtol=1e-4, atol=1e-5)


def test_tokens_after_a_prompt_are_left_to_the_fused_kernel(monkeypatch):
    asked = []
    real = cpu_attention.sdpa_attention_forward
    monkeypatch.setattr(cpu_attention, "sdpa_attention_forward", lambda *a, **o: asked.append(1) or real(*a, **o))
    fused, rare = decoder("llama").eval(), decoder("llama").eval()
    use(rare)
    ids = batch()["input_ids"][:1]
    with torch.inference_mode():
        written = rare.generate(ids, max_new_tokens=5, do_sample=False)
        torch.testing.assert_close(written, fused.generate(ids, max_new_tokens=5, do_sample=False))
    # Two layers, for every token but the first, which the prompt's own pass gives.
    assert len(asked) == 2 * (written.shape[1] - ids.shape[1] - 1) > 0


def test_a_saved_model_knows_nothing_of_it(tmp_path):
    model = encoder("bert", NAME)
    model.save_pretrained(tmp_path)
    assert AutoModelForTokenClassification.from_pretrained(tmp_path).config._attn_implementation != NAME


@pytest.mark.parametrize(
    ("kind", "attention", "device", "dropout", "expected"),
    [
        ("bert", "eager", "cpu", 0.0, True),
        ("bert", "sdpa", "cpu", 0.0, False),  # long texts in float32
        ("bert", "eager", "cuda", 0.0, False),
        ("bert", "eager", "cpu", 0.1, False),
        ("distilbert", "eager", "cpu", 0.1, False),
        ("deberta-v2", "eager", "cpu", 0.0, False),
        ("modernbert", "eager", "cpu", 0.0, False),
    ],
)
def test_who_attends_so(kind, attention, device, dropout, expected):
    config = KINDS[kind](30)
    set_dropout(config, dropout)
    model = AutoModelForTokenClassification.from_config(config, attn_implementation=attention)
    assert fits(model, Device(device, torch.bfloat16, Text("", ""))) is expected


def test_decoders_attend_so_whatever_they_came_with():
    assert fits(decoder("llama"), CPU)
