"""What moves a host's rail and its operating system.

Rules
  1. Everything that changes the truth about a host is in this file, and nothing else changes it.
  2. It speaks no protocol and knows no profile: front ends translate, `power` schedules.
  3. It has no clock. Whoever holds the host (the virtual one in `virtual`, a container, a process group) brings the news.

Theory
  A host is two machines. The *rail* is energised or not: the only fact that fencing is about. The *operating system* decides
  whether a polite request is honoured. `incarnation` counts losses of run state: a reset that never drops the rail still ends
  the old operating system, and whoever fences by reset must be able to show that (catalogue 6).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from emulator.core.errors import IllegalStimulus
from emulator.core.vocab import Os, Rail


class Order(StrEnum):
    """What a BMC can do to the host that it holds."""

    CUT = "cut"
    ENERGISE = "energise"
    RESET = "reset"  # the run state is lost, the rail stays
    ASK_SHUTDOWN = "ask-shutdown"
    ASK_REBOOT = "ask-reboot"
    CRASH = "crash"  # a diagnostic interrupt that the OS does not survive


class HostDriver(Protocol):
    """Whoever holds the hosts: a virtual machine room, a Docker engine, local processes.

    An order never blocks and is always answered by news through `Rack.news`, also where nothing had to change.
    """

    def perform(self, unit: str, system: str, order: Order, cause: int) -> None: ...


class News(StrEnum):
    """What happened to a host, told by whoever holds it."""

    WENT_DOWN = "went-down"  # the rail is dead
    CAME_UP = "came-up"  # the rail is up and an OS runs
    WAS_RESET = "was-reset"
    OS_WENT_DOWN = "os-went-down"
    OS_BOOTED = "os-booted"  # it booted again by itself
    OS_CRASHED = "os-crashed"
    OS_HUNG = "os-hung"
    OS_RECOVERED = "os-recovered"
    OUT_OF_SIGHT = "out-of-sight"  # the holder cannot be asked


@dataclass(frozen=True, slots=True)
class Host:
    rail: Rail
    os: Os
    incarnation: int = 1

    @property
    def writes(self) -> bool:
        """Whether it can touch its disks now. A hung one can: that is why it must be fenced."""
        return self.rail is Rail.UP and self.os is not Os.STOPPED


_ON, _OFF = Host(Rail.UP, Os.RUNNING), Host(Rail.DOWN, Os.STOPPED)


def host_on() -> Host:
    return _ON


def host_off() -> Host:
    return _OFF


@dataclass(frozen=True, slots=True)
class Turn:
    rail: Rail
    os: Os
    loses_run_state: bool = False


_UP_RUNNING = (Rail.UP, Os.RUNNING)
_UP_HUNG = (Rail.UP, Os.HUNG)
_UP_STOPPED = (Rail.UP, Os.STOPPED)
_DOWN = (Rail.DOWN, Os.STOPPED)
_UNSEEN = (Rail.UNKNOWN, Os.STOPPED)

TURNS: Mapping[tuple[Rail, Os, News], Turn] = {
    (*_UP_RUNNING, News.WENT_DOWN): Turn(*_DOWN, loses_run_state=True),
    (*_UP_RUNNING, News.CAME_UP): Turn(*_UP_RUNNING),
    (*_UP_RUNNING, News.WAS_RESET): Turn(*_UP_RUNNING, loses_run_state=True),
    (*_UP_RUNNING, News.OS_WENT_DOWN): Turn(*_UP_STOPPED, loses_run_state=True),
    (*_UP_RUNNING, News.OS_BOOTED): Turn(*_UP_RUNNING, loses_run_state=True),
    (*_UP_RUNNING, News.OS_CRASHED): Turn(*_UP_STOPPED, loses_run_state=True),
    (*_UP_RUNNING, News.OS_HUNG): Turn(*_UP_HUNG),
    (*_UP_RUNNING, News.OS_RECOVERED): Turn(*_UP_RUNNING),
    (*_UP_RUNNING, News.OUT_OF_SIGHT): Turn(*_UNSEEN),
    (*_UP_HUNG, News.WENT_DOWN): Turn(*_DOWN, loses_run_state=True),
    (*_UP_HUNG, News.CAME_UP): Turn(*_UP_HUNG),
    (*_UP_HUNG, News.WAS_RESET): Turn(*_UP_RUNNING, loses_run_state=True),
    (*_UP_HUNG, News.OS_CRASHED): Turn(*_UP_STOPPED, loses_run_state=True),
    (*_UP_HUNG, News.OS_HUNG): Turn(*_UP_HUNG),
    (*_UP_HUNG, News.OS_RECOVERED): Turn(*_UP_RUNNING),
    (*_UP_HUNG, News.OUT_OF_SIGHT): Turn(*_UNSEEN),
    (*_UP_STOPPED, News.WENT_DOWN): Turn(*_DOWN),
    (*_UP_STOPPED, News.CAME_UP): Turn(*_UP_RUNNING),
    (*_UP_STOPPED, News.WAS_RESET): Turn(*_UP_RUNNING, loses_run_state=True),
    (*_UP_STOPPED, News.OS_WENT_DOWN): Turn(*_UP_STOPPED),
    (*_UP_STOPPED, News.OS_BOOTED): Turn(*_UP_RUNNING),
    (*_UP_STOPPED, News.OS_CRASHED): Turn(*_UP_STOPPED),
    (*_UP_STOPPED, News.OUT_OF_SIGHT): Turn(*_UNSEEN),
    (*_DOWN, News.WENT_DOWN): Turn(*_DOWN),
    (*_DOWN, News.CAME_UP): Turn(*_UP_RUNNING),
    (*_DOWN, News.OUT_OF_SIGHT): Turn(*_UNSEEN),
    # Found again: whatever ran before may have ended unseen, so the incarnation moves.
    (*_UNSEEN, News.WENT_DOWN): Turn(*_DOWN, loses_run_state=True),
    (*_UNSEEN, News.CAME_UP): Turn(*_UP_RUNNING, loses_run_state=True),
    (*_UNSEEN, News.OUT_OF_SIGHT): Turn(*_UNSEEN),
}


def turn(host: Host, news: News) -> Host:
    """The host after the news.

    Raises IllegalStimulus and leaves `host` as it was where the table has no row.
    """
    row = TURNS.get((host.rail, host.os, news))
    if row is None:
        raise IllegalStimulus(f"a host with rail {host.rail} and OS {host.os} cannot have {news}")
    return Host(row.rail, row.os, host.incarnation + row.loses_run_state)
