"""Every task, and the toy task beside them, as one tiny run each: a table, a random model, a trained run."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from demo.tabs import TABS
from engine.config import RunConfig
from engine.core.settings import Settings
from engine.data.check import CheckResult
from engine.data.dataset import Dataset, load_dataset
from engine.inference.predictor import Predictor, load_predictor
from engine.run_directory.store import Run, Store
from engine.tasks import TASKS
from engine.tasks.spec import TaskSpec
from engine.training import worker
from engine.training.data_check import check_config
from tests.contract.toy.spec import StarsSpec
from tests.contract.toy.tab import TAB
from tests.engine import questions
from tests.tiny import WORDS, save_encoder
from tests.tiny_generators import save_generator
from tests.tiny_generators import table as summaries

TOY = StarsSpec.name
NAMES = [*TASKS, TOY]
FILLER = ["the", "a", "was", "is", "very", "film", "plot", "cast", "music", "it", "and", "but"]
TRAINING = {"epochs": 2, "batch_size": 16, "precision": "fp32", "device": "cpu", "early_stopping": 0}


@dataclass
class Journey:
    """What became of one task's table. `columns` maps its roles to the columns of the table."""

    task: TaskSpec
    table: Path
    columns: dict[str, str]
    config: RunConfig
    settings: Settings
    dataset: Dataset
    check: CheckResult
    run: Run
    rows: list[dict[str, Any]] = field(default_factory=list)  # inputs of some test rows

    @property
    def predictor(self) -> Predictor:
        return load_predictor(self.run.directory)


def _sentences(count: int) -> Iterator[tuple[str, bool]]:
    """Different sentences of which one word tells whether they are good or bad."""
    chance, seen = random.Random(0), set()
    while len(seen) < count:
        good = len(seen) % 2 == 0
        words = chance.choices(FILLER, k=chance.randint(3, 9))
        words.insert(chance.randrange(len(words)), chance.choice(WORDS[:1] if good else WORDS[1:2]))
        if (text := " ".join(words)) not in seen:
            seen.add(text)
            yield text, good


def _write_csv(path: Path, head: list[str], rows: list[list[Any]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([head, *rows])
    return path


def _classification(folder: Path) -> tuple[Path, Path, dict[str, str]]:
    rows = [[text, "positive" if good else "negative"] for text, good in _sentences(120)]
    table = _write_csv(folder / "reviews.csv", ["review", "verdict"], rows)
    return table, save_encoder("bert", folder / "model"), {"text": "review", "label": "verdict"}


def _ner(folder: Path) -> tuple[Path, Path, dict[str, str]]:
    chance, names, lines = random.Random(3), ["ann", "bob", "eve"], []
    for text, _ in _sentences(120):
        name = chance.choice(names)
        span = {"start": len(text) + 1, "end": len(text) + 1 + len(name), "label": "PER"}
        lines.append({"text": f"{text} {name}", "spans": [span]})
    table = folder / "names.jsonl"
    table.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return table, save_encoder("bert", folder / "model", [*WORDS, *names]), {"text": "text", "spans": "spans"}


def _qa(folder: Path) -> tuple[Path, Path, dict[str, str]]:
    table = questions.write(folder / "questions.jsonl", questions.rows(120))
    columns = {name: name for name in ("context", "question", "answers")}
    return table, save_encoder("bert", folder / "model", questions.WORDS), columns


def _summarization(folder: Path) -> tuple[Path, Path, dict[str, str]]:
    table, model = summaries(folder / "documents.jsonl", 90), save_generator("llama", folder / "model")
    return table, model, {"document": "document", "summary": "summary"}


def _stars(folder: Path) -> tuple[Path, Path, dict[str, str]]:
    chance = random.Random(1)
    rows = [
        [text, f"{(4.5 if good else 1.5) + chance.choice([-0.5, 0.0, 0.2])}", n]
        for n, (text, good) in enumerate(_sentences(120))
    ]
    rows += [["a sentence without stars", "", 120], ["a sentence of many stars", "11", 121]]
    table = _write_csv(folder / "remarks.csv", ["sentence", "stars", "number"], rows)
    return table, save_encoder("bert", folder / "model"), {"sentence": "sentence", "stars": "stars"}


TABLES: dict[str, Callable[[Path], tuple[Path, Path, dict[str, str]]]] = {
    "classification": _classification,
    "ner": _ner,
    "qa": _qa,
    "summarization": _summarization,
    TOY: _stars,
}
SPECIAL: dict[str, dict[str, Any]] = {"summarization": {"generation": {"max_new_tokens": 8}}}


@pytest.fixture(scope="module")
def toy() -> Iterator[None]:
    """The toy task is known for the tests of a module, by an entry in each of two dictionaries."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(TASKS, TOY, StarsSpec())
        patch.setitem(TABS, TOY, TAB)
        yield


@pytest.fixture(scope="module", params=NAMES)
def task(request: pytest.FixtureRequest, toy: None) -> TaskSpec:
    return TASKS[request.param]


@pytest.fixture(scope="module")
def journey(task: TaskSpec, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Journey]:
    """A table, its data check and a run that the worker carried out in this process, where the toy task is known."""
    folder = tmp_path_factory.mktemp(task.name)
    table, model, columns = TABLES[task.name](folder)
    described = {
        "task": task.name,
        "data": {"train": str(table)},
        "model": {"id": str(model)},
        "training": {**TRAINING, "learning_rate": 3e-3},
        "evaluation": {"bootstrap_samples": 100},
        **SPECIAL.get(task.name, {}),
    }
    config = RunConfig.from_yaml(RunConfig.from_dict(described).to_yaml())
    settings = Settings(cache_dir=folder / "cache", runs_dir=folder / "runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        dataset = load_dataset(config.data, task, config.model.id, settings)
        check = check_config(config, settings)
        run = Store(settings.runs_dir).create(config)
        worker.main(str(run.directory))
        assert run.state == "completed", run.manifest.error
        with run.path("data", "test.jsonl").open(encoding="utf-8") as file:
            examples = [json.loads(line)["inputs"] for _, line in zip(range(4), file, strict=False)]
        rows = [{name: row[name] for name in task.required_inputs} for row in examples]
        yield Journey(task, table, columns, config, settings, dataset, check, run, rows)
