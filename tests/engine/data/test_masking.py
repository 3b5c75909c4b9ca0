"""Personal data is found by form and check digits; masking moves every offset along.

Run: python -m pytest tests/engine/data/test_masking.py
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.data.masking import mask_example
from engine.data.personal_data import find_personal, mask_text
from engine.schema import Example
from engine.tasks import TASKS


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("write to ann.lee+x@mail.example.org!", "write to [EMAIL]!"),
        ("call +44 20 7946 0958 now", "call [PHONE] now"),
        ("call (212) 555-0147 or 212-555-0147", "call [PHONE] or [PHONE]"),
        ("电话13812345678，谢谢", "电话[PHONE]，谢谢"),
        ("手机号 +86 138-1234-5678", "手机号 [PHONE]"),
        ("座机010-62345678", "座机[PHONE]"),
        ("身份证11010519491231002X。", "身份证[IDENTITY]。"),
        ("SSN 078-05-1120", "SSN [IDENTITY]"),
        ("card 4111 1111 1111 1111 expires", "card [CARD] expires"),
        ("银行卡6222020000000000000", "银行卡[CARD]"),
        ("a@b.org13812345678", "[EMAIL][PHONE]"),
        ("IBAN DE89 3704 0044 0532 0130 00", "IBAN [IBAN]"),
    ],
)
def test_found(text, masked):
    assert mask_text(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "order 4111111111111112",  # a card's form, a wrong check digit
        "身份证号 110105194912310021",  # a wrong check character
        "110105194913310025",  # no such month
        "in 2026 we sold 1,234,567 pieces for 1234567.89",
        "on 2026-11-23 at 10:45:12",
        "order number 202611230001",
        "version 1.2.3.4 of build 20261123",
        "call 911, room 12345678901",  # 11 digits, but no Chinese mobile number
        "ISBN 978-3-16-148410-0",
        "DE00 3704 0044 0532 0130 00",  # a wrong IBAN checksum
        "@user and me@home",
        "订单号20261123112233445566",
    ],
)
def test_left_alone(text):
    assert find_personal(text) == []


def test_entities_and_tokens_move_along():
    text = "Ann (ann@example.org) lives in Rome"
    tokens = [[0, 3], [5, 20], [22, 27], [28, 30], [31, 35]]
    spans = (
        {"start": 0, "end": 3, "label": "PER"},
        {"start": 5, "end": 20, "label": "MAIL"},
        {"start": 31, "end": 35, "label": "LOC"},
    )
    masked = mask_example(Example(2, {"text": text, "tokens": tokens}, spans), TASKS["ner"])
    covered = [masked.inputs["text"][span["start"] : span["end"]] for span in masked.target]
    assert covered == ["Ann", "[EMAIL]", "Rome"]
    assert [masked.inputs["text"][s:e] for s, e in masked.inputs["tokens"]] == ["Ann", "[EMAIL]", "lives", "in", "Rome"]


def test_answers_move_along_even_when_they_are_masked():
    context = "Mail ann@example.org, or call 13812345678 in Rome."
    answers = tuple({"text": t, "start": context.index(t)} for t in ("ann@example.org", "Rome", "13812345678 in Rome"))
    masked = mask_example(Example(2, {"context": context, "question": "How?"}, answers), TASKS["qa"])
    assert [answer["text"] for answer in masked.target] == ["[EMAIL]", "Rome", "[PHONE] in Rome"]
    for answer in masked.target:
        assert masked.inputs["context"].startswith(answer["text"], answer["start"])


def test_summaries_are_masked_too():
    masked = mask_example(
        Example(2, {"document": "From ann@example.org: hi"}, ("ann@example.org says hi",)), TASKS["summarization"]
    )
    assert masked.target == ("[EMAIL] says hi",)


def test_an_example_without_personal_data_is_the_same_object():
    example = Example(2, {"text": "nothing here 12"}, "x")
    assert mask_example(example, TASKS["classification"]) is example


PIECES = st.lists(
    st.sampled_from(["ann@example.org", "13812345678", " a ", "，", "Rome", "12 ", "4111111111111111", "好"]),
    max_size=8,
)


@given(pieces=PIECES, data=st.data())
def test_any_span_outside_the_masks_keeps_its_text(pieces, data):
    text = "".join(pieces)
    if not text:
        return
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    masked = mask_example(Example(2, {"text": text}, ({"start": start, "end": end, "label": "X"},)), TASKS["ner"])
    span = masked.target[0]
    touched = any(p.start < end and start < p.end for p in find_personal(text))
    covered = masked.inputs["text"][span["start"] : span["end"]]
    assert covered if touched else covered == text[start:end]


@given(text=st.text(st.sampled_from(list("0123456789 -+()@.aX中")), max_size=40))
def test_masking_twice_changes_nothing_more(text):
    once = mask_text(text)
    assert mask_text(once) == once
