"""What a catalogued example data set is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.assets.package import Package
from engine.core.text import Text

TRIAL_MINUTES = 1.8  # a result within two minutes, on a slow machine too
GENERATIVE_MINUTES = 2.6  # within three for those who write: reading whole documents and writing test rows takes longer


@dataclass(frozen=True, slots=True)
class Example:
    """A data set that works without a hub, and what a person wants to know before choosing it."""

    name: str
    title: Text
    about: Text  # one line: what it is and where it comes from
    licence: str
    rows: int
    bytes: int  # of the file that is written
    languages: tuple[str, ...]  # ISO 639-1
    task: str
    columns: Mapping[str, str]  # role in the task -> column in the file
    source: Package | Path  # a pinned package, or a file of this repository
    suggestion: str  # the embedded model that suits it
    recommended: bool  # what newcomers get who read its language
    suffix: str  # ".csv" or ".jsonl"
    write: Callable[[Path, Path], None]  # (folder of the package's members or the local file, file to write)
    sample: int | None = None  # rows that a run takes by default: a result in a minute or two
    sampled_lengths: tuple[int, int] | None = None  # characters of the rows that are taken then; None takes any
    minutes: float | None = TRIAL_MINUTES  # that a run takes at most by default
    recipe: int = 1  # goes up when `write` changes what it writes, so that an older file in the cache is not used
