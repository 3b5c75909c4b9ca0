"""Which prompts are answered side by side. Run: python -m pytest tests/engine/writing/test_pen.py"""

from __future__ import annotations

import pytest
from transformers import AutoModelForCausalLM, AutoTokenizer

from engine.generation.generation_spec import GenerationSpec
from engine.generation.generator import TOKENS_A_STEP, Generator
from engine.generation.prompt_encoder import PromptEncoder
from engine.models.speed.preallocated_kv_cache import kv_bytes_per_token
from engine.schema import Feature
from tests.tiny_generators import save_generator

LONG, SHORT = 60, 40


@pytest.fixture
def pen_of(tmp_path):
    source = save_generator("llama", tmp_path / "llama")
    model, tokenizer = AutoModelForCausalLM.from_pretrained(source), AutoTokenizer.from_pretrained(source)

    def made(**form):
        scribe = PromptEncoder(
            tokenizer,
            GenerationSpec(prompt="{document}", target="{summary}", max_new_tokens=4, **form),
            True,
            "document",
        )
        return Generator(model, scribe, 64, at_once=1000)

    return made


def batches(pen, shorter, monkeypatch):
    """The sizes of the batches in which one long prompt and `shorter` short ones are answered."""
    sizes = []

    def noted(self, features, *stops, streamer=None):
        sizes.append(len(features))
        return [[] for _ in features]

    monkeypatch.setattr(Generator, "tokens", noted)
    pen.write([Feature(0, [5] * length) for length in [LONG] + [SHORT] * shorter])
    return sizes


def test_one_batch_more_costs_the_reading_of_all_weights_and_padding_that_of_what_is_remembered(pen_of, monkeypatch):
    pen = pen_of()
    weights = sum(parameter.numel() * parameter.element_size() for parameter in pen.model.parameters())
    free = weights // kv_bytes_per_token(pen.model.config, 4) // (LONG - SHORT)
    assert free > 2
    assert batches(pen, free - 1, monkeypatch) == [free]
    assert batches(pen, free + 2, monkeypatch) == [1, free + 2]


def test_prompts_that_are_padded_to_be_read_pay_for_it(pen_of, monkeypatch):
    pen = pen_of(beams=2)
    free = TOKENS_A_STEP * 4 // 2 // (LONG - SHORT)
    assert batches(pen, free - 1, monkeypatch) == [free]
    assert batches(pen, free + 2, monkeypatch) == [1, free + 2]
