"""Converting an E5S1 file: a tiny one that is written here, and the real one where it is cached.

Run: python -m pytest tests/engine/assets/test_e5.py
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from transformers import AutoModel, AutoTokenizer

from engine.assets import is_cached, model_folder
from engine.assets.e5 import convert_e5
from engine.assets.progress import silent
from engine.core.errors import AssetProblem

HIDDEN, LAYERS, HEADS, FEED_FORWARD, ROWS, POSITIONS, TYPES = 32, 2, 4, 64, 24, 16, 2
PIECES = ["<s>", "<pad>", "</s>", "<unk>", "▁", "a", "b", "▁a", "▁b", "▁ab", "～", "A", "1", "猫", "<mask>"]
PAD, MASK = 1, 14
LAYER = (
    [(f"{name}.w", (HIDDEN, HIDDEN)) for name in ("q", "k", "v", "ao")]
    + [(f"{name}.b", (HIDDEN,)) for name in ("q", "k", "v", "ao", "fo")]
    + [(f"{name}.{kind}", (HIDDEN,)) for name in ("aln", "oln") for kind in "wb"]
    + [("fi.w", (FEED_FORWARD, HIDDEN)), ("fi.b", (FEED_FORWARD,)), ("fo.w", (HIDDEN, FEED_FORWARD))]
)
TENSORS = (
    [("emb.word", (ROWS, HIDDEN)), ("emb.pos", (POSITIONS, HIDDEN)), ("emb.type", (TYPES, HIDDEN))]
    + [("emb.ln.w", (HIDDEN,)), ("emb.ln.b", (HIDDEN,))]
    + [(f"l{layer}.{name}", shape) for layer in range(LAYERS) for name, shape in LAYER]
)


def q4_0(values: np.ndarray) -> tuple[bytes, np.ndarray]:
    """The Q4_0 bytes of some weights, block by block, and the weights that they stand for."""
    raw, meant = b"", []
    for block in values.reshape(-1, 32):
        scale = np.float16(np.abs(block).max() / 8 or 1)
        quantised = [min(15, max(0, round(float(value) / float(scale)) + 8)) for value in block]
        raw += scale.tobytes() + bytes(quantised[i] | quantised[i + 16] << 4 for i in range(16))
        meant += [(number - 8) * float(scale) for number in quantised]
    return raw, np.array(meant, np.float32).reshape(values.shape)


def write_e5(path: Path, without: str = "", magic: bytes = b"E5S1") -> dict[str, np.ndarray]:
    """A whole file with random weights; returns the weights by their name in the file."""
    chance = np.random.default_rng(0)
    expected, data, directory = {}, b"", b""
    tensors = [(name, shape) for name, shape in TENSORS if name != without]
    for name, shape in tensors:
        values = chance.normal(0, 0.3, shape).astype(np.float32)
        quantised = len(shape) == 2 and name not in ("emb.pos", "emb.type")
        raw, expected[name] = q4_0(values) if quantised else (values.tobytes(), values)
        directory += struct.pack(
            f"<H{len(name)}sBIQQ", len(name), name.encode(), quantised, values.size, len(data), len(raw)
        )
        data += raw
    blob = "".join(PIECES).encode()
    offsets = np.cumsum([0] + [len(piece.encode()) for piece in PIECES]).astype("<u4")
    scores = np.array([0, 0, 0, 0, *(-5.0 / len(piece) for piece in PIECES[4:-1]), 0], "<f4")  # long pieces win
    sizes = (HIDDEN, LAYERS, HEADS, FEED_FORWARD, ROWS, POSITIONS, TYPES)
    head = struct.pack("<4sI7ifi", magic, 1, *sizes, 1e-12, 32)
    head += struct.pack("<5iQ", len(PIECES), 0, 2, PAD, 3, len(blob)) + offsets.tobytes() + scores.tobytes() + blob
    head += struct.pack("<iI", 1, 6) + b"\x09\x00\x00\x00\x00\x00"
    start = len(head) + 4 + len(directory)
    for name, _ in tensors:  # offsets count from the beginning of the file
        at = directory.index(struct.pack(f"<H{len(name)}s", len(name), name.encode())) + 2 + len(name) + 5
        (offset,) = struct.unpack_from("<Q", directory, at)
        directory = directory[:at] + struct.pack("<Q", offset + start) + directory[at + 8 :]
    path.write_bytes(head + struct.pack("<i", len(tensors)) + directory + data)
    return expected


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, np.ndarray]]:
    folder = tmp_path_factory.mktemp("e5")
    expected = write_e5(folder / "tiny.bin")
    out = folder / "model"
    out.mkdir()
    convert_e5(folder / "tiny.bin", out, silent)
    return out, expected


def test_weights_are_the_ones_that_the_blocks_stand_for(converted) -> None:
    folder, expected = converted
    result = load_file(folder / "model.safetensors")
    pairs = {
        "emb.word": "embeddings.word_embeddings.weight",
        "emb.type": "embeddings.token_type_embeddings.weight",
        "emb.ln.b": "embeddings.LayerNorm.bias",
        "l0.q.w": "encoder.layer.0.attention.self.query.weight",
        "l1.ao.b": "encoder.layer.1.attention.output.dense.bias",
        "l1.aln.w": "encoder.layer.1.attention.output.LayerNorm.weight",
        "l0.fi.w": "encoder.layer.0.intermediate.dense.weight",
        "l1.fo.w": "encoder.layer.1.output.dense.weight",
        "l1.oln.b": "encoder.layer.1.output.LayerNorm.bias",
    }
    for ours, theirs in pairs.items():
        np.testing.assert_array_equal(result[theirs], expected[ours], err_msg=ours)
    assert len(result) == len(TENSORS)


def test_it_loads_with_nothing_missing_but_the_pooler(converted) -> None:
    model, info = AutoModel.from_pretrained(converted[0], output_loading_info=True)
    assert {key.split(".")[0] for key in info["missing_keys"]} == {"pooler"}
    assert not info["unexpected_keys"] and not info["mismatched_keys"]
    assert model.config.layer_norm_eps == 1e-12
    assert model.config.pad_token_id == PAD
    assert next(model.parameters()).dtype == torch.float32


def test_its_tokenizer_knows_special_tokens_pairs_and_limits(converted) -> None:
    tokenizer = AutoTokenizer.from_pretrained(converted[0])
    assert tokenizer.is_fast
    assert tokenizer.model_max_length == POSITIONS
    assert (tokenizer.pad_token_id, tokenizer.mask_token_id, tokenizer.unk_token_id) == (PAD, MASK, 3)
    assert len(tokenizer) == len(PIECES)
    pair = tokenizer("ab", "b")
    assert tokenizer.convert_ids_to_tokens(pair.input_ids) == ["<s>", "▁ab", "</s>", "</s>", "▁b", "</s>"]
    assert set(pair) == {"input_ids", "attention_mask"}
    assert tokenizer("a <mask>").input_ids == [0, PIECES.index("▁a"), MASK, 2]


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("ａｂ", ["▁ab"]),  # full width, by NFKC
        ("a ～b", ["▁a", "▁", "～", "b"]),  # kept, where NFKC alone makes it "~"
        ("a \n\t b", ["▁a", "▁b"]),
        ("a\u200b①", ["▁a", "▁", "1"]),  # a zero-width space parts words, a circled figure is a figure
        ("猫", ["▁", "猫"]),
        ("x", ["▁", "<unk>"]),
    ],
)
def test_text_is_normalised_as_the_model_learned_it(converted, text: str, pieces: list[str]) -> None:
    tokenizer = AutoTokenizer.from_pretrained(converted[0])
    assert tokenizer.convert_ids_to_tokens(tokenizer(text).input_ids)[1:-1] == pieces


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    write_e5(tmp_path / "other.bin", magic=b"GGUF")
    with pytest.raises(AssetProblem, match="GGUF"):
        convert_e5(tmp_path / "other.bin", tmp_path, silent)


@pytest.mark.parametrize("kept", [20, 100, 2_000, -40])
def test_a_cut_off_file_is_refused(tmp_path: Path, kept: int) -> None:
    write_e5(tmp_path / "cut.bin")
    (tmp_path / "cut.bin").write_bytes((tmp_path / "cut.bin").read_bytes()[:kept])
    with pytest.raises(AssetProblem) as caught:
        convert_e5(tmp_path / "cut.bin", tmp_path, silent)
    assert caught.value.code == "asset_damaged"


def test_a_missing_tensor_is_named(tmp_path: Path) -> None:
    write_e5(tmp_path / "less.bin", without="l1.fo.w")
    with pytest.raises(AssetProblem, match=r"encoder.layer.1.output.dense.weight"):
        convert_e5(tmp_path / "less.bin", tmp_path, silent)


@pytest.mark.training
def test_the_real_model_finds_translations_near() -> None:
    """Cosines of mean-pooled sentences, as measured on the original 4-bit model; an unrelated sentence stays below."""
    if not is_cached("e5-small"):
        pytest.skip("needs the e5-small model: python -m engine.assets fetch e5-small")
    folder = model_folder("e5-small")
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder, add_pooling_layer=False)
    sentences = [
        "A man is eating food.",
        "一个男人在吃东西。",
        "Ein Mann isst etwas.",
        "The stock market fell sharply today.",
    ]
    batch = tokenizer([f"query: {sentence}" for sentence in sentences], padding=True, return_tensors="pt")
    with torch.no_grad():
        states = model.eval()(**batch).last_hidden_state
    mask = batch["attention_mask"].unsqueeze(-1)
    vectors = torch.nn.functional.normalize((states * mask).sum(1) / mask.sum(1), dim=-1)
    chinese, german, unrelated = (vectors[0] @ vectors[1:].T).tolist()
    assert chinese == pytest.approx(0.881, abs=0.002)
    assert german == pytest.approx(0.855, abs=0.002)
    assert unrelated < 0.77
