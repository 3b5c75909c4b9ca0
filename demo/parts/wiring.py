"""What happens in a task's tab: every event, from choosing data to downloading answers.

Knows which handler answers which event and which components it fills. What is shown is made by the parts. Nothing here trains:
a run is a process of its own, found again by its id.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from demo import form, survey
from demo.i18n import words
from demo.markup import error_panel, panel, safe
from demo.page import Page
from demo.parts import data_step, export, model_step, playground, report_view, train_step
from demo.parts.task_tab import TaskTab, hero_html
from demo.titles import source_title
from demo.told import told
from engine.assets import EXAMPLES
from engine.config import RunConfig
from engine.data.columns import guess_with_reasons
from engine.data.fixes import FIXES
from engine.errors import UserError
from engine.models.entries import CATALOG
from engine.options import Problem
from engine.runs.process import start as start_worker
from engine.runs.store import ACTIVE, Run
from engine.tasks.roles import ROLES
from engine.text import Text

# Internal handlers: not documented, not in the history of runs that Gradio keeps in the browser.
QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
PUT_RUN_IN_ADDRESS = """(id) => {
  const url = new URL(window.location); if (id) url.searchParams.set('run', id); else url.searchParams.delete('run');
  window.history.replaceState({}, '', url); }"""
SCROLL_TO_RUN = "() => { if (window.tunebench) window.tunebench.toRun(); }"


def connect(page: Page, tab: TaskTab) -> None:
    """Wire the whole tab."""
    Wiring(page, tab).connect()


def problems_html(problems: list[Problem], title: str, language: str) -> str:
    """What is wrong with the form, each field by its label."""
    lines = "".join(f"<p>{safe(form.problem_text(problem).in_language(language))}</p>" for problem in problems)
    return panel("warning", words(title).in_language(language), lines)


class Wiring:
    """The handlers of one tab. They hold the page and the tab's shape, and nothing of any visitor."""

    def __init__(self, page: Page, tab: TaskTab):
        self.page, self.tab, self.task = page, tab, tab.task.name
        self.fields = tab.fields
        self.inputs = list(self.fields.values())

    # Events ------------------------------------------------------------------------------------------------------------------

    def connect(self) -> None:
        tab, language = self.tab, self.page.language
        everything = [language, *self.inputs]
        data, model = tab.data, tab.model

        picked = data.cards.select(
            self.pick_example,
            [language, self.fields["model.id"]],
            [*data.source_outputs(), data.cards, data.source, self.fields["model.id"], data.view, data.findings],
            queue=False,
            **QUIET,
        )
        uploaded = data.uploads["data.train"].upload(
            self.keep_upload, [language, data.uploads["data.train"]], [*data.source_outputs(), data.cards], **QUIET
        )
        looks = [picked, uploaded]
        for name in ("data.validation", "data.test"):
            looks.append(
                data.uploads[name].upload(self.keep_more, [language, data.uploads[name]], [self.fields[name]], **QUIET)
            )
        looks.append(
            data.hub_look.click(self.choose_hub, [language], [*data.source_outputs()[:4], data.cards], **QUIET)
        )
        for name in ("encoding", "delimiter", "sheet", "label_separator"):
            option = self.fields[f"data.{name}"]
            gr.on([option.submit, option.blur], self.look, everything, self.looked, **QUIET).then(
                self.examine, everything, [data.findings], **QUIET
            )
        for event in looks:
            self.look_after(event)
        for role in ROLES[self.task]:
            corrected = self.fields[f"data.columns.{role.name}"].input(self.review, everything, [data.view], **QUIET)
            corrected.then(self.examine, everything, [data.findings], **QUIET)
        data.findings.select(self.apply_fix, everything, self.inputs, **QUIET).then(
            self.examine, everything, [data.findings], **QUIET
        )
        model.cards.select(self.pick_model, None, [self.fields["model.id"]], queue=False, **QUIET)
        gr.on(
            [component.change for component in self.inputs],
            self.describe,
            everything,
            self.described,
            queue=False,
            trigger_mode="always_last",
            **QUIET,
        ).then(self.remember, [tab.restored, *self.inputs], [tab.draft], queue=False, **QUIET)
        started = tab.start.click(self.start, everything, [tab.run_id, tab.problem], **QUIET)
        started.then(self.show, self.shown_from, self.shown, queue=False, **QUIET).then(None, js=SCROLL_TO_RUN)
        tab.run_id.change(None, [tab.run_id], js=PUT_RUN_IN_ADDRESS)
        tab.timer.tick(self.show, self.shown_from, self.shown, queue=False, **QUIET)
        tab.ended.change(self.tell, [language, tab.run_id], self.told_in, **QUIET)
        tab.train.keep.click(self.stop_and_keep, [language, tab.run_id], [tab.train.controls], queue=False, **QUIET)
        tab.train.discard.click(
            self.stop_and_discard, [language, tab.run_id], [tab.train.controls], queue=False, **QUIET
        )
        tab.report.matrix.select(self.open_cell, [language, tab.run_id], [tab.report.cell], **QUIET)
        self.connect_playground()

    def connect_playground(self) -> None:
        tab, language, play = self.tab, self.page.language, self.tab.playground
        typed = list(play.inputs.values())
        slow: dict[str, Any] = {"api_visibility": "private", "concurrency_id": "inference", "concurrency_limit": 1}
        gr.on(
            [play.ask.click, play.inputs["text"].submit],
            self.ask,
            [language, tab.run_id, *typed],
            [play.answer],
            show_progress_on=[play.answer],
            **slow,
        )
        play.suggestions.select(self.suggest, [language, tab.run_id], typed, queue=False, **QUIET).then(
            self.ask, [language, tab.run_id, *typed], [play.answer], show_progress_on=[play.answer], **slow
        )
        play.upload.upload(
            self.answer_file,
            [language, tab.run_id, play.upload],
            [play.batch, play.download],
            show_progress_on=[play.batch],
            **slow,
        )

    def look_after(self, event: Any) -> Any:
        """After a change of source: read it, then ask the data doctor."""
        everything = [self.page.language, *self.inputs]
        return event.then(self.look, everything, self.looked, **QUIET).then(
            self.examine, everything, [self.tab.data.findings], **QUIET
        )

    @property
    def looked(self) -> list[Any]:
        data = self.tab.data
        return [
            data.cards,
            data.view,
            data.findings,
            data.source,
            data.columns,
            *(self.fields[f"data.columns.{role.name}"] for role in ROLES[self.task]),
        ]

    @property
    def described(self) -> list[Any]:
        tab = self.tab
        return [tab.plan, tab.start, tab.problem, tab.code, tab.model.lora, tab.model.cards]

    @property
    def shown_from(self) -> list[Any]:
        return [self.page.language, self.tab.run_id, self.tab.seen]

    @property
    def shown(self) -> list[Any]:
        """In the order of the parts in `show`."""
        tab, train = self.tab, self.tab.train
        live = [train.status, train.curves, train.facts, train.notes, train.controls, train.log_fold, train.log]
        return [tab.empty, tab.panel, tab.head, *live, tab.ended, tab.timer, tab.seen]

    @property
    def told_in(self) -> list[Any]:
        tab, out = self.tab, self.tab.export
        return [
            tab.report.top, tab.report.matrix, tab.report.cell, tab.report.rest, tab.tabs,
            tab.playground.suggestions, tab.playground.answer, tab.playground.batch, tab.playground.download,
            *tab.playground.inputs.values(), out.html, out.markdown, out.log, out.code,
        ]  # fmt: skip

    # Data --------------------------------------------------------------------------------------------------------------------

    def config(self, values: tuple[Any, ...]) -> RunConfig:
        return form.to_config(self.task, dict(zip(self.fields, values, strict=True)), self.page.uploads)

    def pick_example(self, language: str, model: str, chosen: gr.SelectData) -> list[Any]:
        """An example instead of whatever was chosen; the model that suits it, unless the visitor named one of their own."""
        name = str(chosen.value)
        if name not in EXAMPLES:
            return [gr.skip()] * 12
        suggested = EXAMPLES[name].suggestion if model in CATALOG else model
        cards = data_step.cards_html(self.task, name, language)
        return [name, "", "", "", "", "", "", cards, "", suggested, data_step.reading_html(name, language), ""]

    def keep_upload(self, language: str, path: str) -> list[Any]:
        with told(language):
            token = self.page.uploads.keep(path)
        return ["", token, "", "", "", "", "", data_step.cards_html(self.task, "", language)]

    def keep_more(self, language: str, path: str) -> str:
        with told(language):
            return self.page.uploads.keep(path)

    def choose_hub(self, language: str) -> list[Any]:
        """A hub data set takes the place of example and files."""
        return ["", "", "", "", data_step.cards_html(self.task, "", language)]

    def look(self, language: str, *values: Any) -> list[Any]:
        """Read the source, guess its columns, show what was read. What cannot be read is said in its place."""
        roles = ROLES[self.task]
        cards = gr.skip()
        closed = [gr.update(visible=False), *(gr.update(choices=[], value=None) for _ in roles)]
        try:
            config = self.config(values)
            cards = data_step.cards_html(self.task, config.data.example, language)
            line = data_step.source_html(config, language)
            if not (config.data.example or config.data.train or config.data.hub):
                return [cards, panel("info", words("data.none").in_language(language)), "", "", *closed]
            tables = survey.read(self.page, config)
            # A correction holds as long as its column is there; another source has its own columns.
            given = {role: column for role, column in config.data.columns.items() if column in tables["train"].columns}
            guesses = guess_with_reasons(tables["train"], self.task, given)
        except UserError as error:
            return [cards, error_panel(error, language, words("data.unreadable")), "", "", *closed]
        columns = {**{role: guess.column for role, guess in guesses.items()}, **given}
        dropdowns = [
            gr.update(
                choices=tables["train"].columns if role.required else [("–", ""), *tables["train"].columns],
                value=columns.get(role.name, "" if not role.required else None),
                info=words("data.guessed", reason=guesses[role.name].reason).in_language(language)
                if role.name in guesses
                else role.help.in_language(language),
            )
            for role in roles
        ]
        view = data_step.view_html(config, tables, columns, self.tab.task.labels, language)
        waiting = f'<p class="tb-quiet tb-waiting">{safe(words("check.running").in_language(language))}</p>'
        return [cards, view, waiting, line, gr.update(visible=True), *dropdowns]

    def review(self, language: str, *values: Any) -> Any:
        """The same table with the columns as corrected."""
        try:
            config = self.config(values)
            if not (config.data.example or config.data.train or config.data.hub):
                return gr.skip()
            tables = survey.read(self.page, config)
        except UserError as error:
            return error_panel(error, language, words("data.unreadable"))
        return data_step.view_html(config, tables, config.data.columns, self.tab.task.labels, language)

    @property
    def redrawn(self) -> list[Any]:
        data = self.tab.data
        return [data.cards, data.source, data.view, data.findings]

    def redraw_data(self, language: str, *values: Any) -> list[Any]:
        """The data block in another language: the same source, the same columns."""
        try:
            config = self.config(values)
        except UserError as error:
            return [gr.skip(), gr.skip(), error_panel(error, language), ""]
        cards = data_step.cards_html(self.task, config.data.example, language)
        view = self.review(language, *values)
        return [cards, data_step.source_html(config, language), view, self.examine(language, *values)]

    def examine(self, language: str, *values: Any) -> str:
        """The data doctor's findings."""
        try:
            config = self.config(values)
            if not (config.data.example or config.data.train or config.data.hub):
                return ""
            result = survey.check(self.page, config)
        except UserError as error:
            return error_panel(error, language)
        return data_step.findings_html(result, config.data.fixes, language)

    def apply_fix(self, language: str, chosen: gr.SelectData, *values: Any) -> list[Any]:
        """Switch a fix of the data on or off, or set what a finding suggests setting."""
        code, updates = str(chosen.value), {}
        with told(language):
            config = self.config(values)
            if code in FIXES:
                fixes = config.data.fixes
                updates["data.fixes"] = ",".join([c for c in fixes if c != code] if code in fixes else [*fixes, code])
            else:
                for finding in survey.check(self.page, config).findings:
                    if finding.fix is not None and finding.fix.code == code:
                        updates = finding.fix.settings
        return [updates.get(path, gr.skip()) for path in self.fields]

    # The draft ---------------------------------------------------------------------------------------------------------------

    def remember(self, restored: bool, *values: Any) -> Any:
        """What differs from the form as it opens, for the visitor's browser. Nothing before the last draft was brought back."""
        if not restored:
            return gr.skip()
        changed = {
            path: v for path, v, component in self._fields(values) if v != component.value and v not in (None, "")
        }
        emptied = [path for path, v, component in self._fields(values) if v in (None, "") and component.value]
        return json.dumps({"values": changed, "emptied": emptied}, ensure_ascii=False)

    def restore(self, draft: str) -> list[Any]:
        """The fields as the visitor left them, and that they are. A draft is a browser's word: only known fields are taken."""
        try:
            found = json.loads(draft or "{}")
            values = {**dict.fromkeys(found.get("emptied", []), ""), **found.get("values", {})}
        except (ValueError, AttributeError, TypeError):
            values = {}
        try:
            self.config(tuple(values.get(path, component.value) for path, component in self.fields.items()))
        except (UserError, KeyError, TypeError, AttributeError):
            values = {}  # an upload that is gone, or a field that another version had
        return [*(values.get(path, gr.skip()) for path in self.fields), True]

    def _fields(self, values: tuple[Any, ...]) -> Iterator[tuple[str, Any, Any]]:
        return ((path, value, component) for (path, component), value in zip(self.fields.items(), values, strict=True))

    # Model and plan ----------------------------------------------------------------------------------------------------------

    def pick_model(self, chosen: gr.SelectData) -> str:
        return str(chosen.value)

    def describe(self, language: str, *values: Any) -> list[Any]:
        """What the form says now: in a sentence, as code, and what is wrong with it."""
        try:
            config = self.config(values)
        except UserError as error:
            return [gr.skip(), gr.skip(), error_panel(error, language), gr.skip(), gr.skip(), gr.skip()]
        # That no data was chosen yet is said by the plan, not held against the visitor.
        problems = [problem for problem in config.validate() if problem.path != "data.train"]
        said = problems_html(problems, "start.problems", language) if problems else ""
        button = words("start.example" if config.data.example else "start.own").in_language(language)
        return [
            hero_html(self.tab.task, self.plan(config).in_language(language), language),
            gr.update(value=button),
            said,
            self.code(config, language),
            gr.update(visible=config.method.name == "lora"),
            model_step.cards_html(self.page, self.task, config.model.id, language),
        ]

    def plan(self, config: RunConfig) -> Text:
        source = source_title(config)
        if source is None:
            return words("start.no_data")
        method = words(f"method.{config.method.name}")
        return words("start.plan", model=model_step.model_title(config.model.id), data=source, method=method)

    def code(self, config: RunConfig, language: str) -> str:
        shown = form.shareable(config, {})
        return (
            export.code_block("YAML", shown.to_yaml(), language)
            + export.code_block(words("code.shell").in_language(language), form.as_command(shown), language)
            + export.code_block("Python", form.as_python(shown), language)
        )

    # The run -----------------------------------------------------------------------------------------------------------------

    def start(self, language: str, *values: Any) -> list[Any]:
        """Begin a run and return its id; everything else is read from its directory."""
        try:
            config = self.config(values)
            if problems := config.validate():
                return [gr.skip(), problems_html(problems, "start.refused", language)]
            run = self.page.store.create(config)
            start_worker(run)
        except UserError as error:
            return [gr.skip(), error_panel(error, language, words("start.refused"))]
        return [run.id, ""]

    def show(self, language: str, run_id: str, seen: dict[str, int], request: gr.Request) -> list[Any]:
        """What is new of the run since this visitor last saw it. Nothing new, nothing sent: no flicker, no lost selection."""
        hidden, shown = gr.update(visible=False), gr.update(visible=True)
        active = False
        parts: dict[str, Any] = {
            "empty": hidden if run_id else shown,
            "panel": shown if run_id else hidden,
            **dict.fromkeys(("head", "status", "curves", "facts", "notes"), ""),
            "controls": hidden,
            "log_fold": hidden,
            "log": "",
            "ended": "",
        }
        if run_id:
            try:
                run = self.page.open_run(run_id, request)
                parts |= train_step.updates(self.page, run, language)
                state = parts.pop("state")
                active = state in ACTIVE
                if state in ("queued", "running"):
                    parts["controls"] = shown
                if state in ("failed", "interrupted"):
                    parts |= {"log_fold": shown, "log": run.log_tail(20_000)}
                parts["ended"] = "" if active else f"{run.id}:{state}"
            except UserError as error:
                parts["head"] = error_panel(error, language)
        now = {name: hash((run_id, str(value))) for name, value in parts.items()} | {"timer": hash((run_id, active))}
        parts["timer"] = gr.Timer(active=active)
        return [*(value if seen.get(name) != now[name] else gr.skip() for name, value in parts.items()), now]

    def stop_and_keep(self, language: str, run_id: str, request: gr.Request) -> Any:
        return self._stop(language, run_id, "keep", request)

    def stop_and_discard(self, language: str, run_id: str, request: gr.Request) -> Any:
        return self._stop(language, run_id, "discard", request)

    def _stop(self, language: str, run_id: str, action: str, request: gr.Request) -> Any:
        with told(language):
            self.page.open_run(run_id, request, control=True).request(action)
        return gr.update(visible=False)

    # The report --------------------------------------------------------------------------------------------------------------

    def report_of(self, run: Run) -> dict[str, Any] | None:
        from engine.evaluation.report import load_report

        if not run.path("report", "report.json").is_file():
            return None
        return self.page.reports.get(
            (run.id, run.path("report", "report.json").stat().st_mtime), lambda: load_report(run.path("report"))
        )

    def tell(self, language: str, run_id: str, request: gr.Request) -> list[Any]:
        """The report, the playground and the downloads of a run that has ended; an empty page while it goes on."""
        inputs = [gr.skip() for _ in self.tab.playground.inputs]
        none = f'<p class="tb-nothing">{safe(words("report.not_yet").in_language(language))}</p>'
        off = gr.update(value=None, interactive=False)
        blank = [
            none,
            "",
            "",
            "",
            gr.Tabs(selected="train"),
            none,
            "",
            "",
            gr.update(visible=False),
            *inputs,
            off,
            off,
            off,
            "",
        ]
        if not run_id:
            return blank
        try:
            run = self.page.open_run(run_id, request)
            report = self.report_of(run)
        except UserError:
            return blank
        if report is None:
            return blank
        paired = bool((run.manifest.facts.get("columns") or {}).get("text_pair"))
        for index, name in enumerate(self.tab.playground.inputs):
            if name == "text_pair":
                inputs[index] = gr.update(visible=paired)
        ended = run.state not in ACTIVE
        markdown = "report.zh-CN.md" if language == "zh-CN" else "report.md"
        files = [
            export.download(run, *parts) for parts in (("report", "report.html"), ("report", markdown), ("train.log",))
        ]
        return [
            report_view.top_html(report, language),
            report_view.matrix_html(report, language),
            "",
            report_view.rest_html(report, language),
            gr.Tabs(selected="report" if ended else "train"),
            playground.suggestions_html(run, language),
            "",
            "",
            gr.update(visible=False),
            *inputs,
            *files,
            export.code_html(run, self.page.settings.public, language),
        ]

    @property
    def retold_in(self) -> list[Any]:
        tab, out = self.tab, self.tab.export
        return [tab.report.top, tab.report.matrix, tab.report.rest, tab.playground.suggestions, out.markdown, out.code]

    def retell(self, language: str, run_id: str, request: gr.Request) -> list[Any]:
        """The same in another language; what the reader typed, opened and asked stays."""
        said = dict(
            zip((component._id for component in self.told_in), self.tell(language, run_id, request), strict=True)
        )
        return [said[component._id] for component in self.retold_in]

    def open_cell(self, language: str, run_id: str, chosen: gr.SelectData, request: gr.Request) -> str:
        """The test rows behind one cell of the matrix."""
        from engine.evaluation.report import confusion_rows

        with told(language):
            run = self.page.open_run(run_id, request)
            report = self.report_of(run)
        if report is None:
            return ""
        labels = report["confusion"]["labels"]
        label, prediction = (None if part == "-" else labels[int(part)] for part in str(chosen.value).split(","))
        rows = confusion_rows(run.path("report"), label, prediction, report_view.CELL_ROWS)
        return report_view.cell_html(rows, label, prediction, language)

    # Trying it ---------------------------------------------------------------------------------------------------------------

    def ask(self, language: str, run_id: str, request: gr.Request, *typed: str) -> str:
        with told(language):
            run = self.page.open_run(run_id, request)
            row = playground.question(dict(zip(self.tab.playground.inputs, typed, strict=True)))
            model = playground.predictor(self.page, run)
            tuned = model.predict([row])[0]
            base = model.predict([row], base=True)[0] if run.path("model", "untuned.safetensors").is_file() else None
        return playground.answer_html(tuned, base, language)

    def ask_again(self, language: str, run_id: str, request: gr.Request, shown: str, *typed: str) -> Any:
        """The answer on the screen, in another language."""
        return self.ask(language, run_id, request, *typed) if shown else gr.skip()

    def suggest(self, language: str, run_id: str, chosen: gr.SelectData, request: gr.Request) -> Any:
        with told(language):
            rows = playground.test_rows(self.page.open_run(run_id, request))
        row = rows[int(chosen.value)]["inputs"]
        typed = [row.get(name, "") or "" for name in self.tab.playground.inputs]
        return typed[0] if len(typed) == 1 else typed

    def answer_file(self, language: str, run_id: str, path: str, request: gr.Request) -> list[Any]:
        try:
            run = self.page.open_run(run_id, request)
            found, answers, column = playground.predict_file(self.page, run, path, self.task)
        except UserError as error:
            return [error_panel(error, language, words("data.unreadable")), gr.update(visible=False)]
        if not answers:
            return [panel("warning", words("try.batch_empty").in_language(language)), gr.update(visible=False)]
        out = playground.write_answers(found, answers, Path(gr.utils.get_upload_folder()) / "answers")
        shown = playground.batch_html(answers, list(found.frame[column]), column, language)
        return [shown, gr.update(value=str(out), visible=True)]
