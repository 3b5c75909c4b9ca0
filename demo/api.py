"""The endpoints for programs: stable names, typed, documented, the same for gradio_client and for MCP.

    /list_examples  /start_run  /run_status  /run_report  /predict

Each does what a button of the page does, under the same limits and through the same `Page.open_run`; every other handler of the
page is private. The docstrings are the documentation that a program, or a language model, gets: they are complete.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import gradio as gr

from demo import live
from demo.page import Page
from demo.parts import playground
from engine.assets import EXAMPLES
from engine.config import RunConfig
from engine.core.errors import ConfigProblem, UserError
from engine.core.text import LANGUAGES, Text
from engine.run_directory.store import ACTIVE
from engine.runs.launch import launch
from engine.tasks import DEFAULT_TASK, TASKS

_SALT = secrets.token_hex(16)  # of this process: a manifest gives nobody's address away
MAX_ROWS = 256  # of one question; a file of many belongs on the page
if TYPE_CHECKING:
    TaskName = str
else:
    TaskName = Literal[tuple(TASKS)]


@contextmanager
def api_errors() -> Iterator[None]:
    """A UserError as the caller of an interface gets it: code, words, hint; nothing of this machine."""
    try:
        yield
    except UserError as error:
        raise gr.Error(f"{error.code}: {error}", print_exception=False) from error


class Api:
    """The functions of the endpoints. Holds nothing of any caller."""

    def __init__(self, page: Page):
        self.page = page

    def list_examples(self, task: str = "") -> list[dict[str, Any]]:
        """List the example data sets that a run can be started with.

        Args:
            task: classification, ner, qa or summarization; all tasks when empty.

        Returns:
            For each: name (for start_run), task, title, about, languages, rows, licence.
        """
        return [
            {
                "name": entry.name,
                "task": entry.task,
                "title": entry.title.en,
                "about": entry.about.en,
                "languages": list(entry.languages),
                "rows": entry.rows,
                "licence": entry.licence,
            }
            for entry in EXAMPLES.values()
            if not task or entry.task == task
        ]

    def start_run(
        self,
        task: TaskName = DEFAULT_TASK,
        example: str = "",
        table: str = "",
        columns: dict[str, str] | None = None,
        settings: dict[str, Any] | None = None,
        request: gr.Request = None,  # type: ignore[assignment]
    ) -> dict[str, Any]:
        """Fine-tune a model on a table of text. Returns at once; ask run_status until the run has ended.

        Args:
            task: What is to be learned: classification, ner, qa or summarization.
            example: The name of an example data set (list_examples), instead of a table.
            table: The rows themselves, as CSV with a header line or as JSON Lines.
            columns: Which column plays which role, such as {"text": "review", "label": "verdict"}; guessed when not given.
            settings: Fields of the run by their path, such as {"model.id": "minilm", "method.name": "lora", "training.epochs": 3}.

        Returns:
            run: the id for the other functions; state; address: where a person can watch it.
        """
        with api_errors():
            described: dict[str, Any] = {"task": task, "data": {"example": example, "columns": columns or {}}}
            for path, value in (settings or {}).items():
                _place(described, path, value)
            config = RunConfig.from_dict(self._with_table(described, table))
            # A program has no visitor's GPU quota to spend: on ZeroGPU its runs take the processor.
            deployment = replace(self.page.settings, sliced=False)
            run, _ = launch(config, self.page.store, deployment, self._owner(request))
            return {"run": run.id, "state": run.state, "address": f"?run={run.id}"}

    def run_status(self, run: str, request: gr.Request = None) -> dict[str, Any]:  # type: ignore[assignment]
        """Say where a run stands.

        Args:
            run: The id that start_run returned.

        Returns:
            state (queued, running, stopping, completed, stopped, failed or interrupted), ended, phase, done (0 to 1), seconds_left
            where it is known, latest (the newest scores on the validation rows), headline (metric, value, low, high on the test
            rows, once completed) and error (code, message, hint) of a failed run.
        """
        with api_errors():
            opened = self.page.open_run(run, request)
            manifest, history = opened.manifest, self.page.history(opened)
            active = manifest.state in ACTIVE
            return {
                "run": opened.id,
                "task": manifest.task,
                "state": manifest.state,
                "ended": not active,
                "phase": history.phase if active else None,
                "done": round(live.fraction(history), 3) if active else 1.0,
                "seconds_left": live.remaining(history, time.time()) if active else None,
                "latest": history.evaluations[-1]["metrics"] if history.evaluations else None,
                "headline": manifest.headline,
                "error": _error(manifest.error),
            }

    def run_report(
        self,
        run: str,
        language: Literal["en", "zh-CN"] = "en",
        request: gr.Request = None,  # type: ignore[assignment]
    ) -> str:
        """Read the evaluation report of a completed run, as Markdown: verdict, metrics with intervals, baselines, mistakes.

        Args:
            run: The id that start_run returned.
            language: en or zh-CN.
        """
        from engine.report.files import load_report, render_markdown

        with api_errors():
            if language not in LANGUAGES:
                raise ConfigProblem(
                    "unknown_language", Text("The language is en or zh-CN.", "语言只能是 en 或 zh-CN。")
                )
            return render_markdown(load_report(self.page.open_run(run, request).path("report")), language)

    def predict(self, run: str, rows: list[Any], request: gr.Request = None) -> list[dict[str, Any]]:  # type: ignore[assignment]
        """Answer with the model of a completed run.

        Args:
            run: The id that start_run returned.
            rows: At most 256 texts; for a task that reads more than one text, objects such as {"context": "...", "question": "..."}.

        Returns:
            One answer a row. Classification: label, confidence and the probability of each label.
        """
        with api_errors():
            opened = self.page.open_run(run, request)
            inputs = [_row(opened.manifest.task, number, row) for number, row in enumerate(rows, start=1)]
            if len(inputs) > MAX_ROWS:
                raise ConfigProblem(
                    "too_many_rows",
                    Text(f"{len(inputs)} rows are too many at once.", f"一次提交的 {len(inputs)} 行过多。"),
                    Text(f"Ask about {MAX_ROWS} at most.", f"每次最多 {MAX_ROWS} 行。"),
                )
            return playground.predictor(self.page, opened).predict(inputs)

    def _owner(self, request: gr.Request) -> str:
        """Whom a run belongs to. Programs keep no cookies, so each call would be a new visitor; their address is what limits them."""
        owner = self.page.owner(request)
        if not owner.startswith("browser:"):
            return owner
        host = request.client.host if request.client else ""
        return f"address:{hashlib.sha256(f'{_SALT}{host}'.encode()).hexdigest()[:32]}"

    def _with_table(self, described: dict[str, Any], table: str) -> dict[str, Any]:
        """The description with its table kept as a file. ConfigProblem for a path of this machine, which no caller may name."""
        data = described["data"]
        if any(data.get(name) for name in ("train", "validation", "test")):
            raise ConfigProblem(
                "no_paths",
                Text("Files are not read by their path here.", "此处不能用路径指定文件。"),
                Text("Give the rows themselves as `table`.", "请用 `table` 直接提供数据内容。"),
            )
        if not table:
            return described
        content = table.encode("utf-8", errors="surrogatepass")
        limit = self.page.settings.max_upload_mb
        if len(content) > limit * 1_000_000:
            raise ConfigProblem(
                "table_too_large", Text(f"The table is larger than {limit} MB.", f"数据超过 {limit} MB。")
            )
        name = "table.jsonl" if table.lstrip().startswith("{") else "table.csv"
        data["train"] = str(self.page.uploads.path(self.page.uploads.write(name, content)))
        return described


def build_api(page: Page) -> None:
    """Register the endpoints. Call inside the Blocks."""
    api = Api(page)
    for function in (api.list_examples, api.run_status, api.run_report):
        gr.api(function, api_name=function.__name__, concurrency_limit=8)
    gr.api(api.start_run, api_name="start_run", concurrency_limit=2)
    # One at a time, with the playground's: the worker next door needs the cores more.
    gr.api(api.predict, api_name="predict", concurrency_id="inference", concurrency_limit=1)


def _place(described: dict[str, Any], path: str, value: Any) -> None:
    *sections, key = str(path).split(".")
    values = described
    for section in sections:
        inner = values.setdefault(section, {})
        if not isinstance(inner, dict):
            raise ConfigProblem("bad_setting", Text(f"There is no field {path!r}.", f"没有名为 {path!r} 的字段。"))
        values = inner
    values[key] = value


def _error(error: dict[str, Any] | None) -> dict[str, Any] | None:
    """A run's error without what may name a place on this machine (`where`)."""
    if error is None:
        return None
    hint = error["hint"]["en"] if error["hint"] else None
    return {"code": error["code"], "message": error["message"]["en"], "hint": hint}


def _row(task: str, number: int, row: Any) -> dict[str, str]:
    """What the task reads of a row. ConfigProblem for what is no text."""
    names, required = TASKS[task].inputs, TASKS[task].required_inputs
    given = {names[0]: row} if isinstance(row, str) else row
    if not isinstance(given, dict):
        given = {}
    kept = {name: given[name] for name in names if isinstance(given.get(name), str) and given[name].strip()}
    missing = [name for name in required if name not in kept]
    if missing or any(len(text) > playground.MAX_CHARACTERS for text in kept.values()):
        needed = ", ".join(required)
        raise ConfigProblem(
            "bad_row",
            Text(f"Row {number} must give {needed} as text.", f"第 {number} 行必须以文本形式提供 {needed}。"),
            Text(
                f"Each text has at most {playground.MAX_CHARACTERS:,} characters.",
                f"每段文本最多 {playground.MAX_CHARACTERS:,} 个字符。",
            ),
            row=number,
        )
    return kept
