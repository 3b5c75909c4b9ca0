"""Serving the page: limits that are set on purpose, and a share link that may fail without taking the page with it."""

from __future__ import annotations

import logging
import os
import sys

from starlette.middleware import Middleware

from demo.head_script import HeadScript
from demo.page import Page
from demo.theme import build_theme
from demo.ui import HERE, build_demo
from demo.visitors import VisitorCookie
from engine.core.settings import Settings
from engine.report.html import STYLE as REPORT_STYLE
from engine.runs.supervisor import Supervisor

log = logging.getLogger("tunebench")


def launch(
    settings: Settings,
    host: str,
    port: int,
    share: bool = False,
    auth: list[tuple[str, str]] | None = None,
    language: str = "",
    mcp: bool = False,
    block: bool = True,
) -> tuple[str, str | None]:
    """Serve until interrupted (or return at once without `block`). Returns the local address and the share link, if any.

    `auth` are the users with their passwords; without any, whoever reaches the page may use it. `mcp` also offers the endpoints of
    demo/api.py as tools.
    """
    page = Page.from_settings(settings, language)
    # Several logins are several people, on a private page too.
    page.separate |= len(auth or []) > 1
    demo = build_demo(settings, language, page)
    # Reading and answering take a thread each; more at once than this would starve the worker, more waiting would only time out.
    demo.queue(max_size=32, default_concurrency_limit=4)
    # Between events Gradio looks a thousand times a second for the next one, at a twelfth of a core that trains: fifty times do.
    demo._queue.sleep_when_free = 0.02
    cookie = Middleware(VisitorCookie, visitors=page.visitors, embedded=bool(os.environ.get("SPACE_ID")))
    _, local, link = demo.launch(
        server_name=host,
        server_port=port,
        share=share,
        auth=auth or None,
        prevent_thread_lock=True,
        quiet=True,
        show_error=False,  # a traceback tells a stranger about this machine; gr.Error texts are shown regardless
        max_file_size=f"{settings.max_upload_mb}mb",
        # Nothing is served but what Gradio copied into its own folder.
        allowed_paths=[],
        # Even if a handler returned such a path by mistake: runs, uploads, the secret of the visitors' cookies, our own source.
        blocked_paths=[
            str(path)
            for path in (
                settings.runs_dir,
                settings.uploads_dir,
                settings.runs_dir.parent / "visitors.key",
                HERE,
                HERE.parent / "engine",
            )
        ],
        app_kwargs={"middleware": [cookie, Middleware(HeadScript)]},
        # A session keeps hashes of what it was shown: small, but strangers open many.
        state_session_capacity=1000 if settings.public else 10_000,
        strict_cors=True,
        footer_links=[],
        # Gradio reads the page once and gives up after three seconds, with advice about proxies: a machine busy with somebody's
        # training needs longer for its first page. That the server answers at all was found out without a limit just before.
        _frontend=False,
        run_history=False,  # would keep the texts of visitors in their browsers
        ssr_mode=False,
        pwa=False,
        mcp_server=mcp,
        theme=build_theme(),
        css_paths=[REPORT_STYLE, HERE / "style.css"],
        head_paths=[HERE / "head.html"],
    )
    Supervisor(page.store, settings).start()
    sys.stdout.write(f"Tunebench: {local}\n")
    if mcp:
        sys.stdout.write(f"MCP: {local}gradio_api/mcp/\n")
    if link:
        sys.stdout.write(f"Public link, for a week at most: {link}\n")
    elif share:
        sys.stdout.write(
            "The public link could not be made: the share server cannot be reached from here. The page runs all the same;\n"
            f"others on this network reach it with --host 0.0.0.0 at port {port}.\n"
        )
    sys.stdout.flush()
    if block:
        demo.block_thread()
    return local, link
