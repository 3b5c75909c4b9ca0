"""One run from its data to its report, phase by phase.

Knows the order of the phases, how long each takes, and when the owner wants an end. PyTorch is imported after the data
has been read: wrong input is told within a second.
"""

from __future__ import annotations

import math
import time

from engine.config import RunConfig
from engine.core.errors import ConfigProblem
from engine.core.settings import Settings
from engine.core.text import Text
from engine.models.choose import AUTOMATIC
from engine.run_directory.limits import check_limits
from engine.run_directory.store import Run
from engine.schema import GENERATIVE
from engine.tasks import task_named
from engine.tasks.model import TaskModel
from engine.training.events import EventLog
from engine.training.prepare import Prepared, prepare
from engine.training.stopping import StopRequested


def run_pipeline(run: Run, settings: Settings, events: EventLog, seconds: float | None = None) -> str:
    """Train, save, judge. Returns the final state: `completed`, or `stopped` when the owner discarded it."""
    course = RunContext(run, events, settings, seconds)
    try:
        task = task_named(course.config.task).task_model()
        check_metric(course.config, task)
        if task.spec.kind == GENERATIVE:
            task.check_templates(course.config.generation.prompt, course.config.generation.target)
        check_limits(course.config, settings)
        course.begin("data")
        prepared = prepare(run, course.config, settings, events)
        course.take_model(prepared)
        outputs = task.outputs(prepared.splits.train)

        course.begin("model")
        from engine.training.process_group import ProcessGroup

        team = ProcessGroup.of_environment()
        team.meet(course.config.training.device)
        team.same((prepared, course.config))
        from engine.training.evaluate_run import report_on
        from engine.training.fit import Fit
        from engine.training.saving import save
        from engine.training.session import Session

        session = Session(course, prepared, outputs, team)
        session.load()
        team.same(None)  # what had to be fetched is here: now the others can load it too
        session.encode()
        Fit(session).run()
        session.description = save(session)
        report_on(session)
    except StopRequested:
        return "stopped"
    return "completed"


class RunContext:
    """Where a run stands: its phase, the seconds each phase took, and whether it is still wanted."""

    def __init__(self, run: Run, events: EventLog, settings: Settings, slice_seconds: float | None = None):
        self.run = run
        self._slice_seconds = slice_seconds  # of training, where it goes in slices
        self._slice_ends = math.inf
        self.events = events
        self.settings = settings
        self.config: RunConfig = run.config
        self.seconds: dict[str, float] = {}
        self._phase = ""
        self._since = 0.0

    def begin(self, phase: str) -> None:
        """End the phase before and begin this one. Raises StopRequested."""
        self.check_discarded()
        self.end()
        self._phase, self._since = phase, time.perf_counter()
        self.events.phase(phase)

    def take_model(self, prepared: Prepared) -> None:
        """Put the model that was chosen for the data in the place of `auto`."""
        if self.config.model.id != AUTOMATIC:
            return
        self.config.model.id = prepared.model
        self.run.update(model=prepared.model)
        if prepared.model_reason is not None:
            self.events.notice("model_chosen", prepared.model_reason)

    def end(self) -> None:
        if self._phase:
            self.seconds[self._phase] = round(time.perf_counter() - self._since, 3)
        self._phase = ""

    def begin_slice(self) -> None:
        """Training begins: however long loading took, there is as much of it in every slice."""
        if self._slice_seconds is not None:
            self._slice_ends = time.monotonic() + self._slice_seconds

    @property
    def slice_over(self) -> bool:
        return time.monotonic() >= self._slice_ends

    def check_discarded(self) -> None:
        """Raises StopRequested once the owner wants no result any more."""
        if self.run.requested_stop == "discard":
            raise StopRequested


def check_metric(config: RunConfig, task: TaskModel) -> None:
    """ConfigProblem for a selection metric that the task does not have."""
    metric = config.evaluation.metric
    if metric and metric not in task.spec.metrics:
        choices = ", ".join(task.spec.metrics)
        raise ConfigProblem(
            "unknown_metric",
            Text(
                f"evaluation.metric is {metric!r}, which {task.spec.name} does not have.",
                f"evaluation.metric 的值 {metric!r} 不是该任务的指标。",
            ),
            Text(f"Use one of {choices}.", f"可选：{choices}。"),
            field="evaluation.metric",
        )
