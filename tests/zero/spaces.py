"""A stand-in for Hugging Face's `spaces` that enforces what its documentation says of `spaces.GPU`.

- It is applied to functions and generators; a coroutine is refused.
- The duration is declared, as seconds or as a function of the same arguments, and at most 120; whoever takes longer is cut off.
- The function runs in a forked process. CUDA exists there alone: outside, initialising it is an error.
- Arguments and results travel between processes, so they must be picklable.

Time runs ten times as fast for the limit, so that a test can cross it.
"""

from __future__ import annotations

import functools
import inspect
import multiprocessing
import os
import pickle
from collections.abc import Callable
from typing import Any

import gradio as gr

MOST_SECONDS = 120
FASTER = float(os.environ.get("STAND_IN_FASTER", "1"))
calls: list[tuple[str, float]] = []  # name and declared seconds, in order
_fork = multiprocessing.get_context("fork")


def GPU(task: Callable | None = None, *, duration: Any = 60, size: str = "large") -> Any:
    if task is None:
        return functools.partial(GPU, duration=duration, size=size)
    if inspect.iscoroutinefunction(task) or inspect.isasyncgenfunction(task):
        raise NotImplementedError("coroutines cannot be decorated")

    @functools.wraps(task)
    def on_gpu(*values: Any, **named: Any) -> Any:
        seconds = duration(*values, **named) if callable(duration) else duration
        if not 0 < seconds <= MOST_SECONDS:
            raise gr.Error(f"illegal duration: {seconds}")
        calls.append((task.__name__, seconds))
        here, there = _fork.Pipe()
        process = _fork.Process(target=_inside, args=(there, task, pickle.dumps((values, named))))
        process.start()
        try:
            if not here.poll(seconds / FASTER):
                process.kill()
                raise gr.Error("GPU task aborted")
            kind, value = here.recv()
        except EOFError as error:
            raise gr.Error("GPU task aborted") from error
        finally:
            process.join(10)
        if kind == "error":
            raise gr.Error(value)
        return value

    return on_gpu


def _inside(pipe: Any, task: Callable, packed: bytes) -> None:
    os.environ["STAND_IN_GPU"] = "1"
    values, named = pickle.loads(packed)
    try:
        pipe.send(("value", task(*values, **named)))
    except Exception as error:  # noqa: BLE001  what it was goes to the caller, as there
        pipe.send(("error", f"{type(error).__name__}: {error}"))


def forbid_cuda_outside() -> None:
    """Make every way into CUDA an error in this process; in a forked one there is simply no GPU, and the processor is used."""
    import torch

    def there() -> bool:
        return "STAND_IN_GPU" not in os.environ

    def enter(*_: Any, **__: Any) -> None:
        raise RuntimeError("CUDA must not be initialized in the main process")

    # The main process of such a Space believes that there is a GPU: code that takes it there fails.
    torch.cuda.is_available = there  # type: ignore[assignment]
    torch.cuda._lazy_init = enter  # type: ignore[assignment]
    torch.cuda.is_bf16_supported = lambda *_, **__: enter() if there() else False  # type: ignore[assignment]
