"""The page in a real browser, by mouse and keyboard, with the real worker on a small sample.

Run: python -m pytest tests/browser
"""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from demo.i18n import LOCALES
from tests.browser.conftest import setting, start_example, unfold

pytestmark = pytest.mark.browser

TRAINING = 240_000  # milliseconds that a small run may take on a busy machine
WORDS = {
    "en-US": {
        "start": "Run the example",
        "done": "Completed",
        "stopped": "Stopped",
        "try": "Try it",
        "train": "Training",
        "export": "Download",
        "html": "Report (HTML)",
        "example": "rated-sentences",
    },
    "zh-CN": {
        "start": "运行示例",
        "done": "已完成",
        "stopped": "已停止",
        "try": "试用",
        "train": "训练",
        "export": "下载",
        "html": "报告（HTML）",
        "example": "help-desk-zh",
    },
}
Visit = Callable[..., Page]


def no_sideways_scroll(page: Page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.fixture(scope="module")
def started() -> dict[str, str]:
    """The run that the tests of this file share, by language; whichever test needs it first starts it (`finished_run`)."""
    return {}


def finished_run(visit: Visit, started: dict[str, str]) -> str:
    """The id of a completed run of the example: one for all tests of this file, in whatever order they run."""
    if not started:
        page = visit("en-US")
        expect(page.locator("#classification-data-view .tb-preview")).to_be_visible()
        run_id = start_example(page, "classification", rows=300, epochs=1, test_rows=120)
        expect(page.locator("#classification-head .tb-chip")).to_have_text(WORDS["en-US"]["done"], timeout=TRAINING)
        started["run"] = run_id
    return started["run"]


@pytest.mark.parametrize("language", ["en-US", "zh-CN"])
def test_from_the_example_to_an_answer(visit: Visit, tmp_path: Path, started: dict[str, str], language: str) -> None:
    words = WORDS[language]
    page = visit(language)
    chosen = page.locator('.tb-card[aria-pressed="true"][data-pick]').locator("visible=true").first
    expect(chosen).to_have_attribute("data-pick", words["example"])
    expect(page.locator("#classification-data-view .tb-preview")).to_be_visible()
    expect(page.locator("#classification-findings .tb-findings, #classification-findings .tb-panel")).to_be_visible()
    # One run serves both languages: the second visitor comes to it by its link.
    expect(page.locator("#classification-start")).to_have_text(words["start"])
    run_id = started.get("run") or start_example(page, "classification", rows=300, epochs=1, test_rows=120)

    # A reload in the middle, and another visitor with the link, find the run.
    page.goto(page.url.split("?")[0] + f"?run={run_id}")
    expect(page.locator("#classification-head")).to_contain_text(run_id)
    other = visit(language, query=f"?run={run_id}")
    expect(other.locator("#classification-head")).to_contain_text(run_id)

    for one in (page, other):
        expect(one.locator("#classification-head .tb-chip")).to_have_text(words["done"], timeout=TRAINING)
        expect(one.locator("#classification-report .tb-verdict h2")).to_be_visible()

    # A cell of the matrix shows its rows.
    page.locator("#classification-groups .tb-cell:not([disabled])").first.click()
    expect(page.locator("#classification-opened .tb-answers li").first).to_be_visible()

    # One text, tuned and untuned side by side.
    page.get_by_role("tab", name=words["try"], exact=True).click()
    page.locator("#classification-try-text textarea").fill("A warm, funny and surprisingly wise film.")
    page.locator("#classification-ask").click()
    expect(page.locator("#classification-answer .tb-said")).to_have_count(2)
    page.locator("#classification-suggestions .tb-suggestion").first.click()
    expect(page.locator("#classification-try-text textarea")).not_to_have_value(
        "A warm, funny and surprisingly wise film."
    )

    # A file in, a file out, without formulas.
    source = tmp_path / "ask.csv"
    source.write_text("id,text\n1,Great fun\n2,Utterly dull\n3,=1+1\n", encoding="utf-8")
    with page.expect_file_chooser() as chooser:
        page.locator("#classification-batch").click()
    chooser.value.set_files(source)
    with page.expect_download() as download:
        page.locator("#classification-batch-download-csv").click()
    answers = Path(download.value.path()).read_text(encoding="utf-8-sig").splitlines()
    assert answers[0].startswith("id,text,prediction,confidence,p:")
    assert len(answers) == 4
    assert "'=1+1" in answers[3]

    # The report goes along.
    page.get_by_role("tab", name=words["export"], exact=True).click()
    with page.expect_download() as download:
        page.get_by_text(words["html"], exact=True).click()
    assert "<html" in Path(download.value.path()).read_text(encoding="utf-8")[:2000].lower()
    started["run"] = run_id


def test_switching_the_language_loses_nothing(visit: Visit, started: dict[str, str]) -> None:
    run_id = finished_run(visit, started)
    page = visit(query=f"?run={run_id}")
    expect(page.locator("#classification-report .tb-verdict h2")).to_be_visible()
    page.get_by_role("tab", name="Try it", exact=True).click()
    page.locator("#classification-try-text textarea").fill("Typed and not lost")
    unfold(page, page.locator("#classification-learning button.label-wrap"))
    epochs = setting(page, "classification", "training.epochs")
    epochs.click()
    epochs.fill("7")
    page.locator("#language label", has_text="中文").click()
    expect(page.locator("#classification-start")).to_have_text("运行示例")
    expect(page.locator("#classification-head .tb-chip")).to_have_text("已完成")
    expect(page.locator("#classification-report .tb-verdict h2")).to_contain_text("在从未见过的文本上")
    expect(page.locator("#classification-try-text textarea")).to_have_value("Typed and not lost")
    expect(setting(page, "classification", "training.epochs")).to_have_value("7")
    assert "lang=zh-CN" in page.url and run_id in page.url
    # The choice outlives a reload, whatever the browser's own language is.
    page.goto(page.url.split("?")[0])
    expect(page.locator("#classification-start")).to_have_text("运行示例")


def test_in_chinese_nothing_of_the_page_is_left_in_english(visit: Visit, started: dict[str, str]) -> None:
    run_id = finished_run(visit, started)
    page = visit("zh-CN", query=f"?run={run_id}")
    expect(page.locator("#classification-report .tb-verdict h2")).to_be_visible()
    seen = []
    for tab in ("报告", "训练", "试用", "下载"):
        page.get_by_role("tab", name=tab, exact=True).click()
        seen += page.inner_text("body").splitlines()
    lines = {line.strip() for line in seen}

    def strings(values: dict | str) -> list[str]:
        return [values] if isinstance(values, str) else [text for value in values.values() for text in strings(value)]

    english = set(strings(json.loads((LOCALES / "en.json").read_text(encoding="utf-8"))))
    english -= set(strings(json.loads((LOCALES / "zh-CN.json").read_text(encoding="utf-8"))))
    # The language switch calls each language by its own name.
    assert lines & english == {"English"}


@pytest.mark.parametrize("language", ["en-US", "zh-CN"])
def test_a_phone_needs_no_sideways_scroll(visit: Visit, started: dict[str, str], language: str) -> None:
    page = visit(language, width=390, height=844)
    expect(page.locator("#classification-data-view .tb-preview")).to_be_visible()
    assert no_sideways_scroll(page)
    run_id = finished_run(visit, started)
    page = visit(language, width=390, height=844, query=f"?run={run_id}")
    expect(page.locator("#classification-report .tb-verdict h2")).to_be_visible()
    words = WORDS[language]
    for tab in (words["train"], words["try"], words["export"]):
        page.get_by_role("tab", name=tab, exact=True).click()
        assert no_sideways_scroll(page)


def test_stopping_keeps_the_best_model(visit: Visit) -> None:
    page = visit()
    start_example(page, "classification", rows=2000, epochs=20, test_rows=100)
    expect(page.locator("#classification-status .tb-sentence")).to_contain_text("Training", timeout=TRAINING)
    page.locator("#classification-keep").click()
    expect(page.locator("#classification-head .tb-chip")).to_have_text(
        re.compile("Stopped|Completed"), timeout=TRAINING
    )
    expect(page.locator("#classification-report .tb-verdict h2")).to_be_visible()


def test_a_restarted_server_finds_the_run_live(visit: Visit, app) -> None:  # type: ignore[no-untyped-def]
    page = visit()
    run_id = start_example(page, "classification", rows=2000, epochs=20, test_rows=100)
    expect(page.locator("#classification-status .tb-sentence")).to_contain_text("Training", timeout=TRAINING)
    app.stop(signal.SIGKILL)
    app.start()
    again = visit(query=f"?run={run_id}")
    expect(again.locator("#classification-head .tb-chip")).to_have_text("Running")
    before = again.inner_text("#classification-status .tb-detail")
    expect(again.locator("#classification-status .tb-detail")).not_to_have_text(before)
    again.locator("#classification-discard").click()
    expect(again.locator("#classification-head .tb-chip")).to_have_text("Stopped", timeout=TRAINING)
    expect(again.locator("#classification-status")).to_contain_text("discarded")


def test_a_table_of_ones_own_with_hostile_names(visit: Visit, tmp_path: Path) -> None:
    hostile = '<img src=x onerror="window.hurt=1">'
    source = tmp_path / "a<img src=x onerror=window.hurt=1>.csv"
    lines = [
        f'"{hostile} number {i} is quite {word}","{label}"'
        for i in range(30)
        for word, label in (("good", hostile), ("bad", "down"))
    ]
    source.write_text(
        "text,label\n" + "\n".join(line.replace('="window.hurt=1"', "=window.hurt=1") for line in lines),
        encoding="utf-8",
    )
    page = visit()
    expect(page.locator("#classification-data-view .tb-preview")).to_be_visible()
    with page.expect_file_chooser() as chooser:
        page.locator("#classification-upload").click()
    chooser.value.set_files(source)
    expect(page.locator("#classification-data-view")).to_contain_text("60 rows")
    expect(page.locator("#classification-start")).to_have_text("Start training")
    expect(page.locator("#classification-data-view")).to_contain_text("<img src=x")
    assert page.locator("#classification-data-view img, .tb-source-line img").count() == 0
    assert page.evaluate("window.hurt") is None


def test_a_missing_file_kind_is_refused_in_words_and_nothing_is_lost(visit: Visit, tmp_path: Path) -> None:
    source = tmp_path / "broken.csv"
    source.write_bytes(b"MZ\x90\x00" + bytes(range(256)) * 20)
    page = visit()
    expect(page.locator("#classification-data-view .tb-preview")).to_be_visible()
    unfold(page, page.locator("#classification-learning button.label-wrap"))
    setting(page, "classification", "training.epochs").fill("9")
    with page.expect_file_chooser() as chooser:
        page.locator("#classification-upload").click()
    chooser.value.set_files(source)
    expect(page.locator("#classification-data-view .tb-panel-error")).to_be_visible()
    expect(setting(page, "classification", "training.epochs")).to_have_value("9")


COUNT_FRAMES = """
window.framesAsked = 0;
const frame = window.requestAnimationFrame.bind(window);
window.requestAnimationFrame = (draw) => { window.framesAsked += 1; return frame(draw); };
"""


def test_a_page_at_rest_asks_for_no_frames(visit: Visit) -> None:
    page = visit(script=COUNT_FRAMES)
    expect(page.locator("#classification-data-view .tb-preview")).to_be_visible()
    assert page.evaluate("window.framesAsked") > 0, "the count does not count"
    # The clock of a loading mark that is gone would ask for all the frames there are, for as long as the page is open.
    for _ in range(20):
        page.evaluate("window.framesAsked = 0")
        page.wait_for_timeout(1000)
        if (requests := page.evaluate("window.framesAsked")) == 0:
            break
    assert requests == 0
    assert not page.locator("html.tb-beat").count(), "the visitor asked for less motion"
    page.emulate_media(reduced_motion="no-preference")
    page.wait_for_selector("html.tb-beat")
    page.wait_for_selector("html:not(.tb-beat)")


def test_an_address_of_no_run_says_so(visit: Visit) -> None:
    page = visit(query="?run=20260101-000000-00000000")
    expect(page.locator("#classification-head .tb-panel-error")).to_contain_text("There is no run")


def test_cards_and_runs_answer_to_the_keyboard(visit: Visit, started: dict[str, str]) -> None:
    page = visit()
    card = page.locator('.tb-card[data-pick="help-desk-en"]')
    card.focus()
    page.keyboard.press("Enter")
    expect(card).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#classification-start")).to_have_text("Run the example")
    page.get_by_role("tab", name="Runs", exact=True).click()
    run_id = finished_run(visit, started)
    row = page.locator(f'.tb-run-row[data-pick="{run_id}"]')
    row.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#classification-head")).to_contain_text(run_id)
