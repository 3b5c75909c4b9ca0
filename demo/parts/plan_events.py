"""Events of the form: the plan in a sentence, the same as code, problems of the configuration, and the visitor's draft."""

from __future__ import annotations

import json
from typing import Any

import gradio as gr

from demo import data_preview, form
from demo.i18n import words
from demo.markup import error_panel, panel, safe
from demo.parts import export, model_step
from demo.parts.data_source import first_example
from demo.parts.model_step import FORMATS
from demo.parts.tab_context import TabContext
from demo.parts.task_tab import hero_html
from demo.source_title import source_title
from engine.config import RunConfig
from engine.core.errors import UserError
from engine.core.options import Problem
from engine.core.text import Text
from engine.run_directory.limits import over_limits


def problems_html(problems: list[Problem], title: str, language: str) -> str:
    """What is wrong with the form, each field by its label."""
    lines = "".join(f"<p>{safe(form.problem_text(problem).in_language(language))}</p>" for problem in problems)
    return panel("warning", words(title).in_language(language), lines)


class PlanEvents(TabContext):
    """Handlers of the form as a whole."""

    @property
    def describe_outputs(self) -> list[Any]:
        tab = self.tab
        outputs = [tab.plan, tab.start, tab.problem, tab.code, tab.model.lora, tab.model.cards]
        return outputs + ([*(self.fields[path] for path in FORMATS), tab.model.edit] if tab.model.edit else [])

    def pick_model(self, chosen: gr.SelectData) -> str:
        return str(chosen.value)

    def describe(self, language: str, *values: Any) -> list[Any]:
        """What the form says now: in a sentence, as code, and what is wrong with it."""
        try:
            config = self.config(values)
        except UserError as error:
            return [
                error_panel(error, language) if out is self.tab.problem else gr.skip() for out in self.describe_outputs
            ]
        # That no data was chosen yet is part of the plan, not an error.
        problems = [problem for problem in config.validate() if problem.path != "data.train"]
        problems += over_limits(config, self.page.settings)
        problem_panel = problems_html(problems, "start.problems", language) if problems else ""
        button = words("start.example" if config.data.example else "start.own").in_language(language)
        return [
            hero_html(self.spec, self.plan(config).in_language(language), language),
            gr.update(value=button),
            problem_panel,
            self.code(config, language),
            gr.update(visible=config.method.name == "lora"),
            model_step.cards_html(self.page, self.spec.task, data_preview.model_of(self.page, config), language),
            *(self._formats(config, language) if self.tab.model.edit else []),
        ]

    def _formats(self, config: RunConfig, language: str) -> list[Any]:
        """What an empty prompt and target stand for: the very text where the model is known, else in words. And the offer to edit it."""
        automatic = data_preview.formats(self.page, config)
        empty = [path for path in FORMATS if not form.get(config.to_dict(), path)]
        shown = [
            gr.update(placeholder=automatic.get(path) or (chosen.in_language(language) if chosen else ""))
            for path, chosen in ((path, form.fields()[path].option.automatic) for path in FORMATS)
        ]
        return [*shown, gr.update(visible=bool(automatic and empty))]

    def write_formats(self, *values: Any) -> list[Any]:
        """The automatic formats in the fields that are empty."""
        config = self.config(values)
        automatic, described = data_preview.formats(self.page, config), config.to_dict()
        return [gr.skip() if form.get(described, path) else automatic.get(path, "") for path in FORMATS]

    def plan(self, config: RunConfig) -> Text:
        source = source_title(config)
        if source is None:
            return words("start.no_data")
        method = words(f"method.{config.method.name}")
        return words(
            "start.plan",
            model=model_step.model_title(data_preview.model_of(self.page, config)),
            data=source,
            method=method,
        )

    def code(self, config: RunConfig, language: str) -> str:
        shown = form.shareable(config, {})
        return (
            export.code_block("YAML", shown.to_yaml(), language)
            + export.code_block(words("code.shell").in_language(language), form.as_command(shown), language)
            + export.code_block("Python", form.as_python(shown), language)
        )

    def remember(self, restored: bool, language: str, *values: Any) -> Any:
        """What differs from the form as it opens, for the visitor's browser. Nothing before the last draft was brought back."""
        if not restored:
            return gr.skip()
        fields = [(path, v, self.opens_with(path, language)) for path, v in zip(self.fields, values, strict=True)]
        changed = {path: v for path, v, first in fields if v != first and v not in (None, "")}
        emptied = [path for path, v, first in fields if v in (None, "") and first]
        if changed or emptied:
            # What was set was set for this data: a page in another language would open with another example.
            changed |= {path: v for path, v, _ in fields if path == "data.example" and v}
        return json.dumps({"values": changed, "emptied": emptied}, ensure_ascii=False)

    def values_of_draft(self, draft: str) -> dict[str, Any]:
        """What a draft says of the fields, by path. It is a browser's word: only one that makes a configuration is taken."""
        try:
            saved = json.loads(draft or "{}")
            values = {**dict.fromkeys(saved.get("emptied", []), ""), **saved.get("values", {})}
            values = {path: value for path, value in values.items() if path in self.fields}
            self.config(tuple(values.get(path, component.value) for path, component in self.fields.items()))
        except (ValueError, UserError, KeyError, TypeError, AttributeError):
            return {}  # no draft, an upload that is gone, or a field that another version had
        return values

    def opens_with(self, path: str, language: str) -> Any:
        """What a field holds for who comes without a draft: an example in their language, else what it was built with."""
        return first_example(self.task, language) if path == "data.example" else self.fields[path].value
