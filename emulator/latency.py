"""How long a vendor's BMC takes for an answer: `timing.latency_ms` of its profile, drawn from the rack's seed.

The draws are a sequence of their own, so that a profile with latency and one without draw the same times for everything else.
"""

from __future__ import annotations

import random

from profiles.model import Profile


class Latency:
    """Used in the emulator's thread, for each answer of Redfish and IPMI."""

    def __init__(self, seed: int, *, on: bool = True) -> None:
        self._dice = random.Random(f"{seed}/latency")
        self._on = on

    def of(self, profile: Profile) -> float:
        """Seconds until an answer. With `min` and `typ` evenly around `typ`; with a `max` up to there, most often `typ`."""
        told = profile.timing.latency_ms
        if not self._on or not told:
            return 0.0
        low = told.get("min", 0.0)
        typical = max(low, told.get("typ", low))
        if "max" in told:
            high = max(typical, told["max"])
            return self._dice.triangular(low, high, typical) / 1000 if high > low else low / 1000
        return self._dice.uniform(low, 2 * typical - low) / 1000 if typical > low else low / 1000
