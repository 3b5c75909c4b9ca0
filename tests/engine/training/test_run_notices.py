"""What a run says about itself. Run: python -m pytest tests/engine/training/test_run_notices.py"""

from __future__ import annotations

import torch

from engine.core.text import Text
from engine.models.device import Device
from engine.training import run_notices
from engine.training.run_notices import ComputeSavings

PROCESSOR = Device("cpu", torch.bfloat16, Text("bf16 on AVX-512", "使用 AVX-512 的 bf16"))


def test_how_a_run_computes():
    # Pairs of 3 and 1 tokens in one batch: 4 of 12 computed tokens are padding.
    text = run_notices.describe_compute(PROCESSOR, "eager", ComputeSavings(embeddings=True), [3, 1, 3, 1], 4, seed=0)
    assert text.en == "bf16 on AVX-512; word embeddings frozen; plain attention; batches of like length, 33% padding"
    assert text.zh == "使用 AVX-512 的 bf16；词嵌入冻结；普通注意力；长度相近的文本同批，填充占 33%"


def test_only_what_is_so_is_said():
    text = run_notices.describe_compute(PROCESSOR, "sdpa", ComputeSavings(), [3, 1, 3, 1], 2, seed=0)
    assert text.en == "bf16 on AVX-512; sdpa attention; batches of like length, 0% padding"
    assert "冻结" not in text.zh


def test_rows_without_padding_say_how_many_texts_they_hold():
    text = run_notices.describe_compute(PROCESSOR, "unpadded", ComputeSavings(), [3, 1, 3, 1, 2], 2, seed=0)
    assert text.en == "bf16 on AVX-512; packed 1.67 texts a row, variable-length attention"
    assert text.zh == "使用 AVX-512 的 bf16；每行拼接 1.67 条文本、无填充，使用变长注意力"


def test_an_encoder_that_reads_once_says_so_instead():
    text = run_notices.describe_compute(
        PROCESSOR, "eager", ComputeSavings(embeddings=True, encoder=True), [3, 3], 2, seed=0
    )
    assert "the frozen encoder reads every text once" in text.en and "word embeddings" not in text.en
    assert "每条文本只编码一次" in text.zh


def test_frozen_layers_that_read_once_say_so_as_well():
    text = run_notices.describe_compute(
        PROCESSOR, "sdpa", ComputeSavings(embeddings=True, frozen_layers=15, read_once=True), [3, 3], 2, seed=0
    )
    assert text.en.startswith("bf16 on AVX-512; the first 15 layers frozen, computed once a text; sdpa attention")
    assert "前 15 层冻结，每条文本只计算一次" in text.zh


def test_frozen_layers_that_are_computed_each_time_are_frozen_all_the_same():
    text = run_notices.describe_compute(
        PROCESSOR, "unpadded", ComputeSavings(embeddings=True, frozen_layers=4), [3, 3], 2, seed=0
    )
    assert "; the first 4 layers frozen; packed" in text.en and "word embeddings" not in text.en
    assert "；前 4 层冻结；" in text.zh


def test_lora_in_one_product_is_said():
    text = run_notices.describe_compute(
        PROCESSOR, "sdpa", ComputeSavings(embeddings=True, lora_products=7), [3, 3], 2, seed=0
    )
    assert text.en == (
        "bf16 on AVX-512; word embeddings frozen; LoRA and its weight in one product; "
        "sdpa attention; batches of like length, 0% padding"
    )
    assert "LoRA 与原权重合并为一次矩阵乘法" in text.zh


def test_a_last_layer_that_computes_one_token_is_said():
    text = run_notices.describe_compute(
        PROCESSOR, "eager", ComputeSavings(embeddings=True, other_tokens=True), [3, 3], 2, seed=0
    )
    assert "; the last layer computes the first token alone; plain attention" in text.en
    assert "；最后一层只计算首个 token；普通注意力" in text.zh
