"""Stars without their model: columns, rows, keys, checks and fixes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from engine.core.text import Text
from engine.data.cells import as_text
from engine.data.column_guess import BY_TEXT, length_score, unassigned_columns
from engine.data.examples import skipped_rows_notice
from engine.data.findings import Finding, counted, excerpt, first_places
from engine.data.fixes import RowFix, on_each_row
from engine.evaluation.metric_format import MetricWords
from engine.schema import Example, Notice, Place, Role
from engine.sections import Section
from engine.tasks.spec import EncoderSpec
from engine.tasks.task_defaults import TaskHyperparameters

if TYPE_CHECKING:
    from engine.data.column_guess import Guess
    from engine.data.config import DataConfig
    from engine.data.corpus import Corpus
    from engine.data.table import Table

LEAST, MOST = 1.0, 5.0
SENTENCE = Role("sentence", Text("Sentence", "句子"), Text("What is given stars.", "要打分的句子。"))
STARS = Role("stars", Text("Stars", "星级"), Text("A number from 1 to 5.", "1 到 5 之间的数字。"))
ALIASES = {"sentence": "sentence remark 句子", "stars": "stars rating 星级"}
BY_NUMBERS = Text("it holds numbers from 1 to 5", "内容是 1 到 5 的数字")


def stars_of(cell: object) -> float | None:
    """The number in a cell, None where there is none from 1 to 5."""
    try:
        number = float(as_text(cell))
    except ValueError:
        return None
    return number if LEAST <= number <= MOST else None


def _to_halves(example: Example) -> Example:
    halves = round(2 * example.target) / 2
    return example if halves == example.target else replace(example, target=halves)


ROUND_STARS = RowFix("round_stars", Text("Round to half stars", "取整到半星"), on_each_row(_to_halves))


def check_uneven_stars(corpus: Corpus) -> list[Finding]:
    """Finding odd_stars: ratings between the half stars."""
    odd = [example for example in corpus.train if _to_halves(example) is not example]
    if not odd:
        return []
    places = [corpus.place("train", example, text=str(example.target), target=True) for example in odd]
    message = Text(
        f"{counted(len(odd), 'rating is', 'ratings are')} no half star.", f"{len(odd)} 个评分不是半星的倍数。"
    )
    return [Finding("odd_stars", "info", message, len(odd), first_places(places), ROUND_STARS.fix)]


class StarsSpec(EncoderSpec):
    """A row's target is a number of stars."""

    name = "stars"
    label = Text("Stars", "星级")
    roles = (SENTENCE, STARS)
    inputs = ("sentence",)
    text_role = "sentence"
    target_role = "stars"
    metrics = ("within_half", "closeness")
    plotted_metrics = ("closeness", "within_half")
    own_metrics = MappingProxyType(
        {
            "within_half": MetricWords(
                Text("within half a star", "误差不超过半星"),
                Text("Share of sentences whose stars are at most half a star off.", "误差不超过半星的句子所占比例。"),
                share=True,
            ),
            "closeness": MetricWords(
                Text("closeness", "接近度"),
                Text("1 minus the mean error as a share of the scale.", "1 减去平均误差占整个量程的比例。"),
            ),
        }
    )
    hyperparameters = TaskHyperparameters(
        learning_rates={"full": 7e-5, "lora": 1.8e-4, "head": 1e-2}, epochs=lambda rows, labels, method: 3.0
    )

    def guess(self, table: Table, given: dict[str, str]) -> dict[str, Guess]:
        columns = unassigned_columns(table, ALIASES, given)
        numbers = [c for c in columns if "stars" not in given and all(map(stars_of, table.frame[c.name].tolist()[:50]))]
        texts = [c for c in columns if "sentence" not in given and c.readable]
        guesses = {}
        if numbers:
            best = max(numbers, key=lambda column: column.named("stars"))
            guesses["stars"] = best.guess("stars", 0.5 + best.named("stars") / 2, BY_NUMBERS)
        if texts:
            best = max(texts, key=lambda column: column.named("sentence") + length_score(column))
            guesses["sentence"] = best.guess("sentence", 0.5 + best.named("sentence") / 2, BY_TEXT)
        return guesses

    def read(self, table: Table, columns: Mapping[str, str], data: DataConfig) -> tuple[list[Example], list[Notice]]:
        examples: list[Example] = []
        unrated: list[Place] = []
        cells = zip(table.lines, table.frame[columns["sentence"]], table.frame[columns["stars"]], strict=True)
        for line, sentence, cell in cells:
            text, stars = as_text(sentence).strip(), stars_of(cell)
            if not text or stars is None:
                unrated.append(Place(table.source.name, line, columns["stars"], excerpt(text)))
            else:
                examples.append(Example(line, {"sentence": text}, stars))
        what = Text("sentence or stars from 1 to 5", "句子或 1 到 5 的星级")
        return examples, [skipped_rows_notice("missing_stars", what, unrated)] if unrated else []

    def report_sections(self, report: dict[str, Any]) -> list[Section]:
        from tests.contract.toy.sections import report_sections

        return report_sections(report)

    def picked_rows(self, directory: Path, report: dict[str, Any], pick: str) -> Section:
        from tests.contract.toy.sections import picked_rows

        return picked_rows(directory, pick)

    def checks(self) -> Sequence[Callable[[Corpus], list[Finding]]]:
        return (check_uneven_stars,)

    def fixes(self) -> Sequence[RowFix]:
        return (ROUND_STARS,)
