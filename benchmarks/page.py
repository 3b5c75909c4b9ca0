"""How long the page takes: from the start of the process to an answer, to a page that can be used, to its other tabs.

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
sys.path.insert(0, str(ROOT))

from playwright.sync_api import Browser, sync_playwright  # noqa: E402

from tests.browser.conftest import FLAGS, find_chromium  # noqa: E402

TABS = ("ner", "qa", "summarization")


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
    for name, sign in (("words", "html[data-arrived]"), ("data", "#classification-data-view .tb-preview")):
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--language", default="en-US")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        app, first = start(folder, port)
        try:
            browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
            rounds = [visit(browser, port, asked.language) for _ in range(asked.rounds)]
            browser.close()
        finally:
            app.terminate()
            app.wait()
    print(f"first answer after the start of the process: {first:.1f} s")
    for name in rounds[0]:
        print(f"{name:>14}: {median(one[name] for one in rounds):.1f} s")


if __name__ == "__main__":
    main()
