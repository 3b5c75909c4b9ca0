"""This repository as a Space: its front matter, and where a Space keeps what it makes. Run: python -m pytest tests/test_space.py"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from demo.page import Page
from demo.ui import build_demo
from engine.core import settings as settings_module
from engine.core.settings import Settings
from engine.models.catalog_entries import CATALOG
from tests.fresh import requirement_lines

ROOT = Path(__file__).resolve().parents[1]


def test_the_front_matter_is_whole_and_agrees_with_the_requirements() -> None:
    matter = yaml.safe_load((ROOT / "README.md").read_text(encoding="utf-8").split("---\n")[1])
    pins = dict(
        re.sub(r"\[.*\]", "", line).split("==") for line in requirement_lines((ROOT / "requirements.txt").read_text())
    )
    assert matter["sdk"] == "gradio" and matter["sdk_version"] == pins["gradio"] and matter["app_file"] == "app.py"
    assert matter["python_version"] == "3.11" and matter["startup_duration_timeout"]
    assert len(matter["short_description"]) <= 60, "the hub refuses a longer one"
    assert set(matter["models"]) <= {entry.hub_id for entry in CATALOG.values()}
    assert matter["hf_oauth"] is True and matter["hf_oauth_scopes"] == ["contribute-repos"], (
        "the least that a push needs"
    )


def test_runs_lie_in_the_storage_that_a_space_mounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TUNEBENCH_RUNS", "SPACE_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    storage = tmp_path / "storage"
    monkeypatch.setattr(settings_module, "SPACE_STORAGE", storage)
    storage.mkdir()
    at_home = Settings.from_env()
    assert at_home.runs_dir == tmp_path / "home" / ".tunebench" / "runs" and at_home.lasting, "/data is only a Space's"
    monkeypatch.setenv("SPACE_ID", "ada/tunebench")
    assert Settings.from_env().runs_dir == storage / "tunebench" / "runs" and Settings.from_env().lasting
    storage.rmdir()
    assert Settings.from_env().runs_dir == tmp_path / "home" / ".tunebench" / "runs" and not Settings.from_env().lasting
    monkeypatch.setenv("TUNEBENCH_RUNS", str(tmp_path / "mine"))
    assert Settings.from_env().runs_dir == tmp_path / "mine"


def test_the_page_says_when_nothing_lasts_and_offers_a_login_where_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(cache_dir=tmp_path / "cache", runs_dir=tmp_path / "data" / "runs")

    def shown() -> tuple[bool, bool]:
        demo = build_demo(settings, "", Page.from_settings(settings))
        ids = {block.elem_id for block in demo.blocks.values() if hasattr(block, "elem_id")}
        return "passing" in ids, any(type(block).__name__ == "LoginButton" for block in demo.blocks.values())

    monkeypatch.delenv("SPACE_ID", raising=False)
    assert shown() == (False, False)
    monkeypatch.setenv("SPACE_ID", "ada/tunebench")
    monkeypatch.setenv("SYSTEM", "spaces")
    monkeypatch.setenv("OAUTH_CLIENT_ID", "id")
    for name in ("CLIENT_ID", "CLIENT_SECRET", "SCOPES"):
        monkeypatch.setattr(f"gradio.oauth.OAUTH_{name}", "of the Space")
    monkeypatch.setattr("gradio.oauth.OPENID_PROVIDER_URL", "https://hub.example")
    assert shown() == (True, True)
