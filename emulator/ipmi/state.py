"""What a BMC remembers for IPMI alone. Everything that Redfish shows too is the machine's, behind the view."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from emulator.core.bmc.boot import NO_OVERRIDE, BootOverride
from emulator.core.clock import Instant
from emulator.ipmi.session.rmcp import IPMI_PORT

NO_CHANGES: Mapping[int, bytes] = MappingProxyType({})
NOTHING_KEPT: Mapping[tuple[int, int, int], bytes] = MappingProxyType({})
VOLATILE_BIT_RATE = (1, 6, 0)
"""Of serial over LAN, as `parameters` keeps it."""
NO_LEVELS: Mapping[int, int] = MappingProxyType({})
NOBODY: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Here:
    """Where this BMC's socket is. What it tells of its network is `view.network`; the port is told as it is."""

    address: str = "0.0.0.0"
    port: int = IPMI_PORT


NOWHERE = Here()


@dataclass(slots=True)
class IpmiState:
    """Nothing is copied before it is changed: there may be thousands of BMCs."""

    boot_options: Mapping[int, bytes] = field(default_factory=lambda: NO_CHANGES)  # all parameters but the boot flags
    boot_locked: frozenset[int] = NOBODY
    boot_rest: bytes = bytes(4)  # boot flags, data 2 without the device, 3 to 5: nothing here acts on them
    boot_set: BootOverride = NO_OVERRIDE  # the last one that came over IPMI
    boot_until: Instant = math.inf  # when that lapses
    enables: int = 0x08  # system event logging (22.2)
    no_messaging: frozenset[int] = NOBODY  # user ids that may not log in over IPMI
    no_sol: frozenset[int] = NOBODY  # user ids that may not use serial over LAN
    sel_reservation: int = 0
    sel_reserved_at: int = 0  # the oldest entry of then; 0: none, or any; -1: lost
    sel_part: bytes = b""  # of a record that comes in parts
    sdr_reservation: int = 0
    kept: Mapping[tuple[int, int, int], bytes] = field(default_factory=lambda: NOTHING_KEPT)  # see `parameters`
    setting: frozenset[int] = NOBODY  # parameters.Family: where somebody is in the middle of a change
    suite_levels: bytes | None = None  # LAN parameter 24 without its first byte; None: everything is for administrators
    kg: bytes | None = None  # a key that came over IPMI; None: the one that the BMC was made with
    user_levels: Mapping[int, int] = field(default_factory=lambda: NO_LEVELS)  # of user ids that have no account, or no access
    user_flags: Mapping[int, int] = field(default_factory=lambda: NO_LEVELS)  # callback and link authentication
    access: tuple[int, int] = (0x22, 0x04)  # channel access: always available without alerts; administrators
    access_kept: tuple[int, int] = (0x22, 0x04)  # the same, from the next restart on
    panel_disabled: int = 0  # front panel buttons, a bit each

    def restart(self) -> None:
        """What a BMC's memory loses when it starts again."""
        self.setting = NOBODY
        self.access = self.access_kept[0] & ~0x07 | self.access[0] & 0x07, self.access_kept[1]
        self.sel_reserved_at = -1
        if VOLATILE_BIT_RATE in self.kept:
            self.kept = {key: value for key, value in self.kept.items() if key != VOLATILE_BIT_RATE}
