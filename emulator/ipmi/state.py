"""What a BMC remembers for IPMI alone: boot flags, restore policy, identify light, who switched on last."""

from __future__ import annotations

from dataclasses import dataclass, field

from emulator.core.clock import Instant
from emulator.core.vocab import ChassisControl

POLICY_ALWAYS_OFF = 0x00
BOOT_FLAGS = 5
VALID_FLAGS = 0x80
PERSISTENT = 0x40


@dataclass(slots=True)
class BootOptions:
    """System boot options by parameter number (IPMI 2.0, table 28-14). Sizes are those of the standard."""

    values: dict[int, bytes] = field(
        default_factory=lambda: {0: b"\0", 1: b"\0", 2: b"\0", 3: b"\0", 4: b"\0\0", 5: bytes(5), 6: bytes(9), 7: bytes(17)}
    )
    locked: set[int] = field(default_factory=set)


@dataclass(slots=True)
class IpmiState:
    boot: BootOptions = field(default_factory=BootOptions)
    restore_policy: int = POLICY_ALWAYS_OFF
    identify_until: Instant = -1.0  # in the past: the light is off; infinity: on until told otherwise
    last_control: ChassisControl | None = None  # the last one that was accepted
    on_by_ipmi: bool = False
    enables: int = 0x08  # system event logging (22.2)
