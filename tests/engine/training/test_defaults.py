"""What an empty setting means. Run: python -m pytest tests/engine/training/test_defaults.py"""

from __future__ import annotations

from typing import Any

import pytest
from transformers import BertConfig, LlamaConfig

from engine.config import RunConfig
from engine.core.errors import ConfigProblem
from engine.tasks import TASKS
from engine.tasks.task_defaults import (
    epochs_for_classes,
    epochs_for_entities,
    epochs_for_generation,
    epochs_for_questions,
)
from engine.training.defaults import batch_size_for, common_length, learning_rate_for, max_length_for, resolve

HYPERPARAMETERS = TASKS["classification"].hyperparameters
MINILM = BertConfig(hidden_size=384, num_hidden_layers=6, num_attention_heads=12)
BASE = BertConfig()
LARGE = BertConfig(hidden_size=1024, num_hidden_layers=24, num_attention_heads=16)


def test_small_data_gets_small_batches():
    assert [batch_size_for(rows, 20) for rows in (10, 320, 400, 640, 1280, 10_000)] == [8, 8, 8, 16, 32, 32]
    assert [batch_size_for(rows, 2) for rows in (1280, 2000, 6000)] == [32, 32, 64]


@pytest.mark.parametrize("method", ["full", "lora"])
def test_bigger_encoders_take_smaller_steps(method):
    rates = [learning_rate_for(HYPERPARAMETERS, method, config, 32, 2) for config in (MINILM, BASE, LARGE)]
    assert rates[0] > rates[1] > rates[2] > 0


def test_writers_wider_than_the_embedded_one_take_smaller_steps_with_lora():
    hyperparameters = TASKS["summarization"].hyperparameters
    configs = [
        LlamaConfig(hidden_size=width, num_hidden_layers=layers) for width, layers in ((64, 2), (576, 30), (2048, 16))
    ]
    rates = [learning_rate_for(hyperparameters, "lora", config, 4, 0) for config in configs]
    assert rates[0] == rates[1] == pytest.approx(1.2e-3, rel=0.01)
    assert rates[2] == pytest.approx(rates[1] * (576 / 2048) ** 0.781, rel=0.05)
    assert len({learning_rate_for(hyperparameters, "full", config, 4, 0) for config in configs}) == 1


def test_writers_take_one_pass_less_with_lora_and_more_where_rows_are_few():
    assert [epochs_for_generation(rows, 0, "lora") for rows in (29, 30, 5000)] == [2, 1, 1]
    assert [epochs_for_generation(rows, 0, "full") for rows in (29, 30, 5000)] == [3, 2, 2]


def test_the_rate_grows_with_the_square_root_of_the_batch():
    assert learning_rate_for(HYPERPARAMETERS, "full", BASE, 128, 25) == pytest.approx(
        2 * learning_rate_for(HYPERPARAMETERS, "full", BASE, 32, 25), rel=0.05
    )


def test_the_head_alone_depends_neither_on_the_encoder_nor_on_the_labels():
    assert learning_rate_for(HYPERPARAMETERS, "head", MINILM, 32, 2) == learning_rate_for(
        HYPERPARAMETERS, "head", LARGE, 32, 77
    )


@pytest.mark.parametrize("method", ["full", "lora"])
def test_few_classes_take_smaller_steps(method):
    rates = [learning_rate_for(HYPERPARAMETERS, method, MINILM, 64, classes) for classes in (2, 8, 25, 77)]
    assert rates[0] < rates[1] < rates[2] == rates[3]
    assert rates[0] == pytest.approx(rates[2] * 0.28, rel=0.05)


def test_the_rate_of_entities_does_not_depend_on_their_types():
    hyperparameters = TASKS["ner"].hyperparameters
    assert learning_rate_for(hyperparameters, "full", MINILM, 32, 2) == learning_rate_for(
        hyperparameters, "full", MINILM, 32, 30
    )


@pytest.mark.parametrize(
    ("longest", "limit", "requests", "expected"),
    [(20, 512, None, 24), (9, 512, None, 16), (900, 512, None, 512), (900, 512, 128, 128), (20, 512, 1000, 512)],
)
def test_the_maximum_length_fits_the_data_and_the_model(longest, limit, requests, expected):
    assert max_length_for(longest, limit, requests) == expected


def test_what_is_asked_for_is_used():
    config = RunConfig.from_dict(
        {
            "data": {"train": "a"},
            "model": {"dropout": 0.2, "max_length": 64},
            "method": {"freeze_embeddings": False},
            "training": {"learning_rate": 1e-5, "batch_size": 7, "epochs": 2},
        }
    )
    resolved = resolve(config, BASE, HYPERPARAMETERS, layers=12, rows=1000, classes=2, longest=300, limit=512)
    assert (resolved.learning_rate, resolved.batch_size, resolved.max_length) == (1e-5, 7, 64)
    assert (resolved.dropout, resolved.freeze_embeddings, resolved.epochs) == (0.2, False, 2)
    assert resolve(config, BASE, HYPERPARAMETERS, layers=12, rows=3, classes=2, longest=300, limit=512).batch_size == 3


def test_fewer_examples_a_class_take_more_passes():
    assert [
        [epochs_for_classes(rows, classes, method) for rows, classes in ((6500, 2), (9000, 77), (500, 8), (20, 2))]
        for method in ("lora", "full")
    ] == [[2, 4, 7, 8], [2, 4, 4, 8]]
    # The head's larger steps are those of full fine-tuning over few rows.
    few = ((900, 77), (200, 8), (650, 8), (1000, 77))
    assert [epochs_for_classes(rows, classes, "full") for rows, classes in few] == [4, 6, 5, 8]


def test_the_head_takes_larger_steps_over_few_texts_unless_asked_otherwise():
    def ratio(task, rows=900, classes=3, **method):
        config = RunConfig.from_dict({"task": task, "data": {"train": "a"}, "method": method})
        return resolve(
            config, MINILM, TASKS[task].hyperparameters, layers=6, rows=rows, classes=classes, longest=20, limit=512
        ).fast_ratio

    assert [ratio("ner"), ratio("classification"), ratio("ner", head_ratio=2)] == [100, 1, 2]
    assert [ratio("ner", 3000), ratio("ner", name="lora"), ratio("ner", name="head")] == [1, 4, 1]
    assert [ratio("classification", 900, 77), ratio("classification", 1000, 77), ratio("qa")] == [100, 1, 1]
    assert [ratio("classification", 900, 77, name="lora"), ratio("classification", 900, 77, head_ratio=1)] == [4, 1]


def test_few_texts_with_entities_take_no_more_passes_than_thousands():
    few = (100, 200, 500, 999, 1000, 3400)
    assert [epochs_for_entities(rows, 7, "full") for rows in few] == [8, 6, 4, 4, 8, 4]
    # The head's larger steps are those of full fine-tuning.
    assert [epochs_for_entities(rows, 7, "lora") for rows in few] == [8, 8, 8, 8, 8, 4]


def test_one_very_long_text_does_not_decide():
    assert common_length([20] * 99 + [90]) == 90
    assert common_length([60] * 995 + [200] * 4 + [2000]) == 128
    assert common_length([60] * 900 + [200] * 100) == 200


def test_long_texts_come_in_smaller_batches():
    config = RunConfig.from_dict({"data": {"train": "a"}})
    sizes = [
        resolve(config, BASE, HYPERPARAMETERS, layers=12, rows=9000, classes=2, longest=n, limit=8192).batch_size
        for n in (64, 512, 4096)
    ]
    assert sizes == [64, 32, 8]


def test_questions_are_learned_in_windows_unless_a_length_is_asked_for():
    hyperparameters = TASKS["qa"].hyperparameters
    config = RunConfig.from_dict({"task": "qa", "data": {"train": "a"}})

    def length(longest, limit=512):
        return resolve(
            config, MINILM, hyperparameters, layers=6, rows=900, classes=0, longest=longest, limit=limit
        ).max_length

    assert [length(200), length(500), length(3000), length(3000, limit=128)] == [200, 384, 384, 128]
    config.model.max_length = 512
    assert length(3000) == 512
    assert [epochs_for_questions(rows, 0, "full") for rows in (100, 450, 900, 5000)] == [8, 3, 3, 2]


def test_a_head_above_an_encoder_that_reads_once_takes_more_passes_and_larger_batches():
    values = {"data": {"train": "a"}, "method": {"name": "head"}}
    once = resolve(
        RunConfig.from_dict(values), BASE, HYPERPARAMETERS, layers=12, rows=9000, classes=77, longest=60, limit=512
    )
    assert (once.batch_size, once.epochs) == (256, 20)
    values["model"] = {"dropout": 0.1}
    each = resolve(
        RunConfig.from_dict(values), BASE, HYPERPARAMETERS, layers=12, rows=9000, classes=77, longest=60, limit=512
    )
    assert (each.batch_size, each.epochs) == (32, 4)


def frozen(classes: int = 77, layers: int = 6, task: str = "classification", **method: Any) -> int:
    config = RunConfig.from_dict({"task": task, "data": {"train": "a"}, "method": method})
    resolved = resolve(
        config, MINILM, TASKS[task].hyperparameters, layers=layers, rows=900, classes=classes, longest=20, limit=512
    )
    return resolved.frozen_layers


def test_many_classes_leave_the_lower_third_of_the_layers_alone():
    assert [frozen(classes) for classes in (2, 24, 25, 77)] == [0, 0, 2, 2]
    assert [frozen(layers=layers) for layers in (0, 1, 10, 12)] == [0, 0, 3, 4]
    assert [frozen(task=task) for task in ("ner", "qa", "summarization")] == [0, 0, 0]
    assert [frozen(name=name) for name in ("lora", "head")] == [0, 0]


def test_frozen_layers_are_those_asked_for():
    assert [frozen(frozen_layers=count) for count in (0, 1, 6)] == [0, 1, 6]
    assert frozen(2, frozen_layers=3) == frozen(2, frozen_layers=3, task="ner") == 3
    assert frozen(freeze_embeddings=False) == 0, "what is below learns"
    with pytest.raises(ConfigProblem, match=r"method\.frozen_layers is 7, but the model has 6 layers"):
        frozen(frozen_layers=7)
    with pytest.raises(ConfigProblem, match="word embeddings too"):
        frozen(frozen_layers=1, freeze_embeddings=False)
