"""The tokenizer of multilingual-e5-small (that of XLM-RoBERTa), built from its SentencePiece unigram vocabulary."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

KEPT = "～"  # the fullwidth tilde, a piece of its own: the model's normalisation is NFKC, but for this character
STAND_IN = "\ue5e5"  # a private-use code point that takes its place while NFKC runs


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Unigram pieces with their log-probabilities; the special tokens by id."""

    pieces: list[str]
    scores: list[float]
    bos: int
    eos: int
    pad: int
    unknown: int


def save_tokenizer(vocabulary: Vocabulary, max_length: int, folder: Path) -> None:
    """Write tokenizer.json and tokenizer_config.json, with which AutoTokenizer gives a fast tokenizer.

    `<s> A </s>`, or `<s> A </s> </s> B </s>` for a pair; no token type ids.
    """
    names = {
        "bos_token": vocabulary.pieces[vocabulary.bos],
        "eos_token": vocabulary.pieces[vocabulary.eos],
        "unk_token": vocabulary.pieces[vocabulary.unknown],
        "sep_token": vocabulary.pieces[vocabulary.eos],
        "pad_token": vocabulary.pieces[vocabulary.pad],
        "cls_token": vocabulary.pieces[vocabulary.bos],
        "mask_token": "<mask>",
    }
    build_tokenizer(vocabulary).save(str(folder / "tokenizer.json"), pretty=False)
    config = names | {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": max_length,
        "model_input_names": ["input_ids", "attention_mask"],
        "padding_side": "right",
        "truncation_side": "right",
        "clean_up_tokenization_spaces": False,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n")


def build_tokenizer(vocabulary: Vocabulary) -> Tokenizer:
    """The tokenizer itself: NFKC after SentencePiece's NMT rules, words marked by `▁`, then unigram segmentation."""
    pieces = vocabulary.pieces
    tokenizer = Tokenizer(
        models.Unigram(
            list(zip(pieces, vocabulary.scores, strict=True)), unk_id=vocabulary.unknown, byte_fallback=False
        )
    )
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Replace(KEPT, STAND_IN),
            normalizers.Nmt(),
            normalizers.NFKC(),
            normalizers.Replace(STAND_IN, KEPT),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")]
    )
    tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    bos, eos = pieces[vocabulary.bos], pieces[vocabulary.eos]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{bos} $A {eos}",
        pair=f"{bos} $A {eos} {eos} $B {eos}",
        special_tokens=[(bos, vocabulary.bos), (eos, vocabulary.eos)],
    )
    plain = [pieces[i] for i in sorted((vocabulary.bos, vocabulary.eos, vocabulary.pad, vocabulary.unknown))]
    tokenizer.add_special_tokens([*plain, AddedToken("<mask>", lstrip=True, special=True)])
    return tokenizer
