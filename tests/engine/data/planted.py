"""A clean table, and the same table with one fault of each kind planted in it."""

from __future__ import annotations

import random

CLASSES = ("billing", "delivery", "product")
# Words that lean towards a class without giving it away, and words that any message may hold.
LEANING = {
    "billing": ["invoice", "refund", "charged", "card", "bank", "fee", "payment", "twice", "price", "total"],
    "delivery": ["parcel", "courier", "late", "truck", "door", "address", "waiting", "box", "tracking", "street"],
    "product": ["screen", "battery", "button", "broken", "handle", "colour", "size", "noise", "manual", "cable"],
}
COMMON = [
    "the",
    "my",
    "your",
    "it",
    "is",
    "was",
    "and",
    "with",
    "for",
    "not",
    "this",
    "that",
    "have",
    "please",
    "can",
    "you",
    "how",
    "what",
    "when",
    "there",
    "after",
    "before",
    "because",
    "again",
    "today",
    "yesterday",
    "week",
    "month",
    "somebody",
    "called",
    "answer",
    "help",
    "really",
    "still",
    "never",
    "always",
    "another",
    "order",
    "shop",
    "website",
    "email",
    "letter",
    "number",
    "friend",
    "morning",
    "evening",
    "question",
    "problem",
    "reason",
    "change",
    "want",
    "need",
    "know",
    "tell",
    "found",
    "looked",
    "asked",
    "waited",
    "tried",
    "hoped",
    "seemed",
]


def clean_rows(count: int = 240, seed: int = 5) -> list[tuple[str, str]]:
    """(text, label) rows: distinct, of varied length, each label with words of its own and words of the others."""
    rng = random.Random(seed)
    rows = []
    for i in range(count):
        label = CLASSES[i % 3]
        words = rng.choices(COMMON, k=rng.randint(6, 24)) + rng.choices(LEANING[label], k=2)
        words += rng.choices(LEANING[rng.choice(CLASSES)], k=1)
        rng.shuffle(words)
        rows.append((" ".join(words), label))
    return rows


LONG = " ".join(COMMON * 12)
EMAIL = "please write to ann.lee@example.org about the refund of my last order"

FAULTS: dict[str, list[tuple[str, str]]] = {
    "empty_text": [("", "billing"), ("   ", "product")],
    "missing_labels": [("the shop never gave an answer to my question about the cable", "")],
    "duplicates": [("my parcel was left at the wrong door and it is gone", "delivery")] * 2,
    "conflicting_labels": [("what is the reason for this strange letter", c) for c in ("billing", "product")],
    "near_duplicates": [
        ("how can my friend change the address of the order after payment was made yesterday", "delivery"),
        ("how can my friend change the address of the order after payment was made yesterday ?", "delivery"),
    ],
    "label_spellings": [("the handle of the door of the truck looked broken to me", " Product")],
    "rare_labels": [("can you tell me when the shop is open on a holiday", "opening hours")],
    "imbalance": [],  # the rare class makes the classes uneven
    "too_long": [(LONG, "billing")],
    "broken_characters": [("the caf\ufffd next door took my parcel", "delivery")],
    "language_mix": [
        ("ich habe die Rechnung nicht bekommen und es ist nicht die erste", "billing"),
        ("der Bildschirm ist kaputt und ich bin sehr enttäuscht von dem Gerät", "product"),
        ("快递员把包裹放错了地方，一直没有人接电话", "delivery"),
        ("这个月的账单多收了钱，请尽快退款给我", "billing"),
        ("le colis est arrivé dans une boîte qui est très abîmée", "delivery"),
        ("屏幕有裂痕，按键也不灵，要求换货", "product"),
    ],
    "personal_data": [(EMAIL, "billing")],
}


def planted_rows() -> list[tuple[str, str]]:
    """The clean rows followed by every fault."""
    return clean_rows() + [row for rows in FAULTS.values() for row in rows]
