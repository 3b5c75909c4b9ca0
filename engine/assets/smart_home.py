"""Spoken commands to a home, drawn from the sentence templates of Home Assistant: intents, and the slots in them.

The templates come from the package; the home they speak of (rooms, devices, shopping, ...) from smart_home_words.py.
"""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.assets.smart_home_words import HOMES, Home
from engine.assets.tables import write_csv, write_jsonl
from engine.assets.templates import Node, Sampler, join, parse

SEED = 20261027
ROWS_FROM, ROWS_TO, ROWS_PER_TEMPLATE = 50, 240, 3  # rows of an intent: the more ways to say it, the more
FEWEST_ROWS = 12  # an intent with fewer different sentences is left out
DRAWS = 2000  # sentences drawn of each intent: many more than are kept, to see which wordings two intents share
POLITE_SHARE = 0.2
FILE_NAMES = {"en": "en.json", "zh": "zh-CN.json"}

# The lists whose values are entities, by the label they get. Others (states, steps, media classes) stay unmarked.
SLOT_LABELS = {
    "name": "device",
    "cover_classes": "device",
    "area": "room",
    "floor": "floor",
    "color": "color",
    "color_temperature_names": "color",
    "temperature": "temperature",
    "position": "percent",
    "brightness": "percent",
    "fan_speed": "percent",
    "volume": "percent",
    "volume_percentage": "percent",
    "volume_step_up": "percent",
    "volume_step_down": "percent",
    "timer_hours": "hours",
    "timer_minutes": "minutes",
    "timer_seconds": "seconds",
    "timer_name": "timer",
    "shopping_list_item": "item",
    "todo_list_item": "item",
}
# `{name}` is a device by default, but these intents name something else by it.
NAME_LABELS = {"todo": "list", "person": "person", "weather": "place", "scene": "scene", "script": "scene"}
# Questions and answers: "please" does not go with them.
NO_POLITENESS = frozenset(
    (
        "ClimateGetTemperature",
        "GetCurrentDate",
        "GetCurrentTime",
        "GetState",
        "GetWeather",
        "Nevermind",
        "Respond",
        "TimerStatus",
    )
)
# Percentages up to 100 and hours up to 100 are possible, but nobody says "97 hours".
RANGES = {
    "temperature": (16, 28),
    "color_temperature": (20, 65),
    "timer_hours": (1, 12),
    "timer_minutes": (1, 59),
    "timer_seconds": (5, 59),
}
STEPS = {"color_temperature": 100}
PERCENT = (5, 100)


@dataclass(frozen=True, slots=True)
class Command:
    text: str
    intent: str
    spans: tuple[tuple[int, int, str], ...]  # start, end, label


def write_intents(source: Path, out: Path, language: str) -> None:
    """`text,label`: the command and its intent."""
    write_csv(out, ("text", "label"), ((command.text, command.intent) for command in commands(source, language)))


def write_slots(source: Path, out: Path, language: str) -> None:
    """JSON Lines of `text` and `spans` ({start, end, label}, character offsets)."""
    write_jsonl(
        out,
        (
            {"text": command.text, "spans": [{"start": a, "end": b, "label": label} for a, b, label in command.spans]}
            for command in commands(source, language)
        ),
    )


def commands(source: Path, language: str) -> list[Command]:
    """Different commands in mixed order, the same ones each time.

    A wording that the templates give to two intents ("stop the timer": cancel or pause it) is left out, whatever fills
    its slots: nobody could tell the intents apart by it.
    """
    data = json.loads((source / FILE_NAMES[language]).read_text(encoding="utf-8"))
    rng = random.Random(SEED)
    drawn: dict[str, list[tuple[Command, str]]] = {}
    intents_of: defaultdict[str, set[str]] = defaultdict(set)
    for intent, definition in data["intents"].items():
        drawn[intent] = list(_draw(intent.removeprefix("Hass"), definition, data, language, rng))
        for _, wording in drawn[intent]:
            intents_of[wording].add(intent)
    chosen = []
    for intent, definition in data["intents"].items():
        clear = [command for command, wording in drawn[intent] if len(intents_of[wording]) == 1]
        chosen += clear[: _rows_of(definition)] if len(clear) >= FEWEST_ROWS else []
    rng.shuffle(chosen)
    return chosen


def _draw(
    intent: str, definition: dict[str, Any], data: dict[str, Any], language: str, rng: random.Random
) -> Iterator[tuple[Command, str]]:
    """Different commands of one intent with their wording: the text in which each slot is replaced by its list's name."""
    home = HOMES[language]
    rules = {name: parse(rule) for name, rule in data["expansion_rules"].items()}
    templates = [(parse(sentence), _domains(block)) for block in definition["data"] for sentence in block["sentences"]]
    seen: set[str] = set()
    for _ in range(DRAWS):
        template, domains = rng.choice(templates)
        pieces = Sampler(rules, _values(data["lists"], home, domains), rng).draw(template)
        if language == "zh" and any(text.isascii() and text.strip().isalpha() for text, _ in pieces):
            continue  # a few Chinese rules offer English verbs among the alternatives
        wording, _ = join((text if slot is None else f" {slot} ", None) for text, slot in pieces)
        begins_with_verb = pieces[0][1] is None and not wording.startswith(("the ", "my ", "our "))
        if intent not in NO_POLITENESS and begins_with_verb and rng.random() < POLITE_SHARE:
            pieces.insert(0, (rng.choice(home.polite), None))
        text, slots = join(pieces)
        if text.casefold() not in seen:
            seen.add(text.casefold())
            yield Command(text, intent, tuple(_labelled(slots, domains))), wording.casefold()


def _rows_of(definition: dict[str, Any]) -> int:
    templates = sum(len(block["sentences"]) for block in definition["data"])
    return min(ROWS_TO, ROWS_FROM + ROWS_PER_TEMPLATE * templates)


def _domains(block: dict[str, Any]) -> tuple[str, ...]:
    """What kinds of device `{name}` may stand for in these sentences."""
    domains = block.get("requires_context", {}).get("domain", ("switch",))
    return (domains,) if isinstance(domains, str) else tuple(domains)


def _labelled(slots: list[tuple[int, int, str]], domains: tuple[str, ...]) -> Iterator[tuple[int, int, str]]:
    for start, end, list_name in slots:
        label = NAME_LABELS.get(domains[0], "device") if list_name == "name" else SLOT_LABELS.get(list_name)
        if label is not None:
            yield start, end, label


def _values(lists: dict[str, Any], home: Home, domains: tuple[str, ...]) -> Any:
    def value(list_name: str, rng: random.Random) -> tuple[Node, ...]:
        if list_name == "name":
            return (rng.choice(home.names[rng.choice([d for d in domains if d in home.names])]),)
        if list_name in home.words:
            return (rng.choice(home.words[list_name]),)
        known = lists[list_name]
        if "range" in known:
            low, high = RANGES.get(list_name, PERCENT)
            return (str(rng.randint(low, high) * STEPS.get(list_name, 1)),)
        return parse(rng.choice(known["values"])["in"])

    return value
