"""How a page polls a run: by a server function of one component, not by Gradio's events.

Each event of Gradio brings the loading status of every component that ever took part in one up to date, and looks for each of
them through the whole tree: polls as events took a third of a core in the browser and most of their time on the server
(benchmarks/README.md, "The page"). A server function of one component is one small request. Only what moves with every step
comes this way; where the rest of a run is another than what the page shows, it raises the event that shows it anew.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from demo.live import POLL_SECONDS
from demo.markup import safe
from demo.page import Page
from engine.core.errors import UserError
from engine.run_directory.store import ACTIVE, Run

# Run in the component of the status: `element`, `props`, `trigger` and `server` are Gradio's.
FOLLOW = f"window.tunebench.follow(element, props, trigger, server, {POLL_SECONDS * 1000:.0f})"
TAKE_CURVES = "window.tunebench.takeCurves(element, props)"
MOVING = ("status", "curves")


def fingerprints(run_id: str, parts: dict[str, Any]) -> dict[str, int]:
    """Hashes by which a page knows what it was shown."""
    return {name: hash((run_id, str(value))) for name, value in parts.items()}


def turn_of(run_id: str, parts: dict[str, Any]) -> str:
    """Another whenever anything of a run is that does not move with its steps."""
    still = {name: value for name, value in parts.items() if name not in MOVING}
    return str(hash(tuple(fingerprints(run_id, still).values())))


def mark(run_id: str, parts: dict[str, Any], language: str) -> str:
    """What tells the page's script to go on asking, and what the page shows already. Nothing once a run has ended."""
    if parts["state"] not in ACTIVE:
        return ""
    return f'<i hidden data-live="{safe(run_id)}" data-turn="{turn_of(run_id, parts)}" data-language="{safe(language)}"></i>'


def server_function(page: Page, updates: Callable[[Page, Run, str], dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """What answers the script: the status, and the curves where they are others than those it has `drawn`. `updates` tells a run's
    parts in a language.
    """

    def live(query_data: dict[str, Any], request: gr.Request) -> dict[str, Any]:
        query = query_data if isinstance(query_data, dict) else {}  # a browser may send anything
        run_id, language, drawn = (str(query.get(name, "")) for name in ("run", "language", "drawn"))
        try:
            parts = updates(page, page.open_run(run_id, request), language)
        except UserError:
            return {"turn": ""}  # gone: the event that it raises says so
        answer = {
            "status": parts["status"] + mark(run_id, parts, language),
            "turn": turn_of(run_id, parts),
            "drawn": str(fingerprints(run_id, parts)["curves"]),
        }
        return answer if answer["drawn"] == drawn else {**answer, "curves": parts["curves"]}

    return live
