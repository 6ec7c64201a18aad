"""Builds the Failure (cause class and one sentence) for each way in which a fence procedure can fail.

`fencer.procedure` calls these functions. They are pure; `now` is in seconds on the caller's monotonic clock.

Rules
  1. Every failure says what was tried, the class of the cause, and the last known power state.
  2. A text contains only what was observed: it does not call a time-out a wrong configuration.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from fencer.events_effects import AllowedCommands
from fencer.outcome import Cause, Failure, Power, PowerCommand, Reading
from fencer.procedure_state import ProcedureState

REDFISH_POWER_STATES = frozenset({"On", "Off", "PoweringOn", "PoweringOff", "Paused"})


def last_known(readings: Sequence[Reading], now: float) -> str:
    """The last known power state and its age in seconds."""
    if not readings:
        return "power state never read"
    last = readings[-1]
    return f"last known power state {reading_text(last)}, {max(now - last.at, 0):.1f} s ago"


def reading_text(reading: Reading) -> str:
    """Returns the power word of the BMC, verbatim, and the word of a chassis that contradicts it."""
    word = "null" if reading.word is None else reading.word[:40]
    if reading.chassis_word not in (None, "Off") and reading.word == "Off":
        return f"{word} (but its chassis says {reading.chassis_word})"
    return word


def other_machine(readings: Sequence[Reading], reading: Reading) -> Failure | None:
    """Returns a failure if `reading` shows another UUID or serial number than the earlier readings."""
    known = next((earlier.identity for earlier in readings if earlier.identity), None)
    if known is None or reading.identity is None or reading.identity == known:
        return None
    return Failure(
        cause=Cause.CONFIG,
        text=f"another machine answers than before: {reading.source or 'the BMC'} shows {reading.identity}, it was {known}",
    )


def unusable_status(reading: Reading) -> Failure:
    """The failure for `status` and `monitor` if the power word is neither On nor Off."""
    return Failure(cause=Cause.BAD_RESPONSE, text=f"{reading.source} says {reading_text(reading)}: neither On nor Off")


def read_failed(failure: Failure, readings: Sequence[Reading], now: float) -> Failure:
    return replace(failure, text=f"{failure.text}; {last_known(readings, now)}")


def command_denied(failure: Failure | None, readings: Sequence[Reading], now: float) -> Failure:
    """The failure if the BMC refused the power command finally (for example HTTP 401 or 403)."""
    assert failure is not None
    return replace(failure, text=f"{failure.text}; {last_known(readings, now)}")


def not_permitted(command: PowerCommand, readings: Sequence[Reading], now: float) -> Failure:
    return Failure(
        cause=Cause.BUSY, text=f"{command} was not permitted by the caller and never left; {last_known(readings, now)}"
    )


def unsupported(goal: Power, allowed: AllowedCommands) -> Failure:
    listed = ", ".join(sorted(allowed.commands)) or "nothing"
    return Failure(
        cause=Cause.UNSUPPORTED, text=f"{allowed.source or 'the BMC'} allows no way to power {goal}; it allows {listed}"
    )


def deadline_passed(state: ProcedureState, now: float) -> Failure:
    """The failure at the deadline. The most recent read or command failure gives the cause; without one it is TIMEOUT."""
    known = last_known(state.readings, now)
    within = f"within {state.limits.deadline:g} s"
    # A single failed read after a refused command may be a read that the deadline cut short: report the refusal instead.
    if state.read_failure is not None and (state.command_failure is None or state.failed_reads > 1):
        return replace(state.read_failure, text=f"{state.read_failure.text}; gave up {within}; {known}")
    if state.command_failure is not None:
        tries = f"{state.sent} time{'s' if state.sent > 1 else ''}"
        return replace(state.command_failure, text=f"{state.command_failure.text}, asked {tries} {within}; {known}")
    if state.readings and state.readings[-1].word not in REDFISH_POWER_STATES:
        text = f"{state.readings[-1].source} says no usable power state {within}; {known}"
        return Failure(cause=Cause.BAD_RESPONSE, text=text)
    if state.accepted is not None:
        text = f"{state.accepted} was accepted, and the host was not {state.goal} {within}; {known}"
        return Failure(cause=Cause.TIMEOUT, text=text)
    return Failure(cause=Cause.TIMEOUT, text=f"nothing was decided {within}; {known}")
