"""What a model id means: names, hub ids, folders, slips, offline, public.

Run: python -m pytest tests/engine/models/test_catalog.py
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from engine.assets import EMBEDDED
from engine.core.errors import ModelProblem
from engine.models import catalog
from engine.models.catalog import CATALOG, nearest, resolve
from engine.tasks import TASKS

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def nothing_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Online, private, an empty hub cache, and embedded folders that are named instead of fetched."""
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.delenv("TUNEBENCH_PUBLIC", raising=False)
    monkeypatch.setattr(catalog, "_in_hub_cache", lambda hub_id: False)
    monkeypatch.setattr(catalog, "model_folder", lambda name, progress: Path("/cache") / name)


def problem(model_id: str) -> ModelProblem:
    with pytest.raises(ModelProblem) as caught:
        resolve(model_id)
    return caught.value


@pytest.mark.parametrize("name", EMBEDDED)
def test_an_embedded_name_is_its_folder(name: str) -> None:
    assert resolve(name) == f"/cache/{name}"
    assert resolve(f" {name.upper()} ") == f"/cache/{name}"


@pytest.mark.parametrize(
    ("requests", "loaded"),
    [
        ("roberta-base", "FacebookAI/roberta-base"),
        ("FacebookAI/roberta-base", "FacebookAI/roberta-base"),
        ("hfl/chinese-macbert-base", "hfl/chinese-macbert-base"),
        ("intfloat/multilingual-e5-small", "intfloat/multilingual-e5-small"),
        ("somebody/some_model-1.5", "somebody/some_model-1.5"),
        ("t5-small", "t5-small"),  # an old id of the hub, though much like e5-small
        ("gpt2", "gpt2"),
    ],
)
def test_online_a_hub_id_stays_one(requests: str, loaded: str) -> None:
    assert resolve(requests) == loaded


@pytest.mark.parametrize(
    ("slip", "meant"), [("minilmm", "minilm"), ("mini-lm", "minilm"), ("e5-smal", "e5-small"), ("smollm", "smollm2")]
)
def test_a_slip_of_an_embedded_name_is_not_sent_to_the_hub(slip: str, meant: str) -> None:
    assert f"Did you mean {meant}?" in str(problem(slip))


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "  ",
        "a b",
        "a/b/c",
        "org/../etc",
        "a..b",
        "org/-name",
        "name.",
        "a--b",
        "http://x/y",
        "x" * 97,
        "名字",
        "a\nb",
    ],
)
def test_what_no_hub_accepts_is_refused(bad: str) -> None:
    assert problem(bad).code == "bad_model_id"


@pytest.mark.parametrize("bad", ["/no/such/folder", "./nope", "../nope", "~nobody/model", "/" + "x" * 5000])
def test_a_folder_that_is_not_there(bad: str) -> None:
    assert problem(bad).code == "no_such_folder"


def test_a_complete_folder_is_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "config.json").write_text("{}")
    (tmp_path / "mine" / "model-00001-of-00002.safetensors").touch()
    assert resolve(str(tmp_path / "mine")) == str(tmp_path / "mine")
    monkeypatch.chdir(tmp_path)
    assert resolve("mine") == str(tmp_path / "mine")
    assert resolve("./mine") == str(tmp_path / "mine")


def test_an_incomplete_folder_says_what_it_lacks(tmp_path: Path) -> None:
    result = problem(str(tmp_path))
    assert result.code == "incomplete_model"
    assert result.where["missing"] == ["config.json", "*.safetensors"]
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "pytorch_model.bin").touch()
    result = problem(str(tmp_path))
    assert result.where["missing"] == ["*.safetensors"]
    assert "pytorch_model.bin is a pickle" in result.hint.en


def test_offline_the_hub_id_of_an_embedded_model_is_its_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    for name in EMBEDDED:
        assert resolve(str(CATALOG[name].hub_id)) == f"/cache/{name}"


def test_offline_what_is_not_cached_is_refused_with_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(catalog, "is_cached", lambda name: name == "minilm")
    for requests in ("roberta-base", "somebody/model"):
        result = problem(requests)
        assert result.code == "model_offline"
        assert "Available now: minilm." in result.hint.en
        assert "e5-small, smollm2" in result.hint.en
    assert "google-bert/bert-base-uncased?" in problem("google-bert/bert-base-uncase").hint.en


def test_offline_what_the_hub_cache_holds_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(catalog, "_in_hub_cache", lambda hub_id: True)
    assert resolve("somebody/model") == "somebody/model"
    assert resolve("roberta-base") == "FacebookAI/roberta-base"
    assert resolve("intfloat/multilingual-e5-small") == "intfloat/multilingual-e5-small"
    assert resolve("minilm") == "/cache/minilm"


def test_the_hub_cache_is_asked_for_weights_too(tmp_path: Path) -> None:
    """In a process of its own: the hub library reads its cache folder when it is imported."""
    snapshot = tmp_path / "models--org--name" / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    (snapshot.parents[1] / "refs").mkdir()
    (snapshot.parents[1] / "refs" / "main").write_text("abc")
    (snapshot / "config.json").write_text("{}")
    script = "from engine.models.catalog import resolve; print(resolve('org/name'))"

    def ask() -> subprocess.CompletedProcess[str]:
        environment = {"HF_HUB_OFFLINE": "1", "HF_HUB_CACHE": str(tmp_path), "HOME": str(tmp_path)}
        return subprocess.run(
            [sys.executable, "-c", script], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
        )

    assert "ModelProblem" in ask().stderr
    (snapshot / "model.safetensors").touch()
    assert ask().stdout == "org/name\n"


def test_a_public_page_offers_the_catalogue_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TUNEBENCH_PUBLIC", "1")
    assert resolve("minilm") == "/cache/minilm"
    assert resolve("FacebookAI/roberta-base") == "FacebookAI/roberta-base"
    for requests in ("somebody/model", str(tmp_path), "/etc"):
        assert problem(requests).code == "model_not_offered"


@pytest.mark.parametrize(
    ("requests", "like"),
    [("bert-base-uncase", "bert-base-uncased"), ("hfl/chinese-macbert", "hfl/chinese-macbert-base"), ("zzzzzz", None)],
)
def test_nearest(requests: str, like: str | None) -> None:
    assert nearest(requests) == like


def test_entries_are_whole() -> None:
    assert len(CATALOG) >= 15
    for name, entry in CATALOG.items():
        assert name == entry.name
        assert (entry.package is not None) == (name in EMBEDDED)
        assert entry.hub_id and catalog._HUB_ID.fullmatch(entry.hub_id)
        assert entry.parameters > 1e7 and entry.size > 1e7 and entry.max_length >= 512
        assert entry.licence in ("Apache-2.0", "MIT")
        assert entry.about.en and any("\u4e00" <= character <= "\u9fff" for character in entry.about.zh)
    assert CATALOG["minilm"].reads("en") and not CATALOG["minilm"].reads("zh")
    assert CATALOG["e5-small"].reads("zh") and CATALOG["e5-small"].reads("sw")
    for task in TASKS.values():
        assert next(iter(e.name for e in CATALOG.values() if e.serves(task))) in EMBEDDED, (
            "the first choice works offline"
        )


def test_the_catalogue_needs_no_torch() -> None:
    script = "import sys, engine.models.catalog; print([m for m in ('torch', 'transformers', 'datasets') if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"
