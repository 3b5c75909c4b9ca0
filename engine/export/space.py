"""A folder that is a Space for one model: its weights, a small page of its own, and what the hub wants to know.

The folder runs as it is (`python app.py`), without Tunebench and without a network. Knows Spaces' front matter and the files of a
package; does not upload: the folder can be pushed with git, or by `export --to hub --space`.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

import yaml

from engine.core.errors import FileProblem
from engine.core.text import Text
from engine.export.package import PROGRAM, Tell, needed, pack, write_model, write_program
from engine.export.source import ExportSource, pinned
from engine.report.markdown import escape_markdown
from engine.run_directory.store import Run

_DESCRIPTION_LENGTH = 60  # the hub refuses a longer short_description


def make_space(run: Run, destination: Path | None = None, tell: Tell | None = None) -> Path:
    """Write the Space to the new folder `destination`, or as a zip into the run's export folder. RunProblem, FileProblem."""
    leaving = ExportSource.of(run)
    if destination is not None and destination.suffix != ".zip":
        if destination.exists() and (not destination.is_dir() or any(destination.iterdir())):
            raise FileProblem(
                "not_empty",
                Text(f"{destination} is there already and not empty.", f"{destination} 已存在且不为空。"),
                Text("Name a new folder.", "请指定一个新目录。"),
                file=str(destination),
            )
        write_space(leaving, destination, tell)
        return destination
    path = destination or run.path("export", f"{leaving.slug}-space.zip")
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".packing-") as scratch:
        folder = Path(scratch) / f"{leaving.slug}-space"
        write_space(leaving, folder, tell)
        pack(folder, path)
    return path


def write_space(leaving: ExportSource, folder: Path, tell: Tell | None = None) -> None:
    """app.py, the program and the model, requirements.txt, README.md with front matter."""
    folder.mkdir(parents=True, exist_ok=True)
    if tell is not None:
        tell(Text("Writing the model", "正在写出模型"))
    write_model(leaving, folder / "model")
    write_program(leaving, folder)
    shutil.copyfile(PROGRAM / f"app_{leaving.task}.py", folder / "app.py")
    sentence = Text.from_dict(leaving.report["verdict"]["sentence"])
    about = {
        "title": leaving.title.en,
        "about": {"en": escape_markdown(sentence.en), "zh": escape_markdown(sentence.zh)},
        "paired": "text_pair" in (leaving.facts.get("columns") or {}),
    }
    (folder / "about.json").write_text(json.dumps(about, ensure_ascii=False, indent=1), encoding="utf-8")
    (folder / "requirements.txt").write_text("\n".join(needed(leaving, "gradio")) + "\n", encoding="utf-8")
    (folder / "README.md").write_text(_readme(leaving), encoding="utf-8")
    # The hub keeps large files by this rule; it is also what `git push` needs.
    (folder / ".gitattributes").write_text("*.safetensors filter=lfs diff=lfs merge=lfs -text\n", encoding="utf-8")


def _readme(leaving: ExportSource) -> str:
    """The Space's front matter (hub docs, "Spaces Configuration Reference") and a few words."""
    matter = {
        "title": " ".join(leaving.title.en.split())[:80],
        "emoji": "🎚️",
        "colorFrom": "indigo",
        "colorTo": "green",
        "sdk": "gradio",
        "sdk_version": pinned("gradio")[0].partition("==")[2],
        "python_version": "3.11",
        "app_file": "app.py",
        "short_description": _short(f"{leaving.kind.pipeline} tuned on {leaving.data_name.en}"),
        "pinned": False,
        "tags": [leaving.kind.pipeline, "tunebench"],
    }
    if leaving.base is not None:
        matter["license"] = leaving.base.licence.lower()
        matter["models"] = [leaving.base_id]
    sentence = leaving.report["verdict"]["sentence"]
    return (
        f"---\n{yaml.safe_dump(matter, sort_keys=False, allow_unicode=True)}---\n\n# {escape_markdown(leaving.title.en)}\n\n"
        f"{escape_markdown(sentence['en'])}\n\n{escape_markdown(sentence['zh'])}\n\n"
        "```sh\npip install -r requirements.txt\npython app.py\n```\n"
    )


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _DESCRIPTION_LENGTH else line[: _DESCRIPTION_LENGTH - 1].rstrip() + "…"
