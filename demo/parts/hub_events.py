"""Events of the hub fields: a data set is looked up, its configurations and splits become choices, and it becomes the source.

A set that needs a visitor's token is read once, with it, and kept like an uploaded file: the run that trains on it later needs no
token, and none is written down.
"""

from __future__ import annotations

from typing import Any

import gradio as gr

from demo.i18n import words
from demo.markup import error_panel, panel
from demo.parts import data_step
from demo.parts.tab_context import TabContext
from engine.config import DataConfig
from engine.core.errors import ConfigProblem, UserError
from engine.data.hub import NO_SPLIT, choose_config, default_splits, list_configs, list_splits
from engine.data.load import hub_token, read_tables
from engine.data.split_names import SPLITS
from engine.tasks import TASKS


class HubEvents(TabContext):
    """Handlers of the hub's fields."""

    @property
    def hub_outputs(self) -> list[Any]:
        data = self.tab.data
        return [*data.source_outputs(), data.hub.choices, data.hub.splits, data.cards, data.view, data.findings]

    def query_hub(
        self, language: str, name: str, token: str, revision: str, config: str, train: str, validation: str, test: str
    ) -> list[Any]:
        """Ask the hub what it has under an id, offer it to choose from, and make it the source.

        An error appears where the table would have been; the fields keep what was typed.
        """
        name, token, revision = ((typed or "").strip() for typed in (name, token, revision))
        as_it_is = [gr.skip()] * len(self.hub_outputs)
        if not name:
            return [*as_it_is[:-2], panel("info", words("data.hub_none").in_language(language)), ""]
        token_used = hub_token(self.page.settings, token)
        requested = dict(zip(SPLITS, (train, validation, test), strict=True))
        values: dict[str, Any] = dict.fromkeys(data_step.SOURCE_FIELDS, "")
        try:
            configs = list_configs(name, token_used, revision)
            try:
                config = choose_config(name, config or "", configs)
            except ConfigProblem:
                config = ""
            splits = list_splits(name, config, token_used, revision) if config or not configs else []
            chosen = default_splits({s: own for s, own in requested.items() if own in (*splits, NO_SPLIT)}, splits)
            data = DataConfig(hub=name, hub_config=config, hub_revision=revision)
            for split in SPLITS:
                setattr(data, f"hub_{split}", chosen.get(split, NO_SPLIT) if splits else "")
            if token and splits:
                values |= self._keep_private(data, token)
            else:
                values["hub"] = name
        except UserError as error:
            return [*as_it_is[:-2], error_panel(error, language, words("data.unreadable")), ""]
        none = [(words("data.hub_no_split").in_language(language), NO_SPLIT)]
        values["hub_config"] = gr.update(choices=configs, value=config)
        values["hub_revision"] = revision
        for split in SPLITS:
            choices = [(own, own) for own in splits] + ([] if split == "train" else none)
            values[f"hub_{split}"] = gr.update(choices=choices, value=getattr(data, f"hub_{split}"))
        reading = data_step.reading_html("", language)
        cards = data_step.cards_html(self.task, "", language)
        return [*values.values(), gr.update(visible=True), gr.update(visible=bool(splits)), cards, reading, ""]

    def _keep_private(self, data: DataConfig, token: str) -> dict[str, str]:
        """Read a private set with its token and keep what was read as files, called after it."""
        tables = read_tables(data, TASKS[self.task], self.page.settings, token=token)
        owner, _, own = data.hub.partition("/")
        kept = {}
        for split, table in tables.items():
            commit = f"@{table.source.revision[:7]}" if table.source.revision else ""
            name = f"{owner}--{own}{commit}.{split}.jsonl"
            lines = table.frame.to_json(orient="records", lines=True, force_ascii=False)
            kept[split] = self.page.uploads.write(name, lines.encode())
        return kept

    def show_hub(self, hub: str) -> Any:
        """The id where the visitor typed it, when it comes back with a draft."""
        return hub or gr.skip()
