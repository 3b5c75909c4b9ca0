"""What is kept of a run: the tuned model, checked by loading it again, and the facts of how it was made.

Knows what a session holds once its model is there. Does not know how it was trained.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from engine.inference.forward import collate
from engine.inference.readers import reader_for
from engine.inference.saved import Description, load_tuned
from engine.models.adapters import parameter_counts, save_model, verify_saved
from engine.models.speed import encoder_output_cache
from engine.schema import Feature
from engine.training import forecast, run_notices

if TYPE_CHECKING:
    from engine.training.session import Session

LIBRARIES = ("torch", "transformers", "peft", "accelerate", "datasets", "scikit-learn", "numpy")
COMPARED, COMPARED_TOKENS = 8, 512  # sequences and tokens on which the saved model is compared with the trained one
# The reloaded model computes the same products in another order; bf16 keeps 8 bits.
TOLERANCE = {torch.float32: 1e-3, torch.bfloat16: 0.1, torch.float16: 0.05}


def save(session: Session) -> Description:
    """Write the model, load it again, and see that it answers the same (RunFailure). From here on the saved one is the session's."""
    session.course.begin("save")
    config, device, task = session.config, session.device, session.task
    directory = session.run.path("model")
    directory.mkdir(exist_ok=True)
    save_model(session.model, session.loaded, directory)
    description = Description(
        task=config.task,
        outputs=session.outputs.to_dict(),
        max_length=session.resolved.max_length,
        method=config.method.name,
        base_model=config.model.id,
        base_revision=config.model.revision,
        columns=session.prepared.columns,
        layers=session.layers,
        masked="mask_personal_data" in config.data.fixes,
        four_bit=config.method.four_bit,
    )
    description.save(directory)
    batch = collate(_few(session.train.features), session.loaded.tokenizer.pad_token_id)
    batch.pop("labels")
    batch = {name: tensor.to(device.name) for name, tensor in batch.items()}
    reloaded = load_tuned(directory, description, session.attention, session.fast.for_prediction()).model
    if not config.method.four_bit:
        reloaded = reloaded.to(device.name)

    def logits(model: nn.Module) -> torch.Tensor:
        with device.autocast():
            return task.read(model, batch)

    session.fast.enable("cpu_attention", reloaded)
    session.fast.enable("target_logits_only", reloaded)
    difference = verify_saved(session.model, lambda: reloaded, logits, TOLERANCE[device.dtype])
    session.facts["reload_difference"] = difference
    session.model = reader_for(task).place(reloaded, device, "half_precision_weights" in session.fast)
    if session.memory is not None:
        encoder_output_cache.enable(session.model, session.memory)
    return description


def _few(features: Sequence[Feature]) -> list[Feature]:
    """The first sequences, as many as make COMPARED_TOKENS: a model that answers otherwise shows it in any of them."""
    most = max(1, COMPARED_TOKENS // max(map(len, features[:COMPARED])))
    return list(features[: min(COMPARED, most)])


def facts_of(session: Session) -> dict[str, Any]:
    """What is known of a run before it trains: model, method, device and its reason, settings, data, versions."""
    everything, trainable = parameter_counts(session.model)
    reads_once = session.fast.applies("encoder_output_cache", session.model)
    return {
        "model": session.config.model.id,
        "method": session.config.method.name,
        "device": session.device.name,
        "device_reason": session.device.reason.to_dict(),
        "means": run_notices.means(
            session.device,
            # Families without attention of several kinds leave it unnamed.
            session.loaded.model.config._attn_implementation or "eager",
            run_notices.ComputeSavings(
                embeddings=not session.loaded.model.get_input_embeddings().weight.requires_grad,
                encoder=reads_once,
                frozen_layers=session.lower.count if session.lower else session.resolved.frozen_layers,
                read_once=session.lower is not None,
                lora_products=session.lora_products,
                other_tokens=session.first_token,
                off=session.config.training.optimizations == "off",
            ),
            [len(feature) for feature in session.train.features],
            session.resolved.batch_size,
            session.config.seed,
        ).to_dict(),
        "reads_once": reads_once,
        "dtype": session.device.precision,
        "threads": session.threads,
        "parameters": everything,
        "trainable_parameters": trainable,
        "layers": session.loaded.model.config.num_hidden_layers,
        "lora_layers": session.lora_layers,
        "layers_read_once": session.lower.count if session.lower else 0,
        **session.outputs.to_dict(),
        "seed": session.config.seed,
        "judging_rows": round(forecast.judgement(session), 1),
        "versions": {name: version(name) for name in LIBRARIES},
        **asdict(session.resolved),
        **session.prepared.facts,
    }
