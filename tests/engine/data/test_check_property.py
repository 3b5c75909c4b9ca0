"""The check and its fixes take any examples the readers can return.

Run: python -m pytest tests/engine/data/test_check_property.py
"""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.config import DataConfig
from engine.core.errors import UserError
from engine.data.check import check_examples
from engine.data.fixes import apply_fixes, fixes_for
from engine.data.split import split
from engine.schema import Example
from engine.tasks import TASKS

PIECES = [*"ab ,.1239-@\n'", "好", "商品", "a@b.org", "13812345678", "\ufffd", "🙂", "the ", "und "]
TEXTS = (
    st.lists(st.sampled_from(PIECES), min_size=1, max_size=12)
    .map("".join)
    .map(lambda text: text if text.strip() else "x")
)


@st.composite
def spans(draw, text):
    start = draw(st.integers(0, len(text) - 1))
    return {
        "start": start,
        "end": draw(st.integers(start + 1, len(text))),
        "label": draw(st.sampled_from(["P", "p", "Q"])),
    }


@st.composite
def example(draw, task):
    row, text = draw(st.integers(1, 99)), draw(TEXTS)
    if task == "classification":
        label = st.sampled_from(["a", "A", "b", "c d", "c_d"])
        return Example(row, {"text": text}, draw(label))
    if task == "ner":
        return Example(row, {"text": text}, tuple(draw(st.lists(spans(text), max_size=3))))
    if task == "qa":
        span = draw(spans(text))
        answer = {"text": text[span["start"] : span["end"]], "start": span["start"]}
        return Example(row, {"context": text, "question": draw(TEXTS)}, (answer,) if draw(st.booleans()) else ())
    return Example(row, {"document": text}, tuple(draw(st.lists(TEXTS, min_size=1, max_size=2))))


@settings(max_examples=100, deadline=None)
@given(data=st.data(), task=st.sampled_from(["classification", "ner", "qa", "summarization"]))
def test_any_examples(data, task):
    rows = st.lists(example(task), min_size=1, max_size=14)
    tables = {"train": data.draw(rows), "test": data.draw(rows)}
    for finding in check_examples(tables, TASKS[task]):
        assert json.dumps(finding.to_dict())
        assert finding.message.en and finding.message.zh
        assert finding.severity in ("error", "warning", "info")
    fixes = data.draw(st.lists(st.sampled_from(list(fixes_for(TASKS[task]))), unique=True))
    mended, notices = apply_fixes(tables, fixes, TASKS[task])
    assert len(notices) == len(fixes)
    for row in [*mended["train"], *mended["test"]]:
        for item in row.target if task == "ner" else ():
            assert 0 <= item["start"] < item["end"] <= len(row.inputs["text"])
        for item in row.target if task == "qa" else ():
            assert row.inputs["context"].startswith(item["text"], item["start"])
    for code in (code for code, fix in fixes_for(TASKS[task]).items() if not fix.drops_rows):
        once, _ = apply_fixes(tables, [code], TASKS[task])
        assert apply_fixes(once, [code], TASKS[task])[0] == once
    try:
        split(mended, DataConfig(), 1, TASKS[task])
    except UserError as problem:
        assert problem.code in ("one_label", "no_entities", "no_answers", "too_few_rows")
