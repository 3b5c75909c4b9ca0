"""Text that grows token by token while another thread generates it.

Knows tokens in the order of their arrival and which of them form complete characters. Does not know models.
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator, Sequence
from typing import Any


class TokenStream:
    """A streamer of transformers (`put`, `end`) and an iterator of the text so far.

    An exception in `run`'s thread is raised again by the iterator.
    """

    def __init__(self, decode: Callable[[Sequence[int]], str]):
        self._decode = decode
        self._queue: queue.SimpleQueue[int | BaseException | None] = queue.SimpleQueue()
        self._prompt = True

    def run(self, generate: Callable[..., Any], *args: Any) -> None:
        """Generate with this as the streamer; call it in a thread of its own."""
        try:
            generate(*args, streamer=self)
        except Exception as error:  # noqa: BLE001 - it is raised again by the iterator
            self._queue.put(error)
        self._queue.put(None)

    def put(self, value: Any) -> None:
        if self._prompt:  # the first call repeats the prompt
            self._prompt = False
            return
        for token in value.flatten().tolist():
            self._queue.put(token)

    def end(self) -> None:
        """Nothing: `run` ends the iteration, also after a failure."""

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
            text = self._decode(tokens)
            # A character of several tokens is a replacement character until its last token has arrived.
            if text != shown and not text.endswith("\ufffd"):
                shown = text
                yield text
