"""The question answering tab in a real browser, from the example to marked answers, in both languages.

Run: python -m pytest tests/browser/test_qa_page.py
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import open_tab, start_example

pytestmark = pytest.mark.browser

TRAINING = 420_000  # milliseconds that a small run may take on a busy machine
ANSWERING = 240_000  # the same for some 160 windows of a long text
WORDS = {
    "en-US": {
        "tab": "Question answering",
        "done": "Completed",
        "report": "Report",
        "try": "Try it",
        "example": "help-desk-questions-en",
        "model": "MiniLM-L6",  # chosen by the language of the example
        "filler": "Larkmoor sells kettles, lamps and chairs in many colours. ",
        "fact": "The warehouse stands in Leicester and opens at seven.",
        "questions": ["Where does the warehouse stand?", "When does the warehouse open?"],
    },
    "zh-CN": {
        "tab": "问答",
        "done": "已完成",
        "report": "报告",
        "try": "试用",
        "example": "help-desk-questions-zh",
        "model": "multilingual-e5-small",  # chosen by the language of the example
        "filler": "澜禾出售各种颜色的水壶、台灯和椅子，品种很多。",
        "fact": "总仓设在苏州，每天早上七点开门。",
        "questions": ["总仓设在哪里？", "总仓几点开门？"],
    },
}
Visit = Callable[..., Page]


@pytest.fixture(scope="module")
def trained() -> list[str]:
    """The run that the first test trains through the page; the others look at it in their own language."""
    return []


@pytest.mark.parametrize("language", ["en-US", "zh-CN"])
def test_from_the_example_to_marked_answers(visit: Visit, trained: list[str], tmp_path: Path, language: str) -> None:
    words = WORDS[language]
    page = visit(language)
    open_tab(page, words["tab"])
    page.locator(f'.tb-card[data-pick="{words["example"]}"]').click()
    view = page.locator("#qa-data-view")
    expect(view.locator("mark").first).to_be_visible()
    expect(page.locator(".tb-plan").locator("visible=true")).to_contain_text(words["model"])
    if trained:
        page = visit(language, query=f"?run={trained[0]}")
    else:
        trained.append(start_example(page, "qa", rows=32, epochs=1, test_rows=24))
    expect(page.locator("#qa-head .tb-chip")).to_have_text(words["done"], timeout=TRAINING)

    # The report: an outcome opens the questions that came to it.
    expect(page.locator("#qa-report .tb-verdict h2")).to_be_visible()
    page.locator("#qa-groups .tb-bar").last.click()
    expect(page.locator("#qa-opened .tb-answers li").first).to_be_visible()

    # Two questions over a text of 20,000 characters: each answer stands in it, where its link says.
    context = words["filler"] * (20_000 // len(words["filler"]) + 1) + words["fact"]
    assert len(context) > 20_000
    page.locator("#qa-right").get_by_role("tab", name=words["try"], exact=True).click()
    page.locator("#qa-try-context textarea").fill(context)
    page.locator("#qa-try-question textarea").fill("\n".join(words["questions"]))
    page.locator("#qa-ask").click()
    items = page.locator("#qa-answer .tb-qa-item")
    expect(items).to_have_count(2, timeout=ANSWERING)
    for number, question in enumerate(words["questions"], start=1):
        expect(items.nth(number - 1)).to_contain_text(question)
        link = items.nth(number - 1).locator(f'[data-goto="{number}"]')
        if link.count():
            output = items.nth(number - 1).locator(".tb-said").inner_text()
            pieces = page.locator(f'#qa-answer .tb-context [data-place~="{number}"]')
            marked = "".join(re.sub(r"^\d+", "", text) for text in pieces.all_text_contents())
            assert marked.split() == output.split()
            link.click()
            expect(pieces.first).to_be_in_viewport()
    shown = page.locator("#qa-answer .tb-context").evaluate(
        "box => { const copy = box.cloneNode(true); copy.querySelectorAll('sup').forEach(s => s.remove()); return copy.textContent; }"
    )
    assert shown == context.strip()

    # A question of the test set fills both fields.
    page.locator("#qa-suggestions .tb-suggestion").first.click()
    expect(page.locator("#qa-try-context textarea")).not_to_have_value(context)
    expect(items).to_have_count(1)

    # A file of questions in, SQuAD's predictions out.
    source = tmp_path / "ask.jsonl"
    rows = [{"id": f"q{n}", "context": words["fact"], "question": q} for n, q in enumerate(words["questions"])]
    source.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    with page.expect_file_chooser() as chooser:
        page.locator("#qa-batch").click()
    chooser.value.set_files(source)
    with page.expect_download() as download:
        page.locator("#qa-batch-download-json").click()
    answers = json.loads(Path(download.value.path()).read_text(encoding="utf-8"))
    assert list(answers) == ["q0", "q1"]
    assert all(answer in words["fact"] for answer in answers.values())

    # On a phone nothing of it scrolls sideways.
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
