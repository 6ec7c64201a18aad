"""The state of one BMC that only IPMI shows. What Redfish shows too is kept by the core, behind the view.

The responder makes one per BMC; command handlers read and change it, in the emulator's one thread.
"""

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
"""Key of the SOL parameter "volatile bit rate" in `IpmiState.stored`."""
NO_LEVELS: Mapping[int, int] = MappingProxyType({})
NOBODY: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Here:
    """The address and port of this BMC's socket. Clients are shown the address of `view.network`, and this port."""

    address: str = "0.0.0.0"
    port: int = IPMI_PORT


NOWHERE = Here()


@dataclass(slots=True)
class IpmiState:
    """The IPMI state of one BMC. All BMCs share the defaults, which are replaced on the first write: there may be thousands."""

    boot_options: Mapping[int, bytes] = field(default_factory=lambda: NO_CHANGES)  # all parameters but the boot flags
    boot_locked: frozenset[int] = NOBODY
    boot_rest: bytes = bytes(4)  # boot flags that have no effect: data 2 without the device, data 3 to 5
    boot_set: BootOverride = NO_OVERRIDE  # the last override that was set over IPMI
    boot_until: Instant = math.inf  # when that override expires
    enables: int = 0x08  # system event logging (22.2)
    no_messaging: frozenset[int] = NOBODY  # user ids that may not log in over IPMI
    no_sol: frozenset[int] = NOBODY  # user ids that may not use serial over LAN
    sel_reservation: int = 0
    sel_reserved_at: int = 0  # id of the oldest entry when the reservation was made; 0: none, or any; -1: the reservation is lost
    sel_part: bytes = b""  # the first bytes of a record that a client adds in parts
    sdr_reservation: int = 0
    stored: Mapping[tuple[int, int, int], bytes] = field(default_factory=lambda: NOTHING_KEPT)  # see `parameters`
    set_in_progress: frozenset[int] = NOBODY  # parameters.Family: where "set in progress" is set
    suite_levels: bytes | None = None  # LAN parameter 24 without its first byte; None: all suites allow administrators
    kg: bytes | None = None  # K_g as set over IPMI (empty: no key); None: the one that the BMC started with
    user_levels: Mapping[int, int] = field(default_factory=lambda: NO_LEVELS)  # of user ids without an account, or without access
    user_flags: Mapping[int, int] = field(default_factory=lambda: NO_LEVELS)  # callback and link authentication
    access: tuple[int, int] = (0x22, 0x04)  # channel access: always available without alerts; administrators
    access_non_volatile: tuple[int, int] = (0x22, 0x04)  # the non-volatile channel access, for after the next restart
    panel_disabled: int = 0  # disabled front panel buttons, one bit each

    def restart(self) -> None:
        """Resets what is lost when the BMC starts again."""
        self.set_in_progress = NOBODY
        self.access = self.access_non_volatile[0] & ~0x07 | self.access[0] & 0x07, self.access_non_volatile[1]
        self.sel_reserved_at = -1
        if VOLATILE_BIT_RATE in self.stored:
            self.stored = {key: value for key, value in self.stored.items() if key != VOLATILE_BIT_RATE}
