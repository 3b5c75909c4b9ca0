"""The facts of a run before it trains: what the manifest, the events and the report record of model, method, machine and settings.

Knows the names of the facts, which are a format that old and new runs share. Does not know how anything is computed.
"""

from __future__ import annotations

from dataclasses import asdict
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from torch import nn

from engine.models.adapters import parameter_counts
from engine.training import run_notices

if TYPE_CHECKING:
    from engine.training.encode import EncodedData
    from engine.training.forecast import Workload
    from engine.training.load_model import LoadedStage
    from engine.training.prepare import PreparedData

LIBRARIES = ("torch", "transformers", "peft", "accelerate", "datasets", "scikit-learn", "numpy")


def training_facts(
    data: PreparedData,
    stage: LoadedStage,
    encoded: EncodedData,
    workload: Workload,
    model: nn.Module,
    *,
    lora_layers: int | None,
    fused_lora_layers: int,
    cached_layers: int,
) -> dict[str, Any]:
    """Model, method, device and its reason, settings, data and versions, as JSON. `model` is the one that is trained."""
    config, resolved, pretrained = data.config, encoded.resolved, stage.loaded.model
    all_parameters, trainable = parameter_counts(model)
    reads_once = stage.fast.applies("encoder_output_cache", model)
    compute = run_notices.describe_compute(
        stage.device,
        # Families with a single kind of attention leave it unnamed.
        pretrained.config._attn_implementation or "eager",
        run_notices.ComputeSavings(
            embeddings=not pretrained.get_input_embeddings().weight.requires_grad,
            encoder=reads_once,
            frozen_layers=cached_layers or resolved.frozen_layers,
            read_once=cached_layers > 0,
            lora_products=fused_lora_layers,
            other_tokens=stage.first_token_only,
            off=config.training.optimizations == "off",
        ),
        encoded.lengths,
        resolved.batch_size,
        config.seed,
    )
    return {
        "model": config.model.id,
        "method": config.method.name,
        "device": stage.device.name,
        "device_reason": stage.device.reason.to_dict(),
        "means": compute.to_dict(),
        "reads_once": reads_once,
        "dtype": stage.device.precision,
        "threads": stage.threads,
        "parameters": all_parameters,
        "trainable_parameters": trainable,
        "layers": pretrained.config.num_hidden_layers,
        "lora_layers": lora_layers,
        "layers_read_once": cached_layers,
        **encoded.outputs.to_dict(),
        "seed": config.seed,
        "judging_rows": round(workload.report_cost, 1),
        "versions": {name: version(name) for name in LIBRARIES},
        **asdict(resolved),
        **data.facts,
    }
