"""The tabs of the tasks by name, in the order of the page. Another entry is another tab, with everything that a tab has."""

from __future__ import annotations

from demo.parts.tab_spec import TabSpec
from demo.tabs import classification, ner, qa, summarization

TABS: dict[str, TabSpec] = {tab.name: tab for tab in (classification.TAB, ner.TAB, qa.TAB, summarization.TAB)}
