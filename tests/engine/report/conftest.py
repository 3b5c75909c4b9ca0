"""What the reports of the tests are made of."""

from __future__ import annotations

from tests.engine.evaluation.conftest import make

__all__ = ["make"]
