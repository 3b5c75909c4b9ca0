"""The model of transformers inside what training wraps around it (PEFT, distributed data parallel)."""

from __future__ import annotations

from typing import Any, TypeAlias

from torch.nn.parallel import DistributedDataParallel

# A model or layer of transformers, or PEFT's wrapper around a model. Which attributes it has depends on its family, and nn.Module
# types every attribute as Tensor | Module: code that uses them takes this instead.
FamilyModule: TypeAlias = Any


def unwrap(model: FamilyModule) -> FamilyModule:
    """The model without wrappers. PEFT is not imported where the model is not PEFT's: it is absent beside an exported model."""
    if isinstance(model, DistributedDataParallel):
        model = model.module
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def is_encoder_decoder(model: FamilyModule) -> bool:
    """Whether a generative model has an encoder apart from its decoder."""
    return bool(unwrap(model).config.is_encoder_decoder)
