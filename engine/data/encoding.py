"""From bytes to text: which encoding a file is in, and with what certainty.

Knows byte order marks, strict decoding, and what Chinese and Western European text look like in the wrong encoding.
Does not know tables. Order: a byte order mark, UTF-8, UTF-16 by its zero bytes, then gb18030, big5 and cp1252 weighed
against each other by how common the resulting characters are; charset-normalizer where none scores high enough.
"""

from __future__ import annotations

import codecs
import functools
import unicodedata
from dataclasses import dataclass

from engine.core.errors import FileProblem
from engine.core.text import Text

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE_BYTES = 256 * 1024
_CONVINCING = 0.75
# Marks that Western text holds beside letters (cp1252 0x80-0xBF), and that Chinese text holds beside ideographs.
_WESTERN_MARKS = frozenset("€‚„…‘’“”•–—™¡£§©ª«®°±²³´µ·º»¼½¾¿\u00a0")
_CHINESE_MARKS = frozenset(
    "，。、；：？！“”‘’（）《》〈〉【】「」『』…—·～％￥〔〕　０１２３４５６７８９①②③④⑤■□●○★☆→°℃×"
)
# Characters that occur in any longer Chinese text, simplified and traditional.
_EVERYDAY = frozenset(
    "的一是不了在人有我他这这個个們们中来來上大为為和国國地到以说說时時要就出会會可也你对對生能而子那得于着著下自之年"
    "过過发發后後作里裡用道行所然家种種事成方多经經么麼去法学學如都同现現当當没沒动動面起看定天分还還进進好小部其些主样樣"
    "很想给給她但心文本题標标簽签類类内容評评論论電电話话商品服务務买買问題問答"
)


@dataclass(frozen=True, slots=True)
class Decoded:
    """The text of a file, the encoding it was read in (a Python codec name), and what the reader had to decide."""

    text: str
    encoding: str
    notes: tuple[Text, ...] = ()


def decode(data: bytes, name: str, encoding: str = "") -> Decoded:
    """Decode the bytes of the file `name`, in `encoding` when given, else in the one that is detected.

    Raises FileProblem for an unknown encoding, for bytes that the given encoding does not allow (with line and column), and
    for bytes that are no text at all.
    """
    if encoding:
        return _decode_as(data, name, encoding)
    for mark, codec in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return _checked(_decode_as(data, name, codec), name)
    # Chinese in UTF-16 shows zero bytes at line ends and commas only, so UTF-16 is tried wherever there is a zero byte.
    if b"\0" in data[:_SAMPLE_BYTES]:
        return _decode_utf16(data, name)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        broken = error
    else:
        return _checked(_chinese_by_accident_utf8(data, text) or Decoded(text, "utf-8"), name)
    if _mostly_utf8(data):
        line, column = _place(data[: broken.start].decode("utf-8"))
        return Decoded(
            data.decode("utf-8", errors="replace"),
            "utf-8",
            (
                Text(
                    f"Some bytes are not valid UTF-8, the first at line {line}, column {column}; they were replaced by \ufffd.",
                    f"部分字节不是合法的 UTF-8（首个位于第 {line} 行第 {column} 列），已替换为 \ufffd。",
                ),
            ),
        )
    return _checked(_weigh(data, name), name)


def _chinese_by_accident_utf8(data: bytes, text: str) -> Decoded | None:
    """A little Chinese in GB that happens to be valid UTF-8 as well, as two-byte characters. None for all other text.

    Common hanzi decide: the letters of Greek, Cyrillic, Hebrew and Arabic words fall onto other ones. Western letters, of which
    two do fall onto everyday hanzi, are left alone.
    """
    beyond = [c for c in text if c > "\x7f"] if len(data) < 10_000 and not text.isascii() else []
    if not beyond or len(beyond) > 200 or max(beyond) >= "\u0800" or min(beyond) < "\u0180":
        return None
    try:
        read = data.decode("gb18030")
    except UnicodeDecodeError:
        return None
    hanzi = [c for c in read if c > "\x7f"]
    if sum(c in _EVERYDAY for c in hanzi) <= 0.5 * len(hanzi):
        return None
    return Decoded(read, "gb18030", (_uncertain("gb18030"),))


def _decode_as(data: bytes, name: str, encoding: str) -> Decoded:
    try:
        codec = codecs.lookup(encoding).name
        b" ".decode(codec, errors="ignore")  # raises LookupError for a codec such as hex: it turns bytes into bytes
    except (LookupError, ValueError) as error:
        raise FileProblem(
            "unknown_encoding",
            Text(f"There is no text encoding called {encoding!r}.", f"不存在名为 {encoding!r} 的文本编码。"),
            Text("Use utf-8, gb18030, big5, cp1252 or utf-16.", "可用 utf-8、gb18030、big5、cp1252 或 utf-16。"),
            file=name,
        ) from error
    if codec == "utf-8" and data.startswith(codecs.BOM_UTF8):
        codec = "utf-8-sig"
    try:
        text = data.decode(codec)
    except UnicodeError as error:
        start = error.start if isinstance(error, UnicodeDecodeError) else 0
        line, column = _place(data[:start].decode(codec, errors="ignore"))
        raise FileProblem(
            "wrong_encoding",
            Text(
                f"{name} is not in {codec}: line {line}, column {column} holds a byte that {codec} does not allow.",
                f"{name} 不是 {codec} 编码：第 {line} 行第 {column} 列有该编码不允许的字节。",
            ),
            Text("Leave the encoding empty to have it detected.", "请将编码留空以自动检测。"),
            file=name,
            row=line,
            column=column,
        ) from error
    return Decoded(text, codec)


def _decode_utf16(data: bytes, name: str) -> Decoded:
    sample = data[:_SAMPLE_BYTES]
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    order = ("utf-16-be", "utf-16-le") if even > odd else ("utf-16-le", "utf-16-be")
    for codec in order:
        try:
            text = data.decode(codec)
        except UnicodeDecodeError:
            continue
        if _looks_written(text[:50_000]):
            return Decoded(text, codec)
    raise _not_text(name, *_place_of_first(data, b"\0"))


def _looks_written(text: str) -> bool:
    """Whether nearly all characters are such as people write: assigned, visible, and not for private use."""
    odd = sum(unicodedata.category(c) in ("Cc", "Cn", "Co", "Cs") and c not in "\t\n\r\f\v" for c in text)
    return odd <= 0.01 * len(text)


def _checked(decoded: Decoded, name: str) -> Decoded:
    """Refuse what decodes but is no text: a program, an image, a database."""
    at = decoded.text.find("\0")
    if at >= 0:
        raise _not_text(name, *_place(decoded.text[:at]))
    head = decoded.text[:50_000]
    controls = [i for i, c in enumerate(head) if c < " " and c not in "\t\n\r\f\v\x1a"]
    if len(controls) > 0.02 * len(head):
        raise _not_text(name, *_place(head[: controls[0]]))
    return decoded


def _not_text(name: str, line: int, column: int) -> FileProblem:
    return FileProblem(
        "binary",
        Text(
            f"{name} is no text file: line {line}, column {column} holds a byte that text does not have.",
            f"{name} 不是文本文件：第 {line} 行第 {column} 列出现了文本中不会有的字节。",
        ),
        Text(
            "Save the table as CSV (UTF-8), XLSX, JSON Lines or Parquet.",
            "请将数据表另存为 CSV（UTF-8）、XLSX、JSON Lines 或 Parquet。",
        ),
        file=name,
        row=line,
        column=column,
    )


def _mostly_utf8(data: bytes) -> bool:
    """Whether broken bytes are the exception in what is otherwise UTF-8 with multi-byte characters."""
    sample = data[: 4 * 1024 * 1024].decode("utf-8", errors="replace")
    broken = sample.count("\ufffd")
    good = sum(c > "\x7f" for c in sample) - broken
    return good >= 20 * max(1, broken)


def _weigh(data: bytes, name: str) -> Decoded:
    readings = []
    for codec, score in (
        ("gb18030", _gb_score),
        ("big5", _big5_score),
        ("cp950", _big5_score),
        ("cp1252", _cp1252_score),
    ):
        try:
            text = data.decode(codec)
        except UnicodeDecodeError:
            continue
        readings.append((score(data, text), codec, text))
    best = max(readings, key=lambda reading: reading[0], default=(0.0, "", ""))
    if best[0] >= _CONVINCING:
        return Decoded(best[2], best[1])
    from charset_normalizer import from_bytes

    match = from_bytes(data[:_SAMPLE_BYTES]).best()
    if match is not None:
        try:
            return Decoded(data.decode(match.encoding), match.encoding, (_uncertain(match.encoding),))
        except UnicodeDecodeError:
            pass
    if best[1]:
        return Decoded(best[2], best[1], (_uncertain(best[1]),))
    high = next(i for i, byte in enumerate(data) if byte > 0x7F)
    raise FileProblem(
        "unknown_encoding",
        Text(
            f"The encoding of {name} cannot be told: the first unclear byte is in line {data[:high].count(10) + 1}.",
            f"无法判断 {name} 的编码：第 {data[:high].count(10) + 1} 行出现首个无法识别的字节。",
        ),
        Text("Name the encoding, or save the file as UTF-8.", "请指定编码，或将文件另存为 UTF-8。"),
        file=name,
        row=data[:high].count(10) + 1,
    )


def _uncertain(codec: str) -> Text:
    return Text(
        f"The encoding is not certain; {codec} fits best. Look at the preview, and name another one if it reads wrong.",
        f"编码不完全确定，最接近 {codec}。请查看预览，若显示异常请指定其他编码。",
    )


@functools.cache
def _common_gb() -> frozenset[str]:
    """GB 2312 level 1: the 3,755 hanzi that make up 99.7 % of running text (rows 16-55)."""
    pairs = (bytes((lead, trail)) for lead in range(0xB0, 0xD8) for trail in range(0xA1, 0xFF))
    return frozenset(pair.decode("gb2312", errors="ignore") for pair in pairs) - {""}


@functools.cache
def _common_big5() -> frozenset[str]:
    """Big5 level 1: the 5,401 frequent hanzi (0xA440-0xC67E)."""
    trails = [*range(0x40, 0x7F), *range(0xA1, 0xFF)]
    pairs = (bytes((lead, trail)) for lead in range(0xA4, 0xC7) for trail in trails)
    return frozenset(pair.decode("big5", errors="ignore") for pair in pairs) - {""}


def _gb_score(data: bytes, text: str) -> float:
    return _chinese_score(text, _common_gb())


def _big5_score(data: bytes, text: str) -> float:
    return _chinese_score(text, _common_big5())


def _chinese_score(text: str, common: frozenset[str]) -> float:
    """Share of the characters beyond ASCII that are frequent hanzi or Chinese punctuation."""
    beyond = [c for c in text[:50_000] if c > "\x7f"]
    hanzi = [c for c in beyond if c in common]
    if not hanzi:
        return 0.0
    score = (len(hanzi) + sum(c in _CHINESE_MARKS for c in beyond)) / len(beyond)
    if len(hanzi) >= 50 and sum(c in _EVERYDAY for c in hanzi) < 0.05 * len(hanzi):
        # Korean in EUC-KR falls into the same bytes as frequent hanzi, but hardly ever onto the everyday ones.
        return min(score, 0.5)
    return score


def _cp1252_score(data: bytes, text: str) -> float:
    """Share of the high bytes that are letters or marks standing among ASCII, as accents in Western text do."""
    sample = data[:_SAMPLE_BYTES]
    high = [i for i, byte in enumerate(sample) if byte > 0x7F]
    if not high:
        return 1.0
    plausible = 0.0
    for i in high:
        character = text[i]
        is_western = character in _WESTERN_MARKS or (character.isalpha() and character >= "À") or character in "ŠšŽžŒœŸ"
        alone = (i == 0 or sample[i - 1] < 0x80) and (i + 1 >= len(sample) or sample[i + 1] < 0x80)
        if is_western:
            plausible += 1.0 if alone else 0.5
    return plausible / len(high)


def _place(before: str) -> tuple[int, int]:
    """1-based line and column of the character that follows `before`."""
    newline = before.rfind("\n")
    return before.count("\n") + 1, len(before) - newline


def _place_of_first(data: bytes, pattern: bytes) -> tuple[int, int]:
    before = data[: data.index(pattern)]
    return before.count(b"\n") + 1, len(before) - before.rfind(b"\n")
