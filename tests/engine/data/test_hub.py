"""Hub data sets, with a stand-in for the hub: the functions of the datasets library that would ask it.

Run: python -m pytest tests/engine/data/test_hub.py
"""

from __future__ import annotations

import datasets
import httpx
import pytest
from datasets.exceptions import DatasetNotFoundError

from engine.config import DataConfig
from engine.data.hub import list_configs, list_splits, read_hub
from engine.data.limits import Limits
from engine.data.load import read_tables
from engine.errors import ConfigProblem, FileProblem
from engine.settings import Settings

FEATURES = datasets.Features(
    {
        "sentence": datasets.Value("string"),
        "label": datasets.ClassLabel(names=["neg", "pos"]),
        "image": datasets.Image(),
    }
)


def rows(count, label=None):
    return {
        "sentence": [f"sentence {i}" for i in range(count)],
        "label": [i % 2 if label is None else label for i in range(count)],
        "image": [None] * count,
    }


class Hub:
    """What a hub with one data set answers, and what it was asked."""

    def __init__(self):
        self.sets = {"default": {"train": rows(20), "validation": rows(5), "test": rows(4, label=-1)}}
        self.error: Exception | None = None
        self.tokens: list[object] = []

    def ask(self, dataset, token):
        self.tokens.append(token)
        if self.error is not None:
            raise self.error
        if dataset != "owner/reviews":
            raise DatasetNotFoundError(f"Dataset '{dataset}' doesn't exist on the Hub")

    def configs(self, dataset, token=None):
        self.ask(dataset, token)
        return list(self.sets)

    def splits(self, dataset, config, token=None):
        self.ask(dataset, token)
        return list(self.sets[config])

    def load(self, dataset, config, *, split, streaming, token=None):
        self.ask(dataset, token)
        assert streaming is True
        table = datasets.Dataset.from_dict(self.sets[config][split], features=FEATURES)
        return table.to_iterable_dataset()


@pytest.fixture
def hub(monkeypatch):
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    stand_in = Hub()
    monkeypatch.setattr(datasets, "get_dataset_config_names", stand_in.configs)
    monkeypatch.setattr(datasets, "get_dataset_split_names", stand_in.splits)
    monkeypatch.setattr(datasets, "load_dataset", stand_in.load)
    return stand_in


def refused(action, kind=FileProblem):
    with pytest.raises(kind) as caught:
        action()
    return caught.value


def test_pickers_are_filled_from_the_hub(hub):
    hub.sets["german"] = {"train": rows(3)}
    assert list_configs("owner/reviews") == ["default", "german"]
    assert list_splits("owner/reviews", "german") == ["train"]


def test_streamed_with_class_names_and_without_images(hub):
    seen = []
    tables = read_hub("owner/reviews", "", Limits(), progress=lambda text, share: seen.append(share))
    assert list(tables) == ["train", "validation"]
    assert tables["train"].columns == ["sentence", "label"]
    assert list(tables["train"].frame["label"][:3]) == ["neg", "pos", "neg"]
    assert tables["train"].source.name == "owner/reviews:train"
    notes = [note.en for note in tables["train"].source.notes]
    assert any("image" in note for note in notes)
    assert any("labels of 'test' are withheld" in note for note in notes)
    assert all(0 <= share <= 1 for share in seen)


def test_capped_and_said(hub):
    table = read_hub("owner/reviews", "", Limits(max_rows=7))["train"]
    assert len(table) == 7
    assert any("first 7 rows" in note.en for note in table.source.notes)
    exact = read_hub("owner/reviews", "", Limits(max_rows=20))["train"]
    assert len(exact) == 20
    assert not any("first" in note.en for note in exact.source.notes)


def test_several_configurations_have_to_be_chosen_from(hub):
    hub.sets = {"en": {"train": rows(3)}, "de": {"train": rows(4)}}
    problem = refused(lambda: read_hub("owner/reviews", "", Limits()), ConfigProblem)
    assert "en, de" in problem.message.en
    assert len(read_hub("owner/reviews", "de", Limits())["train"]) == 4
    assert refused(lambda: read_hub("owner/reviews", "fr", Limits()), ConfigProblem).code == "choose_hub_config"


def test_splits_by_other_names(hub):
    hub.sets = {"default": {"unsupervised": rows(3), "dev": rows(2)}}
    assert {name: len(table) for name, table in read_hub("owner/reviews", "", Limits()).items()} == {
        "train": 3,
        "validation": 2,
    }
    chosen = read_hub("owner/reviews", "", Limits(), splits={"train": "dev"})
    assert len(chosen["train"]) == 2
    assert refused(lambda: read_hub("owner/reviews", "", Limits(), splits={"train": "x"})).code == "no_such_split"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (DatasetNotFoundError("Dataset 'x' doesn't exist on the Hub or cannot be accessed."), "hub_dataset_not_found"),
        (DatasetNotFoundError("Dataset 'x' is a gated dataset on the Hub."), "hub_dataset_gated"),
        (RuntimeError("Dataset scripts are no longer supported, but found reviews.py"), "hub_script"),
        (httpx.ConnectError("no route"), "hub_unreachable"),
        (ConnectionError("no route"), "hub_unreachable"),
        (ValueError("bad file"), "hub_unreadable"),
    ],
)
def test_every_failure_has_its_reason(hub, error, code):
    hub.error = error
    problem = refused(lambda: read_hub("owner/reviews", "", Limits()))
    assert problem.code == code
    assert problem.hint is not None


@pytest.mark.parametrize(
    "name", ["csv", "../x/y", "owner/../reviews", "/etc/passwd", "a/b/c", "owner/re views", "https://x.org/a", ""]
)
def test_ids_that_are_none_are_not_asked_for(hub, name):
    assert refused(lambda: list_configs(name)).code == "bad_hub_id"
    assert hub.tokens == []


def test_a_local_folder_is_never_taken_for_a_hub_id(hub, tmp_path, monkeypatch):
    (tmp_path / "owner" / "reviews").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert refused(lambda: list_configs("owner/reviews")).code == "hub_id_is_path"


def test_offline_is_said_without_asking(hub, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    problem = refused(lambda: read_hub("owner/reviews", "", Limits()))
    assert problem.code == "offline"
    assert "HF_ENDPOINT" in problem.hint.en
    assert hub.tokens == []


def test_a_public_deployment_does_not_lend_its_token(hub, tmp_path):
    private = Settings(cache_dir=tmp_path, runs_dir=tmp_path)
    read_tables(DataConfig(hub="owner/reviews"), "classification", private)
    assert set(hub.tokens) == {None}
    hub.tokens.clear()
    public = Settings(cache_dir=tmp_path, runs_dir=tmp_path, public=True)
    read_tables(DataConfig(hub="owner/reviews"), "classification", public)
    assert set(hub.tokens) == {False}


def test_a_file_given_beside_the_hub_data_set_wins(hub, tmp_path):
    own = tmp_path / "own.csv"
    own.write_text("sentence,label\nmine,pos\n")
    settings = Settings(cache_dir=tmp_path, runs_dir=tmp_path)
    tables = read_tables(DataConfig(hub="owner/reviews", test=str(own)), "classification", settings)
    assert {split: len(table) for split, table in tables.items()} == {"train": 20, "validation": 5, "test": 1}
