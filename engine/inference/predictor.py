"""Answering with a fine-tuned model: one text or many, long or short, beside the answers of the pretrained model.

Knows how a run's model folder is turned into answers. Does not know pages or files of texts.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from engine.core.errors import ColumnProblem
from engine.core.text import Text
from engine.data.masking import mask_example
from engine.inference.reader import Reader
from engine.inference.readers import reader_for
from engine.inference.saved import Description, load_base, load_tuned
from engine.inference.unmasked import unmasked
from engine.models.device import Device, choose_device
from engine.models.load import LoadedModel
from engine.models.speed.fast_paths import Conditions, FastPaths
from engine.schema import Example
from engine.tasks import TASKS
from engine.tasks.model import task_model

Rows = Sequence[str | Mapping[str, str]]
Progress = Callable[[int, int], None]


class Predictor:
    """A loaded model that answers. Make it once and reuse it; it holds no state between calls."""

    def __init__(self, directory: Path, device: Device | None = None):
        self.directory = directory
        self.description = Description.load(directory)
        self.task = task_model(TASKS[self.description.task])
        self.outputs = self.description.decoded_outputs
        self.device = device or choose_device()
        fast = FastPaths.of("auto", Conditions(self.device))
        self._tuned = self._reader(load_tuned(directory, self.description, fast=fast))

    @cached_property
    def _base(self) -> tuple[Reader, Any]:
        # Loaded on the first comparison only: most visits never ask for it.
        return self._reader(load_base(self.description)), self.task.pretrained_baseline.load(self.directory)

    @property
    def knows_base(self) -> bool:
        """Whether the pretrained model can answer as well: what it needs is kept where the run compared the two."""
        return self.task.pretrained_baseline.is_in(self.directory)

    def predict(self, rows: Rows, base: bool = False, progress: Progress | None = None) -> list[dict[str, Any]]:
        """One answer a row (`TaskModel.answers`). `progress` is called with (done, total).

        A row is a text, or a mapping of role names to texts; long texts are read in windows. With `base` the pretrained model
        answers. ColumnProblem for a row that lacks an input of the task.
        """
        examples = self._examples(rows)
        if not examples:
            return []
        if base:
            reader, baseline = self._base
            encoded = reader.encode(examples)
            predictions = baseline.predict(reader, examples, encoded, progress)
        else:
            encoded = self._tuned.encode(examples)
            predictions = self._tuned.predict(examples, encoded, progress)
        answers = self.task.answers(examples, predictions, encoded, self.outputs)
        if self.description.masked:
            main = self.task.spec.inputs[0]
            texts = (row if isinstance(row, str) else row[main] for row in rows)
            answers = [unmasked(answer, text) for answer, text in zip(answers, texts, strict=True)]
        return answers

    def stream(
        self, row: str | Mapping[str, str], stop: threading.Event, base: bool = False, **style: Any
    ) -> Iterator[dict[str, Any]]:
        """The answer of a generative model as it grows; `growing` is False in the last one, `stopped` tells whether `stop` ended it.

        `style` replaces settings of the run's `GenerationSpec`, such as beams or temperature. Ends soon after `stop` is set. TypeError for
        a model that does not generate.
        """
        from engine.inference.generative_reader import GenerativeReader  # encoders do without generation

        [example] = self._examples([row])
        reader = self._base[0] if base else self._tuned
        if not isinstance(reader, GenerativeReader):
            raise TypeError(f"a model for {self.task.spec.name} does not generate text")
        spec = reader.outputs.with_changes(**style)
        encoded = replace(reader, outputs=spec).encode([example])

        def answer_of(text: str, growing: bool) -> dict[str, Any]:
            [answer] = self.task.answers([example], [text], encoded, spec)
            return {**answer, "growing": growing, "stopped": stop.is_set() and not growing}

        text = ""
        for text in reader.stream(example, spec, stop):
            yield answer_of(text, True)
        yield answer_of(text, False)

    def predictions(self, examples: Sequence[Example], progress: Progress | None = None) -> Any:
        """The task's predictions for examples: for scoring, not for reading."""
        return self._tuned.predict(examples, progress=progress)

    def _reader(self, loaded: LoadedModel) -> Reader:
        reader = reader_for(self.task)
        model = reader.place(loaded.model, self.device)
        return reader(self.task, self.outputs, model, loaded.tokenizer, self.device, self.description.max_length)

    def _examples(self, rows: Rows) -> list[Example]:
        required = self.task.spec.required_inputs
        examples = []
        for number, row in enumerate(rows, start=1):
            inputs = {required[0]: row} if isinstance(row, str) else dict(row)
            missing = [name for name in required if not isinstance(inputs.get(name), str)]
            if missing:
                label = self.task.spec.role(missing[0]).label
                options = " ".join(f"--input {name}=…" for name in required)
                raise ColumnProblem(
                    "missing_input",
                    Text(f"Row {number} has no {label.en.lower()}.", f"第 {number} 行缺少{label.zh}。"),
                    Text(
                        f"The model reads {' and '.join(required)}; on the command line: {options}.",
                        f"该模型需要读取 {'、'.join(required)}；命令行写法：{options}。",
                    ),
                    row=number,
                    column=missing[0],
                )
            example = Example(number, inputs, ())
            examples.append(mask_example(example, self.task.spec) if self.description.masked else example)
        return examples


def load_predictor(run_directory: str | Path, device: Device | None = None) -> Predictor:
    """The predictor of a run directory (or of its model folder). RunProblem when it has no finished model."""
    directory = Path(run_directory)
    return Predictor(directory / "model" if (directory / "model").is_dir() else directory, device)
