"""Answers written in rounds are those of one call, to the last token. Run: python -m pytest tests/engine/writing/test_rounds.py"""

from __future__ import annotations

import threading

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM, GenerationConfig, StoppingCriteriaList

from engine.generation.generator import Stopped
from engine.generation.kv_cache import roomy_cache
from engine.generation.prefill import read_in_parts
from engine.generation.shrinking_batch import FEWEST, write_in_rounds
from engine.models.speed.frozen_layer_cache import layers_of
from tests.tiny_generators import DECODERS, save_generator

PAD = 0
PROMPTS = [[5 + (7 * row + 3 * place) % 10 for place in range(2 + 3 * row)] for row in range(11)]


def decoder(family, folder):
    config = AutoConfig.from_pretrained(save_generator(family, folder))
    torch.manual_seed(1)
    # Wide enough apart that answers differ, and in double, so that no token hangs on a rounding.
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


def asked(ends, most=24):
    return GenerationConfig(max_new_tokens=most, do_sample=False, pad_token_id=PAD, eos_token_id=ends)


def alone(model, prompt, ends):
    [said] = model.generate(
        torch.tensor([prompt]), attention_mask=torch.ones(1, len(prompt)), generation_config=asked(ends)
    )
    return said[len(prompt) :].tolist()


def together(model, ends, *stops):
    ids, mask = padded(PROMPTS)
    cache = read_in_parts(model, [prompt[:-1] for prompt in PROMPTS], PAD, "cpu", 25)
    stopped = StoppingCriteriaList([Stopped(*stops)] if stops else [])
    with torch.inference_mode():
        return write_in_rounds(model, ids, mask, cache, asked(ends), stopped)


def complete(answer, ends):
    """Up to and with its end."""
    places = [place for place, token in enumerate(answer) if token in ends]
    return answer[: places[0] + 1] if places else answer


@pytest.mark.parametrize("family", sorted(DECODERS))
def test_every_answer_is_what_the_model_writes_for_that_prompt_alone(family, tmp_path):
    model = decoder(family, tmp_path)
    assert len(PROMPTS) >= FEWEST
    # Tokens that several answers contain, some early and some late, are their ends: rounds of several sizes.
    without = [alone(model, prompt, None) for prompt in PROMPTS]
    ends = sorted({answer[place] for place, answer in zip((0, 3, 9, 15), without, strict=False)})
    expected = [alone(model, prompt, ends) for prompt in PROMPTS]
    lengths = {len(complete(answer, ends)) for answer in expected}
    assert len(lengths) > 1, "all answers are of one length: nothing leaves early"
    said = together(model, ends)
    assert [complete(answer, ends) for answer in said] == [complete(answer, ends) for answer in expected]


def test_complete_answers_are_computed_no_further(tmp_path):
    model = decoder("llama", tmp_path)
    without = [alone(model, prompt, None) for prompt in PROMPTS]
    ends = sorted({answer[0] for answer in without[:6]})
    sizes = []
    model.register_forward_pre_hook(
        lambda module, args, kwargs: sizes.append(len(kwargs["input_ids"])), with_kwargs=True
    )
    together(model, ends)
    assert sizes[0] == len(PROMPTS) and sizes == sorted(sizes, reverse=True) and sizes[-1] < len(PROMPTS)


def test_all_rounds_end_with_a_stop(tmp_path):
    model, stop = decoder("llama", tmp_path), threading.Event()
    stop.set()
    assert [len(answer) for answer in together(model, None, stop)] == [1] * len(PROMPTS)
    ends = [alone(model, PROMPTS[0], None)[0]]
    assert {len(answer) for answer in together(model, ends, stop)} == {1}


def test_prompts_are_read_as_if_each_were_alone(tmp_path, monkeypatch):
    model = decoder("llama", tmp_path)
    monkeypatch.setattr("engine.generation.prefill.READ_AT_ONCE", 40)
    monkeypatch.setattr("engine.generation.prefill.A_PART_MORE", 1)
    shapes = []
    model.base_model.register_forward_pre_hook(
        lambda module, args, kwargs: shapes.append(tuple(kwargs["input_ids"].shape)), with_kwargs=True
    )
    with torch.inference_mode():
        cache = read_in_parts(model, PROMPTS, PAD, "cpu", 3)
        assert len(shapes) > 3 and all(rows * width <= 40 or rows == 1 for rows, width in shapes)
        for row, prompt in enumerate(PROMPTS):
            own = roomy_cache(model, 0)
            model(torch.tensor([prompt]), past_key_values=own)
            for layer, read in zip(cache.layers, own.layers, strict=True):
                before = layer.keys.shape[-2] - len(prompt)
                torch.testing.assert_close(layer.keys[row, :, before:], read.keys[0])
                torch.testing.assert_close(layer.values[row, :, before:], read.values[0])
                assert not layer.keys[row, :, :before].any()
    assert cache.get_seq_length() == max(map(len, PROMPTS))


@pytest.mark.parametrize("family", sorted(DECODERS))
def test_nothing_above_the_last_keys_and_values_is_computed(family, tmp_path):
    model = decoder(family, tmp_path)
    ended = [0] * len(layers_of(model))
    for place, layer in enumerate(layers_of(model)):
        layer.register_forward_hook(lambda *given, place=place: ended.__setitem__(place, ended[place] + 1))
    with torch.inference_mode():
        read_in_parts(model, PROMPTS, PAD, "cpu", 3)
    assert ended[-1] == 0 and all(ended[:-1]) and len(ended) > 1
