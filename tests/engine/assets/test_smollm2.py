"""Converting a GGUF file: a tiny Llama that is written here gives back its own logits; the real one where it is cached.

Run: python -m pytest tests/engine/assets/test_smollm2.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from gguf import GGMLQuantizationType, GGUFWriter, dequantize, quantize
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

from engine.assets import is_cached, model_folder
from engine.assets.progress import silent
from engine.assets.smollm2 import convert_smollm2
from engine.core.errors import AssetProblem
from engine.generation.prompts import prompt_style_of
from engine.models.catalog_entries import CATALOG

PIECES = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", *"abcdefgh12", "Ġ", "Ċ", "ab", "Ġab"]
TEMPLATE = "{% for m in messages %}<|im_start|>{{ m['content'] }}<|im_end|>\n{% endfor %}"
CONFIG = LlamaConfig(
    vocab_size=len(PIECES),
    hidden_size=64,
    intermediate_size=96,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    max_position_embeddings=128,
    rms_norm_eps=1e-5,
    rope_parameters={"rope_theta": 100_000.0, "rope_type": "default"},
    tie_word_embeddings=True,
    bos_token_id=1,
    eos_token_id=2,
    pad_token_id=2,
    initializer_range=0.3,  # large enough for attention to matter to the logits
)
NAMES = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}


def llama_cpp_rows(weights: np.ndarray, heads: int) -> np.ndarray:
    """The order in which llama.cpp keeps the rows of query and key projections: (half, pair) becomes (pair, half)."""
    rows, columns = weights.shape
    return weights.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(rows, columns)


def write_gguf(path: Path, model: LlamaForCausalLM) -> None:
    writer = GGUFWriter(path, "llama")
    writer.add_block_count(CONFIG.num_hidden_layers)
    writer.add_context_length(CONFIG.max_position_embeddings)
    writer.add_embedding_length(CONFIG.hidden_size)
    writer.add_feed_forward_length(CONFIG.intermediate_size)
    writer.add_head_count(CONFIG.num_attention_heads)
    writer.add_head_count_kv(CONFIG.num_key_value_heads)
    writer.add_rope_freq_base(100_000.0)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(PIECES))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(PIECES)
    writer.add_token_types([3] * 3 + [1] * (len(PIECES) - 3))
    writer.add_token_merges(["a b", "Ġ ab"])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_pad_token_id(2)
    writer.add_chat_template(TEMPLATE)
    for name, value in model.state_dict().items():
        weights = value.float().numpy()
        if name == "lm_head.weight":
            continue  # tied to the embeddings, so not in the file
        if name == "model.embed_tokens.weight":
            target = "token_embd.weight"
        elif name == "model.norm.weight":
            target = "output_norm.weight"
        else:
            _, _, layer, module = name.removesuffix(".weight").split(".", 3)
            target = f"blk.{layer}.{NAMES[module]}.weight"
            heads = {"attn_q": CONFIG.num_attention_heads, "attn_k": CONFIG.num_key_value_heads}.get(NAMES[module])
            weights = llama_cpp_rows(weights, heads) if heads else weights
        kind = GGMLQuantizationType.Q8_0 if weights.ndim == 2 and "token" in target else GGMLQuantizationType.F32
        writer.add_tensor(target, quantize(weights, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@pytest.fixture(scope="module")
def original() -> LlamaForCausalLM:
    """Random weights, such as survive 8 bits (embeddings) and float16 (all) nearly unchanged."""
    torch.manual_seed(0)
    model = LlamaForCausalLM(CONFIG).eval()
    eight_bits = quantize(model.model.embed_tokens.weight.detach().numpy(), GGMLQuantizationType.Q8_0)
    model.model.embed_tokens.weight.data = torch.from_numpy(dequantize(eight_bits, GGMLQuantizationType.Q8_0))
    for parameter in model.parameters():
        parameter.data = parameter.data.half().float()
    return model


@pytest.fixture(scope="module")
def converted(original: LlamaForCausalLM, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gguf")
    write_gguf(folder / "tiny.gguf", original)
    (folder / "model").mkdir()
    convert_smollm2(folder / "tiny.gguf", folder / "model", silent)
    return folder / "model"


def test_it_gives_the_logits_of_the_original(original: LlamaForCausalLM, converted: Path) -> None:
    model, info = AutoModelForCausalLM.from_pretrained(converted, dtype=torch.float32, output_loading_info=True)
    assert not any(info.values())
    ids = torch.tensor([[1, 5, 8, 4, 12, 2], [1, 3, 3, 9, 15, 14]])
    with torch.no_grad():
        expected, result = original(ids).logits, model.eval()(ids).logits
    assert (result - expected).abs().max() < 0.01 * expected.std()


def test_its_tokenizer_keeps_template_digits_and_special_tokens(converted: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(converted)
    assert tokenizer.is_fast
    assert tokenizer.model_max_length == CONFIG.max_position_embeddings
    assert (tokenizer.bos_token, tokenizer.eos_token, tokenizer.pad_token) == (
        "<|im_start|>",
        "<|im_end|>",
        "<|im_end|>",
    )
    assert tokenizer.convert_ids_to_tokens(tokenizer("ab 12ab").input_ids) == ["ab", "Ġ", "1", "2", "ab"]
    text = tokenizer.apply_chat_template([{"role": "user", "content": "ab"}], tokenize=False)
    assert text == "<|im_start|>ab<|im_end|>\n"
    assert tokenizer(text).input_ids == [1, PIECES.index("ab"), 2, PIECES.index("Ċ")]
    assert tokenizer.decode(tokenizer("ab ab").input_ids) == "ab ab"


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other.gguf").write_bytes(b"E5S1" + bytes(100))
    with pytest.raises(AssetProblem) as caught:
        convert_smollm2(tmp_path / "other.gguf", tmp_path, silent)
    assert caught.value.code == "asset_damaged"


@pytest.mark.training
def test_the_real_model_answers_in_english() -> None:
    if not is_cached("smollm2"):
        pytest.skip("needs the smollm2 model: python -m engine.assets fetch smollm2")
    folder = model_folder("smollm2")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    question = [{"role": "user", "content": "What is the capital of France?"}]
    prompt = tokenizer.apply_chat_template(question, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    answer = model.generate(**prompt, max_new_tokens=16, do_sample=False)[0, prompt["input_ids"].shape[1] :]
    assert "Paris" in tokenizer.decode(answer)
    assert prompt_style_of(model, tokenizer) == CATALOG["smollm2"].prompt_style, (
        "the page shows the prompt before the model is loaded"
    )
