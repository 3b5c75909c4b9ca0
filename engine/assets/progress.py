"""Progress of fetching an asset: the current step and the share done."""

from __future__ import annotations

from collections.abc import Callable

from engine.core.text import Text

Progress = Callable[[Text, float], None]
"""Called with what is being done and the share of the whole that is done, 0 to 1. May raise to stop the work."""


def silent(what: Text, share: float) -> None:
    """The progress of somebody who does not want to know."""


def part(progress: Progress, start: float, end: float) -> Progress:
    """A progress whose 0 to 1 is `start` to `end` of `progress`."""

    def scaled(what: Text, share: float) -> None:
        progress(what, start + (end - start) * min(max(share, 0.0), 1.0))

    return scaled
