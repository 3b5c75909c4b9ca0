"""Numbers in texts, for comparing those of a summary with those of its document.

Knows digits in any width, thousands separators, and small numbers written as words in English and Chinese.
"""

from __future__ import annotations

import re
import unicodedata

_NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")
_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen "
    "nineteen twenty"
)
_WORDS: dict[str, str] = {
    **{word: str(value) for value, word in enumerate(_SMALL.split())},
    "thirty": "30", "forty": "40", "fifty": "50", "sixty": "60", "seventy": "70", "eighty": "80", "ninety": "90",
    "hundred": "100", "first": "1", "second": "2", "third": "3", "half": "30", "once": "1", "twice": "2", "both": "2",
}  # fmt: skip
_CHINESE = {character: value for value, character in enumerate("〇一二三四五六七八九")} | {"零": 0, "两": 2}
_CHINESE_NUMBER = re.compile("[〇零一二两三四五六七八九十百千万]{1,15}")


def numbers_in(text: str) -> set[str]:
    """The numbers in a text, written as digits without separators."""
    text = unicodedata.normalize("NFKC", text)
    numbers = {_plain(number) for number in _NUMBER.findall(text)}
    numbers.update(_WORDS[word] for word in re.findall(r"[a-z]+", text.lower()) if word in _WORDS)
    numbers.update(str(value) for run in _CHINESE_NUMBER.findall(text) if (value := _chinese(run)) is not None)
    return numbers


def strange_numbers(document: str, text: str) -> list[str]:
    """The numbers written in digits in `text` that `document` lacks, however it writes them; sorted."""
    digits = {_plain(number) for number in _NUMBER.findall(unicodedata.normalize("NFKC", text))}
    if not digits:
        return []
    everything = unicodedata.normalize("NFKC", document).replace(",", "")
    return sorted(number for number in digits - numbers_in(document) if number not in everything)


def _plain(number: str) -> str:
    number = number.replace(",", "")
    whole, dot, fraction = number.partition(".")
    fraction = fraction.rstrip("0")
    return (whole.lstrip("0") or "0") + (dot + fraction if fraction else "")


def _chinese(run: str) -> int | None:
    """The value of a Chinese number below 100 million; None for a run that is none, such as 万一."""
    if all(character in _CHINESE for character in run):
        return int("".join(str(_CHINESE[character]) for character in run))
    total = section = digit = 0
    for character in run:
        if character in _CHINESE:
            digit = _CHINESE[character]
        elif character == "万":
            total += (section + digit) * 10_000
            section = digit = 0
        else:
            section += (digit or 1) * {"十": 10, "百": 100, "千": 1000}[character]
            digit = 0
    return total + section + digit or None
