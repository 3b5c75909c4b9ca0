"""A script that runs before Gradio's own.

What Blocks takes as `head` is put into the page by Gradio's script, after its modules have taken hold of what they need of the
browser. Knows the page's HTML as it is sent; does not know what is on the page.
"""

from __future__ import annotations

from typing import Any

# In Gradio 6.31 the clock of a loading mark counts on in every frame after the mark is gone, and the first mark's does for as long as
# the page is open: a tenth of a core where the browser draws without a graphics card. It shows tenths of a second; a few looks at it
# each second are enough.
SLOW_FRAMES = b"""<script>
(() => {
  const nextFrame = window.requestAnimationFrame.bind(window);
  window.requestAnimationFrame = (draw) =>
    /performance\\.now\\(\\)/.test(draw) ? setTimeout(() => draw(performance.now()), 250) : nextFrame(draw);
})();
</script>"""
HEAD = b"<head>"


class HeadScript:
    """ASGI middleware that puts SLOW_FRAMES first into the head of the page. Other HTML, as of a report that is taken home, stays as it is."""

    def __init__(self, app: Any):
        self._app = app

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["path"] != "/":
            await self._app(scope, receive, send)
            return
        start: dict[str, Any] | None = None

        async def answer(message: dict[str, Any]) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and _is_html(message):
                start = message  # its length is known with the first part of the body
                return
            if start is not None and message["type"] == "http.response.body":
                body = message.get("body", b"")
                longer = body.replace(HEAD, HEAD + SLOW_FRAMES, 1)
                await send(_lengthened(start, len(longer) - len(body)))
                start, message = None, {**message, "body": longer}
            await send(message)

        await self._app(scope, receive, answer)


def _is_html(message: dict[str, Any]) -> bool:
    return any(
        name.lower() == b"content-type" and value.startswith(b"text/html") for name, value in message.get("headers", [])
    )


def _lengthened(start: dict[str, Any], by: int) -> dict[str, Any]:
    headers = [
        (name, str(int(value) + by).encode() if name.lower() == b"content-length" else value)
        for name, value in start["headers"]
    ]
    return {**start, "headers": headers}
