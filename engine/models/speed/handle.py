"""What a fast path leaves behind when it is enabled on a model, so that it can be disabled again."""

from __future__ import annotations

from collections.abc import Callable


class Handle:
    """As with the hooks of PyTorch, `remove` restores the model; a second call does nothing. `count` modules were changed."""

    def __init__(self, *restore: Callable[[], object], count: int = 1):
        self._restore = list(restore)
        self.count = count

    def remove(self) -> None:
        while self._restore:
            self._restore.pop()()
