"""A model that takes over what another has read below writes what it would have written. Run: python -m pytest tests/engine/models/test_shared_reading.py"""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn
from transformers import AutoConfig, AutoModelForCausalLM, MistralConfig

from engine.generation.kv_cache import roomy_cache
from engine.generation.prefill import read_in_parts
from engine.models.speed.frozen_layer_cache import layers_of
from engine.models.speed.shared_prefix_cache import SharedReading
from tests.tiny_generators import DECODERS, save_generator

IDS = torch.tensor([[5, 6, 7, 8, 9, 10], [0, 0, 11, 12, 13, 14]])
OTHERS = IDS + (IDS > 0)


def pair(config):
    """An untuned model, and one that differs in its upper layer alone."""
    torch.manual_seed(0)
    untuned = AutoModelForCausalLM.from_config(config).double().eval()
    untuned.generation_config.eos_token_id = None
    tuned = copy.deepcopy(untuned)
    for parameter in layers_of(tuned)[-1].parameters():
        nn.init.normal_(parameter, std=0.5)
    return tuned, untuned


def read(model, place):
    """The shapes of what a layer reads, call by call, from now on."""
    calls = []
    inside = next(iter(layers_of(model)[place].children()))
    inside.register_forward_hook(lambda module, args, out: calls.append(tuple(args[0].shape[:2]) if args else None))
    return calls


def write(model, ids=IDS, **asked):
    given = {"attention_mask": (ids > 0).long(), "max_new_tokens": 8, "do_sample": False, "pad_token_id": 0, **asked}
    return model.generate(ids, **given, past_key_values=roomy_cache(model, 8))


@pytest.mark.parametrize("drafts", [1, 2])
@pytest.mark.parametrize("family", sorted(DECODERS))
def test_both_write_what_they_write_alone(family, drafts, tmp_path):
    tuned, untuned = pair(AutoConfig.from_pretrained(save_generator(family, tmp_path)))
    expected = [write(model, ids, num_beams=drafts) for model in (tuned, untuned) for ids in (IDS, OTHERS)]
    assert not expected[0].equal(expected[2])
    shared = SharedReading(1)
    with torch.inference_mode():
        with shared.by(tuned):
            found = [write(tuned, ids, num_beams=drafts) for ids in (IDS, OTHERS)]
        lower, upper = read(untuned, 0), read(untuned, 1)
        with shared.by(untuned):
            found += [write(untuned, ids, num_beams=drafts) for ids in (IDS, OTHERS)]
    assert all(a.equal(b) for a, b in zip(found, expected, strict=True))
    # The prompts of both batches went through the upper layer alone.
    assert len(upper) - len(lower) == 2
    assert write(untuned, num_beams=drafts).equal(expected[2]) and len(upper) - len(lower) == 2


@pytest.mark.parametrize("family", sorted(DECODERS))
def test_a_reading_that_ends_before_the_last_layer_is_shared(family, tmp_path):
    tuned, untuned = pair(AutoConfig.from_pretrained(save_generator(family, tmp_path)))
    prompts = IDS.tolist()
    with torch.inference_mode():
        expected = read_in_parts(untuned, prompts, 0, "cpu", 3)
        shared = SharedReading(1)
        with shared.by(tuned):
            read_in_parts(tuned, prompts, 0, "cpu", 3)
        lower = read(untuned, 0)
        with shared.by(untuned):
            found = read_in_parts(untuned, prompts, 0, "cpu", 3)
    assert not lower
    for layer, other in zip(found.layers, expected.layers, strict=True):
        assert layer.keys.equal(other.keys) and layer.values.equal(other.values)


def test_what_does_not_fit_is_computed(tmp_path):
    tuned, untuned = pair(AutoConfig.from_pretrained(save_generator("llama", tmp_path)))
    assert computes_everything(tuned, untuned, SharedReading(1, most_bytes=100))


def test_a_window_that_forgets_is_not_shared():
    heads = {"num_attention_heads": 2, "num_key_value_heads": 2}
    shape = {"hidden_size": 32, "num_hidden_layers": 2, "intermediate_size": 64, **heads}
    tuned, untuned = pair(MistralConfig(vocab_size=50, sliding_window=4, **shape))
    assert computes_everything(tuned, untuned, SharedReading(1))


def computes_everything(tuned, untuned, shared):
    """Whether `untuned` computes its lower layer as often as its upper one, after `tuned` wrote the same; it writes what it should."""
    expected = write(untuned)
    with shared.by(tuned):
        write(tuned)
    lower, upper = read(untuned, 0), read(untuned, 1)
    with shared.by(untuned):
        assert write(untuned).equal(expected)
    return len(lower) == len(upper) > 0


def test_a_model_without_frozen_layers_need_not_be_a_decoder():
    anything = nn.Linear(2, 2)
    with SharedReading(0).by(anything):
        assert not anything._forward_hooks and "forward" not in vars(anything)
