"""Serving the page: limits that are set on purpose, and a share link that may fail without taking the page with it."""

from __future__ import annotations

import logging
import sys

from demo.theme import build_theme
from demo.ui import HERE, build_demo
from engine.settings import Settings

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

    `auth` are the users with their passwords; without any, whoever reaches the page may use it. `mcp` also offers the doors of
    demo/api.py as tools.
    """
    demo = build_demo(settings, language)
    # Reading and answering take a thread each; more at once than this would starve the worker, more waiting would only time out.
    demo.queue(max_size=32, default_concurrency_limit=4)
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
        blocked_paths=[str(settings.runs_dir), str(settings.runs_dir.parent / "uploads")],
        footer_links=[],
        run_history=False,  # would keep the texts of visitors in their browsers
        ssr_mode=False,
        pwa=False,
        mcp_server=mcp,
        theme=build_theme(),
        css_paths=[HERE / "style.css"],
        head_paths=[HERE / "head.html"],
    )
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
