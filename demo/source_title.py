"""What data is called on the page."""

from __future__ import annotations

from pathlib import Path

from engine.config import RunConfig
from engine.core.text import Text


def source_title(config: RunConfig) -> Text | None:
    """What the data is called: an example's title, a file's name, a hub id; None when nothing is chosen."""
    from engine.assets import EXAMPLES

    data = config.data
    if data.example in EXAMPLES:
        return EXAMPLES[data.example].title
    name = data.example or Path(data.train).name or data.hub
    return Text(name, name) if name else None
