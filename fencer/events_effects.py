"""The events that a fence procedure receives and the effects that it returns.

`fencer.run` performs an effect on a transport and passes the resulting event to `fencer.procedure.step`.

Rules
  1. Pure data, frozen.
  2. Each call of `step` takes one event and returns exactly one effect.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fencer.outcome import Failure, Outcome, PowerCommand, Reading


@dataclass(frozen=True, slots=True)
class ReadOk:
    """The BMC answered a read. The power word in it may still be unusable."""

    reading: Reading


@dataclass(frozen=True, slots=True)
class ReadFailed:
    """A read returned no power state.

    `retry_after` is the time in seconds until another try makes sense (Redfish: Retry-After). `final`: another read cannot
    succeed, for example because the settings are wrong. `contradicts`: there was an answer, and it was about something else
    than what was asked for, or said two things; otherwise the read was only missed. `cut_short`: the deadline ended it, so
    it says nothing about the BMC.
    """

    failure: Failure
    retry_after: float | None = None
    final: bool = False
    contradicts: bool = False
    cut_short: bool = False


@dataclass(frozen=True, slots=True)
class AllowedCommands:
    """The power commands that the BMC says it allows; `listed` is False where it names none."""

    commands: frozenset[str] = frozenset()
    listed: bool = False
    source: str = ""  # the resource that was read


@dataclass(frozen=True, slots=True)
class CommandAnswered:
    """The BMC's answer to a power command. No failure means accepted; it does not mean that the power state changed.

    `retry_after` is in seconds; `task` is the URI of a Redfish task that the BMC started. `wrong_parameter`: the BMC does not
    know this command, and may know another one.
    """

    failure: Failure | None = None
    retry_after: float | None = None
    task: str | None = None
    wrong_parameter: bool = False


@dataclass(frozen=True, slots=True)
class TaskStatus:
    """State of the Redfish task of an accepted command.

    A failed task shows early that the command did not work. A completed task does not prove that the host is off.
    """

    ended: bool
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class TimerFired:
    """The requested pause has ended."""


@dataclass(frozen=True, slots=True)
class DeadlinePassed:
    """The deadline of the action has passed. The last effect was not performed."""


@dataclass(frozen=True, slots=True)
class NotPermitted:
    """The caller's `permit` returned False. The power command was not sent."""


ProcedureEvent = ReadOk | ReadFailed | AllowedCommands | CommandAnswered | TaskStatus | TimerFired | DeadlinePassed | NotPermitted


@dataclass(frozen=True, slots=True)
class Read:
    """Read the power state, live. `confirming`: this read may complete a proof, so it uses what time is left."""

    confirming: bool = False


@dataclass(frozen=True, slots=True)
class ReadAllowedCommands:
    """Read which power commands the BMC allows (Redfish: AllowableValues of ComputerSystem.Reset)."""


@dataclass(frozen=True, slots=True)
class SendCommand:
    """Send one power command, if the caller permits it."""

    command: PowerCommand


@dataclass(frozen=True, slots=True)
class ReadTask:
    """Read the state of a Redfish task once. `task` is its URI."""

    task: str


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait for `seconds`."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Finish:
    """The action has ended with `outcome`."""

    outcome: Outcome


ProcedureEffect = Read | ReadAllowedCommands | SendCommand | ReadTask | Pause | Finish

Observe = Callable[[float, ProcedureEvent | ProcedureEffect], None]
"""Called with every event and effect of a procedure and the seconds since it began, to log or draw it."""

Permit = Callable[[PowerCommand], bool]
"""Asked in the instant before a power command leaves; False vetoes it and ends the action."""
