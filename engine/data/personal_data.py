"""Personal data in text: recognised by patterns and check digits, and masked.

Knows e-mail addresses, telephone numbers, payment cards (Luhn), Chinese resident identity numbers (GB 11643), US social security
numbers and IBANs (ISO 13616). Does not know names or addresses of people: that needs a model.

Imports the standard library alone: this file is bundled with exports of models that were trained on masked text (engine/export).
"""

from __future__ import annotations

import bisect
import datetime
import re
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PersonalData:
    """One piece of personal data: characters [start, end) of the text."""

    start: int
    end: int
    kind: str


def _luhn(digits: str) -> bool:
    """The check digit of payment cards (ISO/IEC 7812-1, annex B)."""
    total = 0
    for place, character in enumerate(reversed(digits)):
        value = int(character) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _is_card(candidate: str) -> bool:
    digits = re.sub(r"\D", "", candidate)
    # Issuers: Visa, Mastercard, American Express, Discover, UnionPay, JCB.
    issuer = re.match(r"4|5[1-5]|2[2-7]|3[47]|6011|65|62|35", digits)
    return issuer is not None and len(digits) in (13, 15, 16, 18, 19) and len(set(digits)) > 1 and _luhn(digits)


def _is_chinese_identity(candidate: str) -> bool:
    """Date of birth and check character of the 18 characters of GB 11643-1999."""
    try:
        datetime.date(int(candidate[6:10]), int(candidate[10:12]), int(candidate[12:14]))
    except ValueError:
        return False
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(int(digit) * weight for digit, weight in zip(candidate, weights, strict=False))
    return "10X98765432"[total % 11] == candidate[17].upper()


def _is_iban(candidate: str) -> bool:
    """The checksum modulo 97 of ISO 13616."""
    compact = candidate.replace(" ", "").upper()
    if not 15 <= len(compact) <= 34:
        return False
    return int("".join(str(int(c, 36)) for c in compact[4:] + compact[:4])) % 97 == 1


def _is_international(candidate: str) -> bool:
    return 8 <= sum(c.isdecimal() for c in candidate) <= 15


def _always(candidate: str) -> bool:
    return True


# In order: where two overlap, the earlier kind wins. \d would match digits of every script.
_FORMS: tuple[tuple[str, re.Pattern[str], Callable[[str], bool]], ...] = (
    ("email", re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*\.[A-Za-z]{2,}"), _always),
    ("identity", re.compile(r"(?<![0-9A-Za-z])[1-9][0-9]{5}(?:19|20)[0-9]{9}[0-9Xx](?![0-9A-Za-z])"), _is_chinese_identity),
    ("iban", re.compile(r"(?<![0-9A-Za-z])[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![0-9A-Za-z])"), _is_iban),
    ("card", re.compile(r"(?<![0-9A-Za-z.-])[0-9](?:[ -]?[0-9]){12,18}(?![0-9A-Za-z-])"), _is_card),
    ("phone", re.compile(r"(?<![0-9A-Za-z.])(?:(?:\+|00)?86[ -]?)?1[3-9][0-9][ -]?[0-9]{4}[ -]?[0-9]{4}(?![0-9A-Za-z])"), _always),
    ("phone", re.compile(r"(?<![0-9A-Za-z])\+[1-9][0-9]{0,2}(?:[ .-]?\(?[0-9]{1,4}\)?){2,5}(?![0-9])"), _is_international),
    ("phone", re.compile(r"(?<![0-9A-Za-z-])0[0-9]{2,3}-[0-9]{7,8}(?![0-9-])"), _always),
    ("phone", re.compile(r"(?<![0-9A-Za-z-])(?:\([2-9][0-9]{2}\) ?|[2-9][0-9]{2}[-. ])[0-9]{3}[-. ][0-9]{4}(?![0-9A-Za-z-])"), _always),
    ("identity", re.compile(r"(?<![0-9-])(?!000|666|9)[0-9]{3}-(?!00)[0-9]{2}-(?!0000)[0-9]{4}(?![0-9-])"), _always),
)  # fmt: skip
_MANY_DIGITS = re.compile(r"[0-9](?:[ ().-]{0,2}[0-9]){6}|[A-Z]{2}[0-9]{2}")


def find_personal(text: str) -> list[PersonalData]:
    """Every piece of personal data in `text`, in order, none overlapping another."""
    if "@" not in text and _MANY_DIGITS.search(text) is None:
        return []
    matches: list[PersonalData] = []
    unmatched = text
    for kind, form, is_valid in _FORMS:
        for match in list(form.finditer(unmatched)):
            if is_valid(match[0]):
                matches.append(PersonalData(match.start(), match.end(), kind))
                # A match is overwritten at equal length, so that offsets stay valid and adjacent text gets a boundary.
                unmatched = unmatched[: match.start()] + "|" * len(match[0]) + unmatched[match.end() :]
    return sorted(matches, key=lambda personal: personal.start)


def mask_text(text: str) -> str:
    """The text with every piece of personal data replaced by its kind in brackets, such as [EMAIL]."""
    return mask_with_offsets(text)[0]


def mask_with_offsets(text: str) -> tuple[str, Callable[[int, bool], int]]:
    """The masked text, and a function from an old offset to the new one.

    An offset inside a masked piece goes to the beginning of the mask, or to its end when the second argument says that the
    offset ends something.
    """
    matches = find_personal(text)
    parts: list[str] = []
    # Start offsets of the unmasked stretches in the original text, and in the masked one.
    old, new = [0], [0]
    at = length = 0
    for personal in matches:
        mask = f"[{personal.kind.upper()}]"
        parts += [text[at : personal.start], mask]
        length += personal.start - at + len(mask)
        at = personal.end
        old.append(at)
        new.append(length)
    parts.append(text[at:])
    starts = [personal.start for personal in matches]

    def new_offset(offset: int, is_end: bool) -> int:
        before = bisect.bisect_right(starts, offset) - 1
        if before >= 0 and starts[before] < offset < matches[before].end:
            mask_end = new[before + 1]
            return mask_end if is_end else mask_end - len(matches[before].kind) - 2
        stretch = bisect.bisect_right(old, offset) - 1
        # A piece that begins exactly at the offset belongs to the stretch before it.
        return new[stretch] + offset - old[stretch]

    return "".join(parts), new_offset


def unmasked_offsets(text: str) -> Callable[[int, bool], int]:
    """A function from an offset in the masked text to the one in `text`.

    An offset inside a mask goes to the beginning of what it hides, or to its end when the second argument says that the offset
    ends something.
    """
    # For each stretch, mask or not: its start in the masked text, and (start, end, is a mask) in the original.
    masked_starts, originals = [], []
    at = length = 0
    for personal in find_personal(text):
        masked_starts += [length, length + personal.start - at]
        originals += [(at, personal.start, False), (personal.start, personal.end, True)]
        length += personal.start - at + len(personal.kind) + 2
        at = personal.end
    masked_starts.append(length)
    originals.append((at, len(text), False))

    def original_offset(offset: int, is_end: bool) -> int:
        # An end belongs to the stretch before it.
        stretch = (
            bisect.bisect_left(masked_starts, offset) if is_end else bisect.bisect_right(masked_starts, offset)
        ) - 1
        start, end, hidden = originals[max(0, stretch)]
        if hidden:
            return end if is_end else start
        return start + offset - masked_starts[max(0, stretch)]

    return original_offset
