"""From rows to answers with this model: load it, encode the rows, run it, decode its outputs.

Knows the two kinds of models: encoders, whose logits are decoded (with PyTorch or ONNX Runtime), and generative models. How rows
of the task are encoded and what its outputs mean is in the package `tunebench_decode`; task.json names the module.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import transformers
from device import choose_device
from encoder import OnnxEncoder, TorchEncoder, run
from transformers import AutoTokenizer
from tunebench_decode.schema import Example


class Answering(Protocol):
    """A loaded model."""

    def answer(self, rows: Sequence[dict[str, str]]) -> list[dict[str, Any]]:
        """One answer a row."""


def load(folder: Path, facts: dict[str, Any], task: dict[str, Any], onnx: str | Path | None = None) -> Answering:
    """The model in `folder`. `facts` are those of tunebench.json, `task` is task.json. ValueError for ONNX and a generative model."""
    if not task["generative"]:
        return EncoderAnswering(folder, facts, task, onnx)
    if onnx:
        raise ValueError("a generative model cannot be run by ONNX Runtime here")
    return GenerativeAnswering(folder, facts, task)


class EncoderAnswering:
    """A model whose logits are decoded into answers."""

    def __init__(self, folder: Path, facts: dict[str, Any], task: dict[str, Any], onnx: str | Path | None):
        self._decode = import_module(task["decode"])
        self._outputs = self._decode.outputs_from(facts["outputs"])
        self._max_length: int = facts["max_length"]
        self._tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        names = task["logits"]
        if onnx:
            self._model: TorchEncoder | OnnxEncoder = OnnxEncoder(Path(onnx), names)
        else:
            self._model = TorchEncoder(folder, getattr(transformers, task["auto_class"]), names)

    def answer(self, rows: Sequence[dict[str, str]]) -> list[dict[str, Any]]:
        examples = [Example(number, dict(row), ()) for number, row in enumerate(rows, start=1)]
        encoded = self._decode.encode(examples, self._tokenizer, self._max_length, True)
        outputs = run(self._model, encoded.features, self._tokenizer.pad_token_id)
        logits = [arrays[0] if len(arrays) == 1 else np.stack(arrays, axis=-1) for arrays in outputs]
        predictions = self._decode.predict(logits, encoded, len(examples), self._outputs)
        return self._decode.answers(examples, predictions, encoded, self._outputs)


class GenerativeAnswering:
    """A model that generates its answers. A long input is cut, or its parts are answered first: as the run was configured."""

    def __init__(self, folder: Path, facts: dict[str, Any], task: dict[str, Any]):
        import torch
        from tunebench_decode.generation_generator import Generator, encode_prompts
        from tunebench_decode.generation_prompt_encoder import PromptEncoder

        self._decode, self._encode_prompts = import_module(task["decode"]), encode_prompts
        self._source, self._target = next(iter(task["inputs"])), task["answer_key"]
        self.spec = self._decode.outputs_from(facts["outputs"])
        device, dtype = choose_device(torch)
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model = getattr(transformers, task["auto_class"]).from_pretrained(
            folder, dtype=torch.float32, use_safetensors=True, local_files_only=True
        )
        decoder_only = not model.config.is_encoder_decoder
        if (folder / "adapter").is_dir():
            # An adapter that cannot be merged into the weights.
            from peft import PeftModel

            model = PeftModel.from_pretrained(model, folder / "adapter")
        model = model.to(device, dtype=dtype).eval()
        prompt_encoder = PromptEncoder(tokenizer, self.spec, decoder_only, self._source)
        self._generator = Generator(model, prompt_encoder, facts["max_length"], device)

    def answer(self, rows: Sequence[dict[str, str]]) -> list[dict[str, Any]]:
        encoded = self._encode_prompts(self._generator.prompt_encoder, rows, self._generator.max_prompt_tokens)
        texts = self._generator.generate(rows, encoded)
        return self._decode.answers(texts, encoded, self._target)

    def stream(self, row: dict[str, str], stop: threading.Event, **style: Any) -> Iterator[str]:
        """The text generated so far, again and again; ends soon after `stop` is set. `style` replaces fields of `spec`, such as `beams`."""
        prompt_encoder = replace(self._generator.prompt_encoder, spec=self.spec.with_changes(**style))
        return replace(self._generator, prompt_encoder=prompt_encoder).stream(row, stop)
