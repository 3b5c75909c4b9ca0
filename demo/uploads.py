"""Files that visitors bring, kept apart from Gradio's temporary folder, which is cleaned while runs still need them.

Knows where they lie and gives each a random name to be called by: the page holds that name, never a path. Does not read them.
"""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engine.core.errors import FileProblem
from engine.core.text import Text

_TOKEN = re.compile(r"[0-9a-f]{24}")


@dataclass(frozen=True)
class Uploads:
    """`directory/<token>/<file name>`: one file a token."""

    directory: Path
    # Told the bytes of each file before it is kept; raises RunFailure where there is no room for them.
    require_room: Callable[[int], None] = lambda size: None

    def keep(self, path: str | Path) -> str:
        """Copy a file that Gradio received; returns its token."""
        source = Path(path)
        self.require_room(source.stat().st_size)
        token = secrets.token_hex(12)
        folder = self.directory / token
        folder.mkdir(parents=True)
        shutil.copyfile(source, folder / (source.name or "table"))
        return token

    def write(self, name: str, data: bytes) -> str:
        """Keep bytes as a file called `name`; returns its token."""
        self.require_room(len(data))
        token = secrets.token_hex(12)
        folder = self.directory / token
        folder.mkdir(parents=True)
        (folder / Path(name).name).write_bytes(data)
        return token

    def path(self, token: str) -> Path:
        """The kept file. FileProblem when there is none: tokens come from browsers, so any token may arrive."""
        if isinstance(token, str) and _TOKEN.fullmatch(token):
            folder = self.directory / token
            if folder.is_dir():
                for file in folder.iterdir():
                    return file
        raise FileProblem(
            "upload_gone",
            Text("The uploaded file is no longer here.", "上传的文件已不存在。"),
            Text("Upload it again.", "请重新上传。"),
        )

    def token_of(self, path: str | Path) -> str:
        """The token by which a kept file is called; empty for any other path, and for a file that is gone."""
        token = Path(path).parent.name
        kept = _TOKEN.fullmatch(token) and Path(path).parent.parent == self.directory and Path(path).is_file()
        return token if kept else ""

    def name(self, token: str) -> str:
        return self.path(token).name
