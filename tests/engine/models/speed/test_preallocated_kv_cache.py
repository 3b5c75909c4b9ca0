"""A preallocated cache holds the same numbers as the one of transformers.

Run: python -m pytest tests/engine/models/speed/test_preallocated_kv_cache.py
"""

from __future__ import annotations

import pytest
import torch
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    MambaConfig,
    MistralConfig,
    OpenAIGPTConfig,
)

from engine.models.speed.preallocated_kv_cache import PreallocatedLayer, kv_bytes_per_token, preallocated_cache
from tests.tiny_generators import DECODERS, save_generator

IDS = torch.tensor([[5, 6, 7, 8, 9, 10], [0, 0, 11, 12, 13, 14]])
MASK = (IDS > 0).long()


def decoder(family, folder):
    config = AutoConfig.from_pretrained(save_generator(family, folder))
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(config).double().eval()
    model.generation_config.eos_token_id = None  # every output has the maximum length
    return model


@pytest.mark.parametrize("beams", [1, 3])
@pytest.mark.parametrize("family", sorted(DECODERS))
def test_outputs_are_those_of_transformers(family, beams, tmp_path):
    model = decoder(family, tmp_path)
    options = {"attention_mask": MASK, "max_new_tokens": 20, "num_beams": beams, "do_sample": False, "pad_token_id": 0}
    expected = model.generate(IDS, **options)
    # With too little memory the cache grows.
    for extra in (20, 6):
        assert model.generate(IDS, **options, past_key_values=preallocated_cache(model, extra)).equal(expected)


def test_new_tokens_are_written_into_the_preallocated_memory():
    layer, states = PreallocatedLayer(4), torch.randn(2, 3, 5, 8)
    layer.update(states, -states)
    pointer = layer.keys.data_ptr()
    for step in range(4):
        new = torch.randn(2, 3, 1, 8)
        keys, values = layer.update(new, -new)
        states = torch.cat([states, new], dim=2)
        assert keys.equal(states) and values.equal(-states) and layer.get_seq_length() == 6 + step
        assert keys.data_ptr() == pointer
    layer.update(new, -new)
    assert layer.keys.data_ptr() != pointer and layer.keys.equal(torch.cat([states, new], dim=2))


def test_reordered_cropped_and_reset_caches_are_not_overwritten():
    layer, states = PreallocatedLayer(4), torch.randn(2, 3, 5, 8)
    layer.update(states, states)
    layer.reorder_cache(torch.tensor([1, 1]))
    new = torch.randn(2, 3, 1, 8)
    assert layer.update(new, new)[0].equal(torch.cat([states[[1, 1]], new], dim=2))
    layer.crop(-3)
    assert layer.update(new, new)[1].equal(torch.cat([states[[1, 1]][:, :, :3], new], dim=2))
    layer.reset()
    assert layer.get_seq_length() == 0 and layer.update(new, new)[0].equal(new)


def test_caches_of_other_kinds_are_left_to_transformers(tmp_path):
    shape = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    windowed = AutoModelForCausalLM.from_config(MistralConfig(vocab_size=50, sliding_window=4, **shape))
    without = AutoModelForCausalLM.from_config(OpenAIGPTConfig(vocab_size=50, n_embd=32, n_layer=1, n_head=2))
    encoding = AutoModelForSeq2SeqLM.from_pretrained(save_generator("bart", tmp_path))
    assert [preallocated_cache(model, 8) for model in (windowed, without, encoding)] == [None, None, None]


@pytest.mark.parametrize("family", sorted(DECODERS))
def test_bytes_per_token_are_those_of_a_cache(family, tmp_path):
    model = decoder(family, tmp_path)
    cache = preallocated_cache(model, 0)
    model(IDS, past_key_values=cache)
    size = sum(
        tensor.numel() * tensor.element_size() for layer in cache.layers for tensor in (layer.keys, layer.values)
    )
    assert kv_bytes_per_token(model.config, 8) * IDS.numel() == size


def test_recurrent_states_have_no_bytes_per_token():
    assert kv_bytes_per_token(MambaConfig(vocab_size=50, hidden_size=32, num_hidden_layers=1), 4) is None
