"""Awkward files as people really have them, written here byte by byte, with what must come of each.

A case is read either into `rows` (the first rows, as tuples of cells) or refused with `code` at `place` (row, or row and column).
"""

from __future__ import annotations

import gzip
import io
import json
import pickle
import zipfile
from dataclasses import dataclass
from typing import Any

import openpyxl
import pandas as pd

BROKEN_UTF8 = "文本,标签\n".encode() + "很好的商品,正面\n".encode() * 30 + b"caf\xe9,x\n"
LONG = "x" * 1_000_000


@dataclass(frozen=True)
class Case:
    """One file and what must come of it."""

    id: str
    file: str
    data: bytes
    columns: list[str] | None = None
    rows: list[tuple[Any, ...]] | None = None  # all rows when there are few, else the first
    count: int | None = None
    encoding: str | None = None
    delimiter: str | None = None
    format: str | None = None
    code: str | None = None
    row: int | None = None
    column: Any = None
    task: str = ""


def workbook(rows: list[list[Any]], *, more: dict[str, list[list[Any]]] | None = None) -> bytes:
    book = openpyxl.Workbook()
    book.active.title = "Data"
    for row in rows:
        book.active.append(row)
    for title, extra in (more or {}).items():
        sheet = book.create_sheet(title)
        for row in extra:
            sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def parquet(frame: pd.DataFrame) -> bytes:
    out = io.BytesIO()
    frame.to_parquet(out)
    return out.getvalue()


def archive(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as target:
        for name, data in members.items():
            target.writestr(name, data)
    return out.getvalue()


def encrypted_zip() -> bytes:
    """A zip whose flags say that its member is encrypted."""
    data = bytearray(archive({"a.csv": b"text,label\na,b\n"}, zipfile.ZIP_STORED))
    data[6] |= 1  # local header
    data[data.index(b"PK\x01\x02") + 8] |= 1  # central directory
    return bytes(data)


def symlink_zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as target:
        info = zipfile.ZipInfo("a.csv")
        info.external_attr = 0o120777 << 16
        target.writestr(info, "/etc/passwd")
    return out.getvalue()


def lying_zip() -> bytes:
    """A zip that says of its member that it unpacks to 100 bytes, where it is 20 MB."""
    data = bytearray(archive({"a.csv": b"text,label\n" + b"a,b\n" * 5_000_000}))
    place = data.index(b"PK\x01\x02")
    data[place + 24 : place + 28] = data[22:26] = (100).to_bytes(4, "little")
    return bytes(data)


def workbook_with_doctype() -> bytes:
    source = zipfile.ZipFile(io.BytesIO(workbook([["text", "label"], ["a", "b"]])))
    members = {name: source.read(name) for name in source.namelist()}
    bomb = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]>'
    members["xl/workbook.xml"] = bomb + members["xl/workbook.xml"].partition(b"?>")[2]
    return archive(members)


def squad(answers: list[dict[str, Any]], **more: Any) -> bytes:
    question = {"id": "q1", "question": "Where?", "answers": answers, **more}
    return json.dumps(
        {"version": "v2.0", "data": [{"title": "t", "paragraphs": [{"context": "In Rome.", "qas": [question]}]}]}
    ).encode()


LABEL_STUDIO = [
    {
        "id": 1,
        "data": {"text": "Ann met Bob"},
        "annotations": [
            {"result": [{"type": "labels", "value": {"start": 0, "end": 3, "text": "Ann", "labels": ["PER"]}}]},
        ],
    },
    {"id": 2, "data": {"text": "nobody"}, "annotations": [{"result": []}]},
]
CHINESE = "文本,标签\n这个商品很好,正面\n质量太差了,负面\n"
TRADITIONAL = "文字,標籤\n這個商品很好,正面\n品質太差了,負面\n"
TWO = [("good", "pos"), ("bad", "neg")]
SMALL = b"text,label\ngood,pos\nbad,neg\n"

CASES = [
    # encodings
    Case("utf8", "a.csv", CHINESE.encode(), ["文本", "标签"], [("这个商品很好", "正面"), ("质量太差了", "负面")], encoding="utf-8"),
    Case("utf8-bom", "a.csv", CHINESE.encode("utf-8-sig"), ["文本", "标签"], encoding="utf-8-sig"),
    Case("utf16-le-bom", "a.csv", b"\xff\xfe" + CHINESE.encode("utf-16-le"), ["文本", "标签"], encoding="utf-16"),
    Case("utf16-be-bom", "a.csv", b"\xfe\xff" + CHINESE.encode("utf-16-be"), ["文本", "标签"], encoding="utf-16"),
    Case("utf16-le-no-bom", "a.csv", SMALL.decode().encode("utf-16-le"), ["text", "label"], TWO, encoding="utf-16-le"),
    Case("utf16-be-no-bom", "a.csv", SMALL.decode().encode("utf-16-be"), ["text", "label"], TWO, encoding="utf-16-be"),
    Case("utf16-chinese-no-bom", "a.csv", CHINESE.encode("utf-16-le"), ["文本", "标签"], encoding="utf-16-le"),
    Case("gb18030", "a.csv", CHINESE.encode("gb18030"), ["文本", "标签"], [("这个商品很好", "正面"), ("质量太差了", "负面")], encoding="gb18030"),
    Case("gb18030-shortest", "a.csv", "内容,类别\n好,是\n".encode("gb18030"), ["内容", "类别"], [("好", "是")], encoding="gb18030"),
    Case("gb18030-ascii-cells", "a.csv", "评论,标签\nok,1\nbad,0\n".encode("gb18030"), ["评论", "标签"], encoding="gb18030"),
    Case("gb18030-four-byte", "a.csv", "文本,标签\n很好😀,正面\n很差,负面\n".encode("gb18030"), ["文本", "标签"], [("很好😀", "正面"), ("很差", "负面")], encoding="gb18030"),
    Case("big5", "a.csv", TRADITIONAL.encode("big5"), ["文字", "標籤"], [("這個商品很好", "正面"), ("品質太差了", "負面")], encoding="big5"),
    Case("cp1252", "a.csv", "text,label\nCafé très bon – 5 €,pos\nÜbel,neg\n".encode("cp1252"), ["text", "label"], [("Café très bon – 5 €", "pos"), ("Übel", "neg")], encoding="cp1252"),
    Case("cp1252-one-quote", "a.csv", b"text,label\nIt\x92s fine,pos\nno,neg\n", ["text", "label"], [("It’s fine", "pos"), ("no", "neg")], encoding="cp1252"),
    Case("utf8-one-broken-byte", "a.csv", BROKEN_UTF8, ["文本", "标签"], count=31, encoding="utf-8"),
    # delimiters and headers
    Case("semicolon", "a.csv", b"text;label\ngood, really;pos\nbad, no;neg\n", ["text", "label"], [("good, really", "pos"), ("bad, no", "neg")], delimiter=";"),
    Case("tab-in-csv", "a.csv", b"text\tlabel\ngood, fine\tpos\nbad\tneg\n", ["text", "label"], delimiter="\t"),
    Case("bar", "a.txt", b"text|label\ngood|pos\nbad|neg\n", ["text", "label"], TWO, delimiter="|"),
    Case("excel-sep-line", "a.csv", b"sep=;\r\ntext;label\r\ngood;pos\r\nbad;neg\r\n", ["text", "label"], TWO, delimiter=";"),
    Case("old-mac-newlines", "a.csv", b"text,label\rgood,pos\rbad,neg\r", ["text", "label"], TWO),
    Case("one-column-with-commas", "a.csv", b"text\nwell, it works\nno\nyes, a, b\n", ["text"], [("well, it works",), ("no",), ("yes, a, b",)], delimiter=""),
    Case("no-header", "a.csv", b'"3","Wall St. falls","Short sellers"\n"4","New chip","Faster"\n"3","Oil up","Again"\n', ["column 1", "column 2", "column 3"], count=3),
    Case("no-header-labels", "a.tsv", b"pos\tgood film\nneg\tbad film\npos\tfine film\nneg\tdull film\npos\tnice\n", ["column 1", "column 2"], count=5),
    Case("duplicated-headers", "a.csv", b"text,label,label\ngood,pos,1\nbad,neg,0\n", ["text", "label", "label (2)"]),
    Case("unnamed-column", "a.csv", b",text,label\n0,good,pos\n1,bad,neg\n", ["column 1", "text", "label"]),
    Case("trailing-commas", "a.csv", b"text,label,,\ngood,pos,,\nbad,neg,,\n", ["text", "label"], TWO),
    Case("r-row-names", "a.csv", b'"text","label"\n"1","good","pos"\n"2","bad","neg"\n', ["row name", "text", "label"]),
    Case("blank-lines", "a.csv", b"text,label\n\ngood,pos\n\n\nbad,neg\n\n", ["text", "label"], TWO),
    Case("nan-column", "a.csv", b"text,empty,label\ngood,,pos\nbad,,neg\n", ["text", "empty", "label"], [("good", None, "pos"), ("bad", None, "neg")]),
    Case("na-is-a-word", "a.csv", b"text,label\nNA,None\nnull,nan\n", ["text", "label"], [("NA", "None"), ("null", "nan")]),
    # quotes
    Case("quoted-newline", "a.csv", b'text,label\n"two\nlines",pos\n"say ""hi""",neg\n', ["text", "label"], [("two\nlines", "pos"), ('say "hi"', "neg")]),
    Case("backslash-quotes", "a.csv", b'text,label\n"say \\"hi\\", ok",pos\n"no",neg\n', ["text", "label"], [('say "hi", ok', "pos"), ("no", "neg")]),
    Case("loose-quote-in-tsv", "a.tsv", b'text\tlabel\n"good\tpos\nbad\tneg\n', ["text", "label"], [('"good', "pos"), ("bad", "neg")]),
    Case("quote-never-closed", "a.csv", b'text,label\ngood,pos\n"bad,neg\nfine,pos\n', code="bad_quotes", row=3),
    Case("text-after-quote", "a.csv", b'text,label\ngood,pos\n"bad" indeed,neg\n', code="bad_quotes", row=3),
    Case("ragged-long", "a.csv", b"text,label\ngood,pos\nbad, so bad,neg\n", code="ragged_row", row=3),
    Case("ragged-short", "a.csv", b"text,label,source\ngood,pos,x\nbad,neg\nok,pos,y\n", code="ragged_row", row=3),
    Case("ragged-after-newlines", "a.csv", b'text,label\n"a\nb\nc",pos\nbad,so,neg\n', code="ragged_row", row=5),
    # sizes
    Case("million-characters", "a.csv", f"text,label\n{LONG},pos\nbad,neg\n".encode(), ["text", "label"], count=2),
    Case("over-a-million", "a.csv", f"text,label\nok,pos\n{LONG}x,neg\n".encode(), code="cell_too_long", row=3, column="text"),
    Case("many-columns", "a.csv", (",".join(f"c{i}" for i in range(501)) + "\n" + ",".join("1" * 501) + "\n").encode(), code="too_many_columns", row=1),
    # not tables
    Case("empty", "a.csv", b"", code="empty_file", row=1),
    Case("blank", "a.csv", b" \n\n  \n", code="empty_file", row=1),
    Case("bom-only", "a.csv", b"\xef\xbb\xbf", code="empty_file", row=1),
    Case("only-quotes", "a.csv", b'""', code="no_rows", row=1),
    Case("header-only", "a.csv", b"text,label\n", code="no_rows", row=1),
    Case("renamed-executable", "a.csv", b"\x7fELF\x02\x01\x01" + bytes(range(256)) * 4, code="binary", row=1),
    Case("renamed-windows-program", "a.xlsx", b"MZ\x90\x00\x03" + bytes(200), code="binary", row=1),
    Case("zero-bytes", "a.csv", b"text,label\ngood,p\x00os\n", code="binary", row=2),
    Case("random-bytes", "a.csv", bytes((i * 7919 + i * i) % 256 for i in range(5000)), code="binary"),
    Case("old-excel", "a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512), code="binary", row=1),
    Case("pdf", "a.csv", b"%PDF-1.7\n...", code="binary", row=1),
    Case("pickle", "a.parquet", pickle.dumps({"text": ["a"]}, protocol=4), code="binary", row=1),
    Case("web-page", "data.csv", b"<!DOCTYPE html><html><body>Sign in</body></html>", code="web_page", row=1),
    # JSON
    Case("json-list", "a.json", b'[{"text": "good", "label": "pos"}, {"text": "bad", "label": "neg"}]', ["text", "label"], TWO, format="json"),
    Case("json-lines", "a.jsonl", b'{"text": "good", "label": "pos"}\n\n{"text": "bad", "label": "neg"}\n', ["text", "label"], TWO, format="jsonl"),
    Case("json-lines-called-json", "a.json", b'{"text": "good", "label": "pos"}\n{"text": "bad", "label": "neg"}\n', ["text", "label"], TWO),
    Case("json-lines-called-txt", "a.txt", b'{"text": "good", "label": "pos"}\n{"text": "bad", "label": "neg"}\n', ["text", "label"], TWO),
    Case("json-nan", "a.json", b'[{"text": "good", "label": NaN}, {"text": "bad", "label": 1.0}]', ["text", "label"], [("good", None), ("bad", 1.0)]),
    Case("json-missing-keys", "a.jsonl", b'{"text": "good"}\n{"label": "neg", "text": "bad"}\n', ["text", "label"], [("good", None), ("bad", "neg")]),
    Case("json-nested", "a.json", b'[{"review": {"text": "good", "by": {"id": 1}}, "label": 1}, {"review": {"text": "bad"}, "label": 0}]', ["review.text", "review.by.id", "label"], [("good", 1, 1), ("bad", None, 0)]),
    Case("json-under-a-key", "a.json", b'{"version": "1", "rows": [{"text": "good", "label": "pos"}, {"text": "bad", "label": "neg"}]}', ["text", "label"], TWO),
    Case("json-columns", "a.json", b'{"text": ["good", "bad"], "label": ["pos", "neg"]}', ["text", "label"], TWO),
    Case("json-pandas", "a.json", b'{"text": {"0": "good", "1": "bad"}, "label": {"0": "pos", "1": "neg"}}', ["text", "label"], TWO),
    Case("json-rows", "a.json", b'[["text", "label"], ["good", "pos"], ["bad", "neg"]]', ["text", "label"], TWO),
    Case("json-half-surrogate", "a.json", b'[{"text": "a\\ud800b", "label": "x"}]', ["text", "label"], [("a\ufffdb", "x")]),
    Case("json-broken", "a.json", b'[{"text": "good", "label": "pos"},\n {"text": "bad" "label": "neg"}]', code="bad_json", row=2, column=17),
    Case("json-lines-broken", "a.jsonl", b'{"text": "good"}\n{"text": "ok"}\n{"text": bad}\n', code="bad_json", row=3, column=10),
    Case("json-deep", "a.json", b'[{"a":' * 20_000 + b"1" + b"}]" * 20_000, code="bad_json", row=1),
    Case("json-scalar", "a.json", b"42", code="no_records", row=1),
    Case("json-empty-list", "a.json", b"[]", code="no_rows", row=1),
    Case("json-mixed-records", "a.jsonl", b'{"text": "good"}\n7\n', code="bad_record", row=2),
    # annotation tools and SQuAD
    Case("squad-v2", "a.json", squad([], is_impossible=True), ["id", "title", "context", "question", "answers"], count=1, format="squad"),
    Case("squad-broken", "a.json", b'{"data": [{"paragraphs": [{"context": "x"}]}]}', code="bad_squad", row=1),
    Case("label-studio", "a.json", json.dumps(LABEL_STUDIO).encode(), ["text", "spans"], [("Ann met Bob", [{"start": 0, "end": 3, "label": "PER", "text": "Ann"}]), ("nobody", [])], format="label-studio"),
    Case("doccano", "a.jsonl", b'{"id": 1, "text": "Ann met Bob", "label": [[0, 3, "PER"]]}\n{"id": 2, "text": "x", "label": []}\n', ["id", "text", "label"], format="doccano"),
    # CoNLL and pairs
    Case("conll-tabs", "a.conll", b"-DOCSTART-\tO\n\nAnn\tB-PER\nran\tO\n\n# a comment\nHi\tO\n", ["tokens", "tags"], [(["Ann", "ran"], ["B-PER", "O"]), (["Hi"], ["O"])], format="conll"),
    Case("conll-four-columns", "a.txt", b"-DOCSTART- -X- -X- O\n\nEU NNP B-NP B-ORG\nrejects VBZ B-VP O\n\nBonn NNP B-NP B-LOC\n", ["tokens", "column 2", "column 3", "tags"], count=2, format="conll"),
    Case("conll-hash-token", "a.conll", b"#\tO\nAnn\tB-PER\n", ["tokens", "tags"], [(["#", "Ann"], ["O", "B-PER"])]),
    Case("conll-ragged", "a.conll", b"Ann\tB-PER\nran\tO\nBob\n", code="ragged_row", row=3),
    Case("fasttext", "a.txt", b"__label__pos good film\n__label__neg bad film\n", ["text", "label"], [("good film", "pos"), ("bad film", "neg")], format="pairs"),
    Case("bars", "a.txt", b"How are you? ||| Fine.\nWho? ||| Me.\n", ["column 1", "column 2"], [("How are you?", "Fine."), ("Who?", "Me.")], format="pairs"),
    # as people and programs really leave them
    Case("utf32", "a.csv", SMALL.decode().encode("utf-32"), ["text", "label"], TWO, encoding="utf-32"),
    Case("bom-twice", "a.csv", b"\xef\xbb\xbf\xef\xbb\xbf" + SMALL, ["text", "label"], TWO),
    Case("bom-before-quotes", "a.csv", b'\xef\xbb\xbf"text","label"\n"good","pos"\n"bad","neg"\n', ["text", "label"], TWO),
    Case("three-kinds-of-newlines", "a.csv", b"text,label\r\ngood,pos\nbad,neg\rok,pos\n", ["text", "label"], [*TWO, ("ok", "pos")]),
    Case("names-that-differ-by-case", "a.csv", b"Text,text,label\na,b,c\nd,e,f\n", ["Text", "text", "label"], count=2),
    Case("emoji-and-joiners", "a.csv", "文本😀,标签\n好👍🏽,正\n差,负\n".encode(), ["文本😀", "标签"], [("好👍🏽", "正"), ("差", "负")]),
    Case("formulas-as-text", "a.csv", b"text,label\n=cmd|' /C calc'!A0,pos\n@SUM(1),neg\n", ["text", "label"], [("=cmd|' /C calc'!A0", "pos"), ("@SUM(1)", "neg")]),
    Case("gb18030-quotes-and-newlines", "a.csv", '文本,标签\n"他说：“好，行”",正\n"换\n行",负\n'.encode("gb18030"), ["文本", "标签"], [("他说：“好，行”", "正"), ("换\n行", "负")], encoding="gb18030"),
    Case("decimal-commas", "a.csv", b"text;score\ngood;1,5\nbad;2,5\n", ["text", "score"], [("good", "1,5"), ("bad", "2,5")], delimiter=";"),
    Case("every-delimiter-in-the-cells", "a.csv", b"text|label\nhttp://a.b/c,d|pos\nx;y|neg\n", ["text", "label"], [("http://a.b/c,d", "pos"), ("x;y", "neg")], delimiter="|"),
    Case("survey-questions-as-names", "a.csv", b"How satisfied are you with our friendly service today?,What could we do better?\n5,Nothing\n4,Open earlier\n", ["How satisfied are you with our friendly service today?", "What could we do better?"], [("5", "Nothing"), ("4", "Open earlier")]),
    Case("sentences-without-names", "a.tsv", b"It was a very long day for all of us.\tso tired now\nThe shop was closed when we came there.\tshop closed\n", ["column 1", "column 2"], count=2),
    Case("only-commas", "a.csv", b",,,\n,,,\n", code="no_rows", row=1),
    Case("one-word", "a.csv", b"hello", code="no_rows", row=1),
    Case("shell-script", "a.csv", b"#!/bin/sh\nrm -rf /\n", code="binary", row=1),
    Case("rtf", "a.csv", b"{\\rtf1\\ansi hello}", code="binary", row=1),
    Case("xml", "a.csv", b"<?xml version='1.0'?><rows><row/></rows>", code="binary", row=1),
    Case("html-table", "a.csv", b"<table><tr><td>a</td></tr></table>", code="web_page", row=1),
    Case("tar", "a.csv", b"a.csv" + bytes(95) + b"0000644\0" + bytes(400) + SMALL, code="binary", row=1),
    Case("executable-in-gz", "a.csv.gz", gzip.compress(b"\x7fELF\x02\x01\x01" + bytes(300)), code="binary", row=1),
    Case("executable-in-zip", "a.zip", archive({"a.csv": b"MZ\x90\x00" + bytes(300)}), code="binary", row=1),
    Case("json-million-characters", "a.jsonl", b'{"text": "b", "label": "c"}\n' + json.dumps({"text": LONG + "x", "label": "a"}).encode(), code="cell_too_long", row=2, column="text"),
    Case("json-nested-beyond-columns", "a.json", json.dumps([{"a": {"b": {"c": {"d": {"e": {"f": 1}}}}}, "text": "hi"}] * 2).encode(), ["a.b.c.d.e", "text"], [({"f": 1}, "hi")] * 2),
    Case("json-key-twice", "a.jsonl", b'{"text": "a", "text": "b", "label": "x"}\n{"text": "c", "label": "y"}\n', ["text", "label"], [("b", "x"), ("c", "y")]),
    Case("json-trailing-comma", "a.json", b'[{"text": "a", "label": "b"},]', code="bad_json", row=1, column=30),
    Case("json-single-quotes", "a.json", b"[{'text': 'a', 'label': 'b'}]", code="bad_json", row=1, column=3),
    Case("json-cut-off", "a.json", b'[{"text": "a", "label": "b"},{"text": "c"', code="bad_json", row=1),
    Case("conll-without-tags", "a.conll", b"Ann\nran\n\nBob\n", code="no_tags", row=1),
    Case("zip-with-a-false-size", "a.zip", lying_zip(), code="damaged_archive"),
    Case("zip-bomb-of-many", "a.zip", archive({f"{i}.csv": b"a" * 1_000_000 for i in range(40)}), code="packed_too_densely"),
    Case("zip-of-folders-only", "a.zip", archive({"folder/": b""}), code="empty_archive"),
    Case("gz-in-gz", "a.csv.gz", gzip.compress(gzip.compress(SMALL)), code="nested_archive"),
    Case("xlsx-errors-in-cells", "a.xlsx", workbook([["text", "label"], ["#N/A", "pos"], ["bad", "neg"]]), ["text", "label"], [(None, "pos"), ("bad", "neg")]),
    Case("xlsx-header-only", "a.xlsx", workbook([["text", "label"]]), code="no_rows", row=1),
    Case("parquet-cut-off", "a.parquet", parquet(pd.DataFrame({"text": ["a"]}))[:-20], code="damaged_parquet"),
    # archives
    Case("gz", "a.csv.gz", gzip.compress(SMALL), ["text", "label"], TWO, format="csv"),
    Case("zip", "a.zip", archive({"folder/a.csv": SMALL, "__MACOSX/._a.csv": b"\0", ".DS_Store": b"\0"}), ["text", "label"], TWO),
    Case("zip-named-csv", "a.csv", archive({"a.csv": SMALL}), ["text", "label"], TWO),
    Case("gz-truncated", "a.csv.gz", gzip.compress(SMALL * 100)[:-20], code="damaged_archive"),
    Case("gz-bomb", "a.csv.gz", gzip.compress(b"a" * 30_000_000), code="packed_too_densely"),
    Case("zip-bomb", "a.zip", archive({"a.csv": b"a" * 30_000_000}), code="packed_too_densely"),
    Case("zip-traversal", "a.zip", archive({"../../etc/cron.d/x": SMALL}), code="unsafe_member"),
    Case("zip-traversal-windows", "a.zip", archive({"..\\..\\x.csv": SMALL}), code="unsafe_member"),
    Case("zip-absolute", "a.zip", archive({"C:\\x.csv": SMALL}), code="unsafe_member"),
    Case("zip-symlink", "a.zip", symlink_zip(), code="unsafe_member"),
    Case("zip-encrypted", "a.zip", encrypted_zip(), code="encrypted"),
    Case("zip-nested", "a.zip", archive({"b.zip": archive({"a.csv": SMALL})}), code="nested_archive"),
    Case("zip-nameless", "a.zip", archive({"a.csv": SMALL}).replace(b"a.csv", b"\0.csv"), code="damaged_archive"),
    Case("zip-empty", "a.zip", archive({}), code="empty_archive"),
    Case("zip-damaged", "a.zip", archive({"a.csv": SMALL})[:-30], code="damaged_archive"),
    Case("zip-without-train", "a.zip", archive({"one.csv": SMALL, "two.csv": SMALL}), code="no_train_member"),
    # XLSX and Parquet
    Case("xlsx", "a.xlsx", workbook([["text", "label"], ["good", "pos"], ["bad", "neg"]]), ["text", "label"], TWO, format="xlsx"),
    Case("xlsx-title-row", "a.xlsx", workbook([["Customer reviews 2026"], [], ["text", "label"], ["good", "pos"], ["bad", "neg"]]), ["text", "label"], TWO),
    Case("xlsx-empty-first-sheet", "a.xlsx", workbook([], more={"Rows": [["text", "label"], ["good", 1], ["bad", 0]]}), ["text", "label"], [("good", 1), ("bad", 0)]),
    Case("xlsx-formula", "a.xlsx", workbook([["text", "label"], ["good", "=1+1"], ["bad", "neg"]]), ["text", "label"], [("good", None), ("bad", "neg")]),
    Case("xlsx-empty", "a.xlsx", workbook([]), code="no_rows"),
    Case("xlsx-doctype", "a.xlsx", workbook_with_doctype(), code="bad_workbook"),
    Case("xlsx-damaged", "a.xlsx", archive({"xl/workbook.xml": b"<workbook"}), code="damaged_workbook"),
    Case("word-document", "a.xlsx", archive({"word/document.xml": b"<x/>"}), code="document"),
    Case("parquet", "a.parquet", parquet(pd.DataFrame({"text": ["good", "bad"], "label": ["pos", "neg"]})), ["text", "label"], TWO, format="parquet"),
    Case("parquet-lists", "a.parquet", parquet(pd.DataFrame({"tokens": [["Ann"]], "tags": [["B-PER"]]})), ["tokens", "tags"], [(["Ann"], ["B-PER"])]),
    Case("parquet-nan", "a.parquet", parquet(pd.DataFrame({"text": ["good", None], "x": [1.5, float("nan")]})), ["text", "x"], [("good", 1.5), (None, None)]),
    Case("parquet-damaged", "a.parquet", parquet(pd.DataFrame({"text": ["good"]}))[:-8], code="damaged_parquet"),
    Case("parquet-pickled-objects", "a.parquet", parquet(pd.DataFrame({"text": ["good"], "x": [pickle.dumps(object(), protocol=4)]})), code="binary_column", row=1, column="x"),
]  # fmt: skip
