"""What a run's owner calls it and notes down of it, kept beside the manifest, which belongs to the worker.

Knows the file and what fits into it. Does not know who may write it.
"""

from __future__ import annotations

import json
import unicodedata
from dataclasses import asdict, dataclass, replace

from engine.core.errors import ConfigProblem
from engine.core.text import Text
from engine.run_directory.store import Run, write_atomically

MOST_NAME, MOST_NOTE = 120, 4000  # characters


@dataclass(frozen=True, slots=True)
class About:
    """Both may be empty: the run is then called by its data."""

    name: str = ""
    note: str = ""


def about(run: Run) -> About:
    """As last written; before that, the name that the run was started with."""
    try:
        values = json.loads(run.path("about.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return About(name=run.manifest.name)
    return About(name=str(values.get("name", "")), note=str(values.get("note", "")))


def describe(run: Run, name: str | None = None, note: str | None = None) -> About:
    """Change the name, the note, or both. ConfigProblem for one that is too long."""
    notes = about(run)
    if name is not None:
        notes = replace(notes, name=_fitting(" ".join(_printable(name).split()), MOST_NAME))
    if note is not None:
        notes = replace(notes, note=_fitting(_printable(note).strip(), MOST_NOTE))
    write_atomically(run.path("about.json"), json.dumps(asdict(notes), ensure_ascii=False))
    return notes


def _printable(text: str) -> str:
    """Without control characters, which move a terminal's cursor, and without direction marks, which disguise text."""
    return "".join(c for c in text if c == "\n" or unicodedata.category(c) not in ("Cc", "Cf", "Cs") or c == "\u200d")


def _fitting(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    raise ConfigProblem(
        "too_long",
        Text(
            f"This has {len(text)} characters; at most {most} are kept.", f"共 {len(text)} 个字符，最多保留 {most} 个。"
        ),
        Text("Shorten it.", "请缩短。"),
    )
