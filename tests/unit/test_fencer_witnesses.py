"""Which chassis agree with an Off, and which identities name one machine."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest

from fencer import identity, procedure, witnesses
from fencer.events_effects import Finish, Pause, ReadOk, TimerFired
from fencer.failure_text import against_text
from fencer.outcome import Action, Power, Reading, Witness, WitnessState
from fencer.target import Limits
from fencer.witnesses import WitnessMemory

SAYS, SILENT, SHARED, UNKNOWN = WitnessState
ONE, TWO = "/c/1", "/c/2"


def off(*asked: Witness, path: str = "redfish") -> Reading:
    return Reading(power=Power.UNKNOWN, word="Off", at=0.0, path=path, witnesses=asked)


def chassis(state: WitnessState, word: str | None = None, uri: str = ONE) -> Witness:
    return Witness(uri=uri, state=state, word=word)


@pytest.mark.parametrize(
    ("asked", "power", "word"),
    [
        ((), Power.OFF, None),
        ((chassis(SAYS, "Off"),), Power.OFF, "Off"),
        ((chassis(SILENT),), Power.OFF, None),
        ((chassis(SHARED),), Power.OFF, None),
        ((chassis(SAYS, "On"),), Power.UNKNOWN, "On"),
        ((chassis(SAYS, ""),), Power.UNKNOWN, "unknown"),
        ((chassis(SAYS, "PoweringOff"),), Power.UNKNOWN, "PoweringOff"),
        ((chassis(UNKNOWN),), Power.UNKNOWN, "unknown"),
        ((chassis(SAYS, "Off"), chassis(UNKNOWN, uri=TWO)), Power.UNKNOWN, "unknown"),
    ],
)
def test_a_first_off_is_judged_by_what_the_chassis_say(asked: tuple[Witness, ...], power: Power, word: str | None) -> None:
    judged = witnesses.judged(off(*asked), WitnessMemory())
    assert (judged.power, judged.chassis_word) == (power, word)


@pytest.mark.parametrize("now", [(), (chassis(SILENT),), (chassis(SHARED),), (chassis(UNKNOWN),), (chassis(SAYS, "Off", TWO),)])
def test_a_chassis_that_spoke_before_must_speak_again(now: tuple[Witness, ...]) -> None:
    memory = witnesses.remember(WitnessMemory(), [chassis(SAYS, "On")])
    judged = witnesses.judged(off(*now), memory)
    assert judged.power is Power.UNKNOWN
    assert judged.witnesses[0].uri == ONE
    assert judged.witnesses[0].why or now[0].state is UNKNOWN


@pytest.mark.parametrize(
    ("before", "now", "newcomer"),
    [
        ((), (chassis(SAYS, "Off"),), True),
        ((chassis(SILENT),), (chassis(SAYS, "Off"),), True),
        ((chassis(SAYS, "Off"),), (chassis(SAYS, "Off"), chassis(SAYS, "Off", TWO)), True),
        ((chassis(SAYS, "On"),), (chassis(SAYS, "Off"), chassis(SILENT, uri=TWO)), False),
        ((), (), False),
    ],
)
def test_a_chassis_that_speaks_for_the_first_time_is_noticed(
    before: tuple[Witness, ...], now: tuple[Witness, ...], newcomer: bool
) -> None:
    memory = witnesses.remember(WitnessMemory(), before)
    assert witnesses.has_newcomer(off(*now), memory) is newcomer


def test_a_chassis_that_speaks_late_begins_a_new_series() -> None:
    """One Off of the chassis is not two, although the System said Off for long enough."""
    state, _ = procedure.begin(Action.OFF, Limits(deadline=15.0, stable_for=1.0), 0.0)
    for now, asked in ((0.0, ()), (1.5, (chassis(SAYS, "Off"),)), (3.0, (chassis(SAYS, "Off"),))):
        state, effect = procedure.step(state, ReadOk(replace(off(*asked), at=now)), now)
        if now < 3.0:
            assert isinstance(effect, Pause)
            state, _ = procedure.step(state, TimerFired(), now + effect.seconds)
    assert isinstance(effect, Finish)
    assert effect.outcome.evidence is not None
    assert [reading.at for reading in effect.outcome.evidence.readings] == [1.5, 3.0]
    assert effect.outcome.evidence.chassis_check == "ok"


def test_a_chassis_that_never_spoke_may_stay_silent() -> None:
    memory = witnesses.remember(WitnessMemory(), [chassis(UNKNOWN)])
    assert witnesses.judged(off(chassis(SILENT)), memory).power is Power.OFF


@pytest.mark.parametrize(("word", "power"), [("On", Power.ON), ("PoweringOff", Power.UNKNOWN), (None, Power.UNKNOWN)])
def test_no_chassis_changes_another_word(word: str | None, power: Power) -> None:
    reading = Reading(power=Power.UNKNOWN, word=word, at=0.0, path="redfish", witnesses=(chassis(SAYS, "Off"),))
    assert witnesses.judged(reading, WitnessMemory()).power is power


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        ([], "not-asked"),
        ([off(path="ipmi")], "not-asked"),
        ([off(), off()], "not-linked"),
        ([off(chassis(SILENT))], "silent"),
        ([off(chassis(SHARED))], "shared"),
        ([off(chassis(SILENT), chassis(SAYS, "Off", TWO))] * 2, "ok"),
        ([off(chassis(SAYS, "Off")), off()], "not-linked"),
    ],
)
def test_the_evidence_claims_only_what_every_reading_has(readings: list[Reading], expected: str) -> None:
    assert witnesses.evidence_word(readings) == expected


# --- identity -----------------------------------------------------------------------------------------------------------

KNOWN = uuid.UUID("4c4c4544-0041-4210-8043-c2208a9c3d92")


@pytest.mark.parametrize("text", [str(KNOWN), str(KNOWN).upper(), KNOWN.hex, KNOWN.urn, f"{{{KNOWN}}}", f" {KNOWN} "])
def test_one_uuid_in_every_spelling(text: str) -> None:
    assert identity.canonical(text) == KNOWN.hex
    assert identity.is_uuid(text)


@pytest.mark.parametrize("text", ["", "0", "00000000-0000-0000-0000-000000000000", "F" * 32, "To be filled by O.E.M.", "N/A"])
def test_zeros_and_placeholders_show_nothing(text: str) -> None:
    assert identity.is_blank(text)


@pytest.mark.parametrize("text", [str(KNOWN), "CZ12340001", "FFFF"])
def test_a_real_identity_is_not_blank(text: str) -> None:
    assert not identity.is_blank(text)


def test_the_first_value_of_each_property_is_kept_and_compared() -> None:
    pinned = identity.pin((), [("SerialNumber", "a")])
    pinned = identity.pin(pinned, [("SerialNumber", "b"), ("UUID", str(KNOWN))])
    assert pinned == (("SerialNumber", "a"), ("UUID", str(KNOWN)))
    assert identity.other(pinned, [("UUID", str(KNOWN).upper()), ("SKU", "x")]) is None
    assert identity.other(pinned, [("SerialNumber", "B")]) == ("SerialNumber", "a", "B")


@pytest.mark.parametrize("raw", [KNOWN.bytes_le, KNOWN.bytes[::-1], KNOWN.bytes])
def test_a_guid_means_the_uuid_in_one_of_three_byte_orders(raw: bytes) -> None:
    assert str(KNOWN) in identity.guid_orders(raw)


def test_a_guid_is_shown_in_the_first_order_with_a_known_version() -> None:
    assert identity.guid_text(KNOWN.bytes_le) == str(KNOWN)
    assert identity.guid_text(KNOWN.bytes[::-1]) == str(KNOWN)
    assert identity.guid_text(bytes(range(1, 17))) in identity.guid_orders(bytes(range(1, 17)))
    nothing = b"\x80" * 16
    assert identity.guid_text(nothing) == identity.guid_orders(nothing)[0]


@pytest.mark.parametrize(("state", "word", "said"), [(SAYS, "On", "says On"), (UNKNOWN, None, "says nothing any more")])
def test_an_off_that_the_other_protocol_contradicts_names_what_it_says(state: WitnessState, word: str | None, said: str) -> None:
    against = Witness(uri="chassis-status", state=state, word=word, kind=witnesses.OTHER_PROTOCOL)
    assert against_text(off(against)) == f"chassis-status {said}"
