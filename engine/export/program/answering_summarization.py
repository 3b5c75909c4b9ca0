"""Asking a model that writes for the summary of a document.

A document longer than the model reads is cut, or read part by part and the parts' summaries summarised again: as the run was set.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from device import device_here
from rules.writing_encode import PromptEncoder
from rules.writing_form import GenerationSpec
from rules.writing_pen import Generator, encode
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoTokenizer

INPUTS = ("document",)  # what must be given of each row
OPTIONAL: tuple[str, ...] = ()


class Answering:
    """The model and its tokenizer. `facts` are those of tunebench.json."""

    def __init__(self, folder: Path, facts: dict[str, Any], onnx: str | Path | None = None):
        if onnx:
            raise ValueError("a model that writes does not answer by ONNX")
        self.form = GenerationSpec.from_dict(facts["outputs"])
        device, dtype = device_here(torch)
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        reads_first = AutoConfig.from_pretrained(folder, local_files_only=True).is_encoder_decoder
        kind = AutoModelForSeq2SeqLM if reads_first else AutoModelForCausalLM
        model = kind.from_pretrained(folder, dtype=torch.float32, use_safetensors=True, local_files_only=True)
        if (folder / "adapter").is_dir():
            # What was learned stands beside the weights and could not be merged into them.
            from peft import PeftModel

            model = PeftModel.from_pretrained(model, folder / "adapter")
        model = model.to(device, dtype=dtype).eval()
        scribe = PromptEncoder(tokenizer, self.form, not reads_first, INPUTS[0])
        self._pen = Generator(model, scribe, facts["max_length"], device)

    def answer(self, rows: Sequence[dict[str, str]]) -> list[dict[str, Any]]:
        """`summary`, in how many `parts` the document was read, and whether its end was `cut` off."""
        encoded = encode(self._pen.scribe, rows, self._pen.room)
        texts = self._pen.answers(rows, encoded)
        parts = [sum(feature.example == index for feature in encoded.features) for index in range(len(rows))]
        return [
            {"summary": text, "parts": count, "cut": index in encoded.shortened}
            for index, (text, count) in enumerate(zip(texts, parts, strict=True))
        ]

    def stream(self, row: dict[str, str], stop: threading.Event, **style: Any) -> Iterator[str]:
        """The summary as it grows; it ends soon after `stop` is set. `style` replaces settings of the form, such as `beams`."""
        scribe = replace(self._pen.scribe, form=self.form.but(**style))
        return replace(self._pen, scribe=scribe).stream(row, stop)
