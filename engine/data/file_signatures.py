"""Files that are not tables, recognised by their first bytes, and what to do instead.

Knows signatures. Does not know the formats that are read.
"""

from __future__ import annotations

from engine.core.errors import FileProblem
from engine.core.text import Text

# What is recognised by its first bytes and cannot be read, with what to do instead.
_UNSUPPORTED: tuple[tuple[bytes, Text, Text], ...] = (
    (
        b"\xd0\xcf\x11\xe0",
        Text("an Excel file of the old kind (.xls), or encrypted", "旧版 Excel 文件（.xls）或已加密"),
        Text("Save it as .xlsx without a password, or as CSV.", "请另存为不带密码的 .xlsx，或另存为 CSV。"),
    ),
    (
        b"%PDF",
        Text("a PDF document", "PDF 文档"),
        Text("Export the table as CSV or XLSX.", "请将表格导出为 CSV 或 XLSX。"),
    ),
    (b"\x7fELF", Text("a program", "可执行程序"), Text("Choose a table.", "请选择数据表。")),
    (b"MZ\x90", Text("a program", "可执行程序"), Text("Choose a table.", "请选择数据表。")),
    (b"\xcf\xfa\xed\xfe", Text("a program", "可执行程序"), Text("Choose a table.", "请选择数据表。")),
    (
        b"#!/",
        Text("a script, which is a program", "脚本程序"),
        Text("Choose a table.", "请选择数据表。"),
    ),
    (
        b"{\\rtf",
        Text("a text document (RTF)", "RTF 文档"),
        Text("Save the table as XLSX or CSV.", "请将表格另存为 XLSX 或 CSV。"),
    ),
    (
        b"<?xml",
        Text("an XML file", "XML 文件"),
        Text("Export the table as CSV, JSON or XLSX.", "请将数据表导出为 CSV、JSON 或 XLSX。"),
    ),
    (b"\x89PNG", Text("an image", "图片"), Text("Choose a table.", "请选择数据表。")),
    (b"\xff\xd8\xff", Text("an image", "图片"), Text("Choose a table.", "请选择数据表。")),
    (b"GIF8", Text("an image", "图片"), Text("Choose a table.", "请选择数据表。")),
    (b"7z\xbc\xaf\x27\x1c", Text("a 7z archive", "7z 压缩包"), Text("Use .zip or .gz.", "请使用 .zip 或 .gz。")),
    (b"Rar!", Text("a RAR archive", "RAR 压缩包"), Text("Use .zip or .gz.", "请使用 .zip 或 .gz。")),
    (b"\xfd7zXZ", Text("an xz archive", "xz 压缩包"), Text("Use .zip or .gz.", "请使用 .zip 或 .gz。")),
    (b"BZh", Text("a bzip2 archive", "bzip2 压缩包"), Text("Use .zip or .gz.", "请使用 .zip 或 .gz。")),
    (
        b"SQLite format 3",
        Text("a database", "数据库文件"),
        Text("Export the table as CSV.", "请将数据表导出为 CSV。"),
    ),
    (
        b"ARROW1",
        Text("an Arrow file", "Arrow 文件"),
        Text("Save it as Parquet.", "请另存为 Parquet。"),
    ),
    (
        b"\x80\x04\x95",
        Text("a Python pickle, which can run code when it is opened", "Python pickle 文件，打开时可能执行代码"),
        Text("Save the table as Parquet or CSV.", "请将数据表另存为 Parquet 或 CSV。"),
    ),
    (
        b"\x80\x05\x95",
        Text("a Python pickle, which can run code when it is opened", "Python pickle 文件，打开时可能执行代码"),
        Text("Save the table as Parquet or CSV.", "请将数据表另存为 Parquet 或 CSV。"),
    ),
)


def refuse_unsupported(name: str, data: bytes) -> None:
    """Raise FileProblem for a program, an image, a document, an archive of another kind, or a web page."""
    for magic, kind, hint in _UNSUPPORTED:
        if data.startswith(magic):
            raise FileProblem(
                "binary",
                Text(f"{name} is no table: it is {kind.en}.", f"{name} 不是数据表，而是{kind.zh}。"),
                hint,
                file=name,
                row=1,
            )
    head = data[:2000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith((b"<!doctype html", b"<html", b"<table", b"<body")):
        raise FileProblem(
            "web_page",
            Text(
                f"{name} is a web page, often the page of a failed download.",
                f"{name} 是网页，通常是下载失败时得到的页面。",
            ),
            Text("Download the file again.", "请重新下载该文件。"),
            file=name,
            row=1,
        )
