"""Who a visitor is: their login where there is one, else an unguessable number in a signed cookie of their browser.

The cookie's secret lies in the data directory, so that a visitor stays who they are when the server starts again. Knows
cookies and logins; does not know what a visitor may do.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Any

import gradio as gr

COOKIE = "tunebench_visitor"
YEAR = 365 * 24 * 3600
_ID = re.compile(r"[0-9a-f]{32}")


class Visitors:
    """Signs and reads identities with one secret."""

    def __init__(self, secret: bytes):
        self._secret = secret

    @classmethod
    def kept_in(cls, directory: Path) -> Visitors:
        """With the secret of a data directory, made on first use and readable by its owner alone."""
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / "visitors.key"
        # Written under another name first: of two servers that start together, both read the same whole secret.
        draft = directory / f".visitors.{secrets.token_hex(6)}"
        try:
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(secrets.token_bytes(32))
            os.link(draft, path)
        except FileExistsError:
            return cls(path.read_bytes())
        finally:
            draft.unlink(missing_ok=True)
        return cls(path.read_bytes())

    def new(self) -> str:
        """A cookie value for a visitor who has none."""
        number = secrets.token_hex(16)
        return f"{number}.{self._signature(number)}"

    def read(self, cookie: str | None) -> str | None:
        """The number in a cookie value that this server signed; None for any other."""
        number, _, signature = (cookie or "").partition(".")
        if _ID.fullmatch(number) and hmac.compare_digest(signature.encode(), self._signature(number).encode()):
            return number
        return None

    def of(self, request: gr.Request | None) -> str:
        """The owner that a request's runs belong to; empty for one that identifies nobody."""
        if request is None:
            return ""
        if request.username:
            return f"user:{request.username}"
        if login := _space_login(request):
            return f"hf:{login}"
        number = self.read(_cookie(request.headers.get("cookie", "")))
        # Of a number only its hash is written down: a manifest that leaks gives nobody an identity.
        return f"browser:{hashlib.sha256(number.encode()).hexdigest()[:32]}" if number else ""

    def _signature(self, number: str) -> str:
        return hmac.new(self._secret, number.encode(), hashlib.sha256).hexdigest()


class VisitorCookie:
    """ASGI middleware that gives every browser its cookie; a first request already carries the identity it is given."""

    def __init__(self, app: Any, visitors: Visitors, embedded: bool):
        self._app = app
        self._visitors = visitors
        self._embedded = embedded  # a Space lies in a frame of another site, which takes only such cookies

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = scope["headers"]
        given = b"; ".join(value for name, value in headers if name == b"cookie")
        if self._visitors.read(_cookie(given.decode("latin-1"))) is not None:
            await self._app(scope, receive, send)
            return
        value = self._visitors.new()
        kept = _without(given.decode("latin-1"))
        cookie = "; ".join([*kept, f"{COOKIE}={value}"]).encode("latin-1")
        scope = {**scope, "headers": [(n, v) for n, v in headers if n != b"cookie"] + [(b"cookie", cookie)]}
        secure = self._embedded or scope.get("scheme") == "https"
        attributes = f"Max-Age={YEAR}; Path=/; HttpOnly" + ("; Secure" if secure else "")
        attributes += "; SameSite=None; Partitioned" if self._embedded else "; SameSite=Lax"
        line = (b"set-cookie", f"{COOKIE}={value}; {attributes}".encode())

        async def answer(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", []), line]}
            await send(message)

        await self._app(scope, receive, answer)


def _cookie(header: str) -> str | None:
    """The value of our cookie in a Cookie header."""
    try:
        cookie = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return None
    return cookie.value if cookie else None


def _without(header: str) -> list[str]:
    """The other cookies of a header."""
    return [part.strip() for part in header.split(";") if part.strip() and part.strip().split("=")[0] != COOKIE]


def _space_login(request: gr.Request) -> str:
    """The login name of a visitor who signed in with the Space's OAuth. Its session cookie is signed by Gradio."""
    if request.request is None or "session" not in request.request.scope:
        return ""
    user = request.request.scope["session"].get("oauth_info", {}).get("userinfo", {})
    return str(user.get("preferred_username", ""))
