"""A small hub over real HTTP that takes uploads as the Hugging Face Hub documents them: repositories, LFS and commits, in memory.

Knows who may write by token. Its answers follow what huggingface_hub 2 asks for: create, preupload, LFS batch, commit.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlparse

TOKEN = "hf_" + "a1B2c3D4e5" * 3
READ_ONLY = "hf_" + "z9Y8x7W6v5" * 3
COMMIT = "0123456789abcdef0123456789abcdef01234567"


class UploadHub:
    """`repos` maps (type, id) to {"private", "files"}; `calls` are the requests that came, with their token."""

    def __init__(self) -> None:
        self.repos: dict[tuple[str, str], dict[str, Any]] = {}
        self.objects: dict[str, bytes] = {}
        self.calls: list[tuple[str, str, str]] = []
        hub = self

        class Handler(_Handler):
            server_hub = hub

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def close(self) -> None:
        self.server.shutdown()


class _Handler(BaseHTTPRequestHandler):
    server_hub: UploadHub

    def log_message(self, *_: Any) -> None:
        return

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            parts = []
            while size := int(self.rfile.readline().strip(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _say(self, status: int, answer: Any = None) -> None:
        content = json.dumps(answer if answer is not None else {}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_PUT(self) -> None:
        hub = self.server_hub
        content, oid = self._body(), self.path.rpartition("/")[2]
        if hashlib.sha256(content).hexdigest() != oid:
            return self._say(400)
        hub.objects[oid] = content
        return self._say(200)

    def do_POST(self) -> None:
        hub, path, body = self.server_hub, urlparse(self.path).path, self._body()
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        hub.calls.append(("POST", path, token))
        if token == READ_ONLY:
            return self._say(403, {"error": "You do not have the required permissions"})
        if token != TOKEN:
            return self._say(401, {"error": "Invalid username or password."})
        if path == "/api/repos/create":
            return self._create(json.loads(body))
        if path == "/api/validate-yaml":
            return self._say(200, {"errors": [], "warnings": []})
        kind, repo = self._repo(path)
        if (kind, repo) not in hub.repos:
            return self._say(404, {"error": "Repository not found"})
        if "/preupload/" in path:
            files = [
                {
                    "path": file["path"],
                    "uploadMode": "lfs" if file["path"].endswith((".safetensors", ".onnx")) else "regular",
                    "shouldIgnore": False,
                }
                for file in json.loads(body)["files"]
            ]
            return self._say(200, {"files": files})
        if path.endswith("/info/lfs/objects/batch"):
            objects = [
                {
                    "oid": item["oid"],
                    "size": item["size"],
                    "actions": {"upload": {"href": f"{hub.endpoint}/lfs/{item['oid']}", "header": {}}},
                }
                for item in json.loads(body)["objects"]
            ]
            return self._say(200, {"transfer": "basic", "objects": objects})
        if "/commit/" in path:
            return self._commit(hub.repos[kind, repo], body, repo)
        return self._say(404)

    def _repo(self, path: str) -> tuple[str, str]:
        parts = path.strip("/").split("/")
        if parts[0] == "api":
            return parts[1].removesuffix("s"), f"{parts[2]}/{parts[3]}"
        if parts[0] in ("spaces", "datasets"):
            return parts[0].removesuffix("s"), f"{parts[1]}/{parts[2].removesuffix('.git')}"
        return "model", f"{parts[0]}/{parts[1].removesuffix('.git')}"

    def _create(self, asked: dict[str, Any]) -> None:
        hub, kind = self.server_hub, asked.get("type") or "model"
        repo = f"{asked['organization']}/{asked['name']}"
        place = f"{hub.endpoint}/{repo}" if kind == "model" else f"{hub.endpoint}/{kind}s/{repo}"
        if (kind, repo) in hub.repos:
            return self._say(409, {"url": place, "error": "You already created this repo"})
        private = asked.get("private", asked.get("visibility") == "private")
        hub.repos[kind, repo] = {"private": private, "sdk": asked.get("sdk"), "files": {}}
        return self._say(200, {"url": place})

    def _commit(self, stored: dict[str, Any], body: bytes, repo: str) -> None:
        for line in body.splitlines():
            item = json.loads(line)
            if item["key"] == "file":
                stored["files"][item["value"]["path"]] = base64.b64decode(item["value"]["content"])
            elif item["key"] == "lfsFile":
                content = self.server_hub.objects.get(item["value"]["oid"])
                if content is None:
                    return self._say(400, {"error": "object is missing"})
                stored["files"][item["value"]["path"]] = content
        url = f"{self.server_hub.endpoint}/{repo}/commit/{COMMIT}"
        return self._say(200, {"commitUrl": url, "commitOid": COMMIT, "hookOutput": "", "success": True})
