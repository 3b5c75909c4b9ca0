"""Tiny random models that write, one of each family, with a real tokenizer: saved as a hub checkpoint would be. And a table for them."""

from __future__ import annotations

import json
import random
from pathlib import Path

import torch
from transformers import (
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    BartConfig,
    GemmaConfig,
    GPT2Config,
    LlamaConfig,
    MarianConfig,
    PegasusConfig,
    Qwen2Config,
    T5Config,
)

from tests.tiny import IDS, WORDS, tokenizer

CHAT = "{% for message in messages %}<s> {{ message['content'] }} </s>{% endfor %}{% if add_generation_prompt %}<s>{% endif %}"
_SIZE = {"d_model": 32, "encoder_layers": 2, "decoder_layers": 2, "encoder_ffn_dim": 64, "decoder_ffn_dim": 64}
_SIZE |= {"encoder_attention_heads": 2, "decoder_attention_heads": 2}
_DECODER = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 64,
}
_START = {"decoder_start_token_id": 0, "forced_eos_token_id": None, **IDS}

ENCODER_DECODERS = {
    "t5": lambda n: T5Config(
        vocab_size=n, d_model=32, d_kv=16, d_ff=64, num_layers=2, num_heads=2, decoder_start_token_id=0, **IDS
    ),
    "bart": lambda n: BartConfig(vocab_size=n, max_position_embeddings=128, **_SIZE, **_START),
    "marian": lambda n: MarianConfig(vocab_size=n, max_position_embeddings=128, **_SIZE, **_START),
    "pegasus": lambda n: PegasusConfig(vocab_size=n, max_position_embeddings=128, **_SIZE, **_START),
}
DECODERS = {
    "llama": lambda n: LlamaConfig(
        vocab_size=n, max_position_embeddings=128, tie_word_embeddings=True, **_DECODER, **IDS
    ),
    "qwen2": lambda n: Qwen2Config(vocab_size=n, max_position_embeddings=128, **_DECODER, **IDS),
    "gemma": lambda n: GemmaConfig(vocab_size=n, head_dim=8, max_position_embeddings=128, **_DECODER, **IDS),
    "gpt2": lambda n: GPT2Config(vocab_size=n, n_positions=128, n_embd=32, n_layer=2, n_head=2, **IDS),
}
CHATTING = {"llama", "qwen2", "gemma"}
GENERATORS = {**ENCODER_DECODERS, **DECODERS}


def save_generator(family: str, directory: Path, words: list[str] | None = None) -> Path:
    torch.manual_seed(0)
    made = tokenizer(words)
    made.model_max_length = 128
    if family in CHATTING:
        made.chat_template = CHAT
    auto = AutoModelForSeq2SeqLM if family in ENCODER_DECODERS else AutoModelForCausalLM
    auto.from_config(GENERATORS[family](len(made))).save_pretrained(directory)
    made.save_pretrained(directory)
    return directory


def table(path: Path, rows: int, references: int = 1, seed: int = 0) -> Path:
    """Documents whose summary is one of two, told by their second word: learned by whoever reads it."""
    chance = random.Random(seed)
    with path.open("w", encoding="utf-8") as file:
        for _ in range(rows):
            good = chance.random() < 0.5
            words = ["the", "good" if good else "bad", *chance.choices(WORDS[6:], k=chance.randint(3, 12))]
            summary = "great film" if good else "awful plot"
            given = summary if references == 1 else [summary, *["music"] * (references - 1)]
            file.write(json.dumps({"document": " ".join(words), "summary": given}) + "\n")
    return path
