"""How much of a run's time is set aside, and how many test rows are written in it. Run: python -m pytest tests/engine/training/test_forecast.py"""

from __future__ import annotations

from types import SimpleNamespace as Some

import pytest

from engine.tasks import TASKS
from engine.training import forecast


def session(
    task: str,
    *,
    train=100,
    validation=6,
    test=29,
    seconds=(),
    baselines=True,
    max_rows=None,
    windows=1,
    metric="",
    written=True,
    minutes=2.0,
    frozen=0,
):
    metrics = {"likelihood": 0.1, "rougeL": 0.2} if written else {"likelihood": 0.1}
    return Some(
        task=TASKS[task].task_model(),
        resolved=Some(minutes=minutes),
        config=Some(evaluation=Some(baselines=baselines, max_rows=max_rows, metric=metric)),
        prepared=Some(splits=Some(train=[0] * train, validation=[0] * validation, test=[0] * test)),
        lower=Some(count=frozen) if frozen else None,
        loaded=Some(model=Some(config=Some(num_hidden_layers=6))),
        train=Some(features=[[0] * 20] * train),
        validation=Some(features=[[0]] * (validation * windows)),
        progress=Some(evaluations=[{"seconds": value, "metrics": metrics} for value in seconds]),
    )


def test_rows_that_are_read_cost_their_forward_pass():
    found = session("classification", train=1000, validation=300, test=400)
    assert forecast.evaluation(found) == pytest.approx(100)
    # 400 test rows twice, the validation rows and as many training rows again, and what the untuned model is fitted with.
    assert forecast.judgement(found) == pytest.approx((400 + 400 + 300 + 300 + forecast.FITTED) / 3)
    assert forecast.tested_in(found, 1.0) == 400


def test_a_row_of_several_windows_costs_as_many():
    one, two = session("qa", windows=1), session("qa", windows=2)
    assert forecast.judgement(two) == pytest.approx(2 * forecast.judgement(one))


def test_rows_that_frozen_layers_have_not_read_cost_them_as_well():
    every, upper = session("classification"), session("classification", frozen=2)
    assert forecast.evaluation(upper) == forecast.evaluation(every)
    assert forecast.judgement(upper) == pytest.approx(1.5 * forecast.judgement(every))


def test_time_is_set_aside_for_the_fewest_rows_that_are_written():
    least = forecast.LEAST_WRITTEN * forecast.WRITTEN_TOGETHER
    assert forecast.judgement(session("summarization", test=50)) == pytest.approx(2 * least)
    assert forecast.judgement(session("summarization", test=50, baselines=False)) == pytest.approx(least)
    assert forecast.judgement(session("summarization", test=5, baselines=False)) < least
    assert forecast.judgement(session("summarization", test=60, minutes=None)) == pytest.approx(4 * least)


@pytest.mark.parametrize(("left", "rows"), [(-5, 30), (0, 30), (100, 31), (121, 37), (1000, 50)])
def test_as_many_rows_are_written_as_fit_into_what_is_left(left, rows):
    # An evaluation of 22.2 seconds: 11.1 rows learned, two seconds each; a test row is written by two models, 3.2 seconds.
    found = session("summarization", test=50, seconds=(20, 24.4))
    assert forecast.evaluation(found) == pytest.approx(11.1)
    assert forecast.tested_in(found, left) == rows


def test_what_an_evaluation_took_is_told_by_what_it_asked_for():
    brief = session("summarization", test=50, seconds=(7.8,), written=False)
    assert forecast.evaluation(brief, briefly=True) == pytest.approx(3.9)
    assert forecast.tested_in(brief, 121) == 37


def test_only_who_chooses_by_likelihood_can_do_without_what_is_written():
    assert forecast.can_be_brief(session("summarization"))
    assert not forecast.can_be_brief(session("summarization", metric="rougeL"))
    assert not forecast.can_be_brief(session("qa"))


def test_rows_asked_for_are_the_most():
    assert forecast.most_tested(session("summarization", test=400)) == 100
    assert forecast.most_tested(session("summarization", test=400, max_rows=150)) == 150
    assert forecast.most_tested(session("summarization", test=40)) == 40
    assert forecast.most_tested(session("qa", test=4000)) == 4000


def test_without_an_evaluation_nothing_is_left_out():
    assert forecast.tested_in(session("summarization"), 0.0) == 29
