"""The interface between an incident and a lab, whether its hosts are containers or local processes.

All times are seconds of CLOCK_MONOTONIC: for the disk, the BMCs' journal, the lines of fence-ha and the incident.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from emulator import Datum, EventKind
from lab.oracle import DiskWrite

BMC_KINDS = frozenset({EventKind.COMMAND, EventKind.RAIL, EventKind.OS, EventKind.REPORT})
"""The kinds of journal events that `bmc_events` returns: commands, host states, and what the BMC reports."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BmcLogin:
    """URL and credentials of one BMC, and the URI of its System."""

    url: str
    username: str
    password: str
    system_uri: str


@dataclass(frozen=True, slots=True)
class BmcJournalEvent:
    """One event of a BMC's journal."""

    t: float
    kind: EventKind
    data: Mapping[str, Datum]


@dataclass(frozen=True, slots=True)
class ManagerLine:
    """One line of `fence-ha run --json`. `data` has `kind` and all other keys."""

    t: float
    host: str
    data: Mapping[str, object]


class LabSite(Protocol):
    """A running lab: `fence-ha` has the lease of every node, and all machines write."""

    @property
    def machines(self) -> Mapping[str, Sequence[str]]:
        """The machines that ran on each node at first."""
        ...

    def login(self, node: str) -> BmcLogin: ...

    def hang(self, node: str) -> None:
        """Makes the node hang: its agent answers nothing and ignores SIGTERM, but its machines keep writing."""
        ...

    def agent(self, node: str) -> Mapping[str, object] | None:
        """Returns the health report of the node's agent, or None if it does not answer."""
        ...

    def bmc_events(self, node: str) -> Sequence[BmcJournalEvent]:
        """Returns the journal of the node's BMC."""
        ...

    def manager_lines(self) -> Sequence[ManagerLine]: ...

    def writes(self) -> Mapping[str, Sequence[DiskWrite]]: ...


class SiteFailed(Exception):
    """The lab itself does not work, so there is no verdict on the fencer."""
