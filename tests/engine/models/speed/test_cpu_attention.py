"""CPU attention computes the outputs and gradients of plain attention, for encoders and decoders.

Run: python -m pytest tests/engine/models/speed/test_cpu_attention.py
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
from engine.models.speed.cpu_attention import DECODERS, ENCODERS, NAME, enable, fits
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
DECODER_CONFIGS = {
    "llama": LlamaConfig(**GROUPED),
    "mistral": MistralConfig(**GROUPED, sliding_window=5),
    "qwen2": Qwen2Config(**GROUPED),
    "qwen3": Qwen3Config(**GROUPED),
    "smollm3": SmolLM3Config(**GROUPED),
}
LENGTHS = (19, 6, 1)  # more than MIN_KEYS keys, and fewer


def encoder(kind: str, attention: str = "eager") -> torch.nn.Module:
    torch.manual_seed(0)
    config = KINDS[kind](30)
    set_dropout(config, 0.0)
    return AutoModelForTokenClassification.from_config(config, attn_implementation=attention)


def decoder(kind: str) -> torch.nn.Module:
    torch.manual_seed(0)
    # A copy of the configuration, which holds the attention implementation.
    return AutoModelForCausalLM.from_config(deepcopy(DECODER_CONFIGS[kind]))


def batch(lengths: tuple[int, ...] = LENGTHS) -> dict[str, torch.Tensor]:
    torch.manual_seed(1)
    mask = (torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]).long()
    return {"input_ids": torch.randint(5, 30, mask.shape) * mask, "attention_mask": mask}


def check_same(plain: torch.nn.Module, fast: torch.nn.Module, inputs: dict[str, torch.Tensor]) -> None:
    """The same logits of real tokens and the same gradients."""
    enable(fast)
    assert plain.config._attn_implementation != NAME == fast.config._attn_implementation
    real = inputs["attention_mask"].bool()
    outputs = [model.train()(**inputs).logits[real] for model in (plain, fast)]
    torch.testing.assert_close(outputs[1], outputs[0])
    for logits in outputs:
        logits.square().sum().backward()
    expected = {name: value.grad for name, value in plain.named_parameters()}
    for name, value in fast.named_parameters():
        torch.testing.assert_close(value.grad, expected[name], rtol=1e-4, atol=1e-5, msg=name)


@pytest.mark.parametrize("lengths", [LENGTHS, (7, 3)])
@pytest.mark.parametrize("kind", ENCODERS)
def test_outputs_and_gradients_of_an_encoder_are_the_same(kind, lengths):
    check_same(encoder(kind), encoder(kind), batch(lengths))


@pytest.mark.parametrize("lengths", [LENGTHS, (19, 19)])
@pytest.mark.parametrize("kind", DECODERS)
def test_outputs_and_gradients_of_a_decoder_are_the_same(kind, lengths, monkeypatch):
    monkeypatch.setattr(cpu_attention, "QUERY_BLOCK", 8)  # several blocks of a text add to the same keys
    check_same(decoder(kind), decoder(kind), batch(lengths))


def test_blocks_of_a_batch_are_combined_in_order(monkeypatch):
    monkeypatch.setattr(cpu_attention, "MAX_SCORES", 1)  # each text alone
    check_same(encoder("bert"), encoder("bert"), batch())


def test_keys_after_a_query_are_not_computed():
    blocks = list(cpu_attention._blocks(batch=2, heads=4, queries=300, keys=300, causal=True))
    assert [(block.queries.start, block.queries.stop, block.keys) for block in blocks] == [
        (0, 128, 128),
        (128, 256, 256),
        (256, 300, 300),
    ]
    assert {(block.texts.start, block.texts.stop) for block in blocks} == {(0, 2)}


@pytest.mark.parametrize("lengths", [(40, 33), (12, 5)])
def test_bf16_is_as_accurate_as_plain_attention(lengths):
    inputs = batch(lengths)
    real = inputs["attention_mask"].bool()
    exact = encoder("bert")(**inputs).logits[real]
    errors = {}
    for name in ("eager", NAME):
        model = encoder("bert")
        model.set_attn_implementation(name)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = model(**inputs).logits[real]
        logits.float().square().sum().backward()
        errors[name] = float((logits.float() - exact).detach().abs().mean())
        assert torch.isfinite(model.bert.encoder.layer[0].attention.self.key.weight.grad).all()
    assert errors[NAME] < 1.5 * errors["eager"]


def test_no_more_is_kept_for_the_backward_pass():
    inputs = batch((64,) * 4)
    kept = {}
    for name in ("eager", NAME):
        model = encoder("bert", name)

        def forward(model=model):
            with torch.autocast("cpu", dtype=torch.bfloat16):
                return model(**inputs).logits.float().square().sum()

        kept[name] = bytes_kept(model, forward)
    assert kept[NAME] <= kept["eager"]


def test_layers_can_be_recomputed_in_the_backward_pass():
    plain, fast = encoder("bert"), encoder("bert", NAME)
    checkpoint_activations(fast)
    for model in (plain, fast.train()):
        model(**batch()).logits[batch()["attention_mask"].bool()].square().sum().backward()
    name = "bert.encoder.layer.0.attention.self.query.weight"
    torch.testing.assert_close(fast.get_parameter(name).grad, plain.get_parameter(name).grad, rtol=1e-4, atol=1e-5)


def test_tokens_after_a_prompt_are_left_to_the_fused_kernel(monkeypatch):
    calls = []
    real = cpu_attention.sdpa_attention_forward
    monkeypatch.setattr(cpu_attention, "sdpa_attention_forward", lambda *a, **o: calls.append(1) or real(*a, **o))
    fused, fast = decoder("llama").eval(), decoder("llama").eval()
    enable(fast)
    ids = batch()["input_ids"][:1]
    with torch.inference_mode():
        tokens = fast.generate(ids, max_new_tokens=5, do_sample=False)
        torch.testing.assert_close(tokens, fused.generate(ids, max_new_tokens=5, do_sample=False))
    # Two layers, for every token but the first, which comes from the prompt's forward pass.
    assert len(calls) == 2 * (tokens.shape[1] - ids.shape[1] - 1) > 0


def test_it_is_not_saved_with_the_model(tmp_path):
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
def test_where_it_fits(kind, attention, device, dropout, expected):
    config = KINDS[kind](30)
    set_dropout(config, dropout)
    model = AutoModelForTokenClassification.from_config(config, attn_implementation=attention)
    assert fits(model, Device(device, torch.bfloat16, Text("", ""))) is expected


def test_it_fits_decoders_whatever_their_attention():
    assert fits(decoder("llama"), CPU)
