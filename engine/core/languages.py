"""Which language a text is in, roughly and fast: by script, and by function words where the script is Latin.

Knows enough to tell that a table mixes languages, or that a model never saw one. Does not replace a language identifier: short
Latin texts without a function word stay undecided.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.core.text import Text

# First code point of each range, and the script that begins there ("" for everything that indicates no language).
_RANGES: tuple[tuple[int, str], ...] = (
    (0x0000, ""), (0x0041, "latin"), (0x005B, ""), (0x0061, "latin"), (0x007B, ""), (0x00C0, "latin"), (0x0250, ""),
    (0x0370, "el"), (0x0400, "ru"), (0x0530, ""), (0x0590, "he"), (0x0600, "ar"), (0x0700, ""), (0x0900, "hi"),
    (0x0980, ""), (0x0E00, "th"), (0x0E80, ""), (0x1100, "ko"), (0x1200, ""), (0x1E00, "latin"), (0x1F00, "el"),
    (0x2000, ""), (0x3041, "ja"), (0x3100, ""), (0x3400, "zh"), (0xA000, ""), (0xAC00, "ko"), (0xD7B0, ""),
    (0xF900, "zh"), (0xFB00, ""),
)  # fmt: skip
_SCRIPTS = ("", "latin", "el", "ru", "he", "ar", "hi", "th", "ko", "ja", "zh")
_STARTS = np.array([start for start, _ in _RANGES])
_SCRIPT_OF_RANGE = np.array([_SCRIPTS.index(script) for _, script in _RANGES])
_CHUNK = 1 << 21  # characters looked at together

# Words that make up a large part of any text in their language and are rare in the others.
_FUNCTION_WORDS: dict[str, frozenset[str]] = {
    language: frozenset(words.split())
    for language, words in {
        "en": "the of and to is that it was for with are this my you not have be what how i do your can",
        "de": "der die das und ist nicht ich ein eine mit den von zu auf für dem wie wir sie auch es bei",
        "fr": "le la les des et est une dans pour que qui je pas sur du nous vous avec il au ce très",
        "es": "el los las y es una que en por con para del no se su lo muy mi está como pero",
        "pt": "o os as e é uma que em por com para do da não se seu muito meu está como mas",
        "it": "il lo gli e è una che di per con non del della si sono ho mi molto ma anche",
        "nl": "de het een en is niet van ik dat op te met voor zijn er maar ook aan",
    }.items()
}
_WORD_LANGUAGE: dict[str, tuple[str, ...]] = {
    word: tuple(language for language, words in _FUNCTION_WORDS.items() if word in words)
    for words in _FUNCTION_WORDS.values()
    for word in words
}

NAMES: dict[str, Text] = {
    "en": Text("English", "英语"),
    "de": Text("German", "德语"),
    "fr": Text("French", "法语"),
    "es": Text("Spanish", "西班牙语"),
    "pt": Text("Portuguese", "葡萄牙语"),
    "it": Text("Italian", "意大利语"),
    "nl": Text("Dutch", "荷兰语"),
    "el": Text("Greek", "希腊语"),
    "ru": Text("Russian or another Cyrillic language", "俄语等西里尔字母语言"),
    "he": Text("Hebrew", "希伯来语"),
    "ar": Text("Arabic", "阿拉伯语"),
    "hi": Text("Hindi", "印地语"),
    "th": Text("Thai", "泰语"),
    "ko": Text("Korean", "韩语"),
    "ja": Text("Japanese", "日语"),
    "zh": Text("Chinese", "中文"),
}


def detect_languages(texts: Sequence[str]) -> list[str]:
    """The language of each text as an ISO 639-1 code, or "" where it is uncertain."""
    languages: list[str] = []
    start = 0
    while start < len(texts):
        end, size = start, 0
        while end < len(texts) and (size < _CHUNK or end == start):
            size += len(texts[end])
            end += 1
        chunk = texts[start:end]
        languages += [_language(counts, text) for counts, text in zip(_script_counts(chunk), chunk, strict=True)]
        start = end
    return languages


def _script_counts(texts: Sequence[str]) -> list[list[int]]:
    """Characters of each script in each text."""
    codes = np.frombuffer("".join(texts).encode("utf-32-le", errors="replace"), dtype=np.uint32)
    scripts = _SCRIPT_OF_RANGE[np.searchsorted(_STARTS, codes, side="right") - 1]
    rows = np.repeat(np.arange(len(texts)), [len(text) for text in texts])
    counts = np.bincount(rows * len(_SCRIPTS) + scripts, minlength=len(texts) * len(_SCRIPTS))
    return counts.reshape(len(texts), len(_SCRIPTS)).tolist()


def _language(counts: list[int], text: str) -> str:
    characters: dict[str, float] = dict(zip(_SCRIPTS, counts, strict=True))
    del characters[""]
    # One ideograph counts about as much as a short word of letters.
    characters["latin"] = characters["latin"] / 4
    if characters["ja"] and characters["ja"] >= 0.1 * (characters["ja"] + characters["zh"]):
        characters["ja"] += characters["zh"]
        characters["zh"] = 0
    script = max(characters, key=lambda name: characters[name])
    if not characters[script]:
        return ""
    return _latin_language(text) if script == "latin" else script


def _latin_language(text: str) -> str:
    votes: dict[str, int] = {}
    for word in text.lower().split()[:60]:
        for language in _WORD_LANGUAGE.get(word.strip(".,;:!?\"'()"), ()):
            votes[language] = votes.get(language, 0) + 1
    if not votes:
        return ""
    ranked = sorted(votes.items(), key=lambda vote: -vote[1])
    # One shared word ("die", "a") decides nothing.
    if ranked[0][1] < 2 or (len(ranked) > 1 and ranked[1][1] == ranked[0][1]):
        return ""
    return ranked[0][0]
