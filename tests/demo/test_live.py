"""Events to status, curves and time left. Run: python -m pytest tests/demo/test_live.py"""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from fake_run import START, both, event, finished_run, make_run, step, write_events

from demo import live
from demo.live import MAX_POINTS, Curve, History
from demo.page import Page
from demo.parts import train_step
from engine.core.settings import Settings
from engine.tasks import TASKS
from engine.tasks.spec import TaskSpec


@pytest.fixture
def page(tmp_path: Path) -> Page:
    return Page.from_settings(Settings(cache_dir=tmp_path / "cache", runs_dir=tmp_path / "runs"))


def history_of(*events: dict) -> History:
    history = History()
    history.advance(list(events))
    return history


def test_a_curve_never_grows_beyond_its_limit_and_keeps_its_shape() -> None:
    curve = Curve()
    for number in range(10_000):
        curve.add(number, number / 10_000)
    assert len(curve.points) <= MAX_POINTS
    xs = [x for x, _ in curve.points]
    assert xs == sorted(xs)
    for x, y in curve.points:
        assert abs(y - x / 10_000) < 0.01


def test_events_are_read_once_from_where_the_last_reading_ended(page: Page) -> None:
    run = make_run(page.store.directory)
    write_events(run, [event("phase", 0.0, phase="data")])
    assert page.history(run).phase == "data"
    first = page.history(run)
    version, offset = first.version, first.offset
    assert page.history(run).version == version
    write_events(run, [event("phase", 1.0, phase="model")])
    with run.path("events.jsonl").open("a") as file:
        file.write('{"type": "phase", "ti')  # the worker is in the middle of a line
    history = page.history(run)
    assert (history.phase, history.version) == ("model", version + 1)
    assert history.offset > offset


def test_the_bar_only_moves_forward() -> None:
    history, last = History(), 0.0
    for one in [
        event("phase", 0.0, phase="data"),
        event("progress", 0.2, phase="data", what=both("x"), done=1, total=2),
        event("phase", 1.0, phase="model"),
        event("progress", 1.5, phase="model", what=both("x"), done=2, total=2),
        event("phase", 2.0, phase="encode"),
        event("phase", 3.0, phase="train"),
        *(step(n, 50, 3.0 + n) for n in range(1, 51)),
        event("phase", 60.0, phase="save"),
        event("phase", 61.0, phase="evaluate"),
        event("phase", 65.0, phase="report"),
    ]:
        history.advance([one])
        now = live.fraction(history)
        assert last <= now <= 1.0
        last = now
    assert last > 0.9


def test_the_time_left_counts_training_and_what_comes_after_it() -> None:
    history = history_of(
        event("phase", 0.0, phase="train"),
        event("facts", 0.0, facts={"rows": {"train": 3200, "validation": 100, "test": 3000}}),
        step(10, 100, 10.0),
        step(20, 100, 20.0),
    )
    left = live.remaining(history, START + 20.0)
    assert left is not None
    # 80 steps at one a second, 3,000 test rows at 100 a second and two thirds of the cost, and the report.
    assert left == pytest.approx(80 + 20 + live.REPORT_SECONDS, abs=1)
    assert live.remaining(history, START + 25.0) == pytest.approx(left - 5, abs=0.1)


def test_two_long_rows_do_not_say_how_long_the_others_take() -> None:
    what = {"en": "Test rows", "zh": "测试数据"}
    requests = [
        event("facts", 0.0, facts={"judging_rows": 40, "rows": {"test": 29}}),
        event("phase", 0.0, phase="train"),
        {**step(4, 5, 50.0), "examples_per_second": 0.4},
        event("phase", 60.0, phase="evaluate"),
        event("progress", 80.0, phase="evaluate", what=what, done=2, total=29),
    ]
    history = history_of(*requests)
    assert live.remaining(history, START + 80) == pytest.approx(live.REPORT_SECONDS + 40 / 0.4 - 20)
    for done in (8, 14, 20):
        history.advance([event("progress", 100.0, phase="evaluate", what=what, done=done, total=29)])
    assert live.remaining(history, START + 100) == pytest.approx(40 / 20 * 9 + live.REPORT_SECONDS)
    history.advance([event("progress", 101.0, phase="evaluate", what={"en": "Untuned", "zh": ""}, done=2, total=29)])
    assert live.remaining(history, START + 101) == pytest.approx(live.REPORT_SECONDS + 40 / 0.4 - 41)


def test_nothing_is_said_of_the_time_left_before_anything_is_known() -> None:
    assert live.remaining(History(), START) is None
    assert live.remaining(history_of(event("phase", 0.0, phase="model")), START + 3) is None
    assert live.remaining(history_of(event("phase", 0.0, phase="train"), step(1, 100, 1.0)), START + 3) is None


def test_training_that_begins_again_drops_the_curve_of_the_first_attempt() -> None:
    history = history_of(
        event("phase", 0.0, phase="train"),
        step(1, 10, 1.0, loss=9.0),
        step(2, 10, 2.0, loss=9.0),
        event("evaluation", 2.5, step=2, epoch=1.0, loss=9.0, metrics={"accuracy": 0.1}, best=True),
        step(1, 20, 3.0, loss=1.0),
    )
    assert [y for _, y in history.loss.points] == [1.0]
    assert history.evaluations == []


def test_a_loss_that_is_no_number_is_left_out_of_the_chart() -> None:
    history = history_of(event("phase", 0.0, phase="train"), {**step(1, 10, 1.0), "loss": None}, step(2, 10, 2.0))
    assert len(history.loss.points) == 1
    assert "tb-line" in live.loss_chart(history, "en")


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_train_and_validation_share_one_chart_and_are_named_at_their_ends(page: Page, language: str) -> None:
    history = page.history(finished_run(page.store.directory))
    loss, metric = live.loss_chart(history, language), live.metric_chart(history, ("accuracy", "macro_f1"), language)
    names = {"en": ("training", "validation"), "zh-CN": ("训练集", "验证集")}[language]
    for name in names:
        assert re.search(rf'class="tb-name[^"]*"[^>]*>{name} <b>', loss)
    assert metric.count("tb-star") == 1  # the kept checkpoint
    for x, y in re.findall(r"([\d.]+),([\d.]+)", " ".join(re.findall(r'points="([^"]+)"', loss + metric))):
        assert 0 <= float(x) <= 100 and 0 <= float(y) <= 100


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_the_curves_of_a_task_are_of_its_metrics(task: TaskSpec) -> None:
    assert task.plotted_metrics and set(task.plotted_metrics) <= set(task.metrics)


def test_the_likelihood_is_drawn_where_nothing_was_written() -> None:
    def drawn(metrics: dict[str, float]) -> str:
        result = event("evaluation", 3.0, step=2, epoch=1.0, loss=0.7, metrics=metrics, best=True)
        return live.metric_chart(history_of(step(1, 10, 1.0), result), TASKS["summarization"].plotted_metrics, "en")

    assert "likelihood" in drawn({"likelihood": 0.1})
    both_known = drawn({"likelihood": 0.1, "rougeL": 0.2})
    assert "ROUGE-L" in both_known and "likelihood" not in both_known


def test_a_run_of_less_than_a_pass_and_few_texts_a_second_says_so(page: Page) -> None:
    process = {"pid": 1, "started": 0.0, "host": "another"}
    run = make_run(page.store.directory, state="running", process=process, created=time.time())
    run.path("heartbeat").touch()
    write_events(
        run, [event("phase", 0.0, phase="train"), {**step(2, 5, 9.0, epochs=0.4), "examples_per_second": 0.34}]
    )
    output = {language: train_step.updates(page, run, language)["status"] for language in ("en", "zh-CN")}
    assert "Training: 0.4 of an epoch" in output["en"] and "0.3 texts a second" in output["en"]
    assert "共 0.4 轮" in output["zh-CN"]


def test_marks_say_what_is_done_what_is_now_and_where_it_broke() -> None:
    history = history_of(event("phase", 0.0, phase="data"), event("phase", 1.0, phase="model"))
    assert dict(live.marks(history, "running"))["data"] == "done"
    assert dict(live.marks(history, "running"))["model"] == "now"
    assert dict(live.marks(history, "failed"))["model"] == "broken"
    assert set(dict(live.marks(history, "completed")).values()) == {"done"}


def test_a_waiting_run_says_how_many_are_ahead(page: Page) -> None:
    process = {"pid": 1, "started": 0.0, "host": "another"}
    ahead = make_run(page.store.directory, state="running", process=process, created=time.time() - 10)
    ahead.path("heartbeat").touch()
    run = make_run(page.store.directory, process=process)
    run.path("heartbeat").touch()
    output = train_step.updates(page, run, "en")["status"]
    assert "Waiting for its turn: 1 ahead" in output


def test_a_starting_run_says_so_before_its_worker_has_spoken(page: Page) -> None:
    run = make_run(page.store.directory)
    new = train_step.updates(page, run, "zh-CN")
    assert "正在启动" in new["status"]
    assert new["state"] == "queued"


def test_a_dead_worker_is_an_interrupted_run_with_a_way_on(page: Page) -> None:
    run = make_run(page.store.directory, state="running", process={"pid": 2**22 + 1, "started": 1.0, "host": "gone"})
    new = train_step.updates(page, run, "en")
    assert new["state"] == "interrupted"
    assert "another machine" in new["status"] and "Resume it" in new["status"]


def test_a_resumed_run_shows_its_curve_from_the_checkpoint_on(page: Page) -> None:
    run = make_run(page.store.directory, state="completed", attempt=2, finished=1.0)
    score = {"loss": 0.4, "metrics": {"accuracy": 0.8}, "best": True}
    write_events(
        run,
        [
            event("state", 0.0, state="running"),
            event("phase", 0.5, phase="train"),
            *(step(n, 100, n / 10) for n in range(1, 61)),
            event("evaluation", 2.0, step=25, epoch=1.0, **score),
            event("evaluation", 5.0, step=50, epoch=2.0, **score),
            {**event("state", 6.5, state="running"), "time": START + 10_000},
            {**event("resumed", 7.0, step=40, attempt=2), "time": START + 10_000.5},
        ],
    )
    history = page.history(run)
    assert [point["step"] for point in history.evaluations] == [25]
    assert max(x for x, _ in history.loss.points) <= 4.0 * 40 / 100
    assert live.elapsed(history, run.manifest, START + 10_001) == pytest.approx(7.0)
    assert START + 10_000 - history.start_time == pytest.approx(6.5)


def test_a_failure_names_cause_and_next_step(page: Page) -> None:
    error = {
        "kind": "RunFailure",
        "code": "x",
        "message": both("The disk is full."),
        "hint": both("Free some space."),
        "where": {},
    }
    run = make_run(page.store.directory, state="failed", error=error, finished=time.time())
    output = train_step.updates(page, run, "en")["status"]
    assert "The disk is full." in output and "Free some space." in output
