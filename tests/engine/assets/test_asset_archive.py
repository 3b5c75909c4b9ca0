"""Taking named files out of an archive, and refusing everything else.

Run: python -m pytest tests/engine/assets/test_asset_archive.py
"""

from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from engine.assets.archive import take_out
from engine.assets.package import Member
from engine.core.errors import AssetProblem

CONTENT = b"text,label\nfine,positive\n"


def member(path: str = "package/data.csv", content: bytes = CONTENT, name: str = "data.csv") -> Member:
    return Member(path, hashlib.sha256(content).hexdigest(), len(content), name)


def make_zip(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def make_tar(path: Path, files: dict[str, bytes], special: tuple[tarfile.TarInfo, ...] = ()) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for info in special:
            archive.addfile(info)
    return path


@pytest.fixture(params=["zip", "tar"])
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """An archive with one good file and neighbours whose names point outside."""
    files = {"package/data.csv": CONTENT, "../escaped.txt": b"x", "/tmp/absolute.txt": b"x", "package/setup.py": b"1/0"}
    if request.param == "zip":
        return make_zip(tmp_path / "package-1.0-py3-none-any.whl", files)
    return make_tar(tmp_path / "package-1.0.tar.gz", files)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def code_of(archive: Path, expected: Member, folder: Path) -> str:
    with pytest.raises(AssetProblem) as caught:
        take_out(archive, [expected], folder)
    return caught.value.code


def test_only_the_named_file_is_written(archive: Path, folder: Path) -> None:
    shares: list[float] = []
    take_out(archive, [member()], folder, lambda what, share: shares.append(share))
    assert (folder / "data.csv").read_bytes() == CONTENT
    assert [path.name for path in folder.iterdir()] == ["data.csv"]
    assert not (folder.parent / "escaped.txt").exists()
    assert shares[-1] == 1.0


def test_a_differing_file_is_refused(archive: Path, folder: Path) -> None:
    assert code_of(archive, member(content=CONTENT.replace(b"fine", b"poor")), folder) == "asset_refused"


def test_a_missing_file_is_refused(archive: Path, folder: Path) -> None:
    assert code_of(archive, member("package/other.csv"), folder) == "asset_refused"


def test_a_file_longer_than_it_should_be_is_not_written_to_its_end(tmp_path: Path, folder: Path) -> None:
    bomb = make_zip(tmp_path / "bomb.zip", {"package/data.csv": b"0" * 50_000_000})
    assert code_of(bomb, member(), folder) == "asset_refused"
    assert (folder / "data.csv").stat().st_size <= len(CONTENT)


@pytest.mark.parametrize("name", ["../data.csv", "/etc/data.csv", "a/b.csv", "..", ""])
def test_a_target_outside_the_folder_is_refused(archive: Path, folder: Path, name: str) -> None:
    assert code_of(archive, member(name=name), folder) == "asset_refused"
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE])
def test_what_is_no_regular_file_is_refused(tmp_path: Path, folder: Path, kind: bytes) -> None:
    info = tarfile.TarInfo("package/data.csv")
    info.type, info.linkname = kind, "package/real.csv"
    archive = make_tar(tmp_path / "linked.tar.gz", {"package/real.csv": CONTENT}, (info,))
    assert code_of(archive, member(), folder) == "asset_refused"


def test_a_cut_off_archive_is_damaged(archive: Path, folder: Path) -> None:
    archive.write_bytes(archive.read_bytes()[:-60])
    assert code_of(archive, member(), folder) == "asset_damaged"
