"""Failures in words for 3 a.m.

Rules
  1. Every failure says what was tried, the class of the cause, and what was last known of the power state.
  2. No word of success, and nothing that was not seen: a time-out is not called a wrong configuration.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from fencer.events_effects import Offers
from fencer.outcome import Cause, Failure, Power, PowerCommand, Reading
from fencer.situation import ProcedureState

WORDS_OF_THE_STANDARD = frozenset({"On", "Off", "PoweringOn", "PoweringOff", "Paused"})


def last_known(readings: Sequence[Reading], now: float) -> str:
    """The only thing that matters, and how old it is."""
    if not readings:
        return "power state never read"
    last = readings[-1]
    return f"last known power state {said(last)}, {max(now - last.at, 0):.1f} s ago"


def said(reading: Reading) -> str:
    """What the BMC said, verbatim; with the chassis where that contradicts the system."""
    word = "null" if reading.word is None else reading.word[:40]
    if reading.chassis_word not in (None, "Off") and reading.word == "Off":
        return f"{word} (but its chassis says {reading.chassis_word})"
    return word


def stranger(readings: Sequence[Reading], reading: Reading) -> Failure | None:
    """A failure if another machine answers than before."""
    known = next((earlier.identity for earlier in readings if earlier.identity), None)
    if known is None or reading.identity is None or reading.identity == known:
        return None
    return Failure(
        cause=Cause.CONFIG,
        text=f"another machine answers than before: {reading.source or 'the BMC'} shows {reading.identity}, it was {known}",
    )


def no_evidence(reading: Reading) -> Failure:
    """A status that is neither On nor Off."""
    return Failure(cause=Cause.BAD_RESPONSE, text=f"{reading.source} says {said(reading)}: neither On nor Off")


def barred(failure: Failure, readings: Sequence[Reading], now: float) -> Failure:
    return replace(failure, text=f"{failure.text}; {last_known(readings, now)}")


def denied(answer: Failure | None, readings: Sequence[Reading], now: float) -> Failure:
    """The BMC will not do it."""
    assert answer is not None
    return replace(answer, text=f"{answer.text}; {last_known(readings, now)}")


def vetoed(command: PowerCommand, readings: Sequence[Reading], now: float) -> Failure:
    return Failure(
        cause=Cause.BUSY, text=f"{command} was not permitted by the caller and never left; {last_known(readings, now)}"
    )


def unsupported(goal: Power, offers: Offers) -> Failure:
    listed = ", ".join(sorted(offers.commands)) or "nothing"
    return Failure(
        cause=Cause.UNSUPPORTED, text=f"{offers.source or 'the BMC'} allows no way to power {goal}; it allows {listed}"
    )


def time_up(state: ProcedureState, now: float) -> Failure:
    """The deadline came first. The newest trouble names the cause; without any, time itself does."""
    known = last_known(state.readings, now)
    within = f"within {state.limits.deadline:g} s"
    # One missed read after a refusal may only be the last one, cut short by the deadline: the refusal says more.
    if state.miss is not None and (state.answer is None or state.misses > 1):
        return replace(state.miss, text=f"{state.miss.text}; gave up {within}; {known}")
    if state.answer is not None:
        tries = f"{state.sent} time{'s' if state.sent > 1 else ''}"
        return replace(state.answer, text=f"{state.answer.text}, asked {tries} {within}; {known}")
    if state.readings and state.readings[-1].word not in WORDS_OF_THE_STANDARD:
        text = f"{state.readings[-1].source} says no usable power state {within}; {known}"
        return Failure(cause=Cause.BAD_RESPONSE, text=text)
    if state.accepted is not None:
        text = f"{state.accepted} was accepted, and the host was not {state.goal} {within}; {known}"
        return Failure(cause=Cause.TIMEOUT, text=text)
    return Failure(cause=Cause.TIMEOUT, text=f"nothing was decided {within}; {known}")
