"""Weights stored in the number format of matrix products: autocast would convert them anew in every forward pass.

Knows modules and dtypes. Does not know which models are trained, or what they compute.
"""

from __future__ import annotations

import torch
from torch import nn


def cast_frozen(model: nn.Module, dtype: torch.dtype) -> None:
    """Store the float32 parameters that are not trained in `dtype`."""
    for parameter in model.parameters():
        if not parameter.requires_grad and parameter.dtype == torch.float32:
            parameter.data = parameter.data.to(dtype)


def cast_linear(model: nn.Module, dtype: torch.dtype) -> None:
    """Store the linear layers of a model that is not trained in `dtype`: under autocast its outputs are the same bit for bit."""
    for module in model.modules():
        if type(module) is nn.Linear:  # quantised subclasses have a format of their own
            module.to(dtype)
