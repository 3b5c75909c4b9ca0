"""Writing systems, as far as evaluation cares: which texts have no blanks between words, and which script a text is in.

Knows Unicode blocks. Does not know languages: Chinese and Japanese share Han, English and German share Latin.
"""

from __future__ import annotations

import re

from engine.core.text import Text

# Scripts written without blanks between words: Thai and Lao, Myanmar, Khmer, kana, Han.
UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)

NAMES: dict[str, Text] = {
    "latin": Text("Latin script", "拉丁字母文本"),
    "han": Text("Chinese characters", "汉字文本"),
    "kana": Text("Japanese", "日文"),
    "hangul": Text("Korean", "韩文"),
    "cyrillic": Text("Cyrillic script", "西里尔字母文本"),
    "arabic": Text("Arabic script", "阿拉伯字母文本"),
    "devanagari": Text("Devanagari", "天城文文本"),
    "thai": Text("Thai", "泰文"),
    "greek": Text("Greek", "希腊文"),
    "hebrew": Text("Hebrew", "希伯来文"),
    "none": Text("no letters", "不含文字"),
}

_SCRIPTS = {
    "latin": r"A-Za-z\u00c0-\u024f\u1e00-\u1eff",
    "han": r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff",
    "kana": r"\u3040-\u30ff",
    "hangul": r"\u1100-\u11ff\u3130-\u318f\uac00-\ud7af",
    "cyrillic": r"\u0400-\u052f",
    "arabic": r"\u0600-\u06ff\u0750-\u077f",
    "devanagari": r"\u0900-\u097f",
    "thai": r"\u0e00-\u0e7f",
    "greek": r"\u0370-\u03ff\u1f00-\u1fff",
    "hebrew": r"\u0590-\u05ff",
}
_PATTERNS = {name: re.compile(f"[{block}]") for name, block in _SCRIPTS.items()}
_SAMPLE = 2000  # characters that decide: the script of a text shows early


def script_of(text: str) -> str:
    """The script most letters of a text are in, a key of NAMES. Any kana makes Han Japanese."""
    counts: dict[str, float] = {name: len(pattern.findall(text[:_SAMPLE])) for name, pattern in _PATTERNS.items()}
    # One Han character carries about as much as a short Latin word.
    counts["latin"] /= 3
    if counts["kana"] and counts["kana"] + counts["han"] >= max(counts.values()):
        return "kana"
    best = max(counts, key=lambda name: counts[name])
    return best if counts[best] else "none"
