"""The record of one VM: where it may run, and what must still be done for it.

The rules of `vm_machine` return a changed copy; the store writes it. If a manager ends, the next one continues from it.

Rules
  1. Pure data, frozen. Field names are part of the state file's format.
  2. Times are seconds of the store's clock.
  3. `host` is the only host on which the VM may run. It is None only if it is certain that the VM runs nowhere.
  4. `left` names hosts that were fenced with this VM. Such a host may still hold it when it answers again, so the VM must be
     stopped there before the host is let in.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from fencer.ha.record import SentAlert


class VmPhase(StrEnum):
    WAITING = "waiting"  # it runs nowhere and must start
    STARTING = "starting"  # a start on `host` is under way, or it ended and nobody knows how
    RUNNING = "running"  # it runs on `host`, as far as is known
    STOPPING = "stopping"  # it is being stopped on `host`, to start on another host afterwards
    REMOVED = "removed"  # an operator took it out; kept, so that the configuration file does not bring it back


class StartResult(StrEnum):
    STARTED = "started"
    NOT_STARTED = "not-started"  # certainly nothing was started by this try
    UNKNOWN = "unknown"  # the try may have started it


@dataclass(frozen=True, slots=True, kw_only=True)
class VmSpec:
    """What placement needs to know of a VM. `hosts`: where it may start, best first; empty: anywhere.

    `apart`: two VMs with the same word here never share a host.
    """

    hosts: tuple[str, ...] = ()
    system: bool = False
    priority: int = 0
    apart: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftHost:
    """A host that was fenced while the VM might run on it. `key`: the key of the start there, or an empty text."""

    host: str
    fence_id: str
    key: str
    tries: int = 0
    retry_at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class VmRecord:
    """Everything that is stored about one VM."""

    vm: str
    phase: VmPhase = VmPhase.RUNNING
    host: str | None = None
    since: float = 0.0  # when the VM was bound to `host`, or began to wait
    boot: str | None = None  # the boot of `host` that its starts name, or in which its agent listed the VM
    spec: VmSpec | None = None  # given at run time; a VM of the configuration file has its spec there
    origin: str = ""  # what its start is called: a fence id, or `<vm>-m<moves>`
    fence_id: str | None = None  # the fence after which it must start, or was started
    origin_host: str | None = None  # the host that it ran on before
    wanted: str | None = None  # start it on this host first: its own, or the one that an operator named
    moves: int = 0
    starts: int = 0  # tries so far; the answer of an older try changes nothing
    key: str = ""  # the key of the last start
    epoch: int = 0  # the epoch of `host` in which the last start or stop was decided
    in_flight: bool = False  # a start or stop is under way
    maybe_started: bool = False  # an earlier try on `host` may have started it
    refused: tuple[str, ...] = ()  # hosts that certainly did not start it, since the last pause
    tries: int = 0  # failures in a row; sets the pause
    retry_at: float = 0.0
    last_error: str = ""
    restarts: tuple[float, ...] = ()  # when it was started again without a fence
    given_up: bool = False
    missing_since: float | None = None  # its host's agent does not list it any more
    seen_on: str | None = None  # another host whose agent lists it
    left: tuple[LeftHost, ...] = ()
    alerts: tuple[SentAlert, ...] = ()
