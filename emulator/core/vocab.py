"""The enumerations that the whole emulator uses, and the table that maps one protocol's words to another's.

The words come from DMTF (ResetType, PowerState), IPMI (chassis control), FenceAgentAPI (actions) and Pacemaker.
docs/vocabulary.md is printed from `RESET_WORDS`; a test fails when it is out of date.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Rail(StrEnum):
    """Whether a host has power. This is the fact that fencing must bring about."""

    UP = "up"
    DOWN = "down"
    UNKNOWN = "unknown"  # the host's driver cannot find out; never read as DOWN


class Os(StrEnum):
    """The state of a host's operating system. Without power it is always STOPPED."""

    RUNNING = "running"
    HUNG = "hung"  # still writes to its disks, ignores every polite request
    STOPPED = "stopped"


class ResetType(StrEnum):
    """Redfish Resource.ResetType (DSP0268)."""

    ON = "On"
    FORCE_ON = "ForceOn"
    FORCE_OFF = "ForceOff"
    GRACEFUL_SHUTDOWN = "GracefulShutdown"
    GRACEFUL_RESTART = "GracefulRestart"
    FORCE_RESTART = "ForceRestart"
    POWER_CYCLE = "PowerCycle"
    PUSH_POWER_BUTTON = "PushPowerButton"
    NMI = "Nmi"
    SUSPEND = "Suspend"
    PAUSE = "Pause"
    RESUME = "Resume"
    FULL_POWER_CYCLE = "FullPowerCycle"


class ChassisControl(IntEnum):
    """IPMI 2.0, table 28-4, Chassis Control."""

    DOWN = 0x00
    UP = 0x01
    CYCLE = 0x02
    RESET = 0x03
    DIAG = 0x04
    SOFT = 0x05

    @property
    def key(self) -> str:
        """The word that profiles use for this control."""
        return self.name.lower()


class CompletionCode(IntEnum):
    """IPMI 2.0, table 5-2: the generic codes that the emulator answers."""

    OK = 0x00
    NODE_BUSY = 0xC0
    INVALID_COMMAND = 0xC1
    INVALID_LENGTH = 0xC7
    PARAMETER_OUT_OF_RANGE = 0xC9
    INVALID_FIELD = 0xCC
    INSUFFICIENT_PRIVILEGE = 0xD4
    NOT_IN_STATE = 0xD5
    UNSPECIFIED = 0xFF


@dataclass(frozen=True, slots=True)
class ResetWords:
    """The names of one request in each protocol. None: that protocol has no such request."""

    fence_action: str
    redfish: ResetType
    ipmi: ChassisControl | None
    cloudstack: str | None
    docker: str | None


RESET_WORDS: tuple[ResetWords, ...] = (
    ResetWords("off", ResetType.FORCE_OFF, ChassisControl.DOWN, "OFF (sends GracefulShutdown)", "kill"),
    ResetWords("off, politely", ResetType.GRACEFUL_SHUTDOWN, ChassisControl.SOFT, "SOFT", "stop"),
    ResetWords("on", ResetType.ON, ChassisControl.UP, "ON", "start"),
    ResetWords("reboot (cycle)", ResetType.POWER_CYCLE, ChassisControl.CYCLE, "CYCLE", "kill, start"),
    ResetWords("reboot (no rail edge)", ResetType.FORCE_RESTART, ChassisControl.RESET, "RESET", "restart"),
    ResetWords("diag", ResetType.NMI, ChassisControl.DIAG, None, "signal"),
)

RESET_OF_CONTROL: dict[ChassisControl, ResetType] = {w.ipmi: w.redfish for w in RESET_WORDS if w.ipmi is not None}
