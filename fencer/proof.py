"""Decides when reads prove that a host is off. `fencer.procedure` and the HA rules use it; nothing else decides this.

Pure; times are the start times of the reads, in seconds of the caller's clock. An error in this file can make a fence unsafe.

Rules
  1. An Off read is a live read of exactly Off, of the same machine as the reads before it, whose chassis agree
     (`fencer.witnesses`). A 2xx, a 409, a time-out, PoweringOff and null are not Off.
  2. A proof is a series of two Off reads or more with no other answer between them, `stable_for` seconds or more from the
     first to the last. A chassis that has a PowerState for the first time begins a new series.
  3. A missed read does not end the series. It raises the proof to three reads over twice `stable_for`, as does every trouble
     that the BMC had earlier in this run.
  4. No read counts that began before the action that it is to prove.
"""

from __future__ import annotations

from dataclasses import dataclass

from fencer import identity, witnesses
from fencer.outcome import Cause, Power, Reading
from fencer.witnesses import WitnessMemory

TROUBLE = frozenset({Cause.TIMEOUT, Cause.UNREACHABLE, Cause.BUSY})
"""After such an answer to a command, rule 3 asks for the longer proof."""


@dataclass(frozen=True, slots=True)
class OtherMachine:
    """A reading shows another machine than the ones before it: property `name` was `before` and is `now`."""

    source: str
    name: str
    before: str
    now: str


def judge(reading: Reading, pinned: identity.ShownIdentities, memory: WitnessMemory) -> Reading | OtherMachine:
    """Compares a reading with the ones before it, and returns it with the power state that its chassis allow."""
    if changed := identity.other(pinned, reading.shown):
        return OtherMachine(reading.source, *changed)
    return witnesses.judged(reading, memory)


def says_off(judged: Reading) -> bool:
    """Rule 1, for a reading that `judge` returned."""
    return judged.power is Power.OFF


def counts(started: float, began: float) -> bool:
    """Rule 4: whether a read that started at `started` may prove something for an action that began at `began`."""
    return started >= began


def reads_needed(shaken: bool) -> int:
    """Off reads that a proof needs. `shaken`: rule 3."""
    return 3 if shaken else 2


def span_needed(stable_for: float, shaken: bool) -> float:
    """Seconds from the first to the last of them."""
    return stable_for * (2 if shaken else 1)


def is_complete(reads: int, first: float, last: float, stable_for: float, shaken: bool) -> bool:
    """Rules 2 and 3: whether `reads` Off reads from `first` to `last` are a proof."""
    return reads >= reads_needed(shaken) and last >= first + span_needed(stable_for, shaken)
