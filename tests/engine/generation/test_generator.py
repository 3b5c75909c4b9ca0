"""Which prompts are answered in one batch. Run: python -m pytest tests/engine/generation/test_generator.py"""

from __future__ import annotations

import pytest
from transformers import AutoModelForCausalLM, AutoTokenizer

from engine.generation.generation_spec import GenerationSpec
from engine.generation.generator import TOKENS_PER_STEP, Generator
from engine.generation.prompt_encoder import PromptEncoder
from engine.models.speed.preallocated_kv_cache import kv_bytes_per_token
from engine.schema import Feature
from tests.tiny_generators import save_generator

LONG, SHORT = 60, 40


@pytest.fixture
def generator_of(tmp_path):
    source = save_generator("llama", tmp_path / "llama")
    model, tokenizer = AutoModelForCausalLM.from_pretrained(source), AutoTokenizer.from_pretrained(source)

    def made(**settings):
        prompt_encoder = PromptEncoder(
            tokenizer,
            GenerationSpec(prompt="{document}", target="{summary}", max_new_tokens=4, **settings),
            True,
            "document",
        )
        return Generator(model, prompt_encoder, 64, max_batch=1000)

    return made


def batches(generator, shorter, monkeypatch):
    """The sizes of the batches of one long prompt and `shorter` short ones."""
    sizes = []

    def record(self, features, *stops, streamer=None):
        sizes.append(len(features))
        return [[] for _ in features]

    monkeypatch.setattr(Generator, "generate_tokens", record)
    generator.generate_texts([Feature(0, [5] * length) for length in [LONG] + [SHORT] * shorter])
    return sizes


def test_one_more_batch_costs_reading_all_weights_and_padding_its_cache(generator_of, monkeypatch):
    generator = generator_of()
    weights = sum(parameter.numel() * parameter.element_size() for parameter in generator.model.parameters())
    free = weights // kv_bytes_per_token(generator.model.config, 4) // (LONG - SHORT)
    assert free > 2
    assert batches(generator, free - 1, monkeypatch) == [free]
    assert batches(generator, free + 2, monkeypatch) == [1, free + 2]


def test_padding_of_prompts_costs_where_it_is_computed(generator_of, monkeypatch):
    generator = generator_of(beams=2)
    free = TOKENS_PER_STEP * 4 // 2 // (LONG - SHORT)
    assert batches(generator, free - 1, monkeypatch) == [free]
    assert batches(generator, free + 2, monkeypatch) == [1, free + 2]
