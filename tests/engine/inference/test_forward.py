"""Many sequences through a model, in order. Run: python -m pytest tests/engine/inference/test_forward.py"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from transformers import AutoModelForSequenceClassification

from engine.core.text import Text
from engine.inference.encoder_reader import EncoderReader
from engine.inference.forward import collate, run, token_budget
from engine.models.device import Device, choose_device
from engine.schema import IGNORED, Feature
from tests.tiny import FAMILIES

FP32 = choose_device("cpu", "fp32")
GPU = Device("cuda", torch.bfloat16, Text("", ""))


class SumOfIds(nn.Module):
    """Answers with the sum of the real token ids, so that padding and order can be seen."""

    def forward(self, input_ids, attention_mask, token_type_ids=None):
        total = (input_ids * attention_mask).sum(1, keepdim=True).float()
        return type("Output", (), {"logits": total})


def read(model, batch):
    return model(**batch).logits


def features(lengths) -> list[Feature]:
    return [Feature(i, list(range(1, n + 1))) for i, n in enumerate(lengths)]


def test_answers_come_in_the_order_of_the_features():
    lengths = np.random.default_rng(0).integers(1, 60, 137).tolist()
    answers = run(SumOfIds(), features(lengths), 99, FP32, batch_size=16, read=read)
    assert [answer[0] for answer in answers] == [n * (n + 1) / 2 for n in lengths]


def test_progress_is_told_and_may_end_the_work():
    received = []
    run(
        SumOfIds(),
        features([3] * 10),
        0,
        FP32,
        batch_size=4,
        read=read,
        progress=lambda done, total: received.append((done, total)),
    )
    assert received == [(4, 10), (8, 10), (10, 10)]

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(SumOfIds(), features([3] * 10), 0, FP32, batch_size=4, read=read, progress=stop)


def test_a_batch_is_padded_on_the_right():
    batch = collate([Feature(0, [5, 6], [0, 1], 1), Feature(1, [7], [0], 0)], pad_token_id=9)
    assert batch["input_ids"].tolist() == [[5, 6], [7, 9]]
    assert batch["attention_mask"].tolist() == [[1, 1], [1, 0]]
    assert batch["token_type_ids"].tolist() == [[0, 1], [0, 0]]
    assert batch["labels"].dtype == torch.int64


def test_targets_of_tokens_are_padded_with_what_the_loss_leaves_out():
    features = [Feature(0, [5, 6], token_targets=[3, 4]), Feature(1, [7], token_targets=[IGNORED, 1, 2])]
    assert collate(features, pad_token_id=9)["labels"].tolist() == [[3, 4, IGNORED], [IGNORED, 1, 2]]


def test_what_is_told_of_tokens_keeps_its_feature():
    output = run(SumOfIds(), features([2, 5, 1]), 0, FP32, batch_size=2, read=lambda model, batch: batch["input_ids"])
    assert [row[:length].tolist() for row, length in zip(output, [2, 5, 1], strict=True)] == [
        [1, 2],
        [1, 2, 3, 4, 5],
        [1],
    ]


def test_no_batch_is_larger_than_the_caches_hold():
    """Padding counts; a sequence that is longer than that is read by itself."""
    sizes = []

    def seen(model, batch):
        sizes.append(tuple(batch["input_ids"].shape))
        return read(model, batch)

    lengths = [3000, *[100] * 30, *[7] * 500]
    answers = run(SumOfIds(), features(lengths), 0, FP32, read=seen)
    assert [answer[0] for answer in answers] == [n * (n + 1) / 2 for n in lengths]
    assert sizes[0] == (1, 3000)
    assert max(rows * width for rows, width in sizes[1:]) <= token_budget(FP32) < token_budget(GPU)


@pytest.mark.parametrize("family", FAMILIES)
def test_weights_cast_once_answer_as_weights_cast_for_every_batch(family):
    torch.manual_seed(0)
    model = AutoModelForSequenceClassification.from_config(FAMILIES[family](24)).eval()
    device = choose_device("cpu", "bf16")
    result = features([5, 9, 3])
    before = run(model, result, 0, device, read=read)
    ready = EncoderReader.place(model, device)
    assert any(parameter.dtype == torch.bfloat16 for parameter in ready.parameters())
    assert np.array_equal(np.stack(before), np.stack(run(ready, result, 0, device, read=read)))
