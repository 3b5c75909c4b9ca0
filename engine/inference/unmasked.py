"""Answers about a masked text, mapped back to the original text.

A model that was trained on masked personal data gets masked texts as well; the offsets in its answers refer to those. Knows answers as
JSON; does not know tasks.
"""

from __future__ import annotations

from typing import Any

from engine.data.personal_data import unmasked_offsets


def unmasked(answer: Any, text: str) -> Any:
    """The answer with every `start`, `end` and the `text` (or `answer`) between them as they are in the text that was given."""
    back = unmasked_offsets(text)

    def restored(value: Any) -> Any:
        if isinstance(value, list):
            return [restored(one) for one in value]
        if not isinstance(value, dict):
            return value
        restored_items = {name: restored(one) for name, one in value.items()}
        if isinstance(value.get("start"), int) and isinstance(value.get("end"), int):
            restored_items["start"], restored_items["end"] = back(value["start"], False), back(value["end"], True)
            for name in {"text", "answer"} & value.keys():
                restored_items[name] = text[restored_items["start"] : restored_items["end"]]
        return restored_items

    return restored(answer)
