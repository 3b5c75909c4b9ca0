"""The reasons for which a test may be skipped in continuous integration (`--strict-skips`), as patterns.

A skip outside this list fails the run: a test that silently stops running proves nothing. Each reason names what a clean machine
does not have, and cannot install.
"""

from __future__ import annotations

import re

EXPECTED = (
    r"needs a GPU",
    r"this machine may be able to keep weights in 4 bits",
    r"needs a PyTorch with MKL",
    r"needs glibc",
    r"needs the public data sets in ",
    r"needs the embedded ",  # fetched by the tests that train them, which run in another order on every machine
    r"needs the [a-z0-9-]+ model: ",
    r"needs the example ",
    r"needs [a-z0-9-]+ \(python -m engine\.assets",
    r"needs the right to mount a small tmpfs",
    r"needs /proc",
    r"needs hadolint",
)


def is_expected(reason: str) -> bool:
    """Whether a skip's reason is one of the list."""
    return any(re.search(pattern, reason) for pattern in EXPECTED)
