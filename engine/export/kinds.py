"""What leaving means for each task: what it is called outside, and which program asks its models.

A task needs one entry here and its `program/answering_<task>.py`. Knows names; does not know runs or files.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.text import Text


@dataclass(frozen=True, slots=True)
class Kind:
    """`pipeline` is the hub's task id. `auto_class` is what transformers loads the model with; `onnx_outputs` are what an ONNX
    file answers with, none for models that write text. `cards` names the metrics that go into the card's front matter, as the
    hub's metric ids. `answered` are the keys of an answer that say whether two models answered the same.
    """

    pipeline: str
    auto_class: str
    onnx_outputs: tuple[str, ...]
    cards: dict[str, str]
    answered: tuple[str, ...]
    intended: Text
    unfit: Text


KINDS: dict[str, Kind] = {
    "classification": Kind(
        pipeline="text-classification",
        auto_class="AutoModelForSequenceClassification",
        onnx_outputs=("logits",),
        cards={"accuracy": "accuracy", "macro_f1": "f1", "micro_f1": "f1", "weighted_f1": "f1"},
        answered=("label", "labels", "confidence"),
        intended=Text(
            "Giving texts like those it was trained on one of the labels below, where a person looks at what matters.",
            "为与训练数据类似的文本给出下列标签之一；重要的结果应由人复核。",
        ),
        unfit=Text(
            "It knows no other labels and gives one of its own to every text, also to one that has nothing to do with them.",
            "它只认识下列标签，对任何文本都会给出其中之一，哪怕该文本与这些标签毫不相干。",
        ),
    ),
}
