"""The toy task: trained as a classifier, exported in its own way."""

from __future__ import annotations

from engine.tasks.classification.spec import ClassificationSpec


class ToySpec(ClassificationSpec):
    name = "toy"
    inputs = ("text",)
