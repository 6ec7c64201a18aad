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
from fencer.outcome import MIXED_WORD, Cause, Failure, Power, PowerCommand, Reading, Witness, WitnessState
from fencer.procedure_state import ProcedureState
from fencer.witnesses import UNKNOWN_WORD, is_chassis

REDFISH_POWER_STATES = frozenset({"On", "Off", "PoweringOn", "PoweringOff", "Paused"})

NOT_NOW = frozenset({Cause.CONFLICT, Cause.BUSY})  # refusals that say nothing new after an accepted command


def seconds(value: float) -> str:
    """Returns a time for a message: one decimal, and none where it is whole."""
    return f"{value:.1f}".removesuffix(".0") + " s"


def last_known(readings: Sequence[Reading], now: float) -> str:
    """The last known power state and its age in seconds."""
    if not readings:
        return "power state never read"
    last = readings[-1]
    return f"last known power state {reading_text(last)}, {seconds(max(now - last.at, 0))} ago"


def reading_text(reading: Reading) -> str:
    """Returns the power word of the BMC, verbatim, and the chassis that does not agree with its Off. Of a PDU: each outlet's."""
    if reading.path == "pdu" and reading.power in (Power.MIXED, Power.UNKNOWN):
        return ", ".join(f"{name_of(each)} {(each.word or 'no word')[:40]}" for each in reading.witnesses)
    word = "null" if reading.word is None else reading.word[:40]
    if reading.word == "Off" and reading.power is not Power.OFF:
        return f"{word} (but {against_text(reading)})"
    return word


def name_of(outlet: Witness) -> str:
    """The last part of the URI of an outlet."""
    return outlet.uri.rstrip("/").rpartition("/")[2]


def against_text(reading: Reading) -> str:
    """Names the chassis that does not agree with an Off: its URI and its word, or why it has none."""
    against = next(filter(disagrees, reading.witnesses))  # `witnesses.judged` made the reading unknown because of one
    if not is_chassis(against):
        return f"{against.uri} says {against.word[:40] if against.word else 'nothing any more'}"
    if against.state is WitnessState.SAYS:
        return f"its chassis says {(against.word or '')[:40]}: {against.uri}"
    return f"its chassis {against.uri} gives no word ({against.why or 'null or unreadable'})"


def disagrees(witness: Witness) -> bool:
    return witness.state is WitnessState.UNKNOWN or (witness.state is WitnessState.SAYS and witness.word != "Off")


def other_machine(source: str, name: str, was: str, now: str) -> Failure:
    """The failure if the BMC shows another UUID or serial number than in an earlier read."""
    text = f"another machine answers than before: {source or 'the BMC'} shows {name} {now}, it was {was}"
    return Failure(cause=Cause.CONFIG, text=text)


def identity_not_shown(reading: Reading) -> Failure:
    """The failure if the configured identity was never shown."""
    shown = ", ".join(f"{name} {value}" for name, value in reading.shown) or "no identity"
    text = (
        f"{reading.source} shows {shown}, and never the configured identity, so nothing says that this is the machine; "
        "identity_check=when-shown accepts a BMC that shows none"
    )
    return Failure(cause=Cause.CONFIG, text=text)


def unusable_status(reading: Reading) -> Failure:
    """The failure for `status` and `monitor` if the power word is neither On nor Off."""
    knob = "; chassis_check says which chassis count" if _is_contradicted(reading) else ""
    text = f"{reading.source} says {reading_text(reading)}: neither On nor Off{knob}"
    return Failure(cause=Cause.BAD_RESPONSE, text=text)


def read_failed(failure: Failure, readings: Sequence[Reading], now: float) -> Failure:
    return replace(failure, text=f"{failure.text}; {last_known(readings, now)}")


def command_denied(failure: Failure | None, readings: Sequence[Reading], now: float) -> Failure:
    """The failure if the BMC refused the power command twice (for example with HTTP 403)."""
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
    within = f"within {seconds(state.limits.deadline)}"
    if state.goal is Power.OFF and state.readings and state.readings[-1].power is Power.OFF:
        return _proof_unfinished(state)
    # A single failed read may be one that the deadline cut short: what was known before it is reported instead.
    if state.read_failure is not None and (state.failed_reads > 1 or not state.readings):
        return replace(state.read_failure, text=f"{state.read_failure.text}; gave up {within}; {known}")
    if state.readings and _is_contradicted(state.readings[-1]):
        return _contradicted(state.readings[-1], state, within)
    if state.command_failure is not None and (state.accepted is None or state.command_failure.cause not in NOT_NOW):
        tries = f"{state.sent} time{'s' if state.sent > 1 else ''}"
        return replace(state.command_failure, text=f"{state.command_failure.text}, asked {tries} {within}; {known}")
    if state.readings and state.readings[-1].word not in (*REDFISH_POWER_STATES, MIXED_WORD):
        text = f"{state.readings[-1].source} says no usable power state {within}; {known}"
        return Failure(cause=Cause.BAD_RESPONSE, text=text)
    if state.accepted is not None:
        text = f"{state.accepted} was accepted, and the host was not {state.goal} {within}; {known}"
        return Failure(cause=Cause.TIMEOUT, text=text)
    return Failure(cause=Cause.TIMEOUT, text=f"nothing was decided {within}; {known}")


def _proof_unfinished(state: ProcedureState) -> Failure:
    """The last usable readings show Off, and the deadline came before they were a proof."""
    span = state.proof[-1].at - state.proof[0].at if state.proof else 0.0
    lost = f"; the last read failed: {state.read_failure.text}" if state.read_failure is not None else ""
    times = f"{len(state.proof)} time{'' if len(state.proof) == 1 else 's'}"
    text = (
        f"Off was read {times} without a break over {seconds(span)} before the end of {seconds(state.limits.deadline)}; "
        f"a proof needs {state.proof_reads} reads over {seconds(state.proof_span)}{lost}"
    )
    return Failure(cause=state.read_failure.cause if state.read_failure else Cause.TIMEOUT, text=text)


def _is_contradicted(reading: Reading) -> bool:
    return reading.word == "Off" and reading.power is not Power.OFF


def _contradicted(reading: Reading, state: ProcedureState, within: str) -> Failure:
    knob = "if that chassis is not the host's own, set chassis_check to own, to the URIs of its chassis, or to ignore"
    cause = Cause.TIMEOUT if reading.chassis_word != UNKNOWN_WORD else Cause.BAD_RESPONSE
    accepted = f" after an accepted {state.accepted}" if state.accepted is not None else ""
    text = f"{reading.source} says Off{accepted}, but {against_text(reading)}, and that did not change {within}; {knob}"
    return Failure(cause=cause, text=text)
