"""The summarization tab in a browser, on a tiny model that learned two summaries: report, groups, writing, stopping, a file.

Run: python -m pytest tests/browser/test_summarization_page.py
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import open_tab
from tests.tiny_generators import save_generator, table

pytestmark = pytest.mark.browser
Visit = Callable[..., Page]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def run_id(app, tmp_path_factory: pytest.TempPathFactory) -> str:  # type: ignore[no-untyped-def]
    folder = tmp_path_factory.mktemp("summaries")
    model, data = save_generator("llama", folder / "model"), table(folder / "train.jsonl", 160)
    settings = {
        "training.epochs": 8,
        "training.learning_rate": 0.01,
        "training.precision": "fp32",
        "training.batch_size": 8,
    }
    flags = [part for path, value in settings.items() for part in ("--set", f"{path}={value}")]
    done = subprocess.run(
        [sys.executable, "-m", "engine", "train", "--task", "summarization", "--train", data, "--model", model, *flags, "--json"],
        cwd=ROOT,
        env={**os.environ, "TUNEBENCH_RUNS": str(app.runs), "HF_HUB_OFFLINE": "1"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )  # fmt: skip
    return Path(json.loads(done.stdout.splitlines()[-1])["run"]).name


SAID = {
    "en-US": {"report": "Report", "try": "Try it", "tuned": "Tuned", "reference": "Reference"},
    "zh-CN": {"report": "报告", "try": "试用", "tuned": "微调后", "reference": "参考摘要"},
}


@pytest.mark.parametrize("language", ["en-US", "zh-CN"])
def test_from_the_report_to_a_file_of_summaries(visit: Visit, run_id: str, tmp_path: Path, language: str) -> None:
    page = visit(language, query=f"?run={run_id}")
    report = page.locator("#summarization-report")
    expect(report).to_contain_text("ROUGE-L")
    expect(report).to_contain_text("0.9" if report.get_by_text("0.9").count() else "1.00")
    page.locator('#summarization-groups [data-pick="best"]').click()
    expect(page.locator("#summarization-opened")).to_contain_text("great film")
    expect(page.locator("#summarization-opened")).to_contain_text(SAID[language]["reference"])

    page.get_by_role("tab", name=SAID[language]["try"]).locator("visible=true").first.click()
    page.locator("#summarization-try-document textarea").fill("the bad music was not very fine")
    page.locator("#summarization-ask").click()
    answer = page.locator("#summarization-answer")
    expect(answer.locator(".tb-answer-accent")).to_contain_text("awful plot")
    expect(answer.locator(".tb-answer-quiet .tb-cursor")).to_have_count(0)
    expect(answer.locator(".tb-answer-quiet")).to_be_visible()
    expect(answer.locator(".tb-answer-accent .tb-m-new").first).to_be_visible()
    expect(page.locator("#summarization-stop")).to_be_disabled()

    texts = tmp_path / "texts.csv"
    texts.write_text("document\nthe good cast is fine\nthe bad cast is fine\n", encoding="utf-8")
    with page.expect_file_chooser() as chooser:
        page.locator("#summarization-batch").click()
    chooser.value.set_files(str(texts))
    expect(page.locator(".tb-summary-table")).to_contain_text("awful plot")
    with page.expect_download() as download:
        page.locator("#summarization-batch-download-jsonl").click()
    rows = [json.loads(line) for line in Path(download.value.path()).read_text(encoding="utf-8").splitlines()]
    assert [row["prediction"] for row in rows] == ["great film", "awful plot"]


def test_the_form_offers_models_and_methods_that_write(visit: Visit) -> None:
    page = visit()
    open_tab(page, "Summarization")
    cards = page.locator(".tb-card-model").locator("visible=true")
    expect(cards).to_have_count(1)
    expect(cards).to_contain_text("SmolLM2")
    methods = page.locator("#summarization-method label").locator("visible=true")
    expect(methods).to_have_count(4)
    expect(page.locator("#summarization-method")).not_to_contain_text("Head only")


def test_a_phone_shows_the_tab_without_sideways_scroll(visit: Visit, run_id: str) -> None:
    page = visit(width=390, height=844, query=f"?run={run_id}")
    expect(page.locator("#summarization-report")).to_contain_text("ROUGE-L")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
