"""The event log of a BMC. IPMI shows it as the SEL, Redfish as a LogService; both show the same entries.

`BmcLogWriter` adds entries, `LogView` reads and clears them for the front ends, in the emulator's one thread.

Rules
  1. The log has a limit. A full log drops its oldest entry or refuses the new one, as configured; `lost` counts both.
  2. Record ids are never used again, neither after a clear nor after a deletion.
  3. Every entry has its IPMI fields (IPMI 2.0, 32.1, record type 02h), so both protocols show the same event.
  4. It contains what a BMC can notice. A BMC does not notice a hung operating system, and nothing while it is away.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from emulator.core.bmc.sensors import SensorNumber, SensorType
from emulator.core.clock import Instant
from emulator.core.errors import RackMisconfigured

LOG_LIMIT = 512
SENSOR_SPECIFIC = 0x6F
"""Event/reading type code of every entry (IPMI 2.0, table 42-1)."""

BMC_ITSELF = 0x0020
EVENT_REVISION = 0x04
OEM_WITH_TIME, OEM_WITHOUT_TIME = 0xC0, 0xE0
"""The first OEM record types with and without a time stamp (32.1)."""

UNUSED = 0xFF
"""The value of an event data byte that is not used."""


class Severity(StrEnum):
    """Redfish LogEntry.Severity."""

    OK = "OK"
    WARNING = "Warning"
    CRITICAL = "Critical"


class LogKind(StrEnum):
    """What an entry is about."""

    POWER_ON = "power-on"
    POWER_OFF = "power-off"
    POWER_CYCLE = "power-cycle"  # a cycle begins; its power-off and power-on follow as entries of their own
    RESET = "reset"
    BOOT = "boot"
    OS_SHUTDOWN = "os-shutdown"  # the OS shut down properly and reported it by ACPI
    OS_CRASH = "os-crash"
    WATCHDOG = "watchdog"
    WATCHDOG_PRETIMEOUT = "watchdog-pretimeout"
    BMC_RESET = "bmc-reset"
    BMC_READY = "bmc-ready"
    MAINS_LOST = "mains-lost"
    MAINS_BACK = "mains-back"
    LOGIN_FAILED = "login-failed"
    LOCKOUT = "lockout"
    LOG_CLEARED = "log-cleared"
    THRESHOLD = "threshold"  # a reading has crossed a threshold, or come back
    ADDED = "added"  # added by a client (IPMI Add SEL Entry)


class Overflow(StrEnum):
    """What a full log does with a new entry."""

    DROP_OLDEST = "drop-oldest"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class SelFields:
    """The part of a SEL record that only IPMI shows. `data` is event data 1 to 3; the direction bit is the inverse of `asserted`.

    `generator` is the generator id of the record (two bytes), `revision` the format of the event message.
    """

    sensor_type: int
    sensor_number: int
    data: tuple[int, int, int]
    event_type: int = SENSOR_SPECIFIC
    asserted: bool = True
    generator: int = BMC_ITSELF
    revision: int = EVENT_REVISION
    oem: bytes = b""
    """An OEM record instead of an event (32.2, 32.3): its record type, then the bytes after the time stamp, or after the type
    where it has no time stamp. The other fields are not used then."""

    @property
    def stamped(self) -> bool:
        """Whether the record has a time stamp: all have but the types from E0h on."""
        return not self.oem or self.oem[0] < OEM_WITHOUT_TIME


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One entry. `t` is on the rack's clock, `wall` is Unix time, both in seconds; `cause` is its journal event."""

    id: int
    t: Instant
    wall: float
    severity: Severity
    kind: LogKind
    text: str
    system: str | None
    sel: SelFields
    cause: int | None = None


@dataclass(frozen=True, slots=True)
class Sentence:
    """The text of an event of one kind, and the sensor event that IPMI shows for it (table 42-3: type, offset)."""

    severity: Severity
    text: str
    sensor_type: SensorType
    sensor_number: SensorNumber
    offset: int
    asserted: bool = True

    def fields(self, second: int = UNUSED, third: int = UNUSED, offset: int | None = None) -> SelFields:
        """The SEL fields, with event data 2 and 3, and another offset where one is given."""
        first = self.offset if offset is None else offset
        # Bits 7:6 and 5:4 of event data 1 say whether bytes 2 and 3 are used (table 29-6, sensor-specific: 11b).
        first |= (0xC0 if second != UNUSED else 0) | (0x30 if third != UNUSED else 0)
        return SelFields(self.sensor_type, self.sensor_number, (first, second, third), asserted=self.asserted)


_T, _N = SensorType, SensorNumber
SENTENCES: Mapping[LogKind, Sentence] = {
    LogKind.POWER_ON: Sentence(Severity.OK, "The host is powered on.", _T.POWER_UNIT, _N.POWER_UNIT, 0, asserted=False),
    LogKind.POWER_OFF: Sentence(Severity.OK, "The host is powered off.", _T.POWER_UNIT, _N.POWER_UNIT, 0),
    LogKind.POWER_CYCLE: Sentence(Severity.OK, "A power cycle of the host has begun.", _T.POWER_UNIT, _N.POWER_UNIT, 1),
    LogKind.RESET: Sentence(Severity.WARNING, "The host was reset.", _T.SYSTEM_RESTART, _N.SYSTEM_RESTART, 1),
    LogKind.BOOT: Sentence(Severity.OK, "The host boots.", _T.SYSTEM_RESTART, _N.SYSTEM_RESTART, 7),
    LogKind.OS_SHUTDOWN: Sentence(Severity.OK, "The operating system has shut down.", _T.OS_STOP, _N.OS_STOP, 3),
    LogKind.OS_CRASH: Sentence(Severity.CRITICAL, "The operating system has stopped unexpectedly.", _T.OS_STOP, _N.OS_STOP, 1),
    LogKind.WATCHDOG: Sentence(Severity.CRITICAL, "The watchdog timer has expired.", _T.WATCHDOG, _N.WATCHDOG, 0),
    LogKind.WATCHDOG_PRETIMEOUT: Sentence(
        Severity.WARNING, "The watchdog timer is about to expire.", _T.WATCHDOG, _N.WATCHDOG, 8
    ),
    LogKind.BMC_RESET: Sentence(Severity.WARNING, "The BMC was reset.", _T.MANAGEMENT_HEALTH, _N.BMC_HEALTH, 2),
    LogKind.BMC_READY: Sentence(Severity.OK, "The BMC is up.", _T.MANAGEMENT_HEALTH, _N.BMC_HEALTH, 2, asserted=False),
    LogKind.MAINS_LOST: Sentence(Severity.CRITICAL, "The input power is lost.", _T.POWER_UNIT, _N.POWER_UNIT, 4),
    LogKind.MAINS_BACK: Sentence(Severity.OK, "The input power is back.", _T.POWER_UNIT, _N.POWER_UNIT, 4, asserted=False),
    LogKind.LOGIN_FAILED: Sentence(Severity.WARNING, "A login was refused.", _T.SESSION_AUDIT, _N.SESSION_AUDIT, 2),
    LogKind.LOCKOUT: Sentence(
        Severity.WARNING, "Logins are locked after too many failures.", _T.SESSION_AUDIT, _N.SESSION_AUDIT, 3
    ),
    LogKind.LOG_CLEARED: Sentence(Severity.OK, "The log was cleared.", _T.EVENT_LOG, _N.EVENT_LOG, 2),
}


class EventLog:
    """The entries of one BMC, oldest first."""

    __slots__ = ("_entries", "_limit", "_next", "_overflow", "last_added", "last_erased", "lost")

    def __init__(self, limit: int = LOG_LIMIT, overflow: Overflow = Overflow.DROP_OLDEST) -> None:
        if limit < 1:
            raise RackMisconfigured(f"a log of {limit} entries can hold nothing")
        self._limit = limit
        self._overflow = overflow
        self._entries: list[LogEntry] = []
        self._next = 1
        self.lost = 0
        self.last_added: float = 0.0
        """Unix time of the newest addition, 0 before the first (IPMI Get SEL Info)."""
        self.last_erased: float = 0.0
        """Unix time of the last clear or deletion, 0 before the first."""

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def limit(self) -> int:
        return self._limit

    @property
    def overflow(self) -> Overflow:
        return self._overflow

    def entries(self) -> tuple[LogEntry, ...]:
        return tuple(self._entries)

    def entry(self, record: int) -> LogEntry | None:
        return next((entry for entry in self._entries if entry.id == record), None)

    def newest_first(self) -> Iterator[LogEntry]:
        return reversed(self._entries)

    def add(
        self,
        *,
        t: Instant,
        wall: float,
        severity: Severity,
        kind: LogKind,
        text: str,
        system: str | None,
        sel: SelFields,
        cause: int | None = None,
    ) -> LogEntry | None:
        """Adds an entry and returns it; None where the log is full and refuses new entries."""
        if len(self._entries) >= self._limit:
            self.lost += 1
            if self._overflow is Overflow.REFUSE:
                return None
            del self._entries[0]
        entry = LogEntry(self._next, t, wall, severity, kind, text, system, sel, cause)
        self._next += 1
        self._entries.append(entry)
        self.last_added = wall
        return entry

    def clear(self, wall: float) -> None:
        """Removes all entries. `wall` is the Unix time to show as the time of the last erasure."""
        self._entries.clear()
        self.lost = 0
        self.last_erased = wall

    def delete(self, record: int, wall: float) -> bool:
        """Removes one entry. Returns whether it existed."""
        kept = [entry for entry in self._entries if entry.id != record]
        if len(kept) == len(self._entries):
            return False
        self._entries = kept
        self.last_erased = wall
        return True
