"""Decode modules give what their task models give, without PyTorch. Run: python -m pytest tests/engine/tasks/test_decode.py"""

from __future__ import annotations

import subprocess
import sys

import pytest

from engine.tasks import TASKS
from engine.tasks.model import EncoderTask, task_model

ENCODERS = [name for name, spec in TASKS.items() if isinstance(task_model(spec), EncoderTask)]


@pytest.mark.parametrize("name", ENCODERS)
def test_a_decode_module_of_an_encoder_needs_no_torch(name: str) -> None:
    module = TASKS[name].export.decode
    code = f"import sys, {module}; print([name for name in ('torch', 'pandas', 'sklearn') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
