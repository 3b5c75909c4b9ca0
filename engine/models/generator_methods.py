"""The weights of a generative model that are trained: all, LoRA's matrices, a prefix, or IA3's factors.

A generative model has no new head to train beside them, unlike an encoder. Knows modules by their kind and name; does not know tasks.
"""

from __future__ import annotations

import re
from typing import cast

from peft import IA3Config, LoraConfig, PeftConfig, PrefixTuningConfig, TaskType, get_peft_model
from torch import nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from engine.core.errors import ConfigProblem
from engine.core.text import Text
from engine.models.config import MethodConfig

# Names of the projections to keys and values in each family, and of the last feed-forward layer.
_KEYS_AND_VALUES = ("k_proj", "v_proj", "k", "v", "c_attn", "query_key_value", "qkv_proj")
_FEED_FORWARD = ("down_proj", "wo", "fc2", "mlp.c_proj", "dense_4h_to_h", "fc_out")


def apply_to_generator(model: PreTrainedModel, method: MethodConfig, freeze_embeddings: bool) -> nn.Module:
    """Freeze and wrap `model` for the method. ConfigProblem where the family has nothing that the method could change."""
    if method.name == "full":
        if freeze_embeddings:
            # Tied to the output layer in most families, which is then frozen as well.
            model.get_input_embeddings().requires_grad_(False)
        return model
    if method.four_bit:
        from peft import prepare_model_for_kbit_training

        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
    return get_peft_model(model, peft_config(model, method))


def peft_config(model: PreTrainedModel, method: MethodConfig) -> PeftConfig:
    """PEFT's description of the method for this model."""
    kind = TaskType.SEQ_2_SEQ_LM if model.config.is_encoder_decoder else TaskType.CAUSAL_LM
    if method.name == "prefix":
        # Li & Liang 2021; without their reparametrisation, which slows training.
        return PrefixTuningConfig(task_type=kind, num_virtual_tokens=method.prefix_length)
    if method.name == "ia3":
        return _ia3(model, kind)
    return LoraConfig(
        task_type=kind,
        r=method.lora_rank,
        lora_alpha=cast(int, method.lora_alpha),  # PEFT computes with any number
        lora_dropout=method.lora_dropout,
        use_dora=method.use_dora,
        use_rslora=method.use_rslora,
        target_modules=upper_layers(linear_layers(model), method.lora_layers),
        fan_in_fan_out=any(isinstance(module, Conv1D) for module in model.modules()),
        bias="none",
    )


def linear_layers(model: PreTrainedModel) -> list[str]:
    """Every linear layer but the output layer. GPT-2's `Conv1D` is one with a transposed weight."""
    head = model.get_output_embeddings()
    return [
        name for name, module in model.named_modules() if isinstance(module, nn.Linear | Conv1D) and module is not head
    ]


def upper_layers(names: list[str], count: int | None) -> list[str]:
    """The modules that lie in the last `count` of numbered layers, and those in none; None keeps all.

    No gradient flows below them, which shortens the backward pass.
    """
    numbers = {name: int(match[1]) for name in names if (match := re.search(r"\.(\d+)\.", name))}
    if count is None or not numbers:
        return names
    first = max(numbers.values()) + 1 - count
    return [name for name in names if numbers.get(name, first) >= first]


def _ia3(model: PreTrainedModel, kind: TaskType) -> IA3Config:
    """Factors on keys, values and the inner features of the feed-forward layers (Liu et al. 2022)."""
    names = linear_layers(model)
    forward = [name for name in names if _called(name, _FEED_FORWARD)]
    targets = [name for name in names if _called(name, _KEYS_AND_VALUES)] + forward
    if not targets or not forward:
        raise ConfigProblem(
            "ia3_unknown_family",
            Text(
                f"IA3 does not know where the keys, values and feed-forward layers of a {model.config.model_type} model are.",
                f"IA3 无法识别 {model.config.model_type} 模型的键、值和前馈层。",
            ),
            Text("Choose lora.", "请选择 lora。"),
            field="method.name",
        )
    return IA3Config(task_type=kind, target_modules=targets, feedforward_modules=forward)


def _called(name: str, endings: tuple[str, ...]) -> bool:
    return any(name == ending or name.endswith("." + ending) for ending in endings)
