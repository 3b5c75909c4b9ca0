"""What reading and writing cost beside learning: how much of a run's time its evaluations and its judgement will take.

All costs are in rows learned: a row that is only read takes a third of the time, its forward pass. Knows the rows of a session and
what is done with them. Does not know how a run is fitted into its time (budget.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.inference.generative_reader import VALIDATION_SAMPLE
from engine.schema import GENERATIVE

if TYPE_CHECKING:
    from engine.training.session import Session

READ_AGAIN = 8000  # tokens of training rows that are read again, fewer rows than otherwise where texts are long
FITTED = 100  # training rows that the untuned model is made to answer with
READ = 1 / 3
READ_TO_WRITE = 0.65  # in a model that writes, where mostly the upper layers alone learn
WRITTEN = 1.2  # a row of an evaluation's sample: it is read, and an answer is written with few others beside it
WRITTEN_TOGETHER = 0.8  # a test row: up to 32 answers share the reading of the weights
LEAST_WRITTEN = 30  # test rows that are written however short the time is; an interval over fewer tells little


def evaluation(session: Session, briefly: bool = False) -> float:
    """The cost of one evaluation while training; `briefly`, of its loss alone."""
    rows = len(session.validation.features)
    if session.task.spec.kind != GENERATIVE:
        return READ * rows
    return READ_TO_WRITE * rows + (0 if briefly else WRITTEN * min(VALIDATION_SAMPLE, len(session.prepared.splits.validation)))


def can_be_brief(session: Session) -> bool:
    """Whether an evaluation chooses by the loss of answers that stand there: what is written then is for the eye."""
    return session.task.spec.kind == GENERATIVE and not session.config.evaluation.metric


def judgement(session: Session) -> float:
    """The cost of what the model, and the untuned one beside it, will be asked once training is over."""
    validation, tested = len(session.prepared.splits.validation), most_tested(session)
    if session.task.spec.kind == GENERATIVE:
        # In a given time the fewest are set aside for; more are written where it allows (`tested_in`).
        written = tested if session.resolved.minutes is None else min(LEAST_WRITTEN, tested)
        return WRITTEN_TOGETHER * _models(session) * written
    rows = tested + validation + rows_read_again(session)
    if session.config.evaluation.baselines:
        rows += tested + FITTED
    # A row of several windows takes as many sequences at the end as it does while training.
    return READ * rows * _anew(session) * len(session.validation.features) / validation


def rows_read_again(session: Session) -> int:
    """Training rows that are answered at the end: the gap to the validation rows tells of overfitting.

    At least 200 of them, or 100 where texts are long and every one takes several windows; fewer, but 50, where they are so long that
    they would take longer than the test rows do.
    """
    train = session.prepared.splits.train
    tokens = sum(len(feature) for feature in session.train.features) / len(train)
    least = 100 if session.task.spec.windowed else 200
    least = max(50, min(least, round(READ_AGAIN / tokens)))
    return min(len(train), max(least, len(session.prepared.splits.validation)))


def most_tested(session: Session) -> int:
    """Test rows that are answered where time does not matter."""
    test = len(session.prepared.splits.test)
    return min(test, session.config.evaluation.max_rows or session.task.spec.max_test_rows or test)


def tested_in(session: Session, seconds: float) -> int:
    """Test rows that are answered in about `seconds`, told by how long the evaluations took: all where they are cheap or time is long."""
    most, timed = most_tested(session), session.progress.evaluations
    if session.task.spec.kind != GENERATIVE or not timed:
        return most
    # Only the likelihood is known without writing.
    cost = sum(evaluation(session, briefly=len(point["metrics"]) == 1) for point in timed)
    row = sum(point["seconds"] for point in timed) / cost * WRITTEN_TOGETHER * _models(session)
    return min(most, max(LEAST_WRITTEN, int(seconds / row)))


def _anew(session: Session) -> float:
    """How many times an evaluation's row a row costs that the layers below those that learn have not read yet."""
    if session.lower is None:
        return 1.0
    layers = session.loaded.model.config.num_hidden_layers
    return layers / (layers - session.lower.count)


def _models(session: Session) -> int:
    return 2 if session.config.evaluation.baselines else 1
