"""Readers of both kinds of tasks, and gradients through them. Run: python -m pytest tests/engine/inference/test_readers.py"""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.inference.encoder_reader import EncoderReader
from engine.inference.generative_reader import GenerativeReader
from engine.inference.readers import reader_for
from engine.models.device import choose_device
from engine.schema import GENERATIVE, Example
from engine.tasks import TASKS
from engine.tasks.classification.decode import Classes
from engine.tasks.generative import GenerativeTask
from engine.tasks.model import EncoderTask, task_model

TASK = task_model(TASKS["classification"])
ROWS = [Example(row, {"text": text}, "good") for row, text in enumerate(["good film", "a bad dull plot"], start=1)]


@pytest.fixture(scope="module")
def reader(tiny_bert) -> EncoderReader:
    outputs, device = Classes(["bad", "good"]), choose_device("cpu", "fp32")
    loaded = TASK.load(str(tiny_bert), outputs, dropout=0.0)
    return EncoderReader(TASK, outputs, EncoderReader.place(loaded.model, device), loaded.tokenizer, device, 16)


@pytest.mark.parametrize("name", TASKS)
def test_every_task_model_is_whole_and_its_kind_decides_the_reader(name: str) -> None:
    task = task_model(TASKS[name])
    generative = TASKS[name].kind == GENERATIVE
    assert task.spec is not None and task.spec.name == name
    assert isinstance(task, GenerativeTask if generative else EncoderTask)
    assert not type(task).__abstractmethods__
    assert reader_for(task) is (GenerativeReader if generative else EncoderReader)


def test_gradients_reach_the_embeddings_through_a_reader(reader: EncoderReader) -> None:
    encoded = reader.encode(ROWS)
    logits = reader.forward(encoded.features)
    assert logits.shape == (2, 2)
    assert np.allclose(logits.detach().numpy(), np.stack(reader.run(encoded)), atol=1e-6)
    logits[0, 1].backward()
    embeddings = reader.model.get_input_embeddings().weight
    touched = embeddings.grad.abs().sum(dim=1) > 0
    assert touched[encoded.features[0].input_ids].all()
    reader.model.zero_grad()


def test_a_reader_computes_no_gradients_where_none_are_enabled(reader: EncoderReader) -> None:
    with torch.no_grad():
        assert not reader.forward(reader.encode(ROWS).features).requires_grad
    assert all(isinstance(logits, np.ndarray) for logits in reader.run(reader.encode(ROWS)))
