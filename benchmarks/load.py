"""Many visitors on one page: sessions that poll a live run while others ask its models, beside the training itself.

    python benchmarks/load.py                  # 50 sessions, two minutes
    python benchmarks/load.py --sessions 10 --seconds 30

A visitor arrives first, which is timed apart: Gradio then makes the session its own copy of the page's configuration, a tenth of a
second of the server. Starts a server of its own on a temporary directory, trains a model to answer with, times the same training alone and under
load, and prints one JSON object: errors, percentiles of the page's answers and of predictions in milliseconds, and how much
slower the training became. Needs the machine for itself: other work makes every figure worse.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from demo.live import POLL_SECONDS  # noqa: E402

ASK_SECONDS = 2.0
TEXTS = ("A warm and funny film.", "The plot made no sense at all.", "Fine, but far too long.")


@dataclass
class Measured:
    """Milliseconds of every call by kind, and what went wrong."""

    times: dict[str, list[float]] = field(default_factory=lambda: {"arrival": [], "page": [], "predict": []})
    errors: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def timed(self, kind: str, call: Any) -> Any:
        started = time.perf_counter()
        try:
            answer = call()
        except (httpx.HTTPError, RuntimeError) as error:
            with self.lock:
                self.errors.append(f"{kind}: {error!r}")
            return None
        with self.lock:
            self.times[kind].append(1000 * (time.perf_counter() - started))
        return answer


class Session:
    """One visitor's browser: a cookie, a session hash, and the page's configuration."""

    def __init__(self, address: str):
        self.client = httpx.Client(base_url=address, timeout=60)
        self.client.get("/")
        self.config = self.client.get("/config").json()
        self.hash = secrets.token_hex(6)

    def handler(self, name: str) -> dict[str, Any]:
        return next(each for each in self.config["dependencies"] if each["api_name"] == name)

    def run(self, name: str, data: list[Any]) -> dict[str, Any]:
        """Call a handler as the page does when it need not queue, which is how it polls."""
        handler = self.handler(name)
        body = {"fn_index": handler["id"], "data": data, "session_hash": self.hash, "trigger_id": 1}
        answer = self.client.post("/gradio_api/run/predict", json=body)
        answer.raise_for_status()
        return answer.json()

    def live(self, run: str, drawn: str) -> dict[str, Any]:
        """Ask what moves of a run, as the page's script does."""
        status = next(
            each for each in self.config["components"] if each["props"].get("elem_id") == "classification-status"
        )
        requests = {"run": run, "language": "en", "drawn": drawn}
        body = {"data": requests, "component_id": status["id"], "fn_name": "live", "session_hash": self.hash}
        answer = self.client.post("/gradio_api/component_server/", json=body)
        answer.raise_for_status()
        return answer.json()

    def call(self, name: str, data: list[Any]) -> Any:
        """Call a documented endpoint through the queue, as gradio_client does."""
        # With its session, as gradio_client does: a call without one makes a session of its own, which costs more than the answer.
        joined = self.client.post(f"/gradio_api/call/{name}", json={"data": data, "session_hash": self.hash})
        joined.raise_for_status()
        event = None
        with self.client.stream("GET", f"/gradio_api/call/{name}/{joined.json()['event_id']}") as stream:
            for line in stream.iter_lines():
                if line.startswith("event:"):
                    event = line.removeprefix("event:").strip()
                elif line.startswith("data:") and event == "complete":
                    return json.loads(line.removeprefix("data:"))
                elif event == "error":
                    raise RuntimeError(line)
        raise RuntimeError("the answer never came")


def serve(directory: Path, log: Path) -> tuple[subprocess.Popen, str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        "TUNEBENCH_RUNS": str(directory / "runs"),
        "GRADIO_TEMP_DIR": str(directory / "gradio"),
    }
    with log.open("ab") as file:
        server = subprocess.Popen(
            [sys.executable, "app.py", "--port", str(port)], cwd=ROOT, env=environment, stdout=file, stderr=file
        )
    address = f"http://127.0.0.1:{port}"
    for _ in range(600):
        try:
            httpx.get(address + "/config", timeout=5)
            return server, address
        except httpx.HTTPError:
            if server.poll() is not None:
                raise RuntimeError(log.read_text(encoding="utf-8")) from None
            time.sleep(0.2)
    raise RuntimeError("the server did not answer")


def start(session: Session, epochs: float) -> str:
    settings = {"training.epochs": epochs, "training.early_stopping": 0, "evaluation.baselines": False}
    [started] = session.call("start_run", ["classification", "rated-sentences", "", None, settings])
    return started["run"]


def wait_for(session: Session, run: str, condition: Any) -> dict[str, Any]:
    while True:
        [status] = session.call("run_status", [run])
        if condition(status):
            return status
        if status["ended"]:
            raise RuntimeError(f"the run ended early: {status}")
        time.sleep(0.5)


def steps_between(directory: Path, run: str, begin: float, end: float) -> float:
    """Updates a second of a run between two moments."""
    with (directory / "runs" / run / "events.jsonl").open(encoding="utf-8") as file:
        steps = [
            event for line in file if (event := json.loads(line))["type"] == "step" and begin <= event["time"] <= end
        ]
    return (steps[-1]["step"] - steps[0]["step"]) / (steps[-1]["time"] - steps[0]["time"])


def percentile(times: list[float], share: float) -> float | None:
    return round(sorted(times)[min(len(times) - 1, int(share * len(times)))], 1) if times else None


def poll(session: Session, run: str, until: float, measured: Measured) -> None:
    drawn = ""
    while time.monotonic() < until:
        messages = measured.timed("page", partial(session.live, run, drawn))
        drawn = messages["drawn"] if messages else drawn
        time.sleep(POLL_SECONDS)


def ask(session: Session, run: str, until: float, measured: Measured) -> None:
    while time.monotonic() < until:
        measured.timed("predict", lambda: session.call("predict", [run, [secrets.choice(TEXTS)]]))
        time.sleep(ASK_SECONDS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=50)
    parser.add_argument("--askers", type=int, default=4, help="visitors who ask for predictions meanwhile")
    parser.add_argument("--seconds", type=float, default=120)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        server, address = serve(directory, directory / "server.log")
        try:
            first = Session(address)
            model = start(first, 0.5)
            wait_for(first, model, lambda status: status["state"] == "completed")
            first.call("predict", [model, [TEXTS[0]]])  # loads it
            live = start(first, 100)
            wait_for(first, live, lambda status: status["phase"] == "train" and status["done"] > 0)
            time.sleep(5)
            alone = (time.time(), time.time() + given.seconds / 2)
            time.sleep(given.seconds / 2)
            measured, sessions = Measured(), [Session(address) for _ in range(given.sessions + given.askers)]
            for each in sessions:
                measured.timed("arrival", partial(each.run, "show", ["en", live, None]))
            until = time.monotonic() + given.seconds
            loaded = (time.time(), time.time() + given.seconds)
            threads = [
                threading.Thread(target=poll, args=(each, live, until, measured)) for each in sessions[: given.sessions]
            ] + [
                threading.Thread(target=ask, args=(each, model, until, measured)) for each in sessions[given.sessions :]
            ]
            for thread in threads:
                thread.start()
                time.sleep(POLL_SECONDS / max(1, len(threads)))  # visitors do not arrive in step
            for thread in threads:
                thread.join()
            speed = {
                name: steps_between(directory, live, *span) for name, span in (("alone", alone), ("loaded", loaded))
            }
        finally:
            for run in (directory / "runs").glob("2*"):
                subprocess.run(
                    [sys.executable, "-m", "engine", "stop", str(run), "--discard"],
                    cwd=ROOT, capture_output=True, check=False,
                )  # fmt: skip
            server.terminate()
            server.wait()
    arrival, page, predict = (measured.times[kind] for kind in ("arrival", "page", "predict"))
    sys.stdout.write(
        json.dumps(
            {
                "sessions": given.sessions,
                "askers": given.askers,
                "seconds": given.seconds,
                "errors": len(measured.errors),
                "first_errors": measured.errors[:3],
                "arrival_ms": {"median": round(statistics.median(arrival), 1), "p95": percentile(arrival, 0.95)},
                "page_calls": len(page),
                "page_ms": {"median": round(statistics.median(page), 1), "p95": percentile(page, 0.95)},
                "predictions": len(predict),
                "predict_ms": {"median": round(statistics.median(predict), 1), "p95": percentile(predict, 0.95)},
                "steps_per_second": {name: round(value, 2) for name, value in speed.items()},
                "training_slower_by": round(speed["alone"] / speed["loaded"], 2),
            },
            indent=1,
        )
        + "\n"
    )


if __name__ == "__main__":
    main()
