"""Templates and settings of what a model is asked. Run: python -m pytest tests/engine/writing/test_form.py"""

from __future__ import annotations

import dataclasses

import pytest

from engine.config import GenerationConfig
from engine.core.errors import ConfigProblem
from engine.generation.generation_spec import GenerationSpec, fill
from engine.generation.templates import check_template


def test_a_template_is_filled_once_and_leaves_other_braces():
    assert fill("a {document} b {other}", {"document": "{document} {summary}"}) == "a {document} {summary} b {other}"
    assert fill('{"text": "{document}"}', {"document": "x"}) == '{"text": "x"}'


@pytest.mark.parametrize(
    ("template", "wrong"), [("Summarise this.", "lacks {document}"), ("{document} in {lang}", "{lang}")]
)
def test_a_template_that_no_row_can_fill_is_told(template, wrong):
    with pytest.raises(ConfigProblem) as caught:
        check_template(template, "generation.prompt", ("document",), ("document",))
    assert wrong in caught.value.message.en
    assert caught.value.where["field"] == "generation.prompt"


def test_a_good_template_passes():
    check_template("{document} { or } {3}", "generation.prompt", ("document",), ("document",))


def test_the_form_has_every_setting_and_comes_back_from_the_model_folder():
    assert {f.name for f in dataclasses.fields(GenerationSpec)} == {
        f.name for f in dataclasses.fields(GenerationConfig)
    }
    config = GenerationConfig(beams=3, temperature=0.5, no_repeat_ngram=3, long_documents="parts")
    spec = GenerationSpec.from_config(config, prompt="p {document}", target="{summary}", max_new_tokens=24)
    assert (spec.beams, spec.temperature, spec.no_repeat_ngram, spec.max_new_tokens) == (3, 0.5, 3, 24)
    assert GenerationSpec.from_dict(spec.to_dict()) == spec
    assert spec.with_changes(beams=1).beams == 1 and spec.beams == 3
