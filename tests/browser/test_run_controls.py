"""What the owner of a run does with it, by mouse: wait in the queue, stop, name, take its settings, resume, delete.

Run: python -m pytest tests/browser/test_run_controls.py
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import App, start_example, unfold

pytestmark = pytest.mark.browser

TRAINING = 120_000  # milliseconds that a small run may take on a busy machine
Visit = Callable[..., Page]


def test_the_life_of_a_run_by_its_buttons(visit: Visit, app: App) -> None:
    page = visit()
    expect(page.locator("#classification-data-view .tb-preview")).to_be_visible()
    run_id = start_example(page, "classification", rows=2000, epochs=20, test_rows=100)
    chip, status = page.locator("#classification-head .tb-chip"), page.locator("#classification-status")
    expect(status.locator(".tb-sentence")).to_contain_text("Training", timeout=TRAINING)
    # The loss is drawn while it learns, and nobody asks for it.
    line = page.locator("#classification-right .tb-curves polyline").first
    expect(line).to_be_attached()
    drawn = line.get_attribute("points")
    expect(line).not_to_have_attribute("points", drawn or "")

    # A second run waits its turn, says so, and can be taken back.
    second = visit()
    expect(second.locator("#classification-data-view .tb-preview")).to_be_visible()
    waiting = start_example(second, "classification", rows=200, epochs=1, test_rows=50)
    expect(second.locator("#classification-status")).to_contain_text("Waiting for its turn: 1 ahead", timeout=TRAINING)
    second.locator("#classification-discard").click()
    expect(second.locator("#classification-head .tb-chip")).to_have_text("Stopped", timeout=TRAINING)

    # Stopped with its best model: there is a report, and it can go on.
    page.locator("#classification-keep").click()
    expect(chip).to_have_text("Completed", timeout=TRAINING)
    expect(status).to_contain_text("the best model was kept")
    expect(page.locator("#classification-report .tb-verdict h2")).to_be_visible()

    # A name and a note, which another visitor sees as well.
    page.locator("#classification-run-edit").click()
    page.locator("#classification-run-name").locator("input, textarea").fill("Films, <b>first</b> try")
    page.locator("#classification-run-note textarea").fill("Stopped to look at it.")
    page.locator("#classification-run-save").click()
    expect(page.locator("#classification-head")).to_contain_text("Films, <b>first</b> try")
    other = visit("zh-CN", query=f"?run={run_id}")
    expect(other.locator("#classification-head")).to_contain_text("Films, <b>first</b> try")
    expect(other.locator("#classification-head")).to_contain_text("Stopped to look at it.")
    assert other.locator("#classification-head b").count() == 0

    # Its settings fill the form of who comes later.
    other.locator("#classification-run-clone").click()
    expect(other.locator('.tb-card[data-pick="rated-sentences"]')).to_have_attribute("aria-pressed", "true")
    for fold in ("reading", "learning"):
        unfold(other, other.locator(f"#classification-{fold} button.label-wrap"))
    expect(other.locator("#classification-training-epochs").locator("input, textarea").first).to_have_value("20")
    expect(other.locator("#classification-data-max_train_rows").locator("input, textarea").first).to_have_value("2000")

    # It goes on where it stopped. Discarding that leaves what was there before.
    page.locator("#classification-run-resume").click()
    expect(chip).to_have_text("Running", timeout=TRAINING)
    expect(status.locator(".tb-sentence")).to_contain_text("Training", timeout=TRAINING)
    page.locator("#classification-discard").click()
    expect(chip).to_have_text("Stopped", timeout=TRAINING)
    expect(page.locator("#classification-report .tb-verdict h2")).to_be_visible()

    # Deleting asks first, then leaves neither a place in the list nor a file.
    page.locator("#classification-run-delete").click()
    page.locator("#classification-run-keep").click()
    assert (app.runs / run_id).is_dir()
    page.locator("#classification-run-delete").click()
    page.locator("#classification-run-really").click()
    expect(page.locator("#classification-head .tb-chip")).to_have_count(0)
    assert not (app.runs / run_id).exists()
    page.get_by_role("tab", name="Runs", exact=True).click()
    expect(page.locator(f'.tb-run-row[data-pick="{waiting}"]')).to_be_visible()
    expect(page.locator(f'.tb-run-row[data-pick="{run_id}"]')).to_have_count(0)
