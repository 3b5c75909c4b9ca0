"""Places in a masked text, told of the text as it was given.

Run: python -m pytest tests/engine/inference/test_unmasked.py
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.data.personal_data import mask_text, mask_with_offsets, unmasked_offsets
from engine.inference.unmasked import unmasked

TEXT = "Ann (ann@example.com) lives in Paris, write to bob@example.org or Rome"


def test_entities_before_inside_and_behind_masks():
    masked = mask_text(TEXT)
    assert masked != TEXT

    def entity(surface: str) -> dict:
        start = masked.index(surface)
        return {"start": start, "end": start + len(surface), "label": "X", "text": surface}

    answer = {"entities": [entity("Ann"), entity("[EMAIL]"), entity("Paris"), entity("Rome")], "windows": 1}
    result = unmasked(answer, TEXT)
    assert [e["text"] for e in result["entities"]] == ["Ann", "ann@example.com", "Paris", "Rome"]
    assert all(TEXT[e["start"] : e["end"]] == e["text"] for e in result["entities"]) and result["windows"] == 1


@given(st.lists(st.sampled_from(["a", " ", "x@example.com", "北京", "bob@mail.org,", "12"]), max_size=8))
def test_there_and_back_again(parts):
    text = " ".join(parts)
    masked, moved = mask_with_offsets(text)
    back = unmasked_offsets(text)
    for offset in range(len(text)):
        there = moved(offset, False)
        if masked[there : there + 1] == text[offset] and text[offset] != "[":
            assert back(there, False) == offset
    assert back(len(masked), True) == len(text) and back(0, False) == 0


def test_an_answer_to_a_question_is_told_as_it_stands():
    masked = mask_text(TEXT)
    start = masked.index("[EMAIL]")
    span = {"text": "[EMAIL]", "start": start, "end": start + 7}
    result = unmasked({"answer": "[EMAIL]", "start": start, "end": start + 7, "best": span, "nbest": [span]}, TEXT)
    assert result["answer"] == result["best"]["text"] == result["nbest"][0]["text"] == "ann@example.com"
    assert unmasked({"answer": "", "start": None, "end": None}, TEXT) == {"answer": "", "start": None, "end": None}
