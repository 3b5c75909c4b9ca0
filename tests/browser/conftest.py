"""A running app and a headless chromium for the browser tests."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from engine.assets import is_cached

ROOT = Path(__file__).resolve().parents[2]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


def find_chromium() -> str | None:
    """Debian's chromium, another on the path, or the one playwright downloaded."""
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        if path := shutil.which(name):
            return path
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if path and Path(path).is_file() else None


# Generous, because loading PyTorch on a busy machine takes its time; a test that passes does not wait for it.
expect.set_options(timeout=60_000)


@dataclass
class App:
    """The app as a process, which a test may stop and start again on the same port and directory."""

    directory: Path
    port: int
    process: subprocess.Popen | None = None
    log: Path = field(init=False)

    def __post_init__(self) -> None:
        self.log = self.directory / "app.log"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    @property
    def runs(self) -> Path:
        return self.directory / "runs"

    def start(self) -> None:
        environment = {
            **os.environ,
            "TUNEBENCH_RUNS": str(self.runs),
            "GRADIO_TEMP_DIR": str(self.directory / "gradio"),
            "HF_HUB_OFFLINE": "1",
        }
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "app.py", "--port", str(self.port)], cwd=ROOT, env=environment, stdout=log, stderr=log
            )
        for _ in range(300):
            if self.process.poll() is not None:
                raise RuntimeError(self.log.read_text(encoding="utf-8"))
            try:
                urllib.request.urlopen(self.url, timeout=5).close()
                return
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                time.sleep(0.2)
        raise RuntimeError(f"the app did not answer: {self.log.read_text(encoding='utf-8')}")

    def stop(self, how: int = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(timeout=30)
            self.process = None


def open_tab(page: Page, name: str) -> None:
    """Come to a task's tab and wait until it speaks: before that its examples may still change places."""
    door = page.get_by_role("tab", name=name, exact=True)
    door.click()
    expect(door).to_have_attribute("aria-selected", "true")  # until then the plan that is seen is another tab's
    expect(page.locator(".tb-plan").locator("visible=true")).not_to_be_empty()


def setting(page: Page, task: str, path: str) -> Locator:
    """The input of a field of RunConfig."""
    return page.locator(f"#{task}-{path.replace('.', '-')}").locator("input, textarea").first


def unfold(page: Page, fold: Locator) -> None:
    """Open a fold. Gradio sets the fields in it once more in the frame after they are first drawn, over what was typed by then."""
    fold.click()
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def start_example(page: Page, task: str, rows: int, epochs: int, test_rows: int) -> str:
    """The chosen example on a few rows, by mouse. Returns the run id, which is in the address."""
    requests = (
        ("reading", "data.max_train_rows", rows),
        ("learning", "training.epochs", epochs),
        ("everything", "evaluation.max_rows", test_rows),
    )
    for fold, path, value in requests:
        unfold(page, page.locator(f"#{task}-{fold} button.label-wrap"))
        setting(page, task, path).fill(str(value))
        setting(page, task, path).press("Tab")
    page.locator(f"#{task}-start").click()
    page.wait_for_selector(f"#{task}-head .tb-run-head")
    page.wait_for_url(re.compile("run="))
    return page.url.split("run=")[1].split("&")[0]


@pytest.fixture(scope="package")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    for name in ("minilm", "rated-sentences"):
        if not is_cached(name):
            pytest.skip(f"needs the embedded {name}: run `make setup` once with a network")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    running = App(tmp_path_factory.mktemp("page"), port)
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="package")  # its event loop must not outlive the browser tests
def chromium() -> Iterator[Browser]:
    path = find_chromium()
    if path is None:
        pytest.skip("needs chromium: apt-get install chromium, or playwright install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visit(app: App, chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Open the page as a visitor of one's own: language, window, query, a script that runs before all others. Errors of the page's scripts
    fail the test.
    """
    contexts, errors = [], []

    def open_page(
        language: str = "en-US",
        width: int = 1280,
        height: int = 900,
        query: str = "",
        dark: bool = False,
        script: str = "",
    ) -> Page:
        context = chromium.new_context(
            locale=language,
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            accept_downloads=True,
            reduced_motion="reduce",
        )
        contexts.append(context)
        page = context.new_page()
        page.add_init_script(script)
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("dialog", lambda dialog: errors.append(f"dialog: {dialog.message}"))
        page.goto(app.url + query)
        page.wait_for_selector("html[data-loaded]")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert errors == []
