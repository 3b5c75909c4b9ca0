"""Converting SmolLM2-135M-Instruct from its 4-bit GGUF file to an ordinary transformers folder.

Knows how llama.cpp names and lays out a Llama model. The gguf package reads the file and dequantises; torch is not needed.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGUFReader, dequantize
from safetensors.numpy import save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from engine.assets.progress import Progress
from engine.core.errors import AssetProblem
from engine.core.text import Text

CONTROL_TOKEN = 3  # token type of llama.cpp

_WHOLE = {"token_embd.weight": "model.embed_tokens.weight", "output_norm.weight": "model.norm.weight"}
_IN_LAYER = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


def convert_smollm2(source: Path, folder: Path, progress: Progress) -> None:
    """Write config.json, generation_config.json, model.safetensors and the tokenizer with its chat template to `folder`.

    Weights are stored as float16 (269 MB), half of float32: the loss on English text changes by 0.00007, and loading into
    float32 takes 0.2 s instead of 0.06 s. (bfloat16, in which the model was published, would change it by 0.0011.)

    Raises AssetProblem when the file is no GGUF file, or its tensors are not those of a Llama model.
    """
    progress(Text("Reading the model file", "正在读取模型文件"), 0.0)
    try:
        reader = GGUFReader(source)
        about = {name: field.contents() for name, field in reader.fields.items()}
        config = _config(about)
        tensors = {}
        for done, tensor in enumerate(reader.tensors):
            progress(Text("Converting the weights", "正在转换权重"), 0.4 + 0.4 * done / len(reader.tensors))
            name = _target_name(tensor.name)
            tensors[name] = _weights(dequantize(tensor.data, tensor.tensor_type), name, config).astype(np.float16)
    except (ValueError, KeyError) as error:
        raise AssetProblem(
            "asset_damaged",
            Text(
                f"{source.name} is not a readable GGUF file of a Llama model: {error}",
                f"{source.name} 不是可读取的 Llama 模型 GGUF 文件：{error}",
            ),
            Text("Fetch it again.", "请重新下载。"),
            file=source.name,
        ) from error
    progress(Text("Writing the model", "正在写入模型"), 0.8)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    # safetensors makes files that only their owner can read; a cache may be shared.
    (folder / "model.safetensors").chmod(0o644)
    _write_json(folder / "config.json", config)
    ids = {key: config[key] for key in ("bos_token_id", "eos_token_id", "pad_token_id")}
    _write_json(folder / "generation_config.json", ids)
    _save_tokenizer(about, folder)
    progress(Text("Writing the model", "正在写入模型"), 1.0)


def _config(about: dict[str, Any]) -> dict[str, Any]:
    heads = about["llama.attention.head_count"]
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "attention_bias": False,
        "attention_dropout": 0.0,
        "bos_token_id": about["tokenizer.ggml.bos_token_id"],
        "dtype": "float16",
        "eos_token_id": about["tokenizer.ggml.eos_token_id"],
        "head_dim": about["llama.embedding_length"] // heads,
        "hidden_act": "silu",
        "hidden_size": about["llama.embedding_length"],
        "initializer_range": 0.02,
        "intermediate_size": about["llama.feed_forward_length"],
        "max_position_embeddings": about["llama.context_length"],
        "mlp_bias": False,
        "num_attention_heads": heads,
        "num_hidden_layers": about["llama.block_count"],
        "num_key_value_heads": about["llama.attention.head_count_kv"],
        "pad_token_id": about["tokenizer.ggml.padding_token_id"],
        # Stored as float32: the shortest decimal that means the same is 1e-05.
        "rms_norm_eps": float(str(np.float32(about["llama.attention.layer_norm_rms_epsilon"]))),
        "rope_parameters": {"rope_theta": about["llama.rope.freq_base"], "rope_type": "default"},
        "tie_word_embeddings": True,
        "use_cache": True,
        "vocab_size": about["llama.vocab_size"],
    }


def _target_name(name: str) -> str:
    if name in _WHOLE:
        return _WHOLE[name]
    _, layer, module, kind = name.split(".")
    return f"model.layers.{int(layer)}.{_IN_LAYER[module]}.{kind}"


def _weights(values: np.ndarray, name: str, config: dict[str, Any]) -> np.ndarray:
    """Undo llama.cpp's order of the rows that are rotated: it keeps the two halves of each pair side by side."""
    heads = {"q_proj": "num_attention_heads", "k_proj": "num_key_value_heads"}.get(name.split(".")[-2])
    if heads is None:
        return values
    rows, columns = values.shape
    pairs = values.reshape(config[heads], rows // config[heads] // 2, 2, columns)
    return pairs.swapaxes(1, 2).reshape(rows, columns)


def _save_tokenizer(about: dict[str, Any], folder: Path) -> None:
    pieces: list[str] = about["tokenizer.ggml.tokens"]
    merges = [tuple(merge.split(" ", 1)) for merge in about["tokenizer.ggml.merges"]]
    tokenizer = Tokenizer(models.BPE(vocab={piece: number for number, piece in enumerate(pieces)}, merges=merges))
    # "smollm" in llama.cpp's list of pre-tokenizers: every digit is a token, the rest as in GPT-2.
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    control = [p for p, kind in zip(pieces, about["tokenizer.ggml.token_type"], strict=True) if kind == CONTROL_TOKEN]
    tokenizer.add_special_tokens([AddedToken(piece, special=True, normalized=False) for piece in control])
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    names = {"bos": "bos", "eos": "eos", "unk": "unknown", "pad": "padding"}
    config = {f"{short}_token": pieces[about[f"tokenizer.ggml.{long}_token_id"]] for short, long in names.items()}
    config |= {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": about["llama.context_length"],
        "model_input_names": ["input_ids", "attention_mask"],
        "clean_up_tokenization_spaces": False,
    }
    _write_json(folder / "tokenizer_config.json", config)
    (folder / "chat_template.jinja").write_text(about["tokenizer.chat_template"], encoding="utf-8")


def _write_json(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
