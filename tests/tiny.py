"""Tiny random models with a real tokenizer, made on the spot: code paths in milliseconds, nothing downloaded."""

from __future__ import annotations

from pathlib import Path

import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing
from transformers import (
    AlbertConfig,
    AutoModel,
    BertConfig,
    DebertaV2Config,
    DistilBertConfig,
    ElectraConfig,
    ModernBertConfig,
    MPNetConfig,
    PreTrainedTokenizerFast,
    RobertaConfig,
    XLMRobertaConfig,
)

WORDS = [
    "good",
    "bad",
    "great",
    "awful",
    "fine",
    "poor",
    "film",
    "plot",
    "cast",
    "music",
    "the",
    "a",
    "was",
    "is",
    "very",
    "not",
    "and",
    "but",
    "it",
]
SPECIAL = ["<pad>", "<s>", "</s>", "<unk>", "<mask>"]
SIZE = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
IDS = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}

FAMILIES = {
    "bert": lambda n: BertConfig(vocab_size=n, **SIZE, **IDS),
    "roberta": lambda n: RobertaConfig(vocab_size=n, **SIZE, **IDS),
    "distilbert": lambda n: DistilBertConfig(vocab_size=n, dim=32, n_layers=2, n_heads=2, hidden_dim=64, **IDS),
    "deberta-v2": lambda n: DebertaV2Config(
        vocab_size=n, relative_attention=True, pos_att_type=["p2c", "c2p"], position_buckets=16, **SIZE, **IDS
    ),
    "albert": lambda n: AlbertConfig(vocab_size=n, embedding_size=16, **SIZE, **IDS),
    "electra": lambda n: ElectraConfig(vocab_size=n, embedding_size=16, **SIZE, **IDS),
    "mpnet": lambda n: MPNetConfig(vocab_size=n, **SIZE, **IDS),
    "xlm-roberta": lambda n: XLMRobertaConfig(vocab_size=n, **SIZE, **IDS),
    "modernbert": lambda n: ModernBertConfig(
        vocab_size=n, cls_token_id=1, sep_token_id=2, global_attn_every_n_layers=2, local_attention=16, **SIZE, **IDS
    ),
}


def tokenizer(words: list[str] | None = None) -> PreTrainedTokenizerFast:
    vocabulary = {word: index for index, word in enumerate(SPECIAL + (words or WORDS))}
    made = Tokenizer(WordLevel(vocabulary, unk_token="<unk>"))
    made.pre_tokenizer = Whitespace()
    made.post_processor = TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> $B </s>", special_tokens=[("<s>", 1), ("</s>", 2)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        pad_token="<pad>",
        bos_token="<s>",
        cls_token="<s>",
        eos_token="</s>",
        sep_token="</s>",
        unk_token="<unk>",
        mask_token="<mask>",
        model_max_length=64,
    )


def save_encoder(family: str, directory: Path, words: list[str] | None = None) -> Path:
    """A folder with a headless random model of the family, as a hub checkpoint would be."""
    torch.manual_seed(0)
    made = tokenizer(words)
    AutoModel.from_config(FAMILIES[family](len(made))).save_pretrained(directory)
    made.save_pretrained(directory)
    return directory
