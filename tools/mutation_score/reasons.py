"""Why a mutant survives, and why a scenario kills none. Data; `page` prints it, and refuses a page in which a reason is missing.

A reason for a mutant or a scenario that needs none any more is refused too, so this file follows the matrix.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

SURVIVORS: Final[Mapping[str, Mapping[str, str]]] = {
    "reference": {},
    "careful": {},
}
"""By fencer and mutant."""

IDLE_SCENARIOS: Final[Mapping[str, str]] = {}
"""By scenario."""
