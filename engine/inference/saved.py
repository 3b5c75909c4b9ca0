"""The folder of a fine-tuned model: what is in it, and how it is loaded again.

    model/tunebench.json     task, outputs, maximum length, method, base model, columns
          config.json, model.safetensors | adapter_config.json, adapter_model.safetensors
          tokenizer files
          untuned.safetensors   the pretrained baseline (engine/tasks/pretrained_baseline.py)

Knows files. Does not know how predictions are made.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.core.errors import RunProblem
from engine.core.text import Text
from engine.models.adapters import with_adapter
from engine.models.catalog import resolve
from engine.models.device import choose_device
from engine.models.load import LoadedModel
from engine.models.speed.fast_paths import Conditions, FastPaths
from engine.schema import Outputs
from engine.tasks import TASKS
from engine.tasks.model import task_model

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

ADAPTERS = ("lora", "prefix", "ia3")  # methods that keep the base model as it is


@dataclass(frozen=True, slots=True)
class Description:
    """What is needed beside the weights to answer with a fine-tuned model."""

    task: str
    outputs: dict[str, Any]  # of the task: Outputs.to_dict()
    max_length: int
    method: str
    base_model: str
    base_revision: str = ""
    columns: dict[str, str] = field(default_factory=dict)  # role -> column of the training file
    layers: int | None = None  # of the base model that were kept; None for all
    masked: bool = False  # personal data was masked in training, so inputs are masked as well
    four_bit: bool = False  # the base model was loaded in 4 bits
    extra: dict[str, Any] = field(default_factory=dict)  # fields that a newer version wrote: kept, and written back

    def save(self, directory: Path) -> None:
        values = asdict(self)
        text = json.dumps(values | values.pop("extra"), ensure_ascii=False, indent=1)
        (directory / "tunebench.json").write_text(text, encoding="utf-8")

    @classmethod
    def load(cls, directory: Path) -> Description:
        path = directory / "tunebench.json"
        if not path.is_file():
            raise RunProblem(
                "no_model",
                Text("This run has no finished model.", "该运行没有已完成的模型。"),
                Text("Wait for it to complete, or choose another run.", "请等待其完成，或选择其他运行。"),
            )
        values = json.loads(path.read_text(encoding="utf-8"))
        known_fields = {f.name for f in fields(cls)} - {"extra"}
        return cls(
            **{key: value for key, value in values.items() if key in known_fields},
            extra={key: value for key, value in values.items() if key not in known_fields},
        )

    @property
    def decoded_outputs(self) -> Outputs:
        """The outputs as the task's own class."""
        return task_model(TASKS[self.task]).outputs_from(self.outputs)


def load_base(
    description: Description,
    attention: str | None = None,
    tokenizer: PreTrainedTokenizerBase | None = None,
) -> LoadedModel:
    """The pretrained model that the run started from, with a new head. `tokenizer` is its own, where that is loaded already."""
    import torch

    # Without a GPU the same weights are loaded in full precision.
    four_bit = {"four_bit": True} if description.four_bit and torch.cuda.is_available() else {}
    return task_model(TASKS[description.task]).load(
        resolve(description.base_model),
        description.decoded_outputs,
        revision=description.base_revision,
        layers=description.layers,
        attention=attention,
        tokenizer=tokenizer,
        **four_bit,
    )


def load_tuned(
    directory: Path, description: Description, attention: str | None = None, fast: FastPaths | None = None
) -> LoadedModel:
    """The fine-tuned model, an adapter merged into its base where possible. `fast` are the fast paths it may use, all by default."""
    fast = fast or FastPaths.of("auto", Conditions(choose_device()))
    if description.method in ADAPTERS:
        loaded = load_base(description, attention)
        loaded.model = with_adapter(loaded.model, directory)
    else:
        loaded = task_model(TASKS[description.task]).load(
            str(directory), description.decoded_outputs, attention=attention
        )
    fast.enable("last_layer_first_token", loaded.model)
    return loaded
