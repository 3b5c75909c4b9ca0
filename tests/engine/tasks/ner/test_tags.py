"""Tag schemes. Run: python -m pytest tests/engine/tasks/ner/test_tags.py"""

from __future__ import annotations

import pytest

from engine.tasks.ner.tags import detect_scheme, token_spans

SCHEMES = {
    "BIO": "B-PER I-PER O B-LOC B-LOC",
    "BIO (IOB1)": "I-PER I-PER O I-LOC B-LOC",
    "BIOES": "B-PER E-PER O S-LOC S-LOC",
    "BILOU": "B-PER L-PER O U-LOC U-LOC",
    "BMES": "B-PER E-PER O S-LOC S-LOC",
    "underscore": "B_PER I_PER O B_LOC B_LOC",
    "suffix": "PER-B PER-I O LOC-B LOC-B",
    "lower case": "b-PER i-PER o b-LOC b-LOC",
}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_any_tag_scheme(scheme):
    tags = SCHEMES[scheme].split()
    assert token_spans(tags, detect_scheme(tags)) == [(0, 2, "PER"), (3, 4, "LOC"), (4, 5, "LOC")]


def test_io_joins_neighbours_of_one_type():
    tags = ["PER", "PER", "O", "LOC", "LOC", "PER"]
    assert token_spans(tags, detect_scheme(tags)) == [(0, 2, "PER"), (3, 5, "LOC"), (5, 6, "PER")]


def test_bmes_with_a_long_middle():
    tags = ["B-ORG", "M-ORG", "M-ORG", "E-ORG", "B-ORG", "E-ORG"]
    assert token_spans(tags, detect_scheme(tags)) == [(0, 4, "ORG"), (4, 6, "ORG")]
