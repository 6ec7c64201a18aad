"""What can happen to a fence procedure, and what it can ask for.

Rules
  1. Pure data. Events come from the world, effects go to it; `fencer.procedure` is the only thing between them.
  2. Every step answers one event with exactly one effect.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fencer.outcome import Failure, Outcome, PowerCommand, Reading


@dataclass(frozen=True, slots=True)
class ReadOk:
    """The BMC answered a read; what it said may still be unusable."""

    reading: Reading


@dataclass(frozen=True, slots=True)
class ReadFailed:
    """A read brought no power state. `retry_after` is the BMC's own wish, in seconds."""

    failure: Failure
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Offers:
    """The power commands that the BMC says it allows; `listed` is False where it names none."""

    commands: frozenset[str] = frozenset()
    listed: bool = False
    source: str = ""  # the resource that was asked


@dataclass(frozen=True, slots=True)
class CommandAnswered:
    """What became of a power command. No failure means accepted, and accepted means nothing more than that."""

    failure: Failure | None = None
    retry_after: float | None = None
    task: str | None = None


@dataclass(frozen=True, slots=True)
class TaskSaid:
    """A look at the task of an accepted command: a failed one is an early hint, a completed one proves nothing."""

    ended: bool
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class TimerFired:
    """The pause that was asked for is over."""


@dataclass(frozen=True, slots=True)
class DeadlinePassed:
    """The action's time is up; whatever was asked for last was not done."""


@dataclass(frozen=True, slots=True)
class Vetoed:
    """The caller did not permit the power command; it never left."""


ProcedureEvent = ReadOk | ReadFailed | Offers | CommandAnswered | TaskSaid | TimerFired | DeadlinePassed | Vetoed


@dataclass(frozen=True, slots=True)
class Read:
    """Read the power state, live."""


@dataclass(frozen=True, slots=True)
class Survey:
    """Find out which power commands are allowed."""


@dataclass(frozen=True, slots=True)
class SendCommand:
    """Send one power command, if the caller permits it."""

    command: PowerCommand


@dataclass(frozen=True, slots=True)
class Follow:
    """Look at a task once."""

    task: str


@dataclass(frozen=True, slots=True)
class Pause:
    """Do nothing for so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Finish:
    """The end."""

    outcome: Outcome


ProcedureEffect = Read | Survey | SendCommand | Follow | Pause | Finish

Observe = Callable[[float, ProcedureEvent | ProcedureEffect], None]
"""Called with every event and effect of a procedure and the seconds since it began, to log or draw it."""

Permit = Callable[[PowerCommand], bool]
"""Asked in the instant before a power command leaves; False vetoes it and ends the action."""
