"""The script before Gradio's own. Run: python -m pytest tests/demo/test_early.py"""

from __future__ import annotations

import re
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from demo.early import SLOW_CLOCKS, EarlyScript

PAGE = "<html><head><title>one <head> in a text</title></head><body>é</body></html>"


async def page(request: Request) -> Response:
    return HTMLResponse(PAGE)


async def data(request: Request) -> Response:
    return JSONResponse({"text": "<head>"})


async def parts(request: Request) -> Response:
    return StreamingResponse(iter([PAGE[:12], PAGE[12:]]), media_type="text/html")


ROUTES = [Route("/", page), Route("/data", data), Route("/parts", parts)]
CLIENT = TestClient(Starlette(routes=ROUTES, middleware=[Middleware(EarlyScript)]))


def test_a_page_has_the_script_first_in_its_head() -> None:
    answer = CLIENT.get("/")
    assert answer.text == PAGE.replace("<head>", "<head>" + SLOW_CLOCKS.decode(), 1)
    assert int(answer.headers["content-length"]) == len(answer.content)


def test_a_page_that_comes_in_parts_has_it_too() -> None:
    answer = CLIENT.get("/parts")
    assert answer.text.startswith("<html><head>" + SLOW_CLOCKS.decode())
    assert answer.text.endswith(PAGE[12:])


def test_nothing_else_changes() -> None:
    assert CLIENT.get("/data").json() == {"text": "<head>"}
    assert CLIENT.head("/").headers["content-length"] == CLIENT.get("/").headers["content-length"]


def test_nothing_on_the_page_is_animated_without_end() -> None:
    style = (Path(__file__).parents[2] / "demo" / "style.css").read_text(encoding="utf-8")
    assert re.findall(r"infinite|@keyframes", style) == []
