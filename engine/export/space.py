"""A folder that is a Space for one model: its weights, a small page, and the metadata that the hub requires.

The folder runs as it is (`python app.py`), without Tunebench and without a network. Knows Spaces' front matter and the files of a
package; does not upload: the folder can be pushed with git, or by `export --to hub --space`.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import yaml

from engine.assets import EXAMPLES
from engine.core.errors import FileProblem
from engine.core.text import Text
from engine.export.package import requirement_lines, write_model, write_program, zip_folder
from engine.export.source import ExportSource, Progress, no_progress, pinned
from engine.report.markdown import escape_markdown
from engine.run_directory.store import Run

_SHOWN_EXAMPLES = 3
_DESCRIPTION_LENGTH = 60  # the hub refuses a longer short_description


def make_space(run: Run, destination: Path | None = None, progress: Progress = no_progress) -> Path:
    """Write the Space to the new folder `destination`, or as a zip into the run's export folder. RunProblem, FileProblem."""
    source = ExportSource.of(run)
    if destination is not None and destination.suffix != ".zip":
        if destination.exists() and (not destination.is_dir() or any(destination.iterdir())):
            raise FileProblem(
                "not_empty",
                Text(f"{destination} is there already and not empty.", f"{destination} 已存在且不为空。"),
                Text("Name a new folder.", "请指定一个新目录。"),
                file=str(destination),
            )
        write_space(source, destination, progress)
        return destination
    path = destination or run.path("export", f"{source.slug}-space.zip")
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".packing-") as scratch:
        folder = Path(scratch) / f"{source.slug}-space"
        write_space(source, folder, progress)
        zip_folder(folder, path)
    return path


def write_space(source: ExportSource, folder: Path, progress: Progress = no_progress) -> None:
    """app.py, the program and the model, requirements.txt, README.md with front matter."""
    folder.mkdir(parents=True, exist_ok=True)
    progress(Text("Writing the model", "正在写出模型"))
    write_model(source, folder / "model")
    write_program(source, folder, ("app.py",))
    sentence = Text.from_dict(source.report["verdict"]["sentence"])
    about = {
        "title": source.title.en,
        "about": {"en": escape_markdown(sentence.en), "zh": escape_markdown(sentence.zh)},
        # Optional inputs that the training data had.
        "optional_inputs": sorted(set(source.task_export.inputs) & set(source.facts.get("columns") or {})),
        "examples": _examples(source),
    }
    (folder / "about.json").write_text(json.dumps(about, ensure_ascii=False, indent=1), encoding="utf-8")
    (folder / "requirements.txt").write_text("\n".join(requirement_lines(source, "gradio")) + "\n", encoding="utf-8")
    (folder / "README.md").write_text(_readme(source), encoding="utf-8")
    # The hub stores large files by this rule; `git push` needs it too.
    (folder / ".gitattributes").write_text("*.safetensors filter=lfs diff=lfs merge=lfs -text\n", encoding="utf-8")


def _examples(source: ExportSource) -> list[dict[str, str]]:
    """Inputs of test rows to try, where the data is an embedded example. Rows of a person's own data are not published."""
    if source.config.data.example not in EXAMPLES:
        return []
    with source.run.path("data", "test.jsonl").open(encoding="utf-8") as file:
        rows = [json.loads(line)["inputs"] for _, line in zip(range(_SHOWN_EXAMPLES), file, strict=False)]
    return [{name: row[name] for name in source.spec.inputs if isinstance(row.get(name), str)} for row in rows]


def _readme(source: ExportSource) -> str:
    """The Space's front matter (hub docs, "Spaces Configuration Reference") and a few words."""
    matter = {
        "title": " ".join(source.title.en.split())[:80],
        "emoji": "🎚️",
        "colorFrom": "indigo",
        "colorTo": "green",
        "sdk": "gradio",
        "sdk_version": pinned("gradio")[0].partition("==")[2],
        "python_version": "3.11",
        "app_file": "app.py",
        "short_description": _short(f"{source.task_export.pipeline} tuned on {source.data_name.en}"),
        "pinned": False,
        "tags": [source.task_export.pipeline, "tunebench"],
    }
    if source.catalog_entry is not None:
        matter["license"] = source.catalog_entry.licence.lower()
        matter["models"] = [source.base_id]
    sentence = source.report["verdict"]["sentence"]
    return (
        f"---\n{yaml.safe_dump(matter, sort_keys=False, allow_unicode=True)}---\n\n# {escape_markdown(source.title.en)}\n\n"
        f"{escape_markdown(sentence['en'])}\n\n{escape_markdown(sentence['zh'])}\n\n"
        "```sh\npip install -r requirements.txt\npython app.py\n```\n"
    )


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _DESCRIPTION_LENGTH else line[: _DESCRIPTION_LENGTH - 1].rstrip() + "…"
