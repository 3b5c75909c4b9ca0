"""Which encoding a file is in.

Run: python -m pytest tests/engine/data/test_encoding.py
"""

from __future__ import annotations

import pytest

from engine.core.errors import FileProblem
from engine.data.encoding import decode

SENTENCES = {
    "gb18030": "订单编号,评论内容,评分\n10001,物流很快，包装也不错,5\n10002,客服态度不好,1\n",
    "big5": "訂單編號,評論內容,評分\n10001,物流很快，包裝也不錯,5\n10002,客服態度不好,1\n",
    "cp1252": "Größe;Farbe;Café – «déjà vu»\nüber;naïve;señor\n",
    "utf-8": "naïve café, Größe, Привет, 你好, こんにちは\n",
}


@pytest.mark.parametrize("codec", SENTENCES)
def test_detected(codec):
    decoded = decode(SENTENCES[codec].encode(codec), "a.csv")
    assert (decoded.encoding, decoded.text, decoded.notes) == (codec, SENTENCES[codec], ())


def test_french_with_one_accent_stays_utf8():
    assert decode("text,label\nle rôle du hôte,ô\n".encode(), "a.csv").encoding == "utf-8"


def test_tiny_chinese_that_is_valid_utf8_too_is_said_to_be_uncertain():
    decoded = decode("text,label\n一一,x\n".encode("gb18030"), "a.csv")
    assert decoded.encoding == "gb18030"
    assert "not certain" in decoded.notes[0].en


def test_a_broken_byte_is_announced_with_its_place():
    data = "文本,标签\n".encode() + "很好的商品,正面\n".encode() * 30 + b"x caf\xe9,y\n"
    decoded = decode(data, "a.csv")
    assert decoded.encoding == "utf-8"
    assert "line 32, column 6" in decoded.notes[0].en
    assert decoded.text.count("\ufffd") == 1


def test_a_named_encoding_is_taken_at_its_word():
    assert decode("é".encode("latin-1"), "a.csv", "latin-1").text == "é"
    with pytest.raises(FileProblem) as caught:
        decode("ok\nné".encode("cp1252"), "a.csv", "utf-8")
    assert (caught.value.code, caught.value.where["row"], caught.value.where["column"]) == ("wrong_encoding", 2, 2)


def test_an_unknown_encoding_is_refused():
    with pytest.raises(FileProblem, match="no text encoding called 'klingon'"):
        decode(b"x", "a.csv", "klingon")
