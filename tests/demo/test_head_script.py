"""The script before Gradio's own. Run: python -m pytest tests/demo/test_head_script.py"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from demo.head_script import SLOW_FRAMES, HeadScript

PAGE = "<html><head><title>one <head> in a text</title></head><body>é</body></html>"


async def whole(request: Request) -> Response:
    return HTMLResponse(PAGE)


async def parts(request: Request) -> Response:
    return StreamingResponse(iter([PAGE[:12], PAGE[12:]]), media_type="text/html")


async def data(request: Request) -> Response:
    return JSONResponse({"text": "<head>"})


def served(page: Callable[..., Awaitable[Response]]) -> TestClient:
    routes = [Route("/", page), Route("/file=report.html", whole)]
    return TestClient(Starlette(routes=routes, middleware=[Middleware(HeadScript)]))


def test_the_page_has_the_script_first_in_its_head() -> None:
    answer = served(whole).get("/?run=1")
    assert answer.text == PAGE.replace("<head>", "<head>" + SLOW_FRAMES.decode(), 1)
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert served(whole).head("/").headers["content-length"] == answer.headers["content-length"]


def test_a_page_that_comes_in_parts_has_it_too() -> None:
    answer = served(parts).get("/")
    assert answer.text.startswith("<html><head>" + SLOW_FRAMES.decode())
    assert answer.text.endswith(PAGE[12:])


def test_nothing_else_changes() -> None:
    assert served(data).get("/").json() == {"text": "<head>"}
    assert served(whole).get("/file=report.html").text == PAGE, "a report that somebody takes home is theirs"
