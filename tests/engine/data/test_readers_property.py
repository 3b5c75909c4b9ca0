"""Whatever bytes come in, the readers return a table or raise a FileProblem; whatever was written as a table is read back.

Run: python -m pytest tests/engine/data/test_readers_property.py
"""

from __future__ import annotations

import csv
import datetime
import gzip
import io
import json
import math
import zipfile

import openpyxl
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.config import DataConfig
from engine.core.errors import UserError
from engine.data.archive import unpack
from engine.data.columns import guess_columns, resolve_columns
from engine.data.conll import read_conll
from engine.data.delimited import read_delimited
from engine.data.encoding import decode
from engine.data.examples import read_examples
from engine.data.jsonfile import read_json
from engine.data.label_studio_min import fill_short_export
from engine.data.limits import Limits
from engine.data.load import read_table
from engine.data.table import Source
from engine.data.text_pairs import read_pairs
from engine.tasks import TASKS

LIMITS = Limits(max_rows=500, max_columns=20, max_cell_chars=1000)
SOURCE = Source(name="a.csv", format="csv")
QUICK = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
SUFFIXES = [".csv", ".tsv", ".json", ".jsonl", ".txt", ".conll", ".xlsx", ".parquet", ".gz", ".zip"]

# Text that is likely to meet the readers where they are weak.
SHARP = st.text(st.sampled_from(list("\",;\t|\n\r\\ '#-abO{}[]:01好\ufeff\x00\u2028🙂")), max_size=60)
CELLS = st.text(
    st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\ufeff"), min_size=1, max_size=20
).filter(lambda text: text.strip() == text)


def reads_or_refuses(read):
    try:
        return read()
    except UserError as problem:
        assert problem.message.en and problem.message.zh
        return None


@QUICK
@given(data=st.binary(max_size=300), suffix=st.sampled_from(SUFFIXES), task=st.sampled_from(list(TASKS)))
def test_any_bytes(tmp_path, data, suffix, task):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(data)
    reads_or_refuses(lambda: read_table(path, task=TASKS[task], limits=LIMITS))


@QUICK
@given(
    text=SHARP, encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "gb18030"]), task=st.sampled_from(list(TASKS))
)
def test_any_text_to_examples(tmp_path, text, encoding, task):
    path = tmp_path / "a.csv"
    path.write_bytes(text.encode(encoding))

    def whole_way():
        table = read_table(path, task=TASKS[task], limits=LIMITS)
        guess_columns(table, TASKS[task])
        return read_examples(table, TASKS[task], resolve_columns(table, TASKS[task], {}), DataConfig())

    reads_or_refuses(whole_way)


@QUICK
@given(text=SHARP, delimiter=st.sampled_from(["", ",", "\t", ";", "tab", "ab"]))
def test_any_delimited(text, delimiter):
    table = reads_or_refuses(lambda: read_delimited(text, SOURCE, LIMITS, delimiter=delimiter))
    assert table is None or len(table.lines) == len(table)


@QUICK
@given(text=SHARP)
def test_any_conll(text):
    table = reads_or_refuses(lambda: read_conll(text, SOURCE, LIMITS))
    assert table is None or all(
        len(tokens) == len(tags) for tokens, tags in zip(table.frame["tokens"], table.frame["tags"], strict=True)
    )


@QUICK
@given(text=SHARP)
def test_any_pairs(text):
    table = reads_or_refuses(lambda: read_pairs(text, SOURCE, LIMITS))
    assert table is None or len(table.lines) == len(table)


SHEET_CELLS = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False),
    st.datetimes(min_value=datetime.datetime(1901, 1, 1)),
    st.text(st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\ufffe\uffff"), max_size=12),
    st.sampled_from(["=A1", "#N/A", "=1/0", "_x000D_", "text", "label"]),
)  # fmt: skip


@settings(QUICK, max_examples=60)
@given(rows=st.lists(st.lists(SHEET_CELLS, max_size=4), max_size=6), task=st.sampled_from(list(TASKS)))
def test_any_workbook(tmp_path, rows, task):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    path = tmp_path / "a.xlsx"
    book.save(path)
    table = reads_or_refuses(lambda: read_table(path, task=TASKS[task], limits=LIMITS))
    if table is not None:
        assert len(table.lines) == len(table)
        reads_or_refuses(
            lambda: read_examples(table, TASKS[task], resolve_columns(table, TASKS[task], {}), DataConfig())
        )


PARQUET_COLUMNS = st.one_of(
    st.lists(st.none() | st.text(st.characters(blacklist_categories=("Cs",)), max_size=8), min_size=3, max_size=3),
    st.lists(st.none() | st.floats(), min_size=3, max_size=3),
    st.lists(st.none() | st.booleans(), min_size=3, max_size=3),
    st.lists(st.none() | st.lists(st.integers(-5, 5), max_size=3), min_size=3, max_size=3),
    st.lists(st.binary(max_size=4), min_size=3, max_size=3),
    st.lists(st.fixed_dictionaries({"text": st.text(st.characters(blacklist_categories=("Cs",)), max_size=4), "start": st.integers(0, 9)}), min_size=3, max_size=3),
    st.lists(st.datetimes(), min_size=3, max_size=3),
)  # fmt: skip


@settings(QUICK, max_examples=60)
@given(
    columns=st.dictionaries(st.sampled_from(["text", "label", "answers", "id", "spans"]), PARQUET_COLUMNS, min_size=1),
    task=st.sampled_from(list(TASKS)),
)
def test_any_parquet(tmp_path, columns, task):
    path = tmp_path / "a.parquet"
    pyarrow.parquet.write_table(pyarrow.table(columns), path)
    table = reads_or_refuses(lambda: read_table(path, task=TASKS[task], limits=LIMITS))
    if table is not None:
        assert len(table) == 3
        assert not any(
            isinstance(cell, float) and math.isnan(cell) for name in table.columns for cell in table.frame[name]
        )
        reads_or_refuses(
            lambda: read_examples(table, TASKS[task], resolve_columns(table, TASKS[task], {}), DataConfig())
        )


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=True) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(["data", "text", "label", "paragraphs", "qas", "context", "question", "answers", "annotations", "result", "id",
             "annotation_id", "annotator", "choices", "value", "type", "start", "end", "labels", "entities", "relations"]),
        inner,
        max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@settings(QUICK, max_examples=300)
@given(value=JSON_VALUES, task=st.sampled_from(list(TASKS)))
def test_any_json(value, task):
    tables = reads_or_refuses(lambda: read_json(json.dumps(value), SOURCE, LIMITS))
    for result in (tables or {}).values():
        table = TASKS[task].arrange(fill_short_export(result, TASKS[task].reads_tags))
        reads_or_refuses(
            lambda table=table: read_examples(table, TASKS[task], resolve_columns(table, TASKS[task], {}), DataConfig())
        )


@QUICK
@given(data=st.binary(max_size=200), spot=st.integers(0, 400), byte=st.integers(0, 255), packed=st.booleans())
def test_any_damaged_archive(data, spot, byte, packed):
    if packed:
        archive = bytearray(gzip.compress(data))
    else:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
            target.writestr("a.csv", data)
        archive = bytearray(out.getvalue())
    archive[spot % len(archive)] = byte
    reads_or_refuses(lambda: unpack("a.zip", bytes(archive), LIMITS))


@QUICK
@given(data=st.binary(max_size=200), encoding=st.sampled_from(["", "utf-8", "hex", "no such", "utf-16", "idna", "\0"]))
def test_any_encoding(data, encoding):
    reads_or_refuses(lambda: decode(data, "a.csv", encoding))


@QUICK
@given(
    rows=st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=8),
    delimiter=st.sampled_from([",", ";", "\t"]),
    newline=st.sampled_from(["\n", "\r\n"]),
)
def test_written_tables_come_back(rows, delimiter, newline):
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator=newline, quoting=csv.QUOTE_ALL)
    writer.writerows([("text", "label"), *rows])
    table = read_delimited(out.getvalue(), SOURCE, Limits(), delimiter=delimiter)
    assert list(table.frame.itertuples(index=False, name=None)) == rows
    assert table.lines == list(range(2, len(rows) + 2))


@pytest.mark.parametrize("codec", ["gb18030", "big5"])
@QUICK
@given(
    text=st.text(
        st.sampled_from(list("的一是不了在人有我他中大来上个国到说们为子和你地出道也")), min_size=4, max_size=40
    )
)
def test_everyday_chinese_is_recognised(codec, text):
    try:
        data = f"text,label\n{text},x\n".encode(codec)
    except UnicodeEncodeError:
        return  # simplified characters that big5 does not have
    assert text in decode(data, "a.csv").text
