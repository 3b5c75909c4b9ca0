"""Events of the data block: an example is picked, a file uploaded, columns corrected, the data checked.

An error appears in the place of what could not be read; nothing that was chosen is lost by it.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr

from demo import data_preview
from demo.i18n import words
from demo.markup import error_panel, panel, safe
from demo.parts import data_step
from demo.parts.tab_context import TabContext
from demo.user_error_toast import error_toast
from engine.assets import EXAMPLES
from engine.core.errors import UserError
from engine.data.columns import guess_with_reasons
from engine.data.dataset import configured_columns
from engine.data.fixes import fixes_for
from engine.data.split_names import split_files
from engine.data.table import Source
from engine.tasks import TASKS


def _source(**given: Any) -> list[Any]:
    """The values of everything that belongs to a source: what is given, the rest empty."""
    return [given.get(name, "") for name in data_step.SOURCE_FIELDS]


def _unread(error: UserError, language: str) -> str:
    """Why there is no table to show; that a configuration must be chosen first is a question, not a fault."""
    if error.code == "choose_hub_config":
        return panel(
            "info", error.message.in_language(language), safe(error.hint.in_language(language) if error.hint else "")
        )
    return error_panel(error, language, words("data.unreadable"))


class DataEvents(TabContext):
    """Handlers of the data block."""

    @property
    def read_data_outputs(self) -> list[Any]:
        data = self.tab.data
        return [
            data.cards,
            data.view,
            data.findings,
            data.source,
            *data.reading(),
            data.columns,
            *(self.fields[f"data.columns.{role.name}"] for role in TASKS[self.task].roles),
        ]

    def pick_example(self, language: str, chosen: gr.SelectData) -> list[Any]:
        """An example instead of whatever was chosen."""
        name = str(chosen.value)
        if name not in EXAMPLES:
            return [gr.skip()] * (len(data_step.SOURCE_FIELDS) + 4)
        cards = data_step.cards_html(self.task, name, language)
        return [*_source(example=name), cards, "", data_step.reading_html(name, language), ""]

    def keep_upload(self, language: str, paths: list[str]) -> list[Any]:
        """One file, or several whose names tell which trains, validates and tests."""
        with error_toast(language):
            by_name = {Path(path).name: path for path in paths}
            splits = split_files(list(by_name))
            tokens = {split: self.page.uploads.keep(by_name[name]) for split, name in splits.items()}
        reading = data_step.reading_html("", language)
        return [*_source(**tokens), data_step.cards_html(self.task, "", language), reading, ""]

    def keep_more(self, language: str, path: str) -> str:
        with error_toast(language):
            return self.page.uploads.keep(path)

    def read_data(self, language: str, *values: Any) -> list[Any]:
        """Read the source, guess its columns, show what was read. An error appears in the place of what could not be read."""
        roles = TASKS[self.task].roles
        cards = gr.skip()
        as_it_is = [gr.skip()] * len(self.tab.data.reading())
        closed = [gr.update(visible=False), *(gr.update(choices=[], value=None) for _ in roles)]
        try:
            config = self.config(values)
            cards = data_step.cards_html(self.task, config.data.example, language)
            line = data_step.source_html(config, language)
            if not (config.data.example or config.data.train or config.data.hub):
                none = panel("info", words("data.none").in_language(language))
                return [cards, none, "", "", *as_it_is, *closed]
            tables = data_preview.read(self.page, config)
            # A correction holds as long as its column is there; another source has its own columns.
            given = {role: column for role, column in config.data.columns.items() if column in tables["train"].columns}
            guesses = guess_with_reasons(tables["train"], TASKS[self.task], given)
        except UserError as error:
            return [cards, _unread(error, language), "", "", *as_it_is, *closed]
        columns = configured_columns(replace(config.data, columns=given))
        if given or not columns:
            columns |= {role: guess.column for role, guess in guesses.items()}
        dropdowns = [
            gr.update(
                choices=tables["train"].columns if role.required else [("–", ""), *tables["train"].columns],
                value=columns.get(role.name, "" if not role.required else None),
                info=words("data.guessed", reason=guesses[role.name].reason).in_language(language)
                if role.name in guesses and guesses[role.name].column == columns.get(role.name)
                else role.help.in_language(language),
            )
            for role in roles
        ]
        view = data_step.view_html(self.spec, config, tables, columns, language)
        waiting = f'<p class="tb-quiet tb-waiting">{safe(words("check.running").in_language(language))}</p>'
        reading = self.reading_choices(tables["train"].source, language)
        return [cards, view, waiting, line, *reading, gr.update(visible=True), *dropdowns]

    def reading_choices(self, source: Source, language: str) -> list[Any]:
        """How the file was read, as the choices of the fields that can overrule it."""
        sheets = [(data_step.automatic(language, source.sheet), ""), *((name, name) for name in source.sheets)]
        return [
            gr.update(choices=data_step.encodings(language, source.encoding)),
            gr.update(choices=data_step.delimiters(language, source.delimiter)),
            gr.update(choices=sheets, visible=len(source.sheets) > 1),
        ]

    def show_data(self, language: str, *values: Any) -> Any:
        """The same table with the columns as corrected."""
        try:
            config = self.config(values)
            if not (config.data.example or config.data.train or config.data.hub):
                return gr.skip()
            tables = data_preview.read(self.page, config)
        except UserError as error:
            return error_panel(error, language, words("data.unreadable"))
        return data_step.view_html(self.spec, config, tables, config.data.columns, language)

    @property
    def redraw_outputs(self) -> list[Any]:
        data = self.tab.data
        return [data.cards, data.source, data.view, data.findings]

    def redraw_data(self, language: str, *values: Any) -> list[Any]:
        """The data block in another language: the same source, the same columns."""
        try:
            config = self.config(values)
        except UserError as error:
            return [gr.skip(), gr.skip(), error_panel(error, language), ""]
        cards = data_step.cards_html(self.task, config.data.example, language)
        view = self.show_data(language, *values)
        return [cards, data_step.source_html(config, language), view, self.check_data(language, *values)]

    def check_data(self, language: str, *values: Any) -> str:
        """The findings of the data check."""
        try:
            config = self.config(values)
            if not (config.data.example or config.data.train or config.data.hub):
                return ""
            data_preview.read(self.page, config)
        except UserError:
            return ""  # shown above, in the place of the table
        try:
            result = data_preview.check(self.page, config)
        except UserError as error:
            return error_panel(error, language)
        return data_step.findings_html(result, config.data.fixes, language)

    def apply_fix(self, language: str, chosen: gr.SelectData, *values: Any) -> list[Any]:
        """Switch a fix of the data on or off, or set what a finding suggests setting."""
        code, updates = str(chosen.value), {}
        with error_toast(language):
            config = self.config(values)
            if code in fixes_for(TASKS[self.task]):
                fixes = config.data.fixes
                updates["data.fixes"] = ",".join([c for c in fixes if c != code] if code in fixes else [*fixes, code])
            else:
                for finding in data_preview.check(self.page, config).findings:
                    if finding.fix is not None and finding.fix.code == code:
                        updates = finding.fix.settings
        return [updates.get(path, gr.skip()) for path in self.fields]
