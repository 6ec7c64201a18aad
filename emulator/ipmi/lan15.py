"""IPMI 1.5 sessions (IPMI 2.0, 13.6, 22.16, 22.17)."""

from __future__ import annotations

from dataclasses import dataclass

from emulator.core.clock import Instant

AUTH_TYPES: tuple[int, ...] = ()


@dataclass(slots=True, kw_only=True)
class Challenge:
    """A client that has asked for a challenge and not answered it."""

    id: bytes
    since: Instant
