"""How hard the tests try: `EFFORT=nightly` multiplies random examples and takes every profile."""

from __future__ import annotations

import os

from conformance.selection import USUAL_PROFILES
from profiles import names

MULTIPLIER = 20
NIGHTLY = os.environ.get("EFFORT") == "nightly"


def examples(usual: int) -> int:
    """The number of examples for one random test."""
    return usual * (MULTIPLIER if NIGHTLY else 1)


def profiles_to_try() -> tuple[str, ...]:
    """The profiles of a table that takes minutes for each of them."""
    return tuple(names()) if NIGHTLY else USUAL_PROFILES
