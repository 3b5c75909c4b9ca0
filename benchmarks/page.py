"""How long the page takes: from the start of the process to an answer, to a page that can be used, to its other tabs; and what one
poll of a live run costs, whether the run has told a hundred steps or two thousand.

Needs chromium. Run: python benchmarks/page.py [--language zh-CN] [--rounds 3]
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(Path(__file__).resolve().parent)]

from load import Session  # noqa: E402
from playwright.sync_api import Browser, sync_playwright  # noqa: E402

from engine.config import RunConfig  # noqa: E402
from engine.run_directory.identity import this_process  # noqa: E402
from engine.run_directory.store import Run, Store  # noqa: E402
from engine.training.events import EventLog  # noqa: E402
from engine.training.watchdog import start_heart  # noqa: E402
from tests.browser.conftest import FLAGS, find_chromium  # noqa: E402

TABS = ("ner", "qa", "summarization")
LENGTHS = (100, 2000)  # steps that a run has told
POLLS = 50


def start(folder: str, port: int) -> tuple[subprocess.Popen, float]:
    """The app as a process, and the seconds until it first answered."""
    began = time.perf_counter()
    environment = {**os.environ, "TUNEBENCH_RUNS": folder, "HF_HUB_OFFLINE": "1"}
    app = subprocess.Popen([sys.executable, "app.py", "--port", str(port)], cwd=ROOT, env=environment)
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).close()
            return app, time.perf_counter() - began
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.05)


def visit(browser: Browser, port: int, language: str) -> dict[str, float]:
    """Seconds of one visitor whose browser has nothing cached; CPU seconds are those of the page's main thread until 8 s after."""
    context = browser.new_context(locale=language, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Performance.enable")
    began = time.perf_counter()
    took: dict[str, float] = {}
    page.goto(f"http://127.0.0.1:{port}/")
    for name, sign in (("words", "html[data-loaded]"), ("data", "#classification-data-view .tb-preview")):
        page.wait_for_selector(sign)
        took[name] = time.perf_counter() - began
    page.wait_for_timeout(8000)
    metrics = {entry["name"]: entry["value"] for entry in session.send("Performance.getMetrics")["metrics"]}
    took["CPU"] = metrics["TaskDuration"]
    for name in TABS:
        began = time.perf_counter()
        page.locator(f'[role=tab][data-tab-id="{name}"]').first.click()
        page.wait_for_selector(f"#{name}-data-view table, #{name}-data-view mark")
        took[name] = time.perf_counter() - began
        page.wait_for_timeout(1500)
    context.close()
    return took


def live_run(runs: Path, steps: int) -> tuple[Run, EventLog]:
    """A run that this process pretends to carry out, with that many steps told and an evaluation every hundred."""
    run = Store(runs).create(RunConfig.from_dict({"data": {"example": "rated-sentences"}}))
    run.update(state="running", started=time.time(), process=this_process())
    start_heart(run)
    events = EventLog(run.path("events.jsonl"))
    events.emit("state", state="running", error=None, attempt=1)
    events.phase("train")
    for step in range(1, steps + 1):
        tell(events, step, 2 * steps)
    return run, events


def tell(events: EventLog, step: int, total: int) -> None:
    moved = {"step": step, "epoch": 2 * step / total, "loss": 1 / step}
    events.emit("step", total_steps=total, learning_rate=1e-4, grad_norm=1.0, examples_per_second=90.0, **moved)
    if step % 100 == 0:
        score = {"loss": 0.5, "metrics": {"accuracy": 0.8}, "best": True, "seconds": 1.0}
        events.emit("evaluation", epoch=2 * step / total, step=step, train_loss=0.5, **score)


def poll(address: str, runs: Path, steps: int) -> tuple[float, float]:
    """Milliseconds to open such a run cold, and the median of the polls that follow, each of which finds one step more."""
    run, events = live_run(runs, steps)
    session = Session(address)
    began = time.perf_counter()
    session.run("show", ["en", run.id, None])
    cold = 1000 * (time.perf_counter() - began)
    took, drawn = [], ""
    for step in range(steps + 1, steps + POLLS + 1):
        tell(events, step, 2 * steps)
        began = time.perf_counter()
        drawn = session.live(run.id, drawn)["drawn"]
        took.append(1000 * (time.perf_counter() - began))
    return cold, median(took)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--language", default="en-US")
    parser.add_argument("--rounds", type=int, default=3)
    requests = parser.parse_args()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        app, first = start(folder, port)
        try:
            polls = {steps: poll(f"http://127.0.0.1:{port}", Path(folder), steps) for steps in LENGTHS}
            browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
            rounds = [visit(browser, port, requests.language) for _ in range(requests.rounds)]
            browser.close()
        finally:
            app.terminate()
            app.wait()
    print(f"first answer after the start of the process: {first:.1f} s")
    for steps, (cold, each) in polls.items():
        print(f"a live run of {steps} steps: opened cold in {cold:.0f} ms, then {each:.0f} ms a poll")
    for name in rounds[0]:
        print(f"{name:>14}: {median(one[name] for one in rounds):.1f} s")


if __name__ == "__main__":
    main()
