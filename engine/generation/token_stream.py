"""Text that grows token by token while another thread generates it.

Knows tokens as they arrive and what of them can already be read. Does not know models.
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator, Sequence
from typing import Any


class TokenStream:
    """A streamer of transformers (`put`, `end`) and an iterator of the text so far.

    What `run` raises in its thread is raised again where the text is read.
    """

    def __init__(self, written: Callable[[Sequence[int]], str]):
        self._written = written
        self._queue: queue.SimpleQueue[int | BaseException | None] = queue.SimpleQueue()
        self._prompt = True

    def run(self, generate: Callable[..., Any], *given: Any) -> None:
        """Generate with this as the streamer; call it in a thread of its own."""
        try:
            generate(*given, streamer=self)
        except Exception as error:  # noqa: BLE001 - it is raised again by the reader
            self._queue.put(error)
        self._queue.put(None)

    def put(self, value: Any) -> None:
        if self._prompt:  # the first call repeats what was asked
            self._prompt = False
            return
        for token in value.flatten().tolist():
            self._queue.put(token)

    def end(self) -> None:
        """Nothing: `run` ends the text, also after a failure."""

    def __iter__(self) -> Iterator[str]:
        tokens: list[int] = []
        shown = ""
        while True:
            item = self._queue.get()
            if isinstance(item, BaseException):
                raise item
            if item is None:
                return
            tokens.append(item)
            text = self._written(tokens)
            # A character of several tokens is a replacement mark until its last one has come.
            if text != shown and not text.endswith("\ufffd"):
                shown = text
                yield text
