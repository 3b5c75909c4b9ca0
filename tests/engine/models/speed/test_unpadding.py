"""Unpadded layers compute the outputs and gradients of padded ones, family by family; the call of the GPU's kernels.

Run: python -m pytest tests/engine/models/speed/test_unpadding.py
"""

from __future__ import annotations

import pytest
import torch
from transformers import (
    AutoModelForQuestionAnswering,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    CamembertConfig,
)

from engine.config import RunConfig
from engine.core.settings import Settings
from engine.core.text import Text
from engine.models.adapters import checkpoint_activations
from engine.models.device import Device
from engine.models.load import set_dropout
from engine.models.speed.unpadding import NAME, STACKS, Packing, _varlen, enable, fits
from engine.report.files import load_report
from engine.run_directory.store import Store
from engine.training.context import RunContext
from engine.training.events import EventLog
from engine.training.pipeline import run_pipeline
from tests.tiny import FAMILIES, IDS, SIZE

CONFIGS = {**FAMILIES, "camembert": lambda n: CamembertConfig(vocab_size=n, **SIZE, **IDS)}
KINDS = sorted(STACKS)
HEADS = (AutoModelForSequenceClassification, AutoModelForTokenClassification, AutoModelForQuestionAnswering)
MASK = torch.tensor([[1] * 7, [1] * 3 + [0] * 4, [1] + [0] * 6])


def model_of(kind, head=AutoModelForTokenClassification, attention="eager"):
    torch.manual_seed(0)
    config = CONFIGS[kind](30)
    set_dropout(config, 0.0)
    return head.from_config(config, attn_implementation=attention)


def batch():
    torch.manual_seed(1)
    return {"input_ids": torch.randint(5, 30, MASK.shape) * MASK, "attention_mask": MASK}


def outputs_of(model):
    outputs = model(**batch())
    tensors = [outputs.logits] if "logits" in outputs else [outputs.start_logits, outputs.end_logits]
    return [tensor[MASK.bool()] if tensor.shape[:2] == MASK.shape else tensor for tensor in tensors]


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("kind", KINDS)
def test_logits_and_gradients_are_those_of_padded_batches(kind, head):
    padded, packed = model_of(kind, head), model_of(kind, head)
    enable(packed)
    assert packed.config._attn_implementation == NAME
    for expected, output in zip(outputs_of(padded), outputs_of(packed), strict=True):
        torch.testing.assert_close(output, expected)
    for model in (padded, packed):
        sum(tensor.square().sum() for tensor in outputs_of(model)).backward()
    expected = {name: value.grad for name, value in padded.named_parameters()}
    assert expected.keys() == {name for name, _ in packed.named_parameters()}, "parameters keep their names"
    for name, value in packed.named_parameters():
        torch.testing.assert_close(value.grad, expected[name], msg=name)


def test_texts_without_padding_need_no_mask():
    padded, packed = model_of("bert"), model_of("bert")
    enable(packed)
    ids = torch.randint(5, 30, (2, 6))
    torch.testing.assert_close(packed(ids).logits, padded(ids).logits)


def test_layers_can_be_recomputed_in_the_backward_pass():
    padded, packed = model_of("bert"), model_of("bert")
    enable(packed)
    checkpoint_activations(packed)
    for model in (padded, packed.train()):
        outputs_of(model)[0].square().sum().backward()
    name = "bert.encoder.layer.0.attention.self.query.weight"
    torch.testing.assert_close(packed.get_parameter(name).grad, padded.get_parameter(name).grad)


def test_it_is_not_saved_with_the_model(tmp_path):
    packed = model_of("bert")
    enable(packed)
    packed.save_pretrained(tmp_path)
    again = AutoModelForTokenClassification.from_pretrained(tmp_path)
    assert again.config._attn_implementation != NAME
    torch.testing.assert_close(
        again.eval()(**batch()).logits[MASK.bool()], packed.eval()(**batch()).logits[MASK.bool()]
    )


def test_a_packed_row_holds_the_tokens_in_order():
    packing = Packing.of(MASK)
    assert packing.offsets.tolist() == [0, 7, 10, 11] and packing.offsets.dtype == torch.int32
    padded = torch.arange(21.0).view(3, 7, 1)
    packed = packing.packed(padded)
    assert packed[0, :, 0].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 14]
    assert torch.equal(packing.padded(packed), padded * MASK[..., None])


def test_the_kernel_of_a_gpu_accepts_the_call():
    """Shapes and dtypes alone, which PyTorch checks without a GPU."""
    packing = Packing(torch.arange(11, device="meta"), torch.zeros(4, dtype=torch.int32, device="meta"), (3, 7))
    tensors = [torch.empty(11, 2, 16, dtype=torch.bfloat16, device="meta") for _ in range(3)]
    output = _varlen(*tensors, packing, 0.25)
    assert output.shape == (11, 2, 16) and output.dtype == torch.bfloat16
    one_query_each = _varlen(tensors[0][:3], *tensors[1:], packing, 0.25)
    assert one_query_each.shape == (3, 2, 16)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("kind", KINDS)
def test_the_kernel_of_a_gpu_agrees_with_padded_attention(kind):
    padded, packed = model_of(kind, attention="sdpa").to("cuda"), model_of(kind).to("cuda")
    if not fits(packed, Device("cuda", torch.bfloat16, Text("", ""))):
        pytest.skip("needs a GPU of compute capability 8.0 or more")
    enable(packed)
    inputs = {name: tensor.to("cuda") for name, tensor in batch().items()}
    results = []
    for model in (padded, packed):
        with torch.autocast("cuda", dtype=torch.bfloat16):
            logits = model(**inputs).logits[MASK.bool().to("cuda")]
        logits.float().square().sum().backward()
        results.append((logits.float(), model.get_input_embeddings().weight.grad))
    for expected, other in zip(*results, strict=True):
        torch.testing.assert_close(other, expected, rtol=0.05, atol=0.02)


@pytest.mark.parametrize(
    ("kind", "device", "dtype", "dropout", "capability", "expected"),
    [
        ("bert", "cuda", torch.bfloat16, 0.0, (9, 0), True),
        ("bert", "cuda", torch.float16, 0.0, (7, 5), False),
        ("bert", "cuda", torch.float32, 0.0, (9, 0), False),
        ("bert", "cuda", torch.bfloat16, 0.1, (9, 0), False),
        ("bert", "cpu", torch.bfloat16, 0.0, (9, 0), False),
        ("deberta-v2", "cuda", torch.bfloat16, 0.0, (9, 0), False),
    ],
)
def test_where_it_fits(monkeypatch, kind, device, dtype, dropout, capability, expected):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: capability)
    model = model_of(kind)
    set_dropout(model.config, dropout)
    assert fits(model, Device(device, dtype, Text("", ""))) is expected


@pytest.mark.training
def test_a_run_scores_the_same_without_padding(tiny_bert, sentences, runs_dir, monkeypatch):
    """As on a GPU that has the kernel, with the loop over texts in its place."""
    scores = []
    for unpadded in (False, True):
        monkeypatch.setattr("engine.models.speed.unpadding.fits", lambda model, device, there=unpadded: there)
        run = Store(runs_dir).create(
            RunConfig.from_dict(
                {
                    "data": {"train": str(sentences)},
                    "model": {"id": str(tiny_bert)},
                    "training": {"epochs": 10, "learning_rate": 3e-3, "batch_size": 16, "precision": "fp32"},
                    "evaluation": {"bootstrap_samples": 100},
                }
            )
        )
        run_pipeline(RunContext(run, EventLog(run.path("events.jsonl")), Settings.from_env(runs_dir=runs_dir)))
        report = load_report(run.path("report"))
        scores.append((report["test"]["accuracy"], report["run"]["means"]["en"]))
    (padded, _), (packed, means) = scores
    assert packed == pytest.approx(padded, abs=0.03) and packed >= 0.85
    assert "packed 15.7 texts a row, variable-length attention" in means
