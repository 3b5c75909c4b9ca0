"""Training within a given time. Run: python -m pytest tests/engine/training/test_budget.py"""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from engine.assets.example import GENERATIVE_MINUTES, TRIAL_MINUTES
from engine.config import RunConfig
from engine.training.budget import TRUSTED, Budget, due
from engine.training.defaults import minutes_for


def timed(budget: Budget, updates: int, seconds: float) -> None:
    for _ in range(updates + 1):  # the first one is not counted
        budget.updated(seconds)


def test_without_a_limit_the_schedule_is_at_the_step_to_the_last_bit() -> None:
    budget = Budget(math.inf)
    budget.begin(173, 58)
    for step in range(173):
        assert budget.position == step
        budget.advance(step)
        budget.updated(1000.0)
        assert budget.plan(step + 1, 1e9) == 173
    assert budget.position == 173
    assert not budget.cut


def test_as_many_updates_as_fit_beside_their_evaluations() -> None:
    budget = Budget(100.0)
    budget.begin(200, 50)
    timed(budget, 10, 1.0)
    budget.evaluated(5.0)
    # 90 updates, and the evaluations after the 50th and the 90th.
    assert budget.plan(10, 10.0) == 90
    assert budget.plan(60, 65.0) == 90
    assert budget.plan(60, 200.0) == 61, "no time is left: one more update ends it"
    wide = Budget(1000.0)
    wide.begin(200, 50)
    timed(wide, 10, 1.0)
    assert wide.plan(10, 10.0) == 200, "never more than without a limit"


def test_an_evaluation_is_guessed_until_one_was_timed() -> None:
    budget = Budget(100.0, reading=20)
    budget.begin(1000, 1000)
    timed(budget, 10, 1.0)
    assert budget.plan(10, 10.0) == 80
    budget.evaluated(2.0)
    assert budget.plan(10, 10.0) == 98


def test_time_is_set_aside_for_what_is_read_after_training() -> None:
    budget = Budget(100.0, reading=4, after=5.0)
    budget.begin(1000, 1000)
    timed(budget, 10, 1.0)
    assert budget.plan(10, 10.0) == 100 - 4 - 5 * 4
    budget.evaluated(2.0)
    assert budget.plan(10, 10.0) == 100 - 2 - 5 * 2


def test_with_the_last_planned_update_it_is_over_even_if_time_is_left() -> None:
    budget = Budget(100.0)
    budget.begin(200, 200)
    timed(budget, 10, 1.0)
    budget.planned = 40
    assert budget.plan(39, 39.0) == 100, "before it the plan may grow"
    assert budget.plan(40, 40.0) == 40


def test_the_first_updates_decide_nothing() -> None:
    budget = Budget(1.0)
    budget.begin(500, 100)
    budget.updated(60.0)  # sets things up
    for _ in range(TRUSTED - 1):
        budget.updated(0.125)
        assert budget.plan(3, 0.5) == 500
    budget.updated(0.125)
    assert budget.plan(4, 0.5) == 8


def test_evaluations_ask_less_where_time_is_short() -> None:
    # 100 updates take all the time; an evaluation of 20 fits beside 80, one of 2 beside 98.
    budget = Budget(100.0, reading=2, whole=10)
    budget.begin(100, 100)
    timed(budget, 10, 1.0)
    budget.planned = budget.plan(10, 10.0)
    assert budget.planned == 98 and budget.cut
    budget.evaluated(4.0)
    assert budget.plan(50, 50.0) == 96, "of one like the next"
    wide = Budget(200.0, reading=2, whole=10)
    wide.begin(100, 50)
    timed(wide, 10, 1.0)
    assert wide.plan(10, 10.0) == 100
    wide.evaluated(60.0)  # a whole one: two of them take 120 seconds
    assert wide.plan(50, 110.0) == 99, "the last one has to be brief, and the plan says so"


def test_all_updates_without_room_for_a_whole_evaluation_are_one_too_many() -> None:
    budget = Budget(110.0, reading=2, whole=10)
    budget.begin(100, 100)
    timed(budget, 10, 1.0)
    budget.planned = budget.plan(10, 10.0)
    assert budget.planned == 99 and budget.cut, "else it would ask for all and take too long"


def test_in_a_given_time_no_update_is_made_at_a_rate_of_zero() -> None:
    free, limited = Budget(math.inf), Budget(60.0)
    assert (free.place, limited.place) == (0, 1), "before the number of updates is known"
    for budget in (free, limited):
        budget.begin(20, 10)
    places = []
    for step in range(20):
        assert free.place == step
        places.append(limited.place)
        for budget in (free, limited):
            budget.advance(step)
    assert places[0] == 1 and places == sorted(places) and places[-1] < 20


def test_the_schedule_ends_with_the_last_planned_update_whatever_was_planned_before() -> None:
    budget = Budget(60.0)
    budget.begin(300, 100)
    places, step = [budget.position], 0
    while step < budget.planned:
        budget.advance(step)
        step += 1
        places.append(budget.position)
        budget.planned = {1: 300, 20: 80, 50: 64, 60: 70}.get(step, budget.planned)
    assert step == 70 and budget.cut
    assert places == sorted(places)
    assert places[-1] == pytest.approx(300)


def test_what_a_checkpoint_keeps_goes_on_where_it_was() -> None:
    budget = Budget(60.0)
    budget.begin(300, 100)
    timed(budget, 10, 1.0)
    budget.advance(0)
    budget.planned = budget.plan(10, 10.0)
    later = Budget(60.0)
    later.restore(budget.state())
    later.begin(300, 100)
    assert (later.planned, later.position) == (budget.planned, budget.position)
    assert later.plan(30, 30.0) == budget.plan(30, 30.0)


@pytest.mark.parametrize("interval", [1, 2, 7, 50])
@pytest.mark.parametrize("end", [1, 2, 49, 50, 74, 75, 101])
def test_evaluations_ahead_are_counted_as_they_fall_due(interval: int, end: int) -> None:
    budget = Budget(1.0)
    budget.begin(end, interval)
    for step in range(end):
        ahead = 1 + sum(due(at, end, interval) for at in range(step + 1, end))
        assert budget.evaluations_left(step, end) == ahead


def test_only_an_example_that_nobody_says_anything_about_ends_by_itself() -> None:
    def of(**values: object) -> RunConfig:
        return RunConfig.from_dict({"task": "ner", "data": {"example": "help-desk-entities-en"}, **values})

    assert minutes_for(of()) == TRIAL_MINUTES
    assert minutes_for(of(training={"minutes": 3})) == 3
    assert minutes_for(of(training={"minutes": 0})) is None
    assert minutes_for(of(training={"epochs": 4})) is None
    rows = of()
    assert minutes_for(replace(rows, data=replace(rows.data, max_train_rows=5))) is None
    own = replace(rows, data=replace(rows.data, example="", train="mine.csv"))
    assert minutes_for(own) is None
    assert minutes_for(replace(own, training=replace(own.training, minutes=2.0))) == 2
    summaries = {"task": "summarization", "data": {"example": "help-desk-summaries-en"}}
    assert minutes_for(RunConfig.from_dict(summaries)) == GENERATIVE_MINUTES
