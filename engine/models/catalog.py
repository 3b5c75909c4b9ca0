"""The models a person can choose by name, and what a model id means.

Knows names, sources, licences and sizes, and turns a name, a hub id or a folder into something transformers can load. Does
not load anything (load.py). Importing it is cheap: neither torch nor transformers.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable
from pathlib import Path

from engine.assets import is_cached, model_folder
from engine.core.errors import ModelProblem
from engine.core.settings import Settings, offline
from engine.core.text import Text
from engine.models.catalog_entries import CATALOG, CatalogEntry

__all__ = ["CATALOG", "CatalogEntry", "entry_of", "nearest", "resolve"]

# What the hub allows: one or two parts of letters, digits, "-", "_" and ".", neither starting nor ending with "-" or ".".
_PART = r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?"
_HUB_ID = re.compile(rf"{_PART}(?:/{_PART})?")
_LONGEST_HUB_ID = 96
_TYPO_SIMILARITY = 0.9  # similarity (0 to 1) from which an id counts as a misspelt embedded name; "t5-small" has 0.875


def resolve(model_id: str, progress: Callable[[Text, float], None] | None = None) -> str:
    """The folder or hub id to load for a requested model name.

    A catalogue name gives the embedded folder (fetched on first use) or the hub id; a folder gives itself; any other hub id
    gives itself. Offline, the hub id of an embedded model gives the embedded folder.

    Raises ModelProblem for a folder without a model, an id that no hub would accept, a typo of an embedded name, a model
    that cannot be had offline, or one that a public deployment does not offer; AssetProblem when an embedded model can
    be neither found nor fetched.
    """
    requested = model_id.strip()
    entry = entry_of(requested)
    if entry is not None:
        return _of_catalog(entry, requested, progress)
    if Settings.from_env().public:
        # Anything else would let strangers fill the disk, or probe for folders of this machine.
        raise ModelProblem(
            "model_not_offered",
            Text(f"This public page does not offer {requested}.", f"此公开页面不提供 {requested}。"),
            Text(f"Choose one of: {', '.join(CATALOG)}.", f"请选择：{'、'.join(CATALOG)}。"),
            model=requested,
        )
    path = os.path.expanduser(requested)
    if requested and (os.path.exists(path) or requested.startswith(("/", "./", "../", "~"))):
        return str(_checked_folder(path, requested))
    if not _HUB_ID.fullmatch(requested) or ".." in requested or "--" in requested or len(requested) > _LONGEST_HUB_ID:
        raise _bad_id(requested)
    typo = difflib.get_close_matches(requested.lower(), _EMBEDDED, n=1, cutoff=_TYPO_SIMILARITY)
    if typo:
        raise ModelProblem(
            "unknown_model",
            Text(f"There is no model {requested!r}.", f"没有名为 {requested!r} 的模型。"),
            Text(f"Did you mean {typo[0]}?", f"是否想用 {typo[0]}？"),
            model=requested,
        )
    if offline() and not _in_hub_cache(requested):
        raise _unreachable(requested)
    return requested


def layers_for(model_id: str, task: str) -> int | None:
    """How many layers of a catalogued model serve a task best; None for all of them."""
    entry = entry_of(model_id.strip())
    return entry.layers.get(task) if entry is not None else None


def nearest(model_id: str) -> str | None:
    """The catalogue name or hub id that `model_id` is most like, if any is like it at all."""
    known = {name.lower(): name for name in CATALOG}
    known |= {entry.hub_id.lower(): entry.hub_id for entry in CATALOG.values() if entry.hub_id}
    close = difflib.get_close_matches(model_id.lower(), known, n=1, cutoff=0.6)
    return known[close[0]] if close else None


_EMBEDDED = [name for name, entry in CATALOG.items() if entry.package is not None]


def entry_of(requested: str) -> CatalogEntry | None:
    """The catalogue's entry by name or hub id, whatever the case."""
    for entry in CATALOG.values():
        if requested.lower() in (entry.name.lower(), (entry.hub_id or entry.name).lower()):
            return entry
    return None


def _of_catalog(entry: CatalogEntry, requested: str, progress: Callable[[Text, float], None] | None) -> str:
    by_name = requested.lower() == entry.name.lower()
    if entry.package is not None and (by_name or (offline() and not _in_hub_cache(str(entry.hub_id)))):
        return str(model_folder(entry.name, progress))
    hub_id = str(entry.hub_id)
    if offline() and not _in_hub_cache(hub_id):
        raise _unreachable(hub_id)
    return hub_id


def _checked_folder(path: str, requested: str) -> Path:
    # os.path, unlike pathlib, answers "no" to a name that no file system takes.
    if not os.path.isdir(path):
        raise ModelProblem(
            "no_such_folder",
            Text(f"There is no model folder {requested}.", f"没有模型目录 {requested}。"),
            Text(
                "Give a folder with config.json and *.safetensors.", "请提供包含 config.json 和 *.safetensors 的目录。"
            ),
            model=requested,
        )
    folder = Path(path)
    missing = [] if (folder / "config.json").is_file() else ["config.json"]
    if not any(folder.glob("*.safetensors")):
        missing.append("*.safetensors")
    if missing:
        pickled = sorted(path.name for path in folder.glob("*.bin"))
        raise ModelProblem(
            "incomplete_model",
            Text(
                f"The folder {requested} is no complete model: {' and '.join(missing)} missing.",
                f"目录 {requested} 不是完整的模型：缺少 {'、'.join(missing)}。",
            ),
            Text(
                f"{pickled[0]} is a pickle, which could run foreign code and is not read: convert it to safetensors.",
                f"{pickled[0]} 是 pickle 文件，可能执行外部代码，因此不予读取。请先转换为 safetensors。",
            )
            if pickled
            else Text("Give the folder that save_pretrained wrote.", "请提供 save_pretrained 生成的目录。"),
            model=requested,
            missing=missing,
        )
    return folder.resolve()


def _in_hub_cache(hub_id: str) -> bool:
    from huggingface_hub import try_to_load_from_cache  # only needed offline

    config = try_to_load_from_cache(hub_id, "config.json")
    return isinstance(config, str) and any(Path(config).parent.glob("*.safetensors"))


def _bad_id(requested: str) -> ModelProblem:
    return ModelProblem(
        "bad_model_id",
        Text(
            f"{requested!r} is neither a model name, a hub id nor a folder.",
            f"{requested!r} 既不是模型名称或 Hub id，也不是目录。",
        ),
        Text(
            "A hub id looks like organisation/name, for example sentence-transformers/all-MiniLM-L6-v2.",
            "Hub id 的形式为“组织/名称”，例如 sentence-transformers/all-MiniLM-L6-v2。",
        ),
        model=requested,
    )


def _unreachable(requested: str) -> ModelProblem:
    like = nearest(requested)
    cached = [name for name in _EMBEDDED if is_cached(name)]
    fetchable = [name for name in _EMBEDDED if name not in cached]
    offer = Text(", ".join(cached), "、".join(cached)) if cached else Text("none yet", "暂无")
    hint = Text("Available now: {cached}.", "现在可用：{cached}。").format(cached=offer)
    if fetchable:
        hint = Text(
            f"{hint.en} From the package index: {', '.join(fetchable)}.",
            f"{hint.zh}可从软件源获取：{'、'.join(fetchable)}。",
        )
    if like and like.lower() != requested.lower():
        hint = Text(f"{hint.en} Did you mean {like}?", f"{hint.zh}是否想用 {like}？")
    return ModelProblem(
        "model_offline",
        Text(
            f"{requested} is not on this machine, and the hub is not asked (HF_HUB_OFFLINE is set).",
            f"本机没有 {requested}，且已设置 HF_HUB_OFFLINE，不会访问 Hub。",
        ),
        hint,
        model=requested,
    )
