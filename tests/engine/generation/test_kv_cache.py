"""A cache with room gives the same numbers as one that is copied for every token. Run: python -m pytest tests/engine/writing/test_cache.py"""

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

from engine.generation.kv_cache import RoomyLayer, bytes_a_token, roomy_cache
from tests.tiny_generators import DECODERS, save_generator

IDS = torch.tensor([[5, 6, 7, 8, 9, 10], [0, 0, 11, 12, 13, 14]])
MASK = (IDS > 0).long()


def decoder(family, folder):
    config = AutoConfig.from_pretrained(save_generator(family, folder))
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(config).double().eval()
    model.generation_config.eos_token_id = None  # so that every answer is as long as it may be
    return model


@pytest.mark.parametrize("drafts", [1, 3])
@pytest.mark.parametrize("family", sorted(DECODERS))
def test_what_is_written_is_what_transformers_writes(family, drafts, tmp_path):
    model = decoder(family, tmp_path)
    asked = {"attention_mask": MASK, "max_new_tokens": 20, "num_beams": drafts, "do_sample": False, "pad_token_id": 0}
    expected = model.generate(IDS, **asked)
    # Less room than is needed, too: it grows.
    for room in (20, 6):
        assert model.generate(IDS, **asked, past_key_values=roomy_cache(model, room)).equal(expected)


def test_new_tokens_are_written_where_there_is_room():
    layer, states = RoomyLayer(4), torch.randn(2, 3, 5, 8)
    layer.update(states, -states)
    place = layer.keys.data_ptr()
    for step in range(4):
        new = torch.randn(2, 3, 1, 8)
        keys, values = layer.update(new, -new)
        states = torch.cat([states, new], dim=2)
        assert keys.equal(states) and values.equal(-states) and layer.get_seq_length() == 6 + step
        assert keys.data_ptr() == place
    layer.update(new, -new)
    assert layer.keys.data_ptr() != place and layer.keys.equal(torch.cat([states, new], dim=2))


def test_what_is_reordered_cropped_or_reset_is_not_written_over():
    layer, states = RoomyLayer(4), torch.randn(2, 3, 5, 8)
    layer.update(states, states)
    layer.reorder_cache(torch.tensor([1, 1]))
    new = torch.randn(2, 3, 1, 8)
    assert layer.update(new, new)[0].equal(torch.cat([states[[1, 1]], new], dim=2))
    layer.crop(-3)
    assert layer.update(new, new)[1].equal(torch.cat([states[[1, 1]][:, :, :3], new], dim=2))
    layer.reset()
    assert layer.get_seq_length() == 0 and layer.update(new, new)[0].equal(new)


def test_models_that_remember_in_another_way_are_left_to_transformers(tmp_path):
    shape = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    windowed = AutoModelForCausalLM.from_config(MistralConfig(vocab_size=50, sliding_window=4, **shape))
    without = AutoModelForCausalLM.from_config(OpenAIGPTConfig(vocab_size=50, n_embd=32, n_layer=1, n_head=2))
    encoding = AutoModelForSeq2SeqLM.from_pretrained(save_generator("bart", tmp_path))
    assert [roomy_cache(model, 8) for model in (windowed, without, encoding)] == [None, None, None]


@pytest.mark.parametrize("family", sorted(DECODERS))
def test_a_token_takes_as_many_bytes_as_it_does(family, tmp_path):
    model = decoder(family, tmp_path)
    cache = roomy_cache(model, 0)
    model(IDS, past_key_values=cache)
    held = sum(
        tensor.numel() * tensor.element_size() for layer in cache.layers for tensor in (layer.keys, layer.values)
    )
    assert bytes_a_token(model.config, 8) * IDS.numel() == held


def test_of_a_model_with_recurrent_states_nothing_is_said():
    assert bytes_a_token(MambaConfig(vocab_size=50, hidden_size=32, num_hidden_layers=1), 4) is None
