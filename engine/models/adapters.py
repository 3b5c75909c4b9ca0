"""The weights that are trained (all, LoRA's added matrices, or the head alone), and saving and loading the result.

PEFT's own defaults raise for several families and lose a randomly initialised layer in others, because they guess the
head by name. Here the head is every module missing in the checkpoint, so it is always trained and always saved.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import cast

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch import nn
from transformers import PreTrainedModel

from engine.core.errors import RunFailure
from engine.core.text import Text
from engine.models.config import MethodConfig
from engine.models.generator_methods import apply_to_generator
from engine.models.load import LoadedModel
from engine.models.speed.frozen_layer_cache import freeze_below
from engine.models.unwrap import FamilyModule


def apply_method(
    loaded: LoadedModel, method: MethodConfig, freeze_embeddings: bool, frozen_layers: int = 0
) -> nn.Module:
    """Freeze and wrap `loaded.model` for the method. Returns the module to train; its trainable parameters say which.

    In full fine-tuning of an encoder the lowest `frozen_layers` stay as they are, with all that is below them.
    """
    model = loaded.model
    if model.can_generate():
        return apply_to_generator(model, method, freeze_embeddings)
    head = head_modules(model, loaded.new_modules)
    if method.name == "lora":
        wrapped = get_peft_model(model, lora_config(model, head, method))
        return wrapped
    if method.name == "head":
        model.requires_grad_(False)
        for name in head:
            model.get_submodule(name).requires_grad_(True)
    elif frozen_layers:
        freeze_below(model, frozen_layers)
    elif freeze_embeddings:
        model.get_input_embeddings().requires_grad_(False)
    return model


def head_modules(model: PreTrainedModel, new_modules: list[str]) -> list[str]:
    """The modules to train in full under every method: those new to the checkpoint, and all that lies outside the encoder.

    The second part matters for a checkpoint that already has a head of the right size: no module is new then.
    """
    prefix = model.base_model_prefix + "."
    outside = {name for name, _ in model.named_parameters() if not name.startswith(prefix)}
    return sorted({name.rpartition(".")[0] for name in outside} | set(new_modules))


def lora_config(model: PreTrainedModel, head: list[str], method: MethodConfig) -> LoraConfig:
    """LoRA (Hu et al. 2021) on every linear layer of the encoder that is not part of the head."""
    targets = [
        name for name, module in model.named_modules() if isinstance(module, nn.Linear) and not _within(name, head)
    ]
    return LoraConfig(
        r=method.lora_rank,
        lora_alpha=cast(int, method.lora_alpha),  # PEFT computes with any number
        lora_dropout=method.lora_dropout,
        use_dora=method.use_dora,
        use_rslora=method.use_rslora,
        target_modules=targets,
        modules_to_save=head,
        bias="none",
    )


def fast_parameters(model: nn.Module, loaded: LoadedModel) -> list[nn.Parameter]:
    """The trainable parameters with a larger learning rate, because they are randomly or zero initialised.

    Under LoRA those are the B matrices and the head, as in LoRA+ (Hayou et al. 2024), while A matrices and DoRA's magnitudes are not
    among them; in full fine-tuning the head.
    """
    trained = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
    if isinstance(model, PeftModel):
        slow = (".lora_A.", ".lora_magnitude_vector.")
        return [parameter for name, parameter in trained.items() if not any(part in name for part in slow)]
    if loaded.model.can_generate():
        return []
    head = head_modules(loaded.model, loaded.new_modules)
    return [parameter for name, parameter in trained.items() if _within(name, head)]


def checkpoint_activations(model: FamilyModule) -> None:
    """Gradient checkpointing (Chen et al. 2016): activations are recomputed in the backward pass instead of stored."""
    inner: FamilyModule = model.get_base_model() if isinstance(model, PeftModel) else model
    # The reentrant kind needs an input that requires a gradient, which frozen embeddings do not give.
    inner.activation_checkpointing_enable()


def _within(name: str, modules: list[str]) -> bool:
    return any(name == module or name.startswith(module + ".") for module in modules)


def parameter_counts(model: nn.Module) -> tuple[int, int]:
    """(all parameters, trainable ones)."""
    counts = [(p.numel(), p.requires_grad) for p in model.parameters()]
    return sum(n for n, _ in counts), sum(n for n, trainable in counts if trainable)


def trainable_state(model: nn.Module) -> dict[str, torch.Tensor]:
    """A copy on the CPU of every trainable parameter, enough to restore the model."""
    return {name: p.detach().to("cpu", copy=True) for name, p in model.named_parameters() if p.requires_grad}


def restore_trainable(model: nn.Module, state: dict[str, torch.Tensor]) -> None:
    """Put a `trainable_state` back, in place. KeyError when it belongs to another model."""
    parameters = dict(model.named_parameters())
    with torch.no_grad():
        for name, value in state.items():
            parameters[name].copy_(value)


def save_model(model: FamilyModule, loaded: LoadedModel, directory: Path) -> None:
    """Write the tuned model (a full checkpoint, or the adapter with the head) and its tokenizer, safetensors only."""
    if isinstance(model, PeftModel):
        # "auto" would query the hub for the size of the vocabulary, which never changes here; the hub may be unreachable.
        model.save_pretrained(str(directory), save_embedding_layers=False)
    else:
        model.save_pretrained(directory)
    loaded.tokenizer.save_pretrained(directory)


def with_adapter(base: PreTrainedModel, directory: Path) -> FamilyModule:
    """The base model with the adapter in `directory` merged into its weights: as fast as a model without one.

    A prefix cannot be merged, and merging into 4-bit weights loses precision: such adapters stay separate.
    """
    model = PeftModel.from_pretrained(base, directory)
    quantised = base.config.to_dict().get("quantization_config") is not None
    return model if model.active_peft_config.is_prompt_learning or quantised else model.merge_and_unload()


def verify_saved(
    trained: nn.Module, reload: Callable[[], nn.Module], forward: Callable[[nn.Module], torch.Tensor], tolerance: float
) -> float:
    """Reload what was saved and compare its logits with the trained model's on one batch.

    Returns the largest absolute difference. Raises RunFailure when it exceeds `tolerance`: a run whose model was not
    saved as trained must not complete.
    """
    with torch.inference_mode():
        expected, got = forward(trained.eval()), forward(reload().eval())
    difference = float((expected.float() - got.float()).abs().max())
    if not difference <= tolerance:
        raise RunFailure(
            "save_mismatch",
            Text(
                f"The saved model does not answer like the trained one (logits differ by {difference:.3g}).",
                f"保存的模型与训练后的模型输出不一致（logits 相差 {difference:.3g}）。",
            ),
            Text("Please report this with the run's config.yaml.", "请附上该运行的 config.yaml 反馈此问题。"),
        )
    return difference
