"""The named-entity tab in a real browser, from the example to marked texts, in both languages.

Run: python -m pytest tests/browser/test_ner_page.py
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import open_tab, start_example

pytestmark = pytest.mark.browser

TRAINING = 300_000  # milliseconds that a small run may take on a busy machine
WORDS = {
    "en-US": {
        "tab": "Named entities",
        "done": "Completed",
        "try": "Try it",
        "example": "help-desk-entities-en",
        "model": "MiniLM-L6",  # chosen by the language of the example
        "typed": "Please refund €120 for order LM-20260114 by 3 March.",
    },
    "zh-CN": {
        "tab": "命名实体识别",
        "done": "已完成",
        "try": "试用",
        "example": "help-desk-entities-zh",
        "model": "multilingual-e5-small",  # chosen by the language of the example
        "typed": "订单 LH20261120552 已付 120 元，请在 3 月 3 日前退款。",
    },
}
# Whether an answer shows exactly the text that was typed, once the names of the types are taken out of it.
SHOWS = """([index, text]) => {
    const answer = document.querySelectorAll("#ner-answer .tb-read-text")[index];
    if (!answer) return false;
    const copy = answer.cloneNode(true);
    copy.querySelectorAll("small").forEach((one) => one.remove());
    return copy.textContent.trim() === text.trim();
}"""
Visit = Callable[..., Page]


@pytest.fixture(scope="module")
def trained() -> list[str]:
    """The run that the first test trains through the page; the others look at it in their own language."""
    return []


@pytest.mark.parametrize("language", ["en-US", "zh-CN"])
def test_from_the_example_to_marked_texts(visit: Visit, trained: list[str], tmp_path: Path, language: str) -> None:
    words = WORDS[language]
    page = visit(language)
    open_tab(page, words["tab"])
    page.locator(f'.tb-card[data-pick="{words["example"]}"]').click()
    view = page.locator("#ner-data-view")
    expect(view.locator("mark.tb-entity").first).to_be_visible()
    expect(view.locator(".tb-bar").first).to_be_visible()
    expect(page.locator(".tb-plan").locator("visible=true")).to_contain_text(words["model"])
    if trained:
        page = visit(language, query=f"?run={trained[0]}")
    else:
        trained.append(start_example(page, "ner", rows=220, epochs=2, test_rows=60))
    expect(page.locator("#ner-head .tb-chip")).to_have_text(words["done"], timeout=TRAINING)

    # The report: every type in its colour, and a kind of error opened by a click.
    expect(page.locator("#ner-report .tb-verdict h2")).to_be_visible()
    expect(page.locator("#ner-report .tb-type")).to_have_count(7)
    page.locator("#ner-groups .tb-choice:not([disabled])").first.click()
    expect(page.locator("#ner-opened .tb-versus").first).to_be_visible()

    # Typing is enough: nothing has to be pressed.
    page.get_by_role("tab", name=words["try"], exact=True).click()
    box = page.locator("#ner-try-text textarea")
    box.press_sequentially(words["typed"])
    answers = page.locator("#ner-answer .tb-read-text")
    expect(answers).to_have_count(2)
    for index in range(2):
        page.wait_for_function(SHOWS, arg=[index, words["typed"]])  # marks change nothing of the text
    box.fill("")
    expect(answers).to_have_count(0)

    # Twenty thousand characters in one piece.
    long = (words["typed"] + "\n") * (20_000 // (len(words["typed"]) + 1) + 1)
    box.fill(long)
    page.wait_for_function(SHOWS, arg=[0, long])
    expect(page.locator("#ner-answer")).to_contain_text(re.compile(r"windows|窗口"))

    page.locator("#ner-suggestions .tb-suggestion").first.click()
    expect(box).not_to_have_value(long)
    expect(page.locator("#ner-answer")).not_to_contain_text(re.compile(r"windows|窗口"))

    # A file in, a file of another format out.
    source = tmp_path / "ask.csv"
    source.write_text(f'id,text\n1,"{words["typed"]}"\n2,\n3,=1+1\n', encoding="utf-8")
    with page.expect_file_chooser() as chooser:
        page.locator("#ner-batch").click()
    chooser.value.set_files(source)
    with page.expect_download() as download:
        page.locator("#ner-batch-download-conll").click()
    lines = Path(download.value.path()).read_text(encoding="utf-8").splitlines()
    assert all(re.fullmatch(r"\S+\t(O|[BI]-[A-Z]+)", line) for line in lines if line)
    assert "".join(line.split("\t")[0] for line in lines if line) == "".join(words["typed"].split()) + "=1+1"


def test_a_phone_shows_the_tab_without_sideways_scroll(visit: Visit) -> None:
    page = visit(width=390, height=844)
    open_tab(page, WORDS["en-US"]["tab"])
    expect(page.locator("#ner-data-view mark.tb-entity").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
