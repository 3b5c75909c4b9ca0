"""A last layer that computes the first token alone: logits and gradients of the classifier are the same.

Run: python -m pytest tests/engine/models/speed/test_last_layer_first_token.py
"""

from __future__ import annotations

from copy import deepcopy

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch import nn
from transformers import AutoModelForSequenceClassification, AutoModelForTokenClassification, CamembertConfig

from engine.config import RunConfig
from engine.core.settings import Settings
from engine.models.adapters import checkpoint_activations
from engine.models.load import set_dropout
from engine.models.speed import cpu_attention, last_layer_first_token, unpadding
from engine.models.speed.unpadding import STACKS
from engine.report.files import load_report
from engine.run_directory.store import Store
from engine.training.context import RunContext
from engine.training.events import EventLog
from engine.training.pipeline import run_pipeline
from tests.tiny import FAMILIES, IDS, SIZE

CONFIGS = {**FAMILIES, "camembert": lambda n: CamembertConfig(vocab_size=n, **SIZE, **IDS)}
LENGTHS = torch.tensor([19, 6, 1])  # more keys than cpu_attention.MIN_KEYS, and fewer
ATTENTION = {
    "eager": lambda model: None,
    "sdpa": lambda model: model.set_attn_implementation("sdpa"),
    "cpu": cpu_attention.enable,
    "unpadded": unpadding.enable,
}


def classifier(kind: str, head: type = AutoModelForSequenceClassification) -> nn.Module:
    torch.manual_seed(0)
    config = CONFIGS[kind](30)
    set_dropout(config, 0.0)
    config.num_labels = 4
    return head.from_config(config, attn_implementation="eager").train()


def batch() -> dict[str, torch.Tensor]:
    torch.manual_seed(1)
    mask = (torch.arange(int(LENGTHS.max())) < LENGTHS[:, None]).long()
    return {"input_ids": torch.randint(5, 30, mask.shape) * mask, "attention_mask": mask}


def gradients(model: nn.Module) -> dict[str, torch.Tensor]:
    model(**batch()).logits.square().sum().backward()
    return {name: value.grad for name, value in model.named_parameters() if value.grad is not None}


def check_same(whole: nn.Module, first: nn.Module) -> None:
    torch.testing.assert_close(first(**batch()).logits, whole(**batch()).logits)
    expected, grads = gradients(whole), gradients(first)
    assert grads.keys() == expected.keys(), "parameters keep their names"
    for name, gradient in grads.items():
        torch.testing.assert_close(gradient, expected[name], rtol=1e-4, atol=1e-5, msg=name)


@pytest.mark.parametrize("attention", ATTENTION)
@pytest.mark.parametrize("kind", sorted(STACKS))
def test_logits_and_gradients_are_the_same(kind, attention):
    whole, first = classifier(kind), classifier(kind)
    ATTENTION[attention](first)
    assert last_layer_first_token.fits(first)
    last_layer_first_token.enable(first)
    check_same(whole, first)


@pytest.mark.parametrize("kind", ["bert", "distilbert"])
def test_the_last_layer_computes_one_token_a_text(kind):
    model = classifier(kind)
    last_layer_first_token.enable(model)
    shapes = {}
    stack = getattr(model.base_model, STACKS[kind])
    for name, module in stack.named_modules():
        if isinstance(module, nn.Linear):
            module.register_forward_hook(lambda _, args, output, name=name: shapes.update({name: args[0].shape[1]}))
    model(**batch())
    last = f"layer.{len(stack.layer) - 1}."
    of_all = {name for name, tokens in shapes.items() if name.startswith(last) and tokens == LENGTHS.max()}
    assert {name.rpartition(".")[2] for name in of_all} <= {"key", "value", "k_lin", "v_lin"} and len(of_all) == 2
    rest = {tokens for name, tokens in shapes.items() if name.startswith(last) and name not in of_all}
    assert rest == {1}
    assert {tokens for name, tokens in shapes.items() if not name.startswith(last)} == {int(LENGTHS.max())}


def test_only_classifiers_whose_head_reads_the_first_token():
    assert not last_layer_first_token.fits(classifier("bert", AutoModelForTokenClassification))
    assert not last_layer_first_token.fits(classifier("deberta-v2"))
    config = CONFIGS["bert"](30)
    config.is_decoder = True
    assert not last_layer_first_token.fits(AutoModelForSequenceClassification.from_config(config))


def test_attention_dropout_applies_in_training_alone():
    model = classifier("bert")
    last_layer_first_token.enable(model)
    model.bert.encoder.layer[-1].attention.self.dropout.p = 0.5
    inputs = batch()
    assert not torch.equal(*(model(**inputs).logits for _ in range(2)))
    model.eval()
    assert torch.equal(*(model(**inputs).logits for _ in range(2)))


def test_layers_can_be_recomputed_in_the_backward_pass():
    whole, first = classifier("bert"), classifier("bert")
    last_layer_first_token.enable(first)
    checkpoint_activations(first)
    check_same(whole, first)


def test_a_copy_computes_with_its_own_weights():
    model = classifier("bert")
    last_layer_first_token.enable(model)
    copy = deepcopy(model)
    with torch.no_grad():
        for parameter in model.bert.encoder.layer[-1].parameters():
            parameter.zero_()
    check_same(classifier("bert"), copy)


def test_lora_can_be_added_and_merged():
    whole, first = classifier("bert"), classifier("bert")
    last_layer_first_token.enable(first)
    adapted = []
    for model in (whole, first):
        torch.manual_seed(2)
        targets = ["query", "key", "value", "dense"]
        adapted.append(get_peft_model(model, LoraConfig(r=2, target_modules=targets, init_lora_weights=False)))
    check_same(*adapted)
    merged = adapted[1].merge_and_unload()
    torch.testing.assert_close(merged(**batch()).logits, adapted[0](**batch()).logits)


@pytest.mark.training
def test_runs_use_and_report_it(tiny_bert, sentences, runs_dir, monkeypatch):
    """The same score as with whole layers; the pretrained baseline, which pools all tokens, keeps its whole layers."""
    scores = []
    for method, here in (("full", True), ("full", False), ("head", True)):
        monkeypatch.setattr("engine.models.speed.last_layer_first_token.fits", lambda model, here=here: here)
        run = Store(runs_dir).create(
            RunConfig.from_dict(
                {
                    "data": {"train": str(sentences)},
                    "model": {"id": str(tiny_bert)},
                    "method": {"name": method},
                    "training": {"epochs": 10, "learning_rate": 3e-3, "batch_size": 16, "precision": "fp32"},
                    "evaluation": {"bootstrap_samples": 100},
                }
            )
        )
        run_pipeline(RunContext(run, EventLog(run.path("events.jsonl")), Settings.from_env(runs_dir=runs_dir)))
        report = load_report(run.path("report"))
        scores.append(report)
    first, whole, head = scores
    assert first["test"] == whole["test"]
    assert "the last layer computes the first token alone" in first["run"]["means"]["en"]
    assert "最后一层只计算首个 token" in first["run"]["means"]["zh"]
    assert "first token" not in whole["run"]["means"]["en"] + head["run"]["means"]["en"]
    untuned = [report["baselines"]["untuned"]["metrics"]["accuracy"] for report in scores]
    assert untuned[0] == untuned[1] == untuned[2]
