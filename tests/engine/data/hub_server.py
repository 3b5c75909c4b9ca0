"""A small hub over real HTTP: data set repositories in memory, answered as the Hugging Face Hub answers.

Knows repository info, file trees, path infos and ranged downloads; a repository may be private or gated, and the whole hub may be
slow. Run the engine against it with HF_ENDPOINT.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlparse

COMMIT = "0123456789abcdef0123456789abcdef01234567"
OLD = "89abcdef0123456789abcdef0123456789abcdef"


@dataclass
class Repo:
    """Files by path; `old` are those of the tag v1."""

    files: dict[str, bytes]
    old: dict[str, bytes] = field(default_factory=dict)
    token: str = ""  # private: answered only with it
    gated: bool = False

    def at(self, revision: str) -> tuple[str, dict[str, bytes]] | None:
        if revision in ("main", COMMIT):
            return COMMIT, self.files
        if self.old and revision in ("v1", OLD):
            return OLD, self.old
        return None


class HubServer:
    """Serves `repos` on a free port of this machine until closed."""

    def __init__(self, repos: dict[str, Repo]):
        self.repos = repos
        self.delay = 0.0
        self.asked: list[tuple[str, str, str]] = []  # method, path, authorization
        hub = self

        class Handler(_Handler):
            server_hub = hub

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_hub: HubServer

    def log_message(self, *_: Any) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._answer()

    def _answer(self) -> None:
        hub = self.server_hub
        path = unquote(urlparse(self.path).path)
        given = self.headers.get("Authorization", "")
        hub.asked.append((self.command, path, given))
        time.sleep(hub.delay)
        parts = path.strip("/").split("/")
        if parts[:2] == ["api", "datasets"]:
            name, rest, api = "/".join(parts[2:4]), parts[4:], True
        elif parts[0] == "datasets":
            name, rest, api = "/".join(parts[1:3]), parts[3:], False
        else:
            return self._error(404, "EntryNotFound")
        repo = hub.repos.get(name)
        if repo is None or (repo.token and given != f"Bearer {repo.token}"):
            # The hub does not tell a stranger whether a private data set exists.
            return self._error(404 if given else 401, "RepoNotFound")
        if repo.gated and not (api and rest[:1] in ([], ["revision"])):
            return self._error(403 if given else 401, "GatedRepo")
        if api:
            return self._api(name, repo, rest)
        if rest[:1] == ["resolve"]:
            return self._file(repo, rest[1], "/".join(rest[2:]))
        return self._error(404, "EntryNotFound")

    def _api(self, name: str, repo: Repo, rest: list[str]) -> None:
        kind, revision = (rest or ["revision"])[0], rest[1] if len(rest) > 1 else "main"
        result = repo.at(revision)
        if result is None:
            return self._error(404, "RevisionNotFound")
        commit, files = result
        if kind == "revision":
            return self._json(
                {
                    "id": name, "sha": commit, "private": bool(repo.token), "gated": "manual" if repo.gated else False,
                    "disabled": False, "tags": [], "siblings": [{"rfilename": path} for path in files],
                }
            )  # fmt: skip
        if kind == "tree":
            folder = "/".join(rest[2:])
            inside = {p: d for p, d in files.items() if not folder or p.startswith(folder + "/")}
            if folder and not inside:
                return self._error(404, "EntryNotFound")
            entries: dict[str, dict[str, Any]] = {}
            deep = parse_qs(urlparse(self.path).query).get("recursive", [""])[0].lower() == "true"
            for path, data in inside.items():
                below = path[len(folder) + 1 :] if folder else path
                head, slash, _ = below.partition("/")
                top = f"{folder}/{head}" if folder else head
                if slash:
                    entries.setdefault(top, {"type": "directory", "path": top, "oid": "0", "size": 0})
                if not slash or deep:
                    entries[path] = _entry(path, data)
            return self._json(list(entries.values()))
        if kind == "paths-info":
            requests = (
                parse_qs(self.body.decode()).get("paths", []) if b"=" in self.body else json.loads(self.body)["paths"]
            )
            answer = []
            for path in requests:
                if path in files:
                    answer.append(_entry(path, files[path]))
                elif any(p.startswith(path.rstrip("/") + "/") for p in files):
                    answer.append({"type": "directory", "path": path, "oid": "0", "size": 0})
            return self._json(answer)
        return self._error(404, "EntryNotFound")

    def _file(self, repo: Repo, revision: str, path: str) -> None:
        result = repo.at(revision)
        if result is None:
            return self._error(404, "RevisionNotFound")
        commit, files = result
        if path not in files:
            return self._error(404, "EntryNotFound", {"X-Repo-Commit": commit})
        data = files[path]
        headers = {
            "X-Repo-Commit": commit,
            "ETag": f'"{hashlib.sha1(data).hexdigest()}"',
            "Accept-Ranges": "bytes",
            "Content-Type": "application/octet-stream",
        }
        status, expected = 200, self.headers.get("Range", "")
        if expected.startswith("bytes="):
            first, _, last = expected.removeprefix("bytes=").partition("-")
            begin, end = int(first or 0), min(int(last or len(data) - 1), len(data) - 1)
            headers["Content-Range"] = f"bytes {begin}-{end}/{len(data)}"
            status, data = 206, data[begin : end + 1]
        self._send(status, data, headers)

    def _json(self, value: Any) -> None:
        self._send(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _error(self, status: int, code: str, more: dict[str, str] | None = None) -> None:
        headers = {"X-Error-Code": code, "X-Error-Message": code, "Content-Type": "application/json", **(more or {})}
        self._send(status, json.dumps({"error": code}).encode(), headers)

    def _send(self, status: int, data: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)


def _entry(path: str, data: bytes) -> dict[str, Any]:
    return {"type": "file", "path": path, "oid": hashlib.sha1(data).hexdigest(), "size": len(data)}
