"""Events of the export tab: `python -m engine export` runs as a process beside the page, which shows its progress.

A process of its own, because merging, quantising and uploading take memory and time that the page does not have. The token goes to
it by its environment, for one upload. Taking along is for the owner of a run, not for whoever has its link.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from demo.i18n import words
from demo.markup import error_panel, panel
from demo.parts import takeaway
from demo.parts.tab_context import TabContext
from engine.core.errors import UserError
from engine.core.text import Text
from engine.export.repo_name import check_repo_name
from engine.run_directory.store import ACTIVE, Run
from engine.runs.process import ROOT

POLL_SECONDS = 0.5
MAX_SECONDS = 15 * 60  # a large model over a slow line; what hangs longer will not end


class TakeawayEvents(TabContext):
    """Handlers of the export tab's ways out."""

    @property
    def ready_outputs(self) -> list[Any]:
        out = self.tab.export.takeaway
        return [*out.prepare.values(), out.plan, out.push, *out.outcome, out.planned]

    def ready(self, language: str, run_id: str, request: gr.Request) -> list[Any]:
        """What can be done with a run that has ended; what was prepared of another run is gone."""
        out, can = self.tab.export.takeaway, False
        if run_id:
            try:
                run = self.page.open_run(run_id, request, control=True)
                can = run.state not in ACTIVE and run.path("report", "report.json").is_file()
            except UserError:
                can = False
        hidden = [gr.update(value=None, visible=False) for _ in out.fetch]
        buttons = [gr.update(interactive=can) for _ in out.prepare]
        return [*buttons, gr.update(interactive=can), gr.update(interactive=False), *hidden, "", ""]

    def prepare_zip(self, language: str, run_id: str, onnx: bool, request: gr.Request) -> Iterator[list[Any]]:
        yield from self._prepare("zip", language, run_id, ["--onnx"] if onnx else [], request)

    def prepare_space(self, language: str, run_id: str, onnx: bool, request: gr.Request) -> Iterator[list[Any]]:
        yield from self._prepare("space", language, run_id, [], request)

    def _prepare(
        self, way: str, language: str, run_id: str, flags: list[str], request: gr.Request
    ) -> Iterator[list[Any]]:
        fetch = self.tab.export.takeaway.fetch
        skips = [gr.skip() for _ in fetch]
        try:
            run = self.page.open_run(run_id, request, control=True)
            # Gradio serves what lies in its temporary folder; the folder's name is given to this visitor alone.
            folder = Path(gr.utils.get_upload_folder()) / "taken" / secrets.token_hex(12)
            folder.mkdir(parents=True)
            name = f"{run.id}-{way}.zip"
            command = ["--to", way, "--out", str(folder / name), *flags]
            for result in exported(run, command, language):
                if isinstance(result, str):
                    yield [*skips, result]
            shown = [gr.update(value=str(folder / name), visible=True) if key == way else gr.skip() for key in fetch]
            yield [*shown, panel("success", words(f"export.ready_{way}").in_language(language))]
        except UserError as error:
            yield [*skips, error_panel(error, language)]

    def plan_upload(
        self, language: str, run_id: str, repo: str, kind: str, private: bool, onnx: bool, request: gr.Request
    ) -> Iterator[list[Any]]:
        """Show what would be uploaded; only then can it be."""
        try:
            run = self.page.open_run(run_id, request, control=True)
            for result in exported(run, _to_hub(repo, kind, private, onnx), language):
                if isinstance(result, str):
                    yield [result, gr.update(interactive=False)]
                else:
                    yield [takeaway.plan_html(repo.strip(), private, result, language), gr.update(interactive=True)]
        except UserError as error:
            yield [error_panel(error, language), gr.update(interactive=False)]

    def upload(
        self,
        language: str,
        run_id: str,
        repo: str,
        kind: str,
        private: bool,
        onnx: bool,
        token: str,
        request: gr.Request,
        login: gr.OAuthToken | None = None,
    ) -> Iterator[list[Any]]:
        """Upload, and forget the token: the field is empty afterwards, however it went. A visitor who signed in needs none."""
        try:
            run = self.page.open_run(run_id, request, control=True)
            token = token.strip() or (login.token if login else "")
            if not token and self.page.settings.public:
                # The server's own token is its owner's, never a visitor's.
                raise UserError("hub_token", words("export.no_token"))
            for result in exported(run, [*_to_hub(repo, kind, private, onnx), "--push"], language, token):
                if isinstance(result, str):
                    yield [result, gr.update(interactive=False), gr.skip()]
                else:
                    yield [takeaway.pushed_html(result["out"], language), gr.update(interactive=True), ""]
        except UserError as error:
            yield [error_panel(error, language), gr.update(interactive=True), ""]

    def replan(self) -> list[Any]:
        """Something about the upload has changed: what was shown no longer holds."""
        return ["", gr.update(interactive=False)]


def _to_hub(repo: str, kind: str, private: bool, onnx: bool) -> list[str]:
    """The flags of an upload. ConfigProblem for a name no hub takes, before any work."""
    check_repo_name(repo.strip())
    flags = ["--to", "hub", "--repo", repo.strip()]
    flags += ["--space"] if kind == "space" else ["--onnx"] if onnx else []
    return flags if private else [*flags, "--public"]


def exported(run: Run, flags: list[str], language: str, token: str = "") -> Iterator[str | dict[str, Any]]:
    """Run the command; yields markup while it goes on, and what it answered as the last thing. Raises what it failed with."""
    command = [sys.executable, "-m", "engine", "export", str(run.directory), "--json", *flags]
    environment = {
        **os.environ,
        "TUNEBENCH_LANG": language,
        "TRANSFORMERS_VERBOSITY": "error",
        "PYTHONWARNINGS": "ignore",
    }
    # The server's own token is not lent to what a visitor asks for.
    environment.pop("HF_TOKEN", None)
    if token:
        environment["HF_TOKEN"] = token
    with tempfile.TemporaryFile() as answer, tempfile.TemporaryFile() as errors:
        worker = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=answer, stderr=errors
        )
        started = time.monotonic()
        try:
            while worker.poll() is None:
                seconds = time.monotonic() - started
                if seconds > MAX_SECONDS:
                    raise UserError("export_too_long", words("export.too_long"))
                yield takeaway.waiting_html(seconds, _last_line(errors), language)
                time.sleep(POLL_SECONDS)
        finally:
            if worker.poll() is None:
                worker.kill()
                worker.wait()
        answer.seek(0)
        lines = answer.read().decode("utf-8", errors="replace").strip().splitlines()
        result = _answer(lines)
    if worker.returncode != 0:
        raise _problem(result)
    yield result


def _last_line(errors: Any) -> str:
    """The last line of the process's stderr, which it still appends to."""
    size = errors.seek(0, os.SEEK_END)
    content = os.pread(errors.fileno(), min(size, 2000), max(0, size - 2000))
    lines = [line for line in content.decode("utf-8", errors="replace").splitlines() if line.strip()]
    return lines[-1][:120] if lines else ""


def _answer(lines: list[str]) -> dict[str, Any]:
    try:
        return json.loads(lines[-1]) if lines else {}
    except json.JSONDecodeError:
        return {}


def _problem(result: dict[str, Any]) -> UserError:
    """The error that the process reported, or that it ended without a word."""
    error = result.get("error")
    if error is None:
        return UserError("export_failed", words("export.failed"))
    hint = Text.from_dict(error["hint"]) if error["hint"] else None
    return UserError(error["code"], Text.from_dict(error["message"]), hint)
