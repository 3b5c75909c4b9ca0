"""A run as a sequence of stages: data, model, encode, train, save, evaluate, report.

Each stage is a function of the run's context and of the frozen results of the stages before it. Knows their order, and where several
processes train together. Does not know what a stage does. PyTorch is imported after the data has been read, so that wrong input is
reported within a second.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from engine.config import RunConfig
from engine.core.errors import ConfigProblem
from engine.core.text import Text
from engine.run_directory.limits import check_limits
from engine.schema import Outputs
from engine.tasks import task_named
from engine.tasks.generative import GenerativeTask
from engine.tasks.model import task_model
from engine.training.context import RunContext
from engine.training.prepare import PreparedData, prepare

if TYPE_CHECKING:
    from engine.training.encode import EncodedData
    from engine.training.evaluate_run import EvaluationResult
    from engine.training.fit import TrainedModel
    from engine.training.load_model import LoadedStage
    from engine.training.process_group import ProcessGroup
    from engine.training.saving import SavedModel
    from engine.training.weights import TrainableModel


class Stage(IntEnum):
    """The stages in their order. Events, reports and the page know them by `phase`."""

    DATA = 1
    MODEL = 2
    ENCODE = 3
    TRAIN = 4
    SAVE = 5
    EVALUATE = 6
    REPORT = 7

    @property
    def phase(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class PipelineResults:
    """The results of the stages that ran; None for those that did not."""

    data: PreparedData
    loaded: LoadedStage | None = None
    encoded: EncodedData | None = None
    trainable: TrainableModel | None = None
    trained: TrainedModel | None = None
    saved: SavedModel | None = None
    evaluation: EvaluationResult | None = None
    report: dict[str, Any] | None = None


def run_pipeline(context: RunContext, until: Stage = Stage.REPORT) -> PipelineResults:
    """Carry out the stages of a run, the last one being `until`.

    Before Stage.EVALUATE no test row is used; where `until` lies before it, none is read either (see `prepare`). Raises StopRequested
    when the owner discards the run, Terminated and SliceOver when training ends with a checkpoint, and the UserError of whatever is
    wrong with configuration, data, model or machine.
    """
    config = context.config
    task = task_model(task_named(config.task))
    check_metric(config, task.spec.name, task.spec.metrics)
    if isinstance(task, GenerativeTask):
        task.check_templates(config.generation.prompt, config.generation.target)
    check_limits(config, context.settings)
    context.begin(Stage.DATA.phase)
    data = prepare(context.run, config, context.settings, context.events, with_test=until >= Stage.EVALUATE)
    outputs = task.outputs(data.splits.train)
    results = PipelineResults(data)
    if until > Stage.DATA:
        context.begin(Stage.MODEL.phase)
        from engine.training.process_group import ProcessGroup

        group = ProcessGroup.from_environment()
        group.init(config.training.device)
        group.broadcast(data)
        results = train_stages(context, group, data, task, outputs, until)
    if until >= Stage.SAVE:
        results = _evaluation_stages(context, results, until)
    context.end()
    return results


def train_stages(
    context: RunContext,
    group: ProcessGroup,
    data: PreparedData,
    task: Any,
    outputs: Outputs,
    until: Stage = Stage.TRAIN,
) -> PipelineResults:
    """The stages that every process of a group takes part in: model, encode and train. The model stage has begun."""
    from engine.training.encode import encode
    from engine.training.fit import fit
    from engine.training.load_model import load_model
    from engine.training.weights import choose_weights

    with group.main_first():  # what had to be fetched is on the disk when the others load it
        loaded = load_model(context, data, task, outputs)
    if until < Stage.ENCODE:
        return PipelineResults(data, loaded)
    context.begin(Stage.ENCODE.phase)
    encoded = encode(context, data, loaded)
    trainable = choose_weights(context, data, loaded, encoded)
    if until < Stage.TRAIN:
        return PipelineResults(data, loaded, encoded, trainable)
    context.begin(Stage.TRAIN.phase)
    trained = fit(context, group, data, loaded, encoded, trainable)
    return PipelineResults(data, loaded, encoded, trainable, trained)


def _evaluation_stages(context: RunContext, results: PipelineResults, until: Stage) -> PipelineResults:
    """The stages after training, of the main process alone: save, evaluate and report."""
    from engine.training.evaluate_run import evaluate_run
    from engine.training.report_run import report_run
    from engine.training.saving import save

    data, loaded, encoded = results.data, results.loaded, results.encoded
    trainable, trained = results.trainable, results.trained
    assert loaded is not None and encoded is not None and trainable is not None and trained is not None
    context.begin(Stage.SAVE.phase)
    saved = save(context, data, loaded, encoded, trainable, trained)
    if until < Stage.EVALUATE:
        return PipelineResults(data, loaded, encoded, trainable, trained, saved)
    context.begin(Stage.EVALUATE.phase)
    evaluation = evaluate_run(context, data, loaded, encoded, trainable, trained, saved)
    if until < Stage.REPORT:
        return PipelineResults(data, loaded, encoded, trainable, trained, saved, evaluation)
    context.begin(Stage.REPORT.phase)
    report = report_run(context, data, loaded, encoded, trainable, trained, saved, evaluation)
    return PipelineResults(data, loaded, encoded, trainable, trained, saved, evaluation, report)


def check_metric(config: RunConfig, task_name: str, metrics: tuple[str, ...]) -> None:
    """ConfigProblem for a selection metric that is not among the task's `metrics`."""
    metric = config.evaluation.metric
    if metric and metric not in metrics:
        choices = ", ".join(metrics)
        raise ConfigProblem(
            "unknown_metric",
            Text(
                f"evaluation.metric is {metric!r}, which {task_name} does not have.",
                f"evaluation.metric 的值 {metric!r} 不是该任务的指标。",
            ),
            Text(f"Use one of {choices}.", f"可选：{choices}。"),
            field="evaluation.metric",
        )
