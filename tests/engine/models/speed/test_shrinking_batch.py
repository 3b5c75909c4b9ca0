"""A shrinking batch generates the tokens of one call, after a prefill that leaves the cache of each prompt alone.

Run: python -m pytest tests/engine/models/speed/test_shrinking_batch.py
"""

from __future__ import annotations

import threading

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM, GenerationConfig, StoppingCriteriaList

from engine.generation.generator import StopOnEvent
from engine.models.speed.frozen_layer_cache import layers_of
from engine.models.speed.preallocated_kv_cache import preallocated_cache
from engine.models.speed.shrinking_batch import MIN_ROWS, generate_shrinking
from engine.models.speed.unmasked_prefill import unmasked_prefill
from tests.tiny_generators import DECODERS, save_generator

PAD = 0
PROMPTS = [[5 + (7 * row + 3 * place) % 10 for place in range(2 + 3 * row)] for row in range(11)]


def decoder(family, folder):
    config = AutoConfig.from_pretrained(save_generator(family, folder))
    torch.manual_seed(1)
    # Large weights make outputs differ; in double precision no token depends on rounding.
    model = AutoModelForCausalLM.from_config(config).double().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3)
    model.generation_config.eos_token_id = None
    return model


def padded(prompts):
    width = max(map(len, prompts))
    ids = torch.tensor([[PAD] * (width - len(prompt)) + prompt for prompt in prompts])
    mask = torch.tensor([[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts])
    return ids, mask


def settings(ends, most=24):
    return GenerationConfig(max_new_tokens=most, do_sample=False, pad_token_id=PAD, eos_token_id=ends)


def alone(model, prompt, ends):
    [output] = model.generate(
        torch.tensor([prompt]), attention_mask=torch.ones(1, len(prompt)), generation_config=settings(ends)
    )
    return output[len(prompt) :].tolist()


def together(model, ends, *stops):
    ids, mask = padded(PROMPTS)
    cache = unmasked_prefill(model, [prompt[:-1] for prompt in PROMPTS], PAD, "cpu", 25)
    criteria = StoppingCriteriaList([StopOnEvent(*stops)] if stops else [])
    with torch.inference_mode():
        return generate_shrinking(model, ids, mask, cache, settings(ends), criteria)


def complete(tokens, ends):
    """Up to the first end token, included."""
    at = [index for index, token in enumerate(tokens) if token in ends]
    return tokens[: at[0] + 1] if at else tokens


@pytest.mark.parametrize("family", sorted(DECODERS))
def test_outputs_are_those_of_each_prompt_alone(family, tmp_path):
    model = decoder(family, tmp_path)
    assert len(PROMPTS) >= MIN_ROWS
    # End tokens that some outputs contain early and some late: rounds of several sizes.
    without = [alone(model, prompt, None) for prompt in PROMPTS]
    ends = sorted({output[index] for index, output in zip((0, 3, 9, 15), without, strict=False)})
    expected = [alone(model, prompt, ends) for prompt in PROMPTS]
    lengths = {len(complete(output, ends)) for output in expected}
    assert len(lengths) > 1, "all outputs have one length: no row leaves early"
    outputs = together(model, ends)
    assert [complete(output, ends) for output in outputs] == [complete(output, ends) for output in expected]


def test_complete_rows_are_not_computed_further(tmp_path):
    model = decoder("llama", tmp_path)
    without = [alone(model, prompt, None) for prompt in PROMPTS]
    ends = sorted({output[0] for output in without[:6]})
    sizes = []
    model.register_forward_pre_hook(
        lambda module, args, kwargs: sizes.append(len(kwargs["input_ids"])), with_kwargs=True
    )
    together(model, ends)
    assert sizes[0] == len(PROMPTS) and sizes == sorted(sizes, reverse=True) and sizes[-1] < len(PROMPTS)


def test_a_stop_ends_all_rounds(tmp_path):
    model, stop = decoder("llama", tmp_path), threading.Event()
    stop.set()
    assert [len(output) for output in together(model, None, stop)] == [1] * len(PROMPTS)
    ends = [alone(model, PROMPTS[0], None)[0]]
    assert {len(output) for output in together(model, ends, stop)} == {1}


def test_the_prefill_of_each_prompt_is_that_of_the_prompt_alone(tmp_path, monkeypatch):
    model = decoder("llama", tmp_path)
    monkeypatch.setattr("engine.models.speed.unmasked_prefill.TOKENS_PER_PART", 40)
    monkeypatch.setattr("engine.models.speed.unmasked_prefill.PART_COST", 1)
    shapes = []
    model.base_model.register_forward_pre_hook(
        lambda module, args, kwargs: shapes.append(tuple(kwargs["input_ids"].shape)), with_kwargs=True
    )
    with torch.inference_mode():
        cache = unmasked_prefill(model, PROMPTS, PAD, "cpu", 3)
        assert len(shapes) > 3 and all(rows * width <= 40 or rows == 1 for rows, width in shapes)
        for row, prompt in enumerate(PROMPTS):
            own = preallocated_cache(model, 0)
            model(torch.tensor([prompt]), past_key_values=own)
            for layer, alone_layer in zip(cache.layers, own.layers, strict=True):
                before = layer.keys.shape[-2] - len(prompt)
                torch.testing.assert_close(layer.keys[row, :, before:], alone_layer.keys[0])
                torch.testing.assert_close(layer.values[row, :, before:], alone_layer.values[0])
                assert not layer.keys[row, :, :before].any()
    assert cache.get_seq_length() == max(map(len, PROMPTS))


@pytest.mark.parametrize("family", sorted(DECODERS))
def test_the_prefill_ends_at_the_last_keys_and_values(family, tmp_path):
    model = decoder(family, tmp_path)
    calls = [0] * len(layers_of(model))
    for index, layer in enumerate(layers_of(model)):
        layer.register_forward_hook(lambda *args, index=index: calls.__setitem__(index, calls[index] + 1))
    with torch.inference_mode():
        unmasked_prefill(model, PROMPTS, PAD, "cpu", 3)
    assert calls[-1] == 0 and all(calls[:-1]) and len(calls) > 1
