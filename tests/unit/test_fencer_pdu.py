"""fence_bmc with protocol=pdu: its parameters, and the fence procedure on several outlets at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from fencer import witnesses
from fencer.device_check import warnings_of
from fencer.events_effects import AllowedCommands, CommandAnswered, TaskStatus
from fencer.failure_text import reading_text
from fencer.outcome import Action, Cause, FenceVerdict, Member, Outcome, Power, PowerCommand, Reading, Witness, WitnessState
from fencer.run import run_procedure
from fencer.settings import BadSettings, settings
from fencer.target import Limits, Protocol, Target
from fencer.transport.pdu import word_of_all

GOOD = {"action": "off", "protocol": "pdu", "ip": "192.0.2.1", "username": "admin", "password": "c4nary pass"}


def target(**given: str) -> Target:
    found = settings({**GOOD, **given}, {}).target
    assert found is not None
    return found


# --- parameters -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "outlets"),
    [
        ({"outlet": "A1,B1"}, ("A1", "B1")),
        ({"outlet": " A1 , B1 "}, ("A1", "B1")),
        ({"plug": "A1,B1"}, ("A1", "B1")),
        ({"plug": "A1;B1", "plug_separator": ";"}, ("A1", "B1")),
        ({"plug": "A1,B1", "outlet": "B1,A1"}, ("B1", "A1")),
        ({"plug": "node1", "nodename": "node1", "outlet": "A1"}, ("A1",)),
        ({"plug": "192.0.2.9", "port_as_ip": "1", "outlet": "A1"}, ("A1",)),
        ({"action": "monitor"}, ()),
        ({"action": "list"}, ()),
        ({"outlet": "A1", "graceful": "0", "chassis_check": "require"}, ("A1",)),
    ],
)
def test_the_outlets_are_those_of_outlet_or_of_plug(given: dict[str, str], outlets: tuple[str, ...]) -> None:
    found = target(**given)
    assert (found.protocol, found.outlets, found.system) == (Protocol.PDU, outlets, None)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "outlet is missing: all outlets of the host, like A1,B1"),
        ({"plug": "node1", "nodename": "node1"}, "outlet is missing"),
        ({"action": "status"}, "outlet is missing"),
        ({"outlet": "A1,,B1"}, "a list of outlets has no empty place"),
        ({"outlet": "A1,A1"}, "names 'A1' twice; a host with two cords has two outlets"),
        ({"outlet": "A1", "plug": "A1,B1"}, "outlet is A1 and plug A1,B1; leave one out"),
        ({"outlet": "A1", "systems_uri": "1"}, "a PDU has outlets; write outlet"),
        ({"outlet": "A1", "identity": "S1"}, "an outlet does not know that; leave it out"),
        ({"outlet": "A1", "chassis_check": "own"}, "every outlet is asked anyway; leave it out"),
        ({"outlet": "A1", "graceful": "5"}, "an outlet cannot; leave it out"),
        ({"outlet": "A1", "cipher": "17"}, "belongs to IPMI, and the protocol is pdu"),
        ({"outlet": "A1", "username": ""}, "username is missing"),
        ({"outlet": "A1", "protocol": "redfish"}, "outlet belongs to a PDU; write protocol=pdu too, or leave it out"),
        ({"plug": "A1,B1", "protocol": "redfish"}, "a device has one host"),
    ],
)
def test_what_would_switch_something_else_is_refused(given: dict[str, str], sentence: str) -> None:
    with pytest.raises(BadSettings, match=sentence):
        settings({**GOOD, **given}, {})


def test_outlets_and_one_protocol() -> None:
    with pytest.raises(ValueError, match="outlets belong to a PDU"):
        Target(host="a", outlets=("A1",))
    for first, second in ((Protocol.PDU, Protocol.IPMI), (Protocol.REDFISH, Protocol.PDU)):
        with pytest.raises(ValueError, match="over one protocol"):
            Target(host="a", protocol=first, second=second)


@pytest.mark.parametrize(
    ("words", "together"),
    [
        (["Off", "Off"], "Off"),
        (["On", "On"], "On"),
        (["Off", "On"], "some On"),
        (["On", None], "some On"),
        (["Off", None], None),
        (["Off", "PoweringOff"], "PoweringOff"),
        (["off", "Off"], "off"),
        (["Off"], "Off"),
    ],
)
def test_only_off_everywhere_is_off(words: list[str | None], together: str | None) -> None:
    assert word_of_all(words) == together


# --- the procedure --------------------------------------------------------------------------------------------------


@dataclass
class Clock:
    t: float = 0.0

    def now(self) -> float:
        return self.t

    def sleep(self, seconds: float) -> None:
        self.t += seconds


@dataclass
class Pdu:
    """Two outlets, and what a test lets them do. Each call takes 10 ms."""

    clock: Clock
    words: dict[str, str | None] = field(default_factory=lambda: {"A1": "On", "B1": "On"})
    obeys: Callable[[Pdu, str, str], None] = lambda pdu, outlet, word: pdu.words.update({outlet: word})
    sent: list[PowerCommand] = field(default_factory=list)
    logged_in = False

    def read(self, timeout: float) -> Reading:
        at = self.clock.t
        self.clock.t += 0.01
        asked = tuple(
            Witness(
                uri=f"/Outlets/{outlet}",
                state=WitnessState.SAYS if word else WitnessState.UNKNOWN,
                word=word,
                kind=witnesses.OUTLET,
            )
            for outlet, word in self.words.items()
        )
        word = word_of_all([each.word for each in asked])
        return witnesses.judged(
            Reading(power=Power.UNKNOWN, word=word, at=at, path="pdu", source="outlets A1, B1", witnesses=asked),
            witnesses.WitnessMemory(),
        )

    def allowed_commands(self, timeout: float) -> AllowedCommands:
        return AllowedCommands(frozenset({PowerCommand.ON, PowerCommand.FORCE_OFF}), listed=True, source="outlets")

    def command(self, command: PowerCommand, timeout: float) -> CommandAnswered:
        self.clock.t += 0.01
        self.sent.append(command)
        for outlet in tuple(self.words):
            self.obeys(self, outlet, "Off" if command is PowerCommand.FORCE_OFF else "On")
        return CommandAnswered()

    def read_task(self, task: str, timeout: float) -> TaskStatus:
        raise AssertionError("no task was named")

    def members(self, timeout: float) -> tuple[Member, ...]:
        return ()

    def close(self, timeout: float) -> None: ...


@pytest.fixture
def pdu() -> Pdu:
    return Pdu(Clock())


def play(pdu: Pdu, action: Action = Action.OFF) -> Outcome:
    return run_procedure(action, pdu, pdu.clock, Limits(deadline=20))


def all_but(outlet: str) -> Callable[[Pdu, str, str], None]:
    """B1 or A1 takes the command and does nothing."""
    return lambda pdu, other, word: pdu.words.update({other: word}) if other != outlet else None


def test_off_is_proved_when_each_outlet_says_off(pdu: Pdu) -> None:
    outcome = play(pdu)
    assert (outcome.verdict, pdu.sent) == (FenceVerdict.CONFIRMED, [PowerCommand.FORCE_OFF])
    assert outcome.evidence is not None
    assert (outcome.evidence.how, outcome.evidence.chassis_check) == ("powered-off", "not-asked")
    first, *_, last = outcome.evidence.readings
    assert last.at - first.at >= 1.0
    assert all(each.word == "Off" for reading in outcome.evidence.readings for each in reading.witnesses)


@pytest.mark.parametrize("outlet", ["A1", "B1"])
def test_one_outlet_that_stays_on_is_no_off(pdu: Pdu, outlet: str) -> None:
    pdu.obeys = all_but(outlet)
    outcome = play(pdu)
    assert outcome.verdict is FenceVerdict.REFUTED
    assert outcome.failure is not None
    assert (outcome.failure.cause, f"{outlet} On" in outcome.failure.text) == (Cause.TIMEOUT, True)


@pytest.mark.parametrize("word", [None, "PoweringOff", "off", "Unknown"])
def test_one_outlet_without_the_word_off_is_no_off(pdu: Pdu, word: str | None) -> None:
    pdu.obeys = lambda it, outlet, wanted: it.words.update({outlet: word if outlet == "B1" else wanted})
    outcome = play(pdu)
    assert outcome.verdict is FenceVerdict.UNKNOWN
    assert outcome.failure is not None
    assert f"A1 Off, B1 {word or 'no word'}" in outcome.failure.text


def test_an_outlet_that_comes_back_begins_the_proof_again(pdu: Pdu) -> None:
    plain, reads = pdu.read, []

    def read(timeout: float) -> Reading:
        reads.append(pdu.clock.t)
        if len(reads) == 3:
            pdu.words["B1"] = "On"
        if len(reads) == 4:
            pdu.words["B1"] = "Off"
        return plain(timeout)

    pdu.read = read  # type: ignore[method-assign]
    outcome = play(pdu)
    assert outcome.evidence is not None
    assert outcome.evidence.readings[0].at >= reads[3]


def test_outlets_that_are_off_already_get_no_command(pdu: Pdu) -> None:
    pdu.words = {"A1": "Off", "B1": "Off"}
    assert (play(pdu).verdict, pdu.sent) == (FenceVerdict.CONFIRMED, [])


def test_on_means_all_of_them(pdu: Pdu) -> None:
    pdu.words = {"A1": "On", "B1": "Off"}
    assert (play(pdu, Action.ON).verdict, pdu.sent, pdu.words["B1"]) == (FenceVerdict.CONFIRMED, [PowerCommand.ON], "On")
    pdu.words["A1"] = "Off"
    pdu.obeys = all_but("A1")
    assert play(pdu, Action.ON).verdict is FenceVerdict.REFUTED


def test_a_reboot_ends_with_all_on(pdu: Pdu) -> None:
    outcome = play(pdu, Action.REBOOT)
    assert (outcome.verdict, pdu.words) == (FenceVerdict.CONFIRMED, {"A1": "On", "B1": "On"})
    assert pdu.sent == [PowerCommand.FORCE_OFF, PowerCommand.ON]


@pytest.mark.parametrize(
    ("words", "power"),
    [({"A1": "Off", "B1": "Off"}, Power.OFF), ({"A1": "Off", "B1": "On"}, Power.MIXED), ({"A1": "On", "B1": "On"}, Power.ON)],
)
def test_status_is_off_only_if_all_are(pdu: Pdu, words: dict[str, str | None], power: Power) -> None:
    pdu.words = words
    evidence = play(pdu, Action.STATUS).evidence
    assert evidence is not None
    assert (evidence.readings[-1].power, evidence.readings[-1].power is Power.OFF) == (power, power is Power.OFF)


def test_outlets_are_not_warned_about_as_chassis_are(pdu: Pdu) -> None:
    assert warnings_of(pdu.read(1)) == ()
    pdu.words["A1"] = None
    pdu.words["B1"] = "Off"
    (warning,) = warnings_of(pdu.read(1))
    assert warning == "outlets A1, B1 says A1 no word, B1 Off, which is neither On nor Off"
    assert reading_text(pdu.read(1)) == "A1 no word, B1 Off"
