"""How hard the random tests try: `EFFORT=nightly` multiplies their examples."""

from __future__ import annotations

import os

NIGHTLY = 20


def examples(usual: int) -> int:
    """The number of examples for one random test."""
    return usual * (NIGHTLY if os.environ.get("EFFORT") == "nightly" else 1)
