"""What the handlers of one tab share: the page, the tab, its fields, and the configuration that they describe."""

from __future__ import annotations

from typing import Any

from demo import form
from demo.page import Page
from demo.parts.task_tab import TaskTab
from engine.config import RunConfig


class TabContext:
    """Base of the classes whose methods are the handlers of a tab. Holds nothing of any visitor: a handler is given all it needs."""

    def __init__(self, page: Page, tab: TaskTab):
        self.page, self.tab, self.spec, self.task = page, tab, tab.spec, tab.spec.name
        self.fields = tab.fields
        self.inputs = list(self.fields.values())

    def config(self, values: tuple[Any, ...]) -> RunConfig:
        return form.to_config(self.task, dict(zip(self.fields, values, strict=True)), self.page.uploads)
