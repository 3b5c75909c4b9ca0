"""Files inside files: .gz and .zip, unpacked in memory and never onto the disk.

Knows the size limits of archives and which member names are refused. Does not know the content of members.
"""

from __future__ import annotations

import io
import stat
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import PurePosixPath, PureWindowsPath

from engine.core.errors import FileProblem
from engine.core.text import Text
from engine.data.limits import Limits

GZIP_MAGIC = b"\x1f\x8b"
ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06")
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Member:
    """One file to be read: as it was given, or taken out of an archive."""

    name: str  # without folders
    data: bytes
    is_workbook: bool = False


def unpack(name: str, data: bytes, limits: Limits) -> list[Member]:
    """The files to read in the bytes of the file `name`: itself, or what the archive holds.

    Raises FileProblem for archives that are damaged, encrypted, nested, too large or too densely packed, and for members whose
    name would lead out of a folder.
    """
    if data.startswith(GZIP_MAGIC):
        inner_name = name[:-3] if name.lower().endswith(".gz") else name
        inner = _gunzip(name, data, limits)
        if inner.startswith((GZIP_MAGIC, *ZIP_MAGICS)) and not _is_workbook(inner):
            raise _nested(name, inner_name)
        return [Member(inner_name, inner, _is_workbook(inner))]
    if data.startswith(ZIP_MAGICS):
        return _unzip(name, data, limits)
    return [Member(name, data)]


def _gunzip(name: str, data: bytes, limits: Limits) -> bytes:
    parts: list[bytes] = []
    size = 0
    rest = data
    try:
        while rest:
            engine = zlib.decompressobj(wbits=31)
            pending = rest
            while not engine.eof:
                part = engine.decompress(pending, _CHUNK)
                pending = engine.unconsumed_tail
                size += len(part)
                _check_size(name, name, len(data), size, limits)
                parts.append(part)
                if not part and not pending and not engine.eof:
                    raise zlib.error("truncated")
            rest = engine.unused_data.lstrip(b"\0")
    except zlib.error as error:
        raise _damaged(name, name) from error
    return b"".join(parts)


def _unzip(name: str, data: bytes, limits: Limits) -> list[Member]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = [info for info in archive.infolist() if not info.is_dir()]
            if len(infos) > limits.max_members:
                raise FileProblem(
                    "too_many_members",
                    Text(
                        f"{name} holds {len(infos):,} files; at most {limits.max_members:,} are allowed.",
                        f"{name} 含有 {len(infos):,} 个文件，最多允许 {limits.max_members:,} 个。",
                    ),
                    file=name,
                )
            for info in infos:
                _check_member(name, info)
            _check_size(name, name, len(data), sum(info.file_size for info in infos), limits)
            if any(info.filename == "xl/workbook.xml" for info in infos):
                return [Member(name, _workbook(name, data, archive, infos, limits), is_workbook=True)]
            _refuse_documents(name, {info.filename for info in infos})
            files = [info for info in infos if not _is_litter(info.filename)]
            if not files:
                raise FileProblem(
                    "empty_archive",
                    Text(f"{name} holds no files.", f"{name} 中没有文件。"),
                    Text("Put a table into it.", "请放入一个数据表。"),
                    file=name,
                )
            members = []
            for info in files:
                content = _read(name, archive, info, limits)
                workbook = _is_workbook(content)
                if content.startswith((GZIP_MAGIC, *ZIP_MAGICS)) and not workbook:
                    raise _nested(name, info.filename)
                if not content:
                    raise FileProblem(
                        "empty_file",
                        Text(f"{info.filename} in {name} is empty.", f"{name} 中的 {info.filename} 是空文件。"),
                        file=name,
                        member=info.filename,
                    )
                members.append(Member(PurePosixPath(info.filename).name, content, workbook))
            return members
    except (
        zipfile.BadZipFile, zlib.error, EOFError, IndexError, NotImplementedError, ValueError, OSError, RuntimeError,
    ) as error:  # fmt: skip
        raise _damaged(name, name) from error


def _workbook(name: str, data: bytes, archive: zipfile.ZipFile, infos: list[zipfile.ZipInfo], limits: Limits) -> bytes:
    """The workbook after two checks, because its reader parses XML: real unpacked size, and no document type declaration."""
    total = 0
    for info in infos:
        content = _read(name, archive, info, limits)
        total += len(content)
        _check_size(name, name, len(data), total, limits)
        if info.filename.endswith((".xml", ".rels")) and b"<!" in content[:2000].replace(b"<!--", b""):
            raise FileProblem(
                "bad_workbook",
                Text(
                    f"{name}: the part {info.filename} declares a document type, which no spreadsheet program writes.",
                    f"{name}：其中的 {info.filename} 含有文档类型声明，正常的表格软件不会写出它。",
                ),
                file=name,
                member=info.filename,
            )
    return data


def _read(name: str, archive: zipfile.ZipFile, info: zipfile.ZipInfo, limits: Limits) -> bytes:
    """The content of a member, measured while it is unpacked: sizes recorded in the archive may be wrong."""
    parts: list[bytes] = []
    size = 0
    with archive.open(info) as stream:
        while part := stream.read(_CHUNK):
            size += len(part)
            _check_size(name, info.filename, max(1, info.compress_size), size, limits)
            parts.append(part)
    return b"".join(parts)


def _check_member(name: str, info: zipfile.ZipInfo) -> None:
    inside = info.filename
    windows = PureWindowsPath(inside)
    if PurePosixPath(inside).is_absolute() or windows.drive or windows.root or ".." in windows.parts:
        raise FileProblem(
            "unsafe_member",
            Text(
                f"{name} holds a file whose name leads outside the archive: {inside!r}.",
                f"{name} 中有文件名指向压缩包之外：{inside!r}。",
            ),
            Text("Pack the file again without such paths.", "请去掉此类路径后重新打包。"),
            file=name,
            member=inside,
        )
    if stat.S_ISLNK(info.external_attr >> 16):
        raise FileProblem(
            "unsafe_member",
            Text(f"{name} holds a symbolic link: {inside!r}.", f"{name} 中含有符号链接：{inside!r}。"),
            file=name,
            member=inside,
        )
    if info.flag_bits & 0x1:
        raise FileProblem(
            "encrypted",
            Text(f"{inside} in {name} is encrypted.", f"{name} 中的 {inside} 已加密。"),
            Text("Pack it again without a password.", "请取消密码后重新打包。"),
            file=name,
            member=inside,
        )


def _check_size(name: str, member: str, packed: int, unpacked: int, limits: Limits) -> None:
    if unpacked > limits.max_unpacked_bytes:
        most = limits.max_unpacked_bytes / 2**20
        raise FileProblem(
            "unpacks_too_large",
            Text(
                f"{member} unpacks to more than {most:,.0f} MB.",
                f"{member} 解压后超过 {most:,.0f} MB。",
            ),
            Text("Take a sample of the rows.", "请抽取部分数据。"),
            file=name,
            member=member,
        )
    if unpacked > limits.ratio_free_bytes and unpacked > limits.max_ratio * packed:
        raise FileProblem(
            "packed_too_densely",
            Text(
                f"{member} unpacks to more than {limits.max_ratio} times its size, as no real table does.",
                f"{member} 解压后超过原大小的 {limits.max_ratio} 倍，正常的数据表不会如此。",
            ),
            Text("Give the table itself, not packed.", "请直接提供未压缩的数据表。"),
            file=name,
            member=member,
        )


def _is_workbook(data: bytes) -> bool:
    if not data.startswith(ZIP_MAGICS):
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return "xl/workbook.xml" in archive.namelist()
    except (zipfile.BadZipFile, ValueError, OSError):
        return False


def _is_litter(path: str) -> bool:
    """Whether a member is a hidden file that an operating system added to the archive."""
    parts = PurePosixPath(path).parts
    return parts[0] == "__MACOSX" or parts[-1].startswith(".") or parts[-1].lower() in ("thumbs.db", "desktop.ini")


def _refuse_documents(name: str, members: set[str]) -> None:
    if "word/document.xml" in members or "content.xml" in members or "ppt/presentation.xml" in members:
        raise FileProblem(
            "document",
            Text(f"{name} is a text document or slides, not a table.", f"{name} 是文档或幻灯片，不是数据表。"),
            Text("Save the table as XLSX or CSV.", "请将表格另存为 XLSX 或 CSV。"),
            file=name,
        )


def _nested(name: str, member: str) -> FileProblem:
    return FileProblem(
        "nested_archive",
        Text(f"{name} holds another archive: {member}.", f"{name} 中还有压缩包：{member}。"),
        Text("Pack the tables themselves.", "请直接打包数据表。"),
        file=name,
        member=member,
    )


def _damaged(name: str, member: str) -> FileProblem:
    return FileProblem(
        "damaged_archive",
        Text(f"{member} is a damaged or unknown archive.", f"{member} 已损坏，或压缩方式无法识别。"),
        Text("Pack it again.", "请重新打包。"),
        file=name,
        member=member,
    )
