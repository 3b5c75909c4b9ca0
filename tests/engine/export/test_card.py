"""The model card says what the report says, in the hub's own form. Run: python -m pytest tests/engine/export"""

from __future__ import annotations

import pytest
import yaml
from huggingface_hub import ModelCard

from engine.evaluation.metric_format import number
from engine.export.card import model_card
from engine.export.source import ExportSource
from engine.run_directory.store import Run

pytestmark = pytest.mark.training


@pytest.fixture(scope="module")
def card(lora_run: Run) -> str:
    return model_card(ExportSource.of(lora_run), "hub", repo="ada/verdicts")


def test_the_front_matter_holds_the_metrics_as_a_model_index(card: str, lora_run: Run) -> None:
    data = ModelCard(card).data
    report = ExportSource.of(lora_run).report
    assert data.pipeline_tag == "text-classification" and data.library_name == "transformers"
    assert "lora" in data.tags and data.language == "en"
    values = {result.metric_name: result.metric_value for result in data.eval_results}
    assert values["accuracy"] == pytest.approx(report["test"]["accuracy"], abs=1e-4)
    assert values["macro F1"] == pytest.approx(report["test"]["macro_f1"], abs=1e-4)
    assert {result.dataset_split for result in data.eval_results} == {"test"}
    raw = yaml.safe_load(card.split("---\n")[1])
    assert set(raw["model-index"][0]["results"][0]) >= {"task", "dataset", "metrics"}
    assert "license" not in raw, "nothing is known of the licence of a model outside the catalogue"


def test_the_numbers_come_with_intervals_and_baselines(card: str, lora_run: Run) -> None:
    report = ExportSource.of(lora_run).report
    rows = report["headline"]["rows"]
    low, high = report["intervals"]["accuracy"]
    shown = f"**{number('accuracy', report['test']['accuracy'], rows)}** [{number('accuracy', low, rows)} – {number('accuracy', high, rows)}]"
    assert card.count(shown) == 2, "once in each language"
    for baseline in report["baselines"].values():
        assert baseline["label"]["en"] in card and baseline["label"]["zh"] in card


def test_it_says_what_it_was_trained_on_what_it_is_for_and_where_it_ends(card: str, lora_run: Run) -> None:
    facts = ExportSource.of(lora_run).facts
    for part in (
        "## What it is for",
        "## Limits",
        "## Training",
        "### 局限",
        "### 用途",
        facts["data_sha256"],
        "sentences.csv",
    ):
        assert part in card
    assert f"{facts['rows']['train']} training" in card and "seed" in card.lower()
    assert 'pipeline("text-classification", model="ada/verdicts")' in card
    assert str(lora_run.directory) not in card and lora_run.config.model.id not in card


def test_labels_that_are_several_and_masked_data_are_told(multi_run: Run) -> None:
    card = model_card(ExportSource.of(multi_run), "hub", repo="ada/labels")
    assert 'function_to_apply="sigmoid"' in card
    assert "Personal data" in card and "个人信息" in card


def test_a_catalogued_base_gives_licence_and_hub_id(lora_run: Run) -> None:
    source = ExportSource.of(lora_run)
    source.config.model.id = "minilm"
    raw = yaml.safe_load(model_card(source, "zip").split("---\n")[1])
    assert raw["license"] == "apache-2.0" and raw["base_model"] == "sentence-transformers/all-MiniLM-L6-v2"


def test_a_model_that_was_chosen_automatically_is_named(lora_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    requests = lora_run.config
    requests.model.id = "auto"
    monkeypatch.setattr(Run, "config", property(lambda run: requests))
    source = ExportSource.of(lora_run)
    assert "auto" not in (source.base_id, source.config.model.id) and not source.title.en.startswith("auto")
