"""Prompts and targets as tokens. Run: python -m pytest tests/engine/writing/test_encode.py"""

from __future__ import annotations

import pytest

from engine.generation.generation_spec import GenerationSpec
from engine.generation.prompt_encoder import PromptEncoder
from engine.schema import IGNORED
from tests.tiny import tokenizer
from tests.tiny_generators import CHAT

FORM = GenerationSpec(prompt="the film {document}", target="{summary}", max_new_tokens=8)


def prompt_encoder(chats: bool = False, decoder_only: bool = True) -> PromptEncoder:
    made = tokenizer()
    if chats:
        made.chat_template = CHAT
    return PromptEncoder(made, FORM, decoder_only, "document")


def test_a_chat_model_is_asked_in_its_own_conversation():
    assert prompt_encoder(chats=True).render_prompt({"document": "good"}) == "<s> the film good </s><s>"
    assert prompt_encoder().render_prompt({"document": "good"}) == "the film good"
    ids = prompt_encoder(chats=True).prompt_ids({"document": "good"})
    assert ids.count(1) == 2, "the template writes the special tokens; the tokenizer must not add them again"


def test_only_the_target_is_learned():
    encoder = prompt_encoder(chats=True)
    prompt, _ = encoder.encode_prompt(0, {"document": "good plot"}, None)
    learned = encoder.with_target(prompt, "a fine film")
    written = [token for token in learned.token_targets if token != IGNORED]
    assert encoder.tokenizer.decode(written) == "a fine film </s>"
    assert learned.input_ids[-len(written) :] == written
    assert learned.token_targets[: len(prompt)] == [IGNORED] * len(prompt)
    assert len(learned.token_targets) == len(learned.input_ids)


def test_an_encoder_decoder_learns_the_target_apart():
    encoder = prompt_encoder(decoder_only=False)
    prompt, _ = encoder.encode_prompt(0, {"document": "good plot"}, None)
    learned = encoder.with_target(prompt, "a fine film")
    assert learned.input_ids == prompt.input_ids
    assert learned.token_targets[-1] == encoder.tokenizer.eos_token_id
    assert learned.token_targets.count(encoder.tokenizer.eos_token_id) == 1


@pytest.mark.parametrize("chats", [True, False])
def test_a_long_document_is_cut_and_the_rest_of_the_prompt_is_not(chats):
    encoder = prompt_encoder(chats=chats)
    inputs = {"document": "good plot " * 50}
    whole, nothing = encoder.encode_prompt(3, inputs, None)
    cut, lost = encoder.encode_prompt(3, inputs, 24)
    assert nothing == 0 and len(cut) <= 24 and cut.example == 3
    assert lost == len(whole) - len(cut)
    assert cut.input_ids[:3] == whole.input_ids[:3]
    assert cut.input_ids[-1] == whole.input_ids[-1], "the end of a turn must stay, or the model is not asked"


def test_parts_hold_the_whole_document_and_end_with_sentences():
    encoder = prompt_encoder()
    document = " ".join(f"the film was good and the plot was {word}." for word in ("bad", "fine", "poor", "great") * 6)
    parts = encoder.split_document(document, 40)
    assert len(parts) > 3
    assert " ".join(parts).split() == document.split()
    assert all(part.endswith(".") for part in parts)
    prompts = encoder.encode_parts(0, {"document": document}, 48)
    assert len(prompts) > 3 and all(len(prompt) <= 48 for prompt in prompts)
    assert len(encoder.encode_parts(0, {"document": "good film"}, 48)) == 1


def test_chinese_parts_end_with_sentences():
    made = tokenizer(list("今天天气很好我们去公园玩。"))
    encoder = PromptEncoder(made, FORM, True, "document")
    document = " ".join("今天天气很好我们去公园玩。") + " "
    parts = encoder.split_document(document * 5, 30)
    assert len(parts) > 1 and all(part.endswith("。") for part in parts)
