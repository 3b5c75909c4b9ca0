"""Tokens with exact places, for the kinds of tokenizers that encoders come with.

Run: python -m pytest tests/engine/tagging/test_pieces.py
"""

from __future__ import annotations

import pytest
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from engine.core.errors import ModelProblem
from engine.schema import Example
from engine.tasks.ner.pieces import NOTHING, encode_pieces
from engine.tasks.ner.words import PIECE, TOKEN, WORD
from tests.tiny import tokenizer as word_tokenizer

CORPUS = ["the cat sat in Paris, New York and 北京 with Ann's iPhone14", "Paris is nice", "tokenization of words"] * 3
SPECIAL = ["<pad>", "<s>", "</s>", "<unk>", "<mask>"]
TEXT = "Ann's   trip to Paris, 我爱北京。\n e\u0301lan 👩‍👩‍👧 iPhone14 ok"


def _wrapped(made: Tokenizer) -> PreTrainedTokenizerFast:
    made.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> $B </s>", special_tokens=[("<s>", 1), ("</s>", 2)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token="<pad>", bos_token="<s>", cls_token="<s>", eos_token="</s>", sep_token="</s>",
        unk_token="<unk>", mask_token="<mask>", model_max_length=64,
    )  # fmt: skip


def byte_level(add_prefix_space: bool) -> PreTrainedTokenizerFast:
    """As RoBERTa and GPT-2 have it."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=add_prefix_space)
    made.train_from_iterator(
        CORPUS,
        trainers.BpeTrainer(
            vocab_size=330,
            special_tokens=SPECIAL,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    made.decoder = decoders.ByteLevel()
    return _wrapped(made)


def unigram() -> PreTrainedTokenizerFast:
    """As XLM-RoBERTa has it."""
    made = Tokenizer(models.Unigram())
    made.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Strip(left=True, right=True)])
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(prepend_scheme="always")]
    )
    made.train_from_iterator(
        CORPUS, trainers.UnigramTrainer(vocab_size=120, special_tokens=SPECIAL, unk_token="<unk>", show_progress=False)
    )
    return _wrapped(made)


def word_piece() -> PreTrainedTokenizerFast:
    """As BERT has it."""
    made = Tokenizer(models.WordPiece(unk_token="<unk>"))
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.train_from_iterator(
        CORPUS, trainers.WordPieceTrainer(vocab_size=150, special_tokens=SPECIAL, show_progress=False)
    )
    return _wrapped(made)


KINDS = {
    "byte-level": lambda: byte_level(False),
    "byte-level with prefix": lambda: byte_level(True),
    "unigram": unigram,
    "word piece": word_piece,
    "words": word_tokenizer,
}


@pytest.fixture(scope="module", params=sorted(KINDS))
def tokenizer(request):
    return KINDS[request.param]()


def encode(text, tokenizer, length=None, windows=True, tokens=None):
    inputs = {"text": text} | ({"tokens": tokens} if tokens else {})
    return encode_pieces([Example(1, inputs, ())], tokenizer, length, windows)


def test_every_word_has_one_first_token_and_its_exact_place(tokenizer):
    encoded = encode(TEXT, tokenizer)
    pieces = encoded.pieces[0]
    heads, starts, ends = pieces.units(WORD)
    words = [TEXT[a:b] for a, b in zip(starts, ends, strict=True)]
    assert words == [
        "Ann", "'", "s", "trip", "to", "Paris", ",", "我", "爱", "北", "京", "。", "e\u0301lan", "👩‍👩‍👧", "iPhone14", "ok",
    ]  # fmt: skip
    (feature,) = encoded.features
    assert [feature.reads.count(head) for head in heads] == [1] * len(heads)
    assert feature.reads[0] == feature.reads[-1] == NOTHING
    assert (feature.input_ids[0], feature.input_ids[-1]) == (1, 2)
    assert sorted(read for read in feature.reads if read != NOTHING) == list(range(len(pieces.starts)))


def test_a_text_has_the_tokens_that_its_model_was_pretrained_on():
    made = word_piece()
    text = "Ann's iPhone14 in 北京, see cats.org/2nd/24agj38 $12.50"
    (feature,) = encode(text, made).features
    assert feature.input_ids == made(text)["input_ids"], "a word parted at digits would be read as two"


def test_pieces_part_their_words_without_a_gap(tokenizer):
    pieces = encode(TEXT, tokenizer).pieces[0]
    _, starts, ends = pieces.units(PIECE)
    assert (starts < ends).all() and (starts[1:] >= ends[:-1]).all()
    covered = "".join(TEXT[a:b] for a, b in zip(starts, ends, strict=True))
    assert covered == "".join(TEXT.split())


@pytest.mark.parametrize("kind", ["byte-level", "byte-level with prefix"])
def test_a_word_has_the_tokens_it_has_in_running_text(kind):
    made = KINDS[kind]()
    plain = made.backend_tokenizer.encode(" Paris is nice", add_special_tokens=False).ids
    (feature,) = encode("Paris is  nice", made).features
    assert feature.input_ids[1:-1] == plain, "the first word is spelled like any other, blanks in a row like one"
    (comma,) = encode("Paris, New", made).features
    assert feature.input_ids[1:-1][0] == comma.input_ids[1]
    assert "Ġ," not in made.convert_ids_to_tokens(comma.input_ids), "what follows without a blank has none"


def test_chinese_is_read_character_by_character(tokenizer):
    _heads, starts, ends = encode("我爱北京天安门", tokenizer).pieces[0].units(WORD)
    assert [b - a for a, b in zip(starts, ends, strict=True)] == [1] * 7


def test_the_embedded_multilingual_model_has_one_token_a_character():
    from transformers import AutoTokenizer

    from engine.assets import is_cached, model_folder

    if not is_cached("e5-small"):
        pytest.skip("needs the embedded model e5-small")
    (feature,) = encode("我爱北京天安门", AutoTokenizer.from_pretrained(model_folder("e5-small"))).features
    assert len(feature.input_ids) == 7 + 2 and feature.reads[1:-1] == list(range(7))


def test_tokens_are_kept_as_they_came(tokenizer):
    text = "U.S. troops"
    pieces = encode(text, tokenizer, tokens=[[0, 4], [5, 11]]).pieces[0]
    _, starts, ends = pieces.units(TOKEN)
    assert [text[a:b] for a, b in zip(starts, ends, strict=True)] == ["U.S.", "troops"]
    assert len(pieces.units(WORD)[0]) == 5 and pieces.from_tokens


@pytest.mark.parametrize("length", [8, 11, 16])
def test_windows_read_every_piece_once_with_room_on_both_sides(tokenizer, length):
    text = " ".join(["Paris is nice, 北京 too"] * 9)
    whole, cut = encode(text, tokenizer), encode(text, tokenizer, length)
    assert cut.truncated == 1 and len(cut.features) > 2 and whole.truncated == 0
    assert all(len(feature.input_ids) <= length for feature in cut.features)
    reads = [read for feature in cut.features for read in feature.reads if read != NOTHING]
    assert sorted(reads) == list(range(len(whole.pieces[0].starts)))
    assert cut.pieces[0].starts.tolist() == whole.pieces[0].starts.tolist()
    room = length - 2
    for feature in cut.features[1:-1]:
        own = [at for at, read in enumerate(feature.reads[1:-1]) if read != NOTHING]
        assert own and own[0] >= room // 8 - 1, "tokens at the edge are read where they have more text around them"


def test_without_windows_a_long_text_is_cut(tokenizer):
    encoded = encode("Paris is nice " * 20, tokenizer, 10, windows=False)
    assert len(encoded.features) == 1 and len(encoded.features[0].input_ids) == 10 and encoded.truncated == 1


def test_texts_without_any_word(tokenizer):
    for text in ("", " \n", "\u200b"):
        encoded = encode(text, tokenizer)
        assert len(encoded.features) == 1
    assert len(encode("", tokenizer).pieces[0].units(WORD)[0]) == 0


def test_special_tokens_in_a_text_are_only_text(tokenizer):
    (feature,) = encode("a </s> b <mask>", tokenizer).features
    assert feature.input_ids.count(2) == 1 and 4 not in feature.input_ids


def test_a_tokenizer_without_places_is_refused():
    with pytest.raises(ModelProblem) as caught:
        encode("a", object())
    assert caught.value.code == "slow_tokenizer"
