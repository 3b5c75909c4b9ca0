"""What a page that watches a run is told, and when it shows the whole run anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fake_run import both, event, finished_run, step, write_events

from demo.page import Page
from demo.parts import train_step
from demo.parts.watch import mark, server_function, turn_of
from engine.core.settings import Settings
from engine.run_directory.identity import this_process
from engine.run_directory.store import Run


@pytest.fixture
def page(tmp_path: Path) -> Page:
    return Page.from_settings(Settings(cache_dir=tmp_path / "cache", runs_dir=tmp_path / "runs"))


@pytest.fixture
def run(page: Page) -> Run:
    run = finished_run(page.store.directory)
    run.update(state="running", process=this_process())
    return run


def told(page: Page, run_id: str, drawn: str = "", language: str = "en") -> dict[str, Any]:
    live = server_function(page, train_step.updates)
    return live({"run": run_id, "language": language, "drawn": drawn}, None)


def test_curves_come_once_and_again_when_they_have_grown(page: Page, run: Run) -> None:
    first = told(page, run.id)
    assert "tb-status" in first["status"] and "<svg" in first["curves"]
    again = told(page, run.id, first["drawn"])
    assert "curves" not in again and again["turn"] == first["turn"]
    write_events(run, [step(number, 100, float(number)) for number in range(50, 60)])
    grown = told(page, run.id, first["drawn"])
    assert grown["curves"] != first["curves"] and grown["turn"] == first["turn"], "steps are no turn"


def test_a_run_that_is_short_of_time_counts_the_epochs_that_it_will_make(page: Page, run: Run) -> None:
    whole = told(page, run.id)["status"]
    assert "of 4" in whole
    write_events(run, [step(60, 90, 60.0, epochs=1.2)])
    assert "1 of 1.2" in told(page, run.id)["status"]


def test_a_notice_and_another_state_are_turns(page: Page, run: Run) -> None:
    first = told(page, run.id)["turn"]
    write_events(run, [event("notice", 90.0, severity="warning", message=both("Memory is short"))])
    noticed = told(page, run.id)["turn"]
    run.update(state="stopping")
    stopping = told(page, run.id)["turn"]
    assert len({first, noticed, stopping}) == 3


def test_the_mark_says_the_turn_that_the_page_shows_until_the_run_has_ended(page: Page, run: Run) -> None:
    parts = train_step.updates(page, run, "zh-CN")
    assert turn_of(run.id, parts) == told(page, run.id, language="zh-CN")["turn"]
    output = mark(run.id, parts, "zh-CN")
    assert f'data-live="{run.id}"' in output and f'data-turn="{turn_of(run.id, parts)}"' in output
    run.update(state="completed")
    ended = told(page, run.id)
    assert "data-live" not in ended["status"] and ended["turn"] != turn_of(run.id, parts)


def test_a_run_that_is_gone_is_a_turn(page: Page, run: Run) -> None:
    run.update(state="completed")
    page.delete(run.id)
    assert told(page, run.id) == {"turn": ""}


@pytest.mark.parametrize("requests", [None, [], "x", {}, {"run": "../../etc"}, {"run": {"a": 1}, "language": 7}])
def test_what_no_page_asks_is_answered_with_nothing(page: Page, requests: Any) -> None:
    assert server_function(page, train_step.updates)(requests, None) == {"turn": ""}
