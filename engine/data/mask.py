"""Masking personal data in a run's examples: texts change, and spans, token offsets and answers move along.

Knows examples and what the kinds of personal data are called. Does not know how they are found (personal.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from engine.core.text import Text
from engine.data.personal import mask_text, masked_with_map
from engine.schema import Example

KINDS: dict[str, Text] = {
    "email": Text("e-mail addresses", "邮箱地址"),
    "phone": Text("telephone numbers", "电话号码"),
    "card": Text("payment card numbers", "银行卡号"),
    "identity": Text("identity numbers", "身份证件号码"),
    "iban": Text("bank account numbers (IBAN)", "国际银行账号（IBAN）"),
}


def mask_example(example: Example) -> Example:
    """The example with personal data masked in all its texts; spans, token offsets and answers move along."""
    inputs: dict[str, Any] = dict(example.inputs)
    target = example.target
    for name, value in example.inputs.items():
        if not isinstance(value, str) or name == "id":
            continue
        masked, moved = masked_with_map(value)
        if masked == value:
            continue
        inputs[name] = masked
        if name == "text" and "tokens" in inputs:
            inputs["tokens"] = [[moved(start, False), moved(end, True)] for start, end in inputs["tokens"]]
        if name == "text" and _has_spans(target):
            target = tuple({**s, "start": moved(s["start"], False), "end": moved(s["end"], True)} for s in target)
        if name == "context":
            target = tuple(_moved_answer(answer, masked, moved) for answer in target)
    if "document" in inputs:
        target = tuple(mask_text(reference) for reference in target)
    if inputs == example.inputs and target == example.target:
        return example
    return replace(example, inputs=inputs, target=target)


def _has_spans(target: Any) -> bool:
    return isinstance(target, tuple) and bool(target) and isinstance(target[0], dict)


def _moved_answer(answer: dict[str, Any], masked: str, moved: Callable[[int, bool], int]) -> dict[str, Any]:
    start, end = moved(answer["start"], False), moved(answer["start"] + len(answer["text"]), True)
    return {**answer, "text": masked[start:end], "start": start}
