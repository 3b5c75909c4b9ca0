"""A model that reuses the lower layers' output of another generates the same tokens.

Run: python -m pytest tests/engine/models/speed/test_shared_prefix_cache.py
"""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn
from transformers import AutoConfig, AutoModelForCausalLM, MistralConfig

from engine.models.speed.frozen_layer_cache import layers_of
from engine.models.speed.preallocated_kv_cache import preallocated_cache
from engine.models.speed.shared_prefix_cache import SharedPrefixCache
from engine.models.speed.unmasked_prefill import unmasked_prefill
from tests.tiny_generators import DECODERS, save_generator

IDS = torch.tensor([[5, 6, 7, 8, 9, 10], [0, 0, 11, 12, 13, 14]])
OTHERS = IDS + (IDS > 0)


def pair(config):
    """A pretrained model, and one that differs from it in the upper layer alone."""
    torch.manual_seed(0)
    pretrained = AutoModelForCausalLM.from_config(config).double().eval()
    pretrained.generation_config.eos_token_id = None
    tuned = copy.deepcopy(pretrained)
    for parameter in layers_of(tuned)[-1].parameters():
        nn.init.normal_(parameter, std=0.5)
    return tuned, pretrained


def recorded(model, index):
    """The input shapes of a layer, appended at each call from now on."""
    calls = []
    inside = next(iter(layers_of(model)[index].children()))
    inside.register_forward_hook(lambda module, args, out: calls.append(tuple(args[0].shape[:2]) if args else None))
    return calls


def generate(model, ids=IDS, **options):
    inputs = {"attention_mask": (ids > 0).long(), "max_new_tokens": 8, "do_sample": False, "pad_token_id": 0, **options}
    return model.generate(ids, **inputs, past_key_values=preallocated_cache(model, 8))


@pytest.mark.parametrize("beams", [1, 2])
@pytest.mark.parametrize("family", sorted(DECODERS))
def test_both_generate_what_they_generate_alone(family, beams, tmp_path):
    tuned, pretrained = pair(AutoConfig.from_pretrained(save_generator(family, tmp_path)))
    expected = [generate(model, ids, num_beams=beams) for model in (tuned, pretrained) for ids in (IDS, OTHERS)]
    assert not expected[0].equal(expected[2])
    shared = SharedPrefixCache(1)
    with torch.inference_mode():
        with shared.shared_with(tuned):
            result = [generate(tuned, ids, num_beams=beams) for ids in (IDS, OTHERS)]
        lower, upper = recorded(pretrained, 0), recorded(pretrained, 1)
        with shared.shared_with(pretrained):
            result += [generate(pretrained, ids, num_beams=beams) for ids in (IDS, OTHERS)]
    assert all(a.equal(b) for a, b in zip(result, expected, strict=True))
    # The prompts of both batches passed through the upper layer alone.
    assert len(upper) - len(lower) == 2
    assert generate(pretrained, num_beams=beams).equal(expected[2]) and len(upper) - len(lower) == 2


@pytest.mark.parametrize("family", sorted(DECODERS))
def test_a_prefill_that_ends_before_the_last_layer_is_shared(family, tmp_path):
    tuned, pretrained = pair(AutoConfig.from_pretrained(save_generator(family, tmp_path)))
    prompts = IDS.tolist()
    with torch.inference_mode():
        expected = unmasked_prefill(pretrained, prompts, 0, "cpu", 3)
        shared = SharedPrefixCache(1)
        with shared.shared_with(tuned):
            unmasked_prefill(tuned, prompts, 0, "cpu", 3)
        lower = recorded(pretrained, 0)
        with shared.shared_with(pretrained):
            result = unmasked_prefill(pretrained, prompts, 0, "cpu", 3)
    assert not lower
    for layer, other in zip(result.layers, expected.layers, strict=True):
        assert layer.keys.equal(other.keys) and layer.values.equal(other.values)


def test_what_does_not_fit_is_computed(tmp_path):
    tuned, pretrained = pair(AutoConfig.from_pretrained(save_generator("llama", tmp_path)))
    assert computes_everything(tuned, pretrained, SharedPrefixCache(1, max_bytes=100))


def test_a_sliding_window_is_not_shared():
    heads = {"num_attention_heads": 2, "num_key_value_heads": 2}
    shape = {"hidden_size": 32, "num_hidden_layers": 2, "intermediate_size": 64, **heads}
    tuned, pretrained = pair(MistralConfig(vocab_size=50, sliding_window=4, **shape))
    assert computes_everything(tuned, pretrained, SharedPrefixCache(1))


def computes_everything(tuned, pretrained, shared):
    """Whether `pretrained` computes its lower layer as often as its upper one after `tuned` got the same prompts."""
    expected = generate(pretrained)
    with shared.shared_with(tuned):
        generate(tuned)
    lower, upper = recorded(pretrained, 0), recorded(pretrained, 1)
    with shared.shared_with(pretrained):
        assert generate(pretrained).equal(expected)
    return len(lower) == len(upper) > 0


def test_a_model_without_frozen_layers_need_not_be_a_decoder():
    anything = nn.Linear(2, 2)
    with SharedPrefixCache(0).shared_with(anything):
        assert not anything._forward_hooks and "forward" not in vars(anything)
