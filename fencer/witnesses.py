"""Decides whether the chassis of a System agree with its Off. `fencer.procedure` and the Redfish transport call it.

Rules
  1. Pure. It judges what the chassis said; it does not read them.
  2. Only a reading whose System says Off is judged: every other word is no Off, whatever a chassis says.
  3. A chassis that could be read and never had a PowerState is no witness. A chassis that had one before must have it in
     every Off reading; null, an error, a vanished chassis and a lost PowerState contradict the Off.
  4. A chassis that has a PowerState for the first time begins a new series of Off readings, so that all readings of a proof
     have the word of the same chassis.

Theory
  On some boards (OpenBMC on x86) the System says Off up to 15 s before the power is off, and the Chassis is correct. So a
  chassis that stops speaking at that moment must not count as agreement.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from fencer.outcome import Power, Reading, Witness, WitnessState, power_of

UNKNOWN_WORD = "unknown"
OTHER_PROTOCOL = "other protocol"
"""`Witness.kind` of a witness that is no chassis: the same host over another protocol."""
OUTLET = "outlet"
"""`Witness.kind` of an outlet of a PDU: all outlets of a host are witnesses of each reading."""


@dataclass(frozen=True, slots=True)
class WitnessMemory:
    """URIs of the chassis that earlier readings of this run asked, and of those that had a PowerState."""

    known: frozenset[str] = frozenset()
    spoken: frozenset[str] = frozenset()


def is_chassis(witness: Witness) -> bool:
    return witness.kind not in (OTHER_PROTOCOL, OUTLET)


def remember(memory: WitnessMemory, witnesses: Iterable[Witness]) -> WitnessMemory:
    """Adds the chassis of one reading to the memory."""
    asked = tuple(witnesses)
    return WitnessMemory(
        memory.known | {witness.uri for witness in asked},
        memory.spoken | {witness.uri for witness in asked if witness.state is WitnessState.SAYS},
    )


def has_newcomer(reading: Reading, memory: WitnessMemory) -> bool:
    """Rule 4: whether a chassis has a PowerState that had none in the readings before. `memory` is of those readings."""
    return any(witness.state is WitnessState.SAYS and witness.uri not in memory.spoken for witness in reading.witnesses)


def contradiction(witnesses: Iterable[Witness], memory: WitnessMemory) -> Witness | None:
    """Returns the first chassis that does not agree with Off, with the reason in `why`; None if all agree."""
    asked = {witness.uri: witness for witness in witnesses}
    for witness in asked.values():
        if witness.state is WitnessState.UNKNOWN or (witness.state is WitnessState.SAYS and witness.word != "Off"):
            return witness
        if witness.uri in memory.spoken and witness.state is not WitnessState.SAYS:
            was = "has no PowerState any more" if witness.state is WitnessState.SILENT else "holds several systems now"
            return replace(witness, state=WitnessState.UNKNOWN, why=was)
    for uri in sorted(memory.known - asked.keys()):
        return Witness(uri=uri, state=WitnessState.UNKNOWN, why="was not read")
    return None


def judged(reading: Reading, memory: WitnessMemory) -> Reading:
    """Returns the reading with `power` and `chassis_word` as the chassis allow. `memory` is of the readings before it."""
    if reading.word != "Off":
        return replace(reading, power=power_of(reading.word), chassis_word=None)
    against = contradiction(reading.witnesses, memory)
    if against is not None:
        word = against.word if against.state is WitnessState.SAYS else None
        others = tuple(witness for witness in reading.witnesses if witness.uri != against.uri)
        return replace(reading, power=Power.UNKNOWN, chassis_word=word or UNKNOWN_WORD, witnesses=(against, *others))
    spoken = any(witness.state is WitnessState.SAYS for witness in reading.witnesses)
    return replace(reading, power=Power.OFF, chassis_word="Off" if spoken else None)


def evidence_word(readings: Iterable[Reading]) -> str:
    """Returns what the Off readings of a proof say about the chassis: the values of `Evidence.chassis_check`."""
    asked = tuple(readings)
    if not asked or any(reading.word != "Off" or reading.path in ("ipmi", "pdu") for reading in asked):
        return "not-asked"
    for state, word in ((WitnessState.SAYS, "ok"), (WitnessState.SILENT, "silent"), (WitnessState.SHARED, "shared")):
        if all(any(is_chassis(witness) and witness.state is state for witness in reading.witnesses) for reading in asked):
            return word
    return "not-linked"
