"""From a run's events to its progress: phase, share done, time left, curves.

Pure functions over plain data; no Gradio, no files but through `Run.events`. Events are read from where the last reading
ended, and series are merged pairwise beyond 500 points, so an hour of training costs a tick no more than its first minute.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from demo.i18n import words
from engine.evaluation.metric_format import metric_name
from engine.report.charts import line_chart
from engine.run_directory.store import ACTIVE, Manifest
from engine.sections import Axis, Lines, Series

PHASES = ("start", "data", "model", "encode", "train", "save", "evaluate", "report")
# What each phase is of the whole on a small run, measured; only used to place the bar before rates are known.
WEIGHTS = {
    "start": 0.05,
    "data": 0.03,
    "model": 0.05,
    "encode": 0.04,
    "train": 0.64,
    "save": 0.03,
    "evaluate": 0.12,
    "report": 0.04,
}
# How often a visitor's page asks: fifty visitors who watch are felt by the training (benchmarks/README.md, "Many visitors").
POLL_SECONDS = 2.0
MAX_POINTS = 500
REDRAW = 4  # points that a long curve grows by before it is drawn again
# Scoring an example costs about a third of learning from it, and the report scores the tuned and the untuned model. For runs of before
# the run itself reported what its evaluation costs.
EVALUATION_COST = 2 / 3
# Before so many progress events no time is estimated from them: the longest rows come first, for generative models in few batches.
MIN_PROGRESS_EVENTS = 4
REPORT_SECONDS = 4.0


@dataclass
class Curve:
    """A series that never grows beyond MAX_POINTS: neighbours are averaged when it would."""

    points: list[tuple[float, float]] = field(default_factory=list)
    stride: int = 1
    pending: list[tuple[float, float]] = field(default_factory=list)

    def add(self, x: float, y: float) -> None:
        self.pending.append((x, y))
        if len(self.pending) < self.stride:
            return
        self.points.append((self.pending[-1][0], sum(y for _, y in self.pending) / len(self.pending)))
        self.pending = []
        if len(self.points) > MAX_POINTS:
            pairs = zip(self.points[0::2], self.points[1::2], strict=False)
            odd = self.points[-1:] if len(self.points) % 2 else []
            self.points = [(b[0], (a[1] + b[1]) / 2) for a, b in pairs] + odd
            self.stride *= 2


@dataclass
class History:
    """The state that a run's events amount to. `offset` is where the next reading begins; `version` changes with every event."""

    offset: int = 0
    version: int = 0
    phases: dict[str, float] = field(default_factory=dict)  # phase -> seconds since the start at which it began
    progress: dict[str, Any] | None = None  # of the current phase
    progress_events: int = 0  # of the current step of work
    facts: dict[str, Any] = field(default_factory=dict)
    notices: list[dict[str, Any]] = field(default_factory=list)
    loss: Curve = field(default_factory=Curve)
    evaluations: list[dict[str, Any]] = field(default_factory=list)
    step: dict[str, Any] | None = None  # the newest
    first_step: dict[str, Any] | None = None
    last_time: float | None = None
    start_time: float | None = None
    spent: float = 0.0  # seconds of all attempts, until the last event

    @property
    def phase(self) -> str:
        return next(reversed(self.phases), "start")

    def advance(self, events: list[dict[str, Any]]) -> None:
        for event in events:
            self.version += 1
            self.last_time = event["time"]
            self.spent = event["elapsed"]
            if self.start_time is None:
                self.start_time = event["time"] - event["elapsed"]
            kind = event["type"]
            if kind == "state" and event["state"] == "running":
                # A resumed run: the seconds between its attempts were nobody's.
                self.start_time = event["time"] - event["elapsed"]
            elif kind == "resumed":
                self._go_back(event["step"])
            elif kind == "phase":
                # A retry after memory ran out goes back to an earlier phase; what came after it starts anew.
                self.phases.pop(event["phase"], None)
                self.phases[event["phase"]] = event["elapsed"]
                self.progress, self.progress_events = None, 0
            elif kind == "progress":
                other = self.progress is None or self.progress["what"] != event["what"]
                self.progress, self.progress_events = event, 1 if other else self.progress_events + 1
            elif kind == "facts":
                self.facts.update(event["facts"])
            elif kind == "notice":
                self.notices.append(event)
            elif kind == "step":
                self._step(event)
            elif kind == "evaluation":
                self.evaluations.append(event)

    def _go_back(self, step: int) -> None:
        """Forget what an earlier attempt learned after the checkpoint that this one begins at."""
        kept = [event for event in self.evaluations if event["step"] <= step]
        if self.step is not None and self.step["step"] > step:
            epoch = self.step["epoch"] * step / self.step["step"]
            self.loss.points = [point for point in self.loss.points if point[0] <= epoch]
            self.loss.pending = []
        self.evaluations, self.step, self.first_step = kept, None, None

    def _step(self, event: dict[str, Any]) -> None:
        if self.step is not None and event["step"] < self.step["step"]:
            # Training began again (half the batch after memory ran out): the old curve is not of this attempt.
            self.loss, self.evaluations, self.first_step = Curve(), [], None
        self.step = event
        if self.first_step is None:
            self.first_step = event
        if event["loss"] is not None and event["epoch"] is not None:
            self.loss.add(event["epoch"], event["loss"])


def fraction(history: History) -> float:
    """How much of the whole is done, 0 to 1: the weights of the phases passed and the share of the current one."""
    phase = history.phase
    done = sum(WEIGHTS[name] for name in PHASES[: PHASES.index(phase)])
    return done + WEIGHTS[phase] * phase_fraction(history)


def phase_fraction(history: History) -> float:
    if history.phase == "train" and history.step is not None and history.step["total_steps"]:
        return min(history.step["step"] / history.step["total_steps"], 1.0)
    if history.progress is not None and history.progress["phase"] == history.phase and history.progress["total"]:
        return min(history.progress["done"] / history.progress["total"], 1.0)
    return 0.0


def remaining(history: History, now: float) -> float | None:
    """Seconds until the report, all phases counted; None while nothing is known of the speed.

    Training goes on at the rate seen so far, with its own evaluations in it; scoring the test rows is estimated from the
    examples a second while learning.
    """
    if history.start_time is None:
        return None
    elapsed = now - history.start_time
    if history.phase == "train":
        step, first = history.step, history.first_step
        if step is None or first is None or not step["total_steps"] or step["step"] - first["step"] < 2:
            return None
        rate = (step["elapsed"] - first["elapsed"]) / (step["step"] - first["step"])
        behind = max(now - (history.last_time or now), 0.0)
        left = max((step["total_steps"] - step["step"]) * rate - behind, 0.0)
        return left + _scoring_seconds(history)
    if history.phase == "save":
        return _scoring_seconds(history)
    if history.phase == "evaluate":
        began, done = history.phases["evaluate"], phase_fraction(history)
        spent = elapsed - began
        if done > 0.05 and spent > 1 and history.progress_events >= MIN_PROGRESS_EVENTS:
            return spent / done * (1 - done) + REPORT_SECONDS
        return max(_scoring_seconds(history) - spent, 1.0)
    if history.phase == "report":
        return max(REPORT_SECONDS - (elapsed - history.phases["report"]), 1.0)
    return None


def _scoring_seconds(history: History) -> float:
    speed = (history.step or {}).get("examples_per_second") or 0
    rows = EVALUATION_COST * ((history.facts.get("rows") or {}).get("test") or 0)
    return REPORT_SECONDS + (history.facts.get("judging_rows", rows) / speed if speed else 0.0)


def marks(history: History, state: str) -> list[tuple[str, str]]:
    """Every phase with its mark: done, now, waiting, or broken where the run ended in it."""
    if state == "completed":
        return [(name, "done") for name in PHASES]
    at = PHASES.index(history.phase)
    current = "now" if state in ACTIVE else "broken"
    if state == "queued":
        current = "waiting"
    return [(name, "done" if i < at else current if i == at else "waiting") for i, name in enumerate(PHASES)]


def elapsed(history: History, manifest: Manifest, now: float) -> float:
    """Seconds since the run was created, until now or until it ended; of a resumed run those of its attempts."""
    if manifest.attempt > 1:
        waiting = max(now - (history.last_time or now), 0.0) if manifest.state in ACTIVE else 0.0
        return history.spent + waiting
    end = manifest.finished or (now if manifest.state in ACTIVE else history.last_time) or manifest.created
    return max(end - manifest.created, 0.0)


def epochs(history: History) -> float:
    """The whole width of the curves, in epochs, known from the first step on."""
    step = history.step
    if step is None or not step["epoch"] or not step["step"]:
        return 1.0
    return max(step["epoch"] * step["total_steps"] / step["step"], step["epoch"])


def loss_chart(history: History, language: str) -> str:
    """Training and validation loss on one axis, over epochs."""
    raw = history.loss.points
    # Beyond the first minute a curve that grew by one point looks the same, and drawing it again costs the reader's machine.
    raw = raw[: len(raw) // REDRAW * REDRAW] if len(raw) > 20 * REDRAW else raw
    validation = [
        (event["epoch"], event["loss"])
        for event in history.evaluations
        if event.get("loss") is not None and math.isfinite(event["loss"])
    ]
    # The first batches of a fresh head are far above all that follows and would flatten it.
    shown = sorted([y for _, y in raw] + [y for _, y in validation])
    top = shown[min(int(len(shown) * 0.99), len(shown) - 1)] * 1.1 if shown else 1.0
    chart = Lines(
        words("train.loss"),
        (
            Series("", tuple(raw), "train", faint=True),
            Series(words("train.loss_train"), tuple(smooth(raw)), "train"),
            Series(words("train.loss_validation"), tuple(validation), "validation", dots=True),
        ),
        Axis(words("train.epochs"), span=(0.0, epochs(history))),
        Axis(span=(0.0, top or 1.0)),
        empty=words("train.loss_empty"),
    )
    return line_chart(chart, language)


def smooth(points: Sequence[tuple[float, float]], weight: float = 0.85) -> list[tuple[float, float]]:
    """Exponential moving average of y, corrected for its start (Kingma & Ba 2015, section 3)."""
    smoothed, average, correction = [], 0.0, 1.0
    for x, y in points:
        average = weight * average + (1 - weight) * y
        correction *= weight
        smoothed.append((x, average / (1 - correction)))
    return smoothed


def metric_chart(history: History, drawn: Sequence[str], language: str) -> str:
    """The validation metrics over epochs, the kept checkpoint ringed: two of those that are to be `drawn`. A run that is short of time
    may have measured none of them before its end; then what it did measure.
    """
    measured = list(dict.fromkeys(name for event in history.evaluations for name in event["metrics"]))
    names = ([name for name in drawn if name in measured] or measured)[:2]
    kinds = ("metric", "metric-2")
    best = [i for i, event in enumerate(history.evaluations) if event.get("best")]
    series: list[Series] = []
    for name, kind in zip(names, kinds, strict=False):
        points = [(event["epoch"], event["metrics"][name]) for event in history.evaluations if name in event["metrics"]]
        # One ring is enough to say which checkpoint is kept.
        ringed = frozenset(best[-1:]) if not series else frozenset()
        series.append(Series(metric_name(name), tuple(points), kind, dots=True, ringed=ringed))
    values = [y for one in series for _, y in one.points]
    low = max(0.0, min(values) - 0.1) if values else 0.0
    high = min(1.0, max(values) + 0.05) if values else 1.0
    chart = Lines(
        words("train.metric"),
        tuple(series),
        Axis(words("train.epochs"), span=(0.0, epochs(history))),
        Axis(unit="percent", span=(low, high)),
        empty=words("train.metric_empty"),
    )
    return line_chart(chart, language)
