"""Roles that several tasks share. The others stand with their task."""

from __future__ import annotations

from engine.core.text import Text
from engine.schema import Role

TEXT = Role("text", Text("Text", "文本"), Text("What the model reads.", "模型读取的内容。"))
