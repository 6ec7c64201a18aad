"""What an incident needs of a lab, whether its hosts are containers or local processes.

All times are CLOCK_MONOTONIC in seconds: one clock for the disk, the BMCs' journal, the manager's lines and the incident.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from emulator import Datum, EventKind
from lab.oracle import DiskWrite

BMC_KINDS = frozenset({EventKind.COMMAND, EventKind.RAIL, EventKind.OS, EventKind.REPORT})
"""What of a journal a `Site` shows: commands, the truth about hosts, and what is said about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BmcLogin:
    """A BMC as any client sees it."""

    url: str
    username: str
    password: str
    system_uri: str


@dataclass(frozen=True, slots=True)
class TruthSeen:
    """Something that a BMC's journal holds."""

    t: float
    kind: EventKind
    data: Mapping[str, Datum]


@dataclass(frozen=True, slots=True)
class FencerSaid:
    """A line of `fence-ha run --json`: `data` has its `kind` and everything else."""

    t: float
    host: str
    data: Mapping[str, object]


class LabSite(Protocol):
    """A running lab with `fence-ha` in charge of every node and all machines writing."""

    @property
    def machines(self) -> Mapping[str, Sequence[str]]:
        """Node -> the machines that ran on it first."""
        ...

    def login(self, node: str) -> BmcLogin: ...

    def hang(self, node: str) -> None:
        """The node's agent answers nobody any more and ignores SIGTERM; its machines go on writing."""
        ...

    def agent(self, node: str) -> Mapping[str, object] | None:
        """What the node's agent says of itself; None while it does not answer."""
        ...

    def seen(self, node: str) -> Sequence[TruthSeen]:
        """The journal of the node's BMC."""
        ...

    def said(self) -> Sequence[FencerSaid]: ...

    def writes(self) -> Mapping[str, Sequence[DiskWrite]]: ...


class SiteFailed(Exception):
    """The lab itself does not work; nothing can be said about any fencer."""
