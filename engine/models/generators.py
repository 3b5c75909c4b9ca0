"""Loading a pretrained generative model: an encoder-decoder (T5, BART, Marian, ...) or a decoder (Llama, Qwen, GPT-2, ...).

Knows which checkpoints can generate text and what others lack. Does not know prompts.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import torch
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    AutoTokenizer,
    BitsAndBytesConfig,
    PretrainedConfig,
)
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
    MODEL_FOR_MASKED_LM_MAPPING_NAMES,
    MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES,
)

from engine.core.errors import ConfigProblem, ModelProblem
from engine.core.text import Text
from engine.models.load import LoadedModel, check_tokenizer, explained, modules_of, set_dropout


def load_generator(
    source: str,
    *,
    dropout: float | None = None,
    revision: str = "",
    token: str | None = None,
    four_bit: bool = False,
) -> LoadedModel:
    """Load `source` (a folder or a hub id) in float32, or its weights in 4 bits, with the attention that transformers prefers.

    Raises ModelProblem when it does not exist, cannot generate text, is damaged, lacks a part or a tokenizer; RunFailure when the hub is
    needed and cannot be reached; ConfigProblem when 4 bits are not possible on this machine.
    """
    hub_options = {"revision": revision or None, "token": token, "trust_remote_code": False}
    extra = {}
    if four_bit:
        check_four_bit()
        extra["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=torch.bfloat16,
        )
    with explained(source):
        config = AutoConfig.from_pretrained(source, **hub_options)
        auto: Any = auto_class_of(config, source)
        if dropout is not None:
            set_dropout(config, dropout)
        tokenizer = AutoTokenizer.from_pretrained(source, **hub_options)
        check_tokenizer(tokenizer, source)
        model, info = auto.from_pretrained(
            source,
            config=config,
            dtype=torch.float32,
            use_safetensors=True,
            output_loading_info=True,
            **extra,
            **hub_options,
        )
    missing = modules_of(set(info["missing_keys"]))
    if missing:
        raise ModelProblem(
            "incomplete_generator",
            Text(
                f"{source} lacks weights that generating text needs: {', '.join(missing[:3])}.",
                f"{source} 缺少生成所需的权重：{'、'.join(missing[:3])}。",
            ),
            Text(
                "Choose a checkpoint of a generative model, such as smollm2, flan-t5-small or bart-base.",
                "请选择具备生成能力的模型，例如 smollm2、flan-t5-small 或 bart-base。",
            ),
            model=source,
        )
    if tokenizer.pad_token_id is None:
        # Families without a padding token (GPT-2, Llama): padding is masked, so that any token serves.
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.unk_token
    return LoadedModel(model, tokenizer, [], source)


def auto_class_of(config: PretrainedConfig, source: str) -> type:
    """The class that loads a checkpoint for generation. ModelProblem for encoders and other models that cannot generate text."""
    family = config.model_type
    if config.is_encoder_decoder and family in MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES:
        return AutoModelForSeq2SeqLM
    # Encoders such as BERT have a causal class as well, but no checkpoints for it.
    if family in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES and family not in MODEL_FOR_MASKED_LM_MAPPING_NAMES:
        return AutoModelForCausalLM
    raise ModelProblem(
        "not_a_generator",
        Text(
            f"{source} is a {family} model, which cannot generate text.", f"{source} 是 {family} 模型，不能生成文本。"
        ),
        Text(
            "Choose a generative model, such as smollm2, flan-t5-small, bart-base or qwen2.5-0.5b-instruct.",
            "请选择生成模型，例如 smollm2、flan-t5-small、bart-base 或 qwen2.5-0.5b-instruct。",
        ),
        model=source,
    )


def check_four_bit() -> None:
    """ConfigProblem with the reason where weights cannot be loaded in 4 bits."""
    reason = None
    if not torch.cuda.is_available():
        reason = Text("this machine has no NVIDIA GPU", "本机没有 NVIDIA GPU")
    elif find_spec("bitsandbytes") is None:
        reason = Text("bitsandbytes is not installed", "未安装 bitsandbytes")
    if reason is not None:
        raise ConfigProblem(
            "no_four_bit",
            Text(f"method.four_bit cannot be used: {reason.en}.", f"无法使用 method.four_bit：{reason.zh}。"),
            Text(
                "Turn it off; a smaller model, gradient checkpointing or a smaller batch saves memory everywhere.",
                "请关闭该选项；换用更小的模型、启用梯度检查点或减小批大小同样可以节省内存。",
            ),
            field="method.four_bit",
        )
