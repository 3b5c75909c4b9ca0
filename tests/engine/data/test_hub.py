"""Hub data sets, read over real HTTP from a small hub on this machine (hub_server).

Run: python -m pytest tests/engine/data/test_hub.py
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import datasets
import huggingface_hub.constants
import pytest
from datasets.utils.logging import disable_progress_bar

from engine.config import DataConfig, RunConfig
from engine.core.errors import ConfigProblem, FileProblem
from engine.core.settings import Settings
from engine.data.hub import list_configs, list_splits, read_hub
from engine.data.limits import Limits
from engine.data.load import read_tables
from engine.data.model_facts import ModelFacts
from engine.tasks import TASKS
from engine.training.data_check import check_config
from tests.engine.data.hub_server import COMMIT, OLD, HubServer, Repo

ROOT = Path(__file__).resolve().parents[3]
FEATURES = datasets.Features(
    {
        "sentence": datasets.Value("string"),
        "label": datasets.ClassLabel(names=["neg", "pos"]),
        "image": datasets.Image(),
    }
)
CARD = """---
configs:
- config_name: en
  data_files:
  - {split: train, path: en/train.parquet}
  - {split: test, path: en/test.parquet}
- config_name: de
  data_files:
  - {split: train, path: de/train.parquet}
---
Reviews
"""
SECRET = "hf_only_for_this_test"


def rows(count: int, label: int | None = None) -> bytes:
    table = datasets.Dataset.from_dict(
        {
            "sentence": [f"sentence {i}" for i in range(count)],
            "label": [i % 2 if label is None else label for i in range(count)],
            "image": [None] * count,
        },
        features=FEATURES,
    )
    out = io.BytesIO()
    table.to_parquet(out)
    return out.getvalue()


def files(**splits: bytes) -> dict[str, bytes]:
    return {f"data/{split}-00000-of-00001.parquet": data for split, data in splits.items()}


@pytest.fixture(scope="module")
def repos():
    disable_progress_bar()
    return {
        "owner/reviews": Repo(
            files(train=rows(20), validation=rows(5), test=rows(4, label=-1)), old=files(train=rows(3))
        ),
        "owner/languages": Repo(
            {"README.md": CARD.encode(), "en/train.parquet": rows(8), "en/test.parquet": rows(2), "de/train.parquet": rows(4)}
        ),
        "owner/odd": Repo(files(unsupervised=rows(3), dev=rows(2))),
        "owner/lines": Repo({"train.jsonl": b'{"text": "a", "label": "x"}\n{"text": "b", "label": "y"}\n'}),
        "owner/private": Repo(files(train=rows(6)), token=SECRET),
        "owner/gated": Repo(files(train=rows(6)), gated=True),
        "owner/script": Repo({"README.md": b"made by code", "script.py": b"raise SystemExit('run')"}),
        "owner/other-script": Repo({"README.md": b"made by code", "build.py": b"raise SystemExit('run')"}),
        "owner/nothing": Repo({"README.md": b"empty"}),
        "owner/broken": Repo({"data/train.parquet": b"PAR1 this is none PAR1"}),
    }  # fmt: skip


@pytest.fixture
def hub(repos, monkeypatch, tmp_path):
    server = HubServer(repos)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", server.endpoint)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(huggingface_hub.constants, "HF_TOKEN_PATH", str(tmp_path / "no token"))
    monkeypatch.setattr(datasets.config, "HF_ENDPOINT", server.endpoint)
    template = server.endpoint + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(huggingface_hub.constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    huggingface_hub.HfFileSystem.clear_instance_cache()
    yield server
    huggingface_hub.HfFileSystem.clear_instance_cache()
    server.close()


@pytest.fixture
def deployment(tmp_path):
    return Settings(cache_dir=tmp_path, runs_dir=tmp_path)


def refused(action, kind=FileProblem):
    with pytest.raises(kind) as caught:
        action()
    return caught.value


def test_pickers_are_filled_from_the_hub(hub):
    assert list_configs("owner/languages") == ["en", "de"]
    assert list_splits("owner/languages", "en") == ["train", "test"]
    assert list_splits("owner/languages", "de") == ["train"]


def test_streamed_with_class_names_and_without_images(hub):
    seen = []
    tables = read_hub("owner/reviews", "", Limits(), progress=lambda text, share: seen.append(share))
    assert {name: len(table) for name, table in tables.items()} == {"train": 20, "validation": 5}
    assert tables["train"].columns == ["sentence", "label"]
    assert list(tables["train"].frame["label"][:3]) == ["neg", "pos", "neg"]
    assert tables["train"].source.name == "owner/reviews:train"
    assert tables["train"].source.revision == COMMIT
    notes = [note.en for note in tables["train"].source.notes]
    assert any("image" in note for note in notes)
    assert any("labels of 'test' are withheld" in note for note in notes)
    assert all(0 <= share <= 1 for share in seen)


def test_json_lines_are_read_too(hub):
    table = read_hub("owner/lines", "", Limits())["train"]
    assert list(table.frame.itertuples(index=False, name=None)) == [("a", "x"), ("b", "y")]


def test_capped_and_said(hub):
    table = read_hub("owner/reviews", "", Limits(max_rows=7))["train"]
    assert len(table) == 7
    assert any("first 7 rows" in note.en for note in table.source.notes)
    exact = read_hub("owner/reviews", "", Limits(max_rows=20))["train"]
    assert len(exact) == 20
    assert not any("first" in note.en for note in exact.source.notes)


def test_several_configurations_have_to_be_chosen_from(hub):
    problem = refused(lambda: read_hub("owner/languages", "", Limits()), ConfigProblem)
    assert "en, de" in problem.message.en
    assert problem.where["configs"] == ["en", "de"]
    assert len(read_hub("owner/languages", "de", Limits())["train"]) == 4
    assert refused(lambda: read_hub("owner/languages", "fr", Limits()), ConfigProblem).code == "choose_hub_config"


def test_splits_by_other_names_and_by_choice(hub):
    sizes = lambda **given: {n: len(t) for n, t in read_hub("owner/odd", "", Limits(), splits=given).items()}  # noqa: E731
    assert sizes() == {"train": 3, "validation": 2}
    assert sizes(train="dev") == {"train": 2}  # what trains is not validated with as well
    assert sizes(train="dev", test="unsupervised") == {"train": 2, "test": 3}
    assert sizes(validation="-") == {"train": 3}
    problem = refused(lambda: sizes(train="x"))
    assert (problem.code, problem.where["splits"]) == ("no_such_split", ["dev", "unsupervised"])


def test_a_revision_is_read_and_recorded(hub, deployment):
    config = RunConfig(data=DataConfig(hub="owner/reviews", hub_revision="v1"))
    result = check_config(config, deployment, ModelFacts())
    assert result.rows == {"train": 3}
    assert result.to_dict()["sources"]["train"]["revision"] == OLD
    assert refused(lambda: read_hub("owner/reviews", "", Limits(), revision="v9")).code == "no_such_revision"
    assert refused(lambda: read_hub("owner/reviews", "", Limits(), revision="../x")).code == "no_such_revision"


@pytest.mark.parametrize("name", ["owner/script", "owner/other-script"])
def test_a_script_is_refused_with_the_reason_and_never_fetched(hub, name):
    problem = refused(lambda: read_hub(name, "", Limits()))
    assert problem.code == "hub_script"
    assert ".py" in problem.message.en and ".py" in problem.message.zh
    assert not any(path.endswith(".py") for _, path, _ in hub.asked)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("owner/absent", "hub_dataset_not_found"),
        ("owner/private", "hub_dataset_not_found"),
        ("owner/gated", "hub_dataset_gated"),
        ("owner/nothing", "hub_unreadable"),
        ("owner/broken", "hub_unreadable"),
    ],
)
def test_every_refusal_has_its_reason(hub, name, code):
    problem = refused(lambda: read_hub(name, "", Limits()))
    assert problem.code == code
    assert problem.hint is not None
    assert problem.message.zh != problem.message.en


@pytest.mark.parametrize(
    "name", ["csv", "../x/y", "owner/../reviews", "/etc/passwd", "a/b/c", "owner/re views", "https://x.org/a", ""]
)
def test_ids_that_are_none_are_not_asked_for(hub, name):
    assert refused(lambda: list_configs(name)).code == "bad_hub_id"
    assert hub.asked == []


def test_a_local_folder_is_never_taken_for_a_hub_id(hub, tmp_path, monkeypatch):
    (tmp_path / "owner" / "reviews").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert refused(lambda: list_configs("owner/reviews")).code == "hub_id_is_path"


def test_offline_is_said_without_asking(hub, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    problem = refused(lambda: read_hub("owner/reviews", "", Limits()))
    assert problem.code == "offline"
    assert "HF_ENDPOINT" in problem.hint.en
    assert hub.asked == []


def test_a_dead_or_silent_hub_is_told_within_seconds(hub, monkeypatch):
    monkeypatch.setattr("engine.data.hub_access.ANSWER_SECONDS", 1.0)
    hub.delay = 5.0
    begun = time.monotonic()
    problem = refused(lambda: read_hub("owner/reviews", "", Limits()))
    assert problem.code == "hub_unreachable"
    assert hub.endpoint in problem.message.en
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://127.0.0.1:9")
    assert refused(lambda: list_configs("owner/reviews")).code == "hub_unreachable"
    assert time.monotonic() - begun < 4


def test_a_token_opens_a_private_set_and_is_kept_nowhere(hub, deployment, tmp_path):
    data = DataConfig(hub="owner/private")
    tables = read_tables(data, TASKS["classification"], deployment, token=SECRET)
    assert len(tables["train"]) == 6
    assert SECRET not in RunConfig(data=data).to_yaml() + repr(tables["train"].source)
    kept = [path for path in tmp_path.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]
    assert kept == []
    assert refused(lambda: read_tables(data, TASKS["classification"], deployment, token="hf_wrong")).code == (
        "hub_dataset_not_found"
    )


def test_a_public_deployment_does_not_lend_its_owners_token(hub, deployment, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", SECRET)
    data = DataConfig(hub="owner/private")
    assert len(read_tables(data, TASKS["classification"], deployment)["train"]) == 6
    hub.asked.clear()
    public = Settings(cache_dir=tmp_path, runs_dir=tmp_path, public=True)
    assert refused(lambda: read_tables(data, TASKS["classification"], public)).code == "hub_dataset_not_found"
    assert {authorization for _, _, authorization in hub.asked} == {""}
    # A visitor's own token works there.
    monkeypatch.delenv("HF_TOKEN")
    assert len(read_tables(data, TASKS["classification"], public, token=SECRET)["train"]) == 6


def test_a_file_given_beside_the_hub_data_set_wins(hub, tmp_path, deployment):
    own = tmp_path / "own.csv"
    own.write_text("sentence,label\nmine,pos\n")
    tables = read_tables(DataConfig(hub="owner/reviews", test=str(own)), TASKS["classification"], deployment)
    assert {split: len(table) for split, table in tables.items()} == {"train": 20, "validation": 5, "test": 1}


def test_the_command_line_reads_from_the_mirror_that_hf_endpoint_names(hub, tmp_path):
    environment = {**os.environ, "HF_ENDPOINT": hub.endpoint, "HF_HOME": str(tmp_path / "hf"), "TUNEBENCH_LANG": "en"}

    def check(*flags):
        command = [sys.executable, "-m", "engine", "check", "--hub", *flags, "--json"]
        done = subprocess.run(
            command, check=False, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120
        )
        return done.returncode, json.loads(done.stdout.splitlines()[-1])

    code, results = check("owner/languages", "--hub-config", "en", "--hub-test", "-")
    assert code == 0
    assert results["rows"] == {"train": 8}
    assert results["columns"]["train"] == {"text": "sentence", "label": "label"}
    code, results = check("owner/script")
    assert (code, results["error"]["code"]) == (2, "hub_script")
