"""What a BMC remembers for IPMI alone: boot flags, restore policy, identify light, who switched on last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from emulator.core.clock import Instant
from emulator.core.vocab import ChassisControl

POLICY_ALWAYS_OFF = 0x00
SET_IN_PROGRESS, BOOT_FLAGS = 0, 5
VALID_FLAGS = 0x80


NO_CHANGES: Mapping[int, bytes] = MappingProxyType({})
BOOT_PARAMETERS: Mapping[int, int] = MappingProxyType({0: 1, 1: 1, 2: 1, 3: 1, 4: 2, 5: 5, 6: 9, 7: 17})
"""System boot options by parameter number, and the bytes that each has (IPMI 2.0, table 28-14)."""


@dataclass(slots=True)
class BootOptions:
    """What was ever set, zeros else. Nothing is copied before that: there may be thousands of BMCs."""

    changed: Mapping[int, bytes] = field(default_factory=lambda: NO_CHANGES)
    locked: frozenset[int] = frozenset()

    def value(self, number: int) -> bytes:
        return self.changed.get(number) or bytes(BOOT_PARAMETERS[number])

    def set(self, number: int, value: bytes) -> None:
        self.changed = {**self.changed, number: value}

    def lock(self, number: int, locked: bool) -> None:
        self.locked = self.locked | {number} if locked else self.locked - {number}


@dataclass(slots=True)
class IpmiState:
    boot: BootOptions = field(default_factory=BootOptions)
    restore_policy: int = POLICY_ALWAYS_OFF
    identify_until: Instant = -1.0  # in the past: the light is off; infinity: on until told otherwise
    last_control: ChassisControl | None = None  # the last one that was accepted
    on_by_ipmi: bool = False
    enables: int = 0x08  # system event logging (22.2)
