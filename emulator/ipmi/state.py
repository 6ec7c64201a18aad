"""What a BMC remembers for IPMI alone. Everything that Redfish shows too is the machine's, behind the view."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from emulator.core.boot import NO_OVERRIDE, BootOverride
from emulator.core.clock import Instant
from emulator.ipmi.rmcp import IPMI_PORT

NO_CHANGES: Mapping[int, bytes] = MappingProxyType({})
NOBODY: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Here:
    """Where clients find this BMC, for commands that tell it. An address that is no IPv4 address is shown as 0.0.0.0."""

    address: str = "0.0.0.0"
    port: int = IPMI_PORT


NOWHERE = Here()


@dataclass(slots=True)
class IpmiState:
    """Nothing is copied before it is changed: there may be thousands of BMCs."""

    boot_options: Mapping[int, bytes] = field(default_factory=lambda: NO_CHANGES)  # all parameters but the boot flags
    boot_locked: frozenset[int] = NOBODY
    boot_rest: bytes = bytes(3)  # boot flags, data 3 to 5: nothing here acts on them
    boot_set: BootOverride = NO_OVERRIDE  # the last one that came over IPMI
    boot_until: Instant = math.inf  # when that lapses
    enables: int = 0x08  # system event logging (22.2)
    no_messaging: frozenset[int] = NOBODY  # user ids that may not log in over IPMI
    no_sol: frozenset[int] = NOBODY  # user ids that may not use serial over LAN
    sel_reservation: int = 0
    sel_reserved_at: int = 0  # the oldest entry of then; 0: none, or any; -1: lost
    sel_part: bytes = b""  # of a record that comes in parts
    sdr_reservation: int = 0
