"""The evaluation report of summaries.

Knows which parts the report has and what the verdict rests on. Does not know how a report is shown, nor how the model was made.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from engine.core.text import Text
from engine.evaluation import insights, slices
from engine.evaluation.comparison import CONFIDENCE, Baseline, ModelComparison
from engine.evaluation.intervals import bootstrap
from engine.tasks.model import EvaluationData
from engine.tasks.summarization import baselines, measures, rouge
from engine.tasks.summarization import insights as task_insights

DOCUMENTS = Text("documents", "文档")
SHOWN = 6  # best, worst and random summaries each
MEASURED = {
    "tuned": Text("Tuned model", "微调后的模型"),
    "untuned": baselines.UNTUNED[0],
    "references": Text("References", "参考摘要"),
}


def build_report(data: EvaluationData) -> tuple[dict[str, Any], Iterator[dict[str, Any]]]:
    """What the test rows show of the model, and one record for each of them."""
    if not data.test:
        raise ValueError("a report needs at least one test row")
    builder = _Builder(data)
    report = builder.report()
    return report, iter(builder.records)


class _Builder:
    """One report in the making: what its parts share."""

    def __init__(self, data: EvaluationData):
        self.data = data
        self.seed = data.settings.seed
        self.samples = data.settings.bootstrap_samples
        configured = data.settings.metric
        self.metric = configured if configured in rouge.METRICS else "rougeL"
        self.rows = len(data.test)
        self.documents = [example.inputs["document"] for example in data.test]
        self.references = [example.target for example in data.test]
        self.chinese = rouge.is_chinese([text for some in self.references for text in some])
        self.counts = rouge.statistics(self.references, data.predictions)
        self.records = self._records()

    def report(self) -> dict[str, Any]:
        data = self.data
        self.comparison = ModelComparison(
            self.counts, rouge.metrics_from, self.metric, self.samples, self.seed, self._baselines(), DOCUMENTS
        )
        measured = self._measures()
        common = self.comparison.report("summarization", data.facts, self._insights(measured))
        strange = [record for record in self.records if record["strange"]["numbers"] or record["strange"]["names"]]
        return {
            **common,
            "counted": "characters" if self.chinese else "words",
            "several_references": max(map(len, self.references)),
            "sample": {"rows": self.rows, "of": data.facts.get("test_rows", self.rows)},
            "measures": measured,
            "strange_count": {
                kind: sum(bool(record["strange"][kind]) for record in self.records) for kind in ("numbers", "names")
            },
            "strange": [record["row"] for record in strange],
            "examples": self._examples(),
            "slices": self._slices(),
        }

    def _records(self) -> list[dict[str, Any]]:
        """One entry a test row, for predictions.jsonl."""
        data = self.data
        untuned = data.pretrained_predictions or [None] * self.rows
        return [
            {
                "row": example.row,
                "inputs": example.inputs,
                "target": list(example.target),
                "prediction": text,
                "untuned": before,
                "scores": {name: round(float(value), 6) for name, value in zip(rouge.METRICS, counts[1:], strict=True)},
                "strange": measures.strange_things(example.inputs["document"], text),
            }
            for example, text, before, counts in zip(data.test, data.predictions, untuned, self.counts, strict=True)
        ]

    def _baselines(self) -> list[Baseline]:
        data = self.data
        if not data.settings.baselines:
            return []
        words = baselines.usual_length([example.target for example in data.train])
        tried: list[tuple[str, tuple[Text, Text], Sequence[str], Text]] = [
            ("lead_1", baselines.LEAD_1, [baselines.lead(one, 1) for one in self.documents], baselines.LEAD_1_PHRASE),
            ("lead_3", baselines.LEAD_3, [baselines.lead(one, 3) for one in self.documents], baselines.LEAD_3_PHRASE),
            (
                "extract",
                baselines.EXTRACT,
                [baselines.extract(one, words) for one in self.documents],
                baselines.EXTRACT_PHRASE,
            ),
        ]
        if data.pretrained_predictions is not None:
            tried.append(("untuned", baselines.UNTUNED, data.pretrained_predictions, baselines.UNTUNED_PHRASE))
        return [
            Baseline(name, label, about, rouge.statistics(self.references, texts), phrase)
            for name, (label, about), texts, phrase in tried
        ]

    def _measures(self) -> list[dict[str, Any]]:
        """The measures of the tuned and the untuned model and of the references, each with its interval."""
        data = self.data
        systems = {
            "tuned": data.predictions,
            "untuned": data.pretrained_predictions,
            "references": [some[0] for some in self.references],
        }
        entries = []
        for name, texts in systems.items():
            if texts is None:
                continue
            counted = measures.statistics(self.documents, texts)
            intervals = bootstrap(counted, measures.measures_from, self.samples, CONFIDENCE, self.seed)
            entries.append(
                {
                    "name": name,
                    "label": MEASURED[name].to_dict(),
                    "values": {key: part.value for key, part in intervals.items()},
                    "intervals": {key: [part.low, part.high] for key, part in intervals.items()},
                }
            )
        return entries

    def _insights(self, measured: list[dict[str, Any]]) -> list[insights.Insight | None]:
        data, comparison, facts = self.data, self.comparison, self.data.facts
        of = {entry["name"]: entry for entry in measured}
        entries: list[insights.Insight | None] = []
        if "untuned" in comparison.differences:
            lead = comparison.differences["untuned"]
            entries.append(insights.untuned(self.metric, comparison.value_of("untuned"), lead, self.rows, CONFIDENCE))
        counted = [
            measures.statistics(self.documents, texts)
            for texts in (data.predictions, [some[0] for some in self.references])
        ]
        tuned, references = (
            bootstrap(one, measures.measures_from, self.samples, CONFIDENCE, self.seed)["strange"] for one in counted
        )
        entries.append(task_insights.strange(tuned, references, self.rows, self.chinese))
        entries.append(task_insights.repetition(of["tuned"]["values"]["repetition"]))
        entries.append(task_insights.length(of["tuned"]["values"], of["references"]["values"]))
        entries.append(
            task_insights.sample(self.rows, facts.get("test_rows", self.rows), facts.get("tested_in_minutes"))
        )
        entries.append(insights.small_test(self.rows, comparison.headline, self.metric))
        if "lost_share" in facts:
            entries.append(task_insights.lost(facts["lost_share"], facts["max_length"]))
        entries.append(insights.overfitting(facts.get("history") or [], facts.get("best_epoch")))
        entries.append(insights.short_of_time(facts))
        return entries

    def _examples(self) -> dict[str, list[dict[str, Any]]]:
        """The best, the worst and random summaries, side by side with their references. None is shown twice."""
        order = np.argsort(-self.counts[:, 1 + rouge.METRICS.index(self.metric)], kind="stable").tolist()
        each = min(SHOWN, max(1, self.rows // 3))
        best, worst = order[:each], order[::-1][:each]
        middle = [index for index in range(self.rows) if index not in (*best, *worst)]
        chance = np.random.default_rng(self.seed)
        random = chance.choice(middle, min(each, len(middle)), replace=False).tolist() if middle else []
        return {
            kind: [self.records[index] for index in indices]
            for kind, indices in (("worst", worst), ("random", random), ("best", best))
        }

    def _slices(self) -> list[dict[str, Any]]:
        members = slices.length_groups(self.data.test)
        return list(
            slices.slice_scores(
                "length", members, self.counts, rouge.metrics_from, self.metric, self.samples, CONFIDENCE, self.seed
            )
        )
