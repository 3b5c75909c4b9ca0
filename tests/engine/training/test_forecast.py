"""How much of a run's time is set aside, and how many test rows are written in it. Run: python -m pytest tests/engine/training/test_forecast.py"""

from __future__ import annotations

from types import SimpleNamespace as Some

import pytest

from engine.tasks import TASKS
from engine.training import forecast
from engine.training.forecast import Workload


def workload(
    task: str,
    *,
    train=100,
    validation=6,
    test=29,
    baselines=True,
    max_rows=None,
    windows=1,
    metric="",
    minutes: float | None = 2.0,
    frozen=0,
) -> Workload:
    evaluation = Some(baselines=baselines, max_rows=max_rows, metric=metric)
    splits = Some(train=[0] * train, validation=[0] * validation, test=[0] * test)
    return Workload.of(
        Some(config=Some(evaluation=evaluation), splits=splits),
        Some(task=Some(spec=TASKS[task]), loaded=Some(model=Some(config=Some(num_hidden_layers=6)))),
        Some(
            resolved=Some(minutes=minutes),
            lengths=[20] * train,
            validation=Some(features=[[0]] * (validation * windows)),
        ),
        frozen,
    )


def evaluations(*seconds: float, generated: bool = True) -> list[dict]:
    metrics = {"likelihood": 0.1, "rougeL": 0.2} if generated else {"likelihood": 0.1}
    return [{"seconds": value, "metrics": metrics} for value in seconds]


def test_rows_that_are_read_cost_their_forward_pass():
    result = workload("classification", train=1000, validation=300, test=400)
    assert result.evaluation_cost() == pytest.approx(100)
    # 400 test rows twice, the validation rows and as many training rows again, and what the untuned model is fitted with.
    assert result.report_cost == pytest.approx((400 + 400 + 300 + 300 + forecast.BASELINE_ROWS) / 3)
    assert result.tested_in(1.0, []) == 400


def test_a_row_of_several_windows_costs_as_many():
    one, two = workload("qa", windows=1), workload("qa", windows=2)
    assert two.report_cost == pytest.approx(2 * one.report_cost)


def test_rows_that_frozen_layers_have_not_read_cost_them_as_well():
    every, upper = workload("classification"), workload("classification", frozen=2)
    assert upper.evaluation_cost() == every.evaluation_cost()
    assert upper.report_cost == pytest.approx(1.5 * every.report_cost)


def test_time_is_set_aside_for_the_fewest_rows_that_are_written():
    least = forecast.MIN_GENERATED * forecast.GENERATED_IN_BATCH
    assert workload("summarization", test=50).report_cost == pytest.approx(2 * least)
    assert workload("summarization", test=50, baselines=False).report_cost == pytest.approx(least)
    assert workload("summarization", test=5, baselines=False).report_cost < least
    assert workload("summarization", test=60, minutes=None).report_cost == pytest.approx(4 * least)


@pytest.mark.parametrize(("left", "rows"), [(-5, 30), (0, 30), (100, 31), (121, 37), (1000, 50)])
def test_as_many_rows_are_written_as_fit_into_what_is_left(left, rows):
    # An evaluation of 22.2 seconds: 11.1 rows learned, two seconds each; a test row is written by two models, 3.2 seconds.
    result = workload("summarization", test=50)
    assert result.evaluation_cost() == pytest.approx(11.1)
    assert result.tested_in(left, evaluations(20, 24.4)) == rows


def test_what_an_evaluation_took_is_told_by_what_it_asked_for():
    brief = workload("summarization", test=50)
    assert brief.evaluation_cost(loss_only=True) == pytest.approx(3.9)
    assert brief.tested_in(121, evaluations(7.8, generated=False)) == 37


def test_only_who_chooses_by_likelihood_can_do_without_what_is_written():
    assert workload("summarization").loss_suffices
    assert not workload("summarization", metric="rougeL").loss_suffices
    assert not workload("qa").loss_suffices


def test_rows_asked_for_are_the_most():
    assert workload("summarization", test=400).most_tested == 100
    assert workload("summarization", test=400, max_rows=150).most_tested == 150
    assert workload("summarization", test=40).most_tested == 40
    assert workload("qa", test=4000).most_tested == 4000


def test_without_an_evaluation_nothing_is_left_out():
    assert workload("summarization").tested_in(0.0, []) == 29
