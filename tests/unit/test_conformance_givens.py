"""Preconditions: what each adds to the rack, does to the running BMCs, and lets the fencer know."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import cast

import pytest

from conformance.givens.address import UNKNOWN_NAME, OtherAddress
from conformance.givens.bmc import HUNG, LONGEST_WINDOW_S, OFF, ON, host
from conformance.givens.given import FaultFacts, Given, GivenOrigin, PlannedRack
from conformance.givens.inject import Inject
from conformance.givens.no_selector import NoSelector
from conformance.givens.profile_answers import ProfileAnswers
from conformance.givens.redirect_elsewhere import LinksElsewhere, RedirectElsewhere
from conformance.givens.wrong_password import WrongPassword
from conformance.scenario import Scenario
from conformance.scenarios import BY_ID
from emulator import Armed, Emulator, Intent, UnitSpec, make_fault
from profiles import load

DELL = load("dell-idrac9")
RIGHT = "Zq7-0123456789ab"
VALUES = {
    "bmc.host": "127.0.0.1",
    "bmc.user": "root",
    "bmc.password": RIGHT,
    "bmc.system_uri": "/redfish/v1/Systems/1",
    "bmc.uuid": "u",
}


def shaped(*givens: Given) -> PlannedRack:
    rack = PlannedRack(profile=DELL, password=RIGHT)
    for given in givens:
        rack = given.shape(rack)
    return rack


@dataclass
class FiredFault:
    armed: Armed
    fired: int


@dataclass
class ArmingLog:
    """What an emulator is asked for by a precondition."""

    armed: dict[str, list[FiredFault]] = field(default_factory=dict)

    def arm(self, name: str, fault: Armed) -> None:
        self.armed.setdefault(name, []).append(FiredFault(fault, 0))

    def faults(self, name: str) -> list[FiredFault]:
        return self.armed[name]


class Nothing(Given):
    """A kind that overrides nothing."""

    @property
    def sentence(self) -> str:
        return "nothing"


def test_a_bmc_adds_itself_with_its_hosts_and_the_password_of_the_run() -> None:
    rack = shaped(host(ON, OFF), host(HUNG, name="other", listens=False))
    assert [(unit.name, unit.hosts, unit.password) for unit in rack.units] == [
        ("target", (ON, OFF), RIGHT),
        ("other", (HUNG,), RIGHT),
    ]
    assert rack.silent == {"other"}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (host(ON), "target: host on"),
        (host(HUNG), "target: host hung"),
        (host(ON, OFF), "target: 2 systems: on, off"),
        (host(OFF, name="b", listens=False), "b: host off; nothing listens at its address"),
        (WrongPassword(), "the fencer is given a wrong password"),
        (NoSelector(), "the fencer is given no system to choose"),
        (ProfileAnswers("Off", "ForceOff", 409), "the profile answers ForceOff on a host that is Off with HTTP 409"),
    ],
)
def test_every_precondition_is_a_sentence(given: Given, sentence: str) -> None:
    assert given.sentence == sentence


def test_a_fault_is_armed_where_it_was_meant_and_counted_apart_from_its_twin() -> None:
    """Two scenarios, or two preconditions of one, may arm equal faults: identity tells them apart."""
    one, twin = (Armed(fault=make_fault("power.ignore"), must_fire=False) for _ in range(2))
    first, second = Inject("first", one), Inject("second", twin, bmc="other")
    log = ArmingLog()
    emulator = cast(Emulator, log)
    for given in (first, second, Inject("third", twin)):
        given.arrange(emulator)
    log.armed["target"][1].fired = 3
    assert first.faults(emulator) == (FaultFacts(sentence="first", bmc="target", must_fire=False, fired=0),)
    assert Inject("third", twin).faults(emulator)[0].fired == 3
    assert second.faults(emulator)[0].bmc == "other"


def test_a_window_ends_before_a_fencer_must_and_everything_else_of_the_profile_stays() -> None:
    profile = load("dell-idrac10")
    (unit,) = host(ON).shape(PlannedRack(profile=profile, password="x")).units
    (window,) = unit.profile.power.windows
    assert profile.power.windows[0].for_s.high == 60
    assert (window.for_s.low, window.for_s.high) == (LONGEST_WINDOW_S, LONGEST_WINDOW_S)
    assert replace(unit.profile, power=profile.power) == profile


def test_a_wrong_password_is_as_long_as_the_right_one_and_wrong() -> None:
    told = WrongPassword().handed(VALUES)
    assert told["bmc.password"] != RIGHT
    assert len(told["bmc.password"]) == len(RIGHT)
    assert {**told, "bmc.password": RIGHT} == VALUES


def test_without_a_selector_no_placeholder_names_a_system() -> None:
    told = NoSelector().handed(VALUES)
    assert (told["bmc.system_uri"], told["bmc.uuid"], told["bmc.host"]) == ("", "", "127.0.0.1")


def test_a_kind_that_overrides_nothing_changes_nothing() -> None:
    given = Nothing()
    given.arrange(cast(Emulator, None))
    assert given.handed(VALUES) is VALUES
    assert shaped(given) == shaped()
    assert given.faults(cast(Emulator, None)) == ()
    assert given.missing_in(DELL) is None
    assert given.origin is GivenOrigin.INJECTED


def test_another_address_is_told_and_the_ports_stay() -> None:
    given = OtherAddress(UNKNOWN_NAME, "a name that nobody knows")
    told = given.handed({**VALUES, "bmc.port": "8443", "bmc.ipmi_host": "127.0.0.1", "bmc.url": "https://127.0.0.1:8443"})
    assert (told["bmc.host"], told["bmc.ipmi_host"], told["bmc.url"]) == (UNKNOWN_NAME, UNKNOWN_NAME, "https://bmc.invalid:8443")
    assert given.sentence == "the fencer is given the address bmc.invalid, a name that nobody knows"


@pytest.mark.parametrize(("scheme", "location"), [("https", "https://localhost:"), ("http", "http://127.0.0.1:")])
def test_reads_and_log_ins_are_redirected_elsewhere(scheme: str, location: str) -> None:
    given = RedirectElsewhere("target", "other", scheme)
    with Emulator([UnitSpec(name=name, profile=DELL) for name in ("target", "other")], latency=False) as emulator:
        given.arrange(emulator)
        port = emulator.endpoints["other"].redfish_port
        armed = {fault.armed.when.intent: fault.armed.fault.location for fault in emulator.faults("target")}  # type: ignore[attr-defined]
        assert armed[Intent.POWER_READ] == f"{location}{port}/redfish/v1/Systems/System.Embedded.1"
        assert armed[Intent.LOGIN] == f"{location}{port}/redfish/v1/SessionService/Sessions"
        (facts,) = given.faults(emulator)
    assert (facts.must_fire, facts.fired, facts.bmc) == (True, 0, "target")
    assert ("plain HTTP" in given.sentence) == (scheme == "http")


@pytest.mark.parametrize("task", [False, True], ids=["action", "task"])
def test_what_to_use_next_is_a_uri_of_another_host(task: bool) -> None:
    given = LinksElsewhere("target", "other", task)
    with Emulator([UnitSpec(name=name, profile=DELL) for name in ("target", "other")], latency=False) as emulator:
        given.arrange(emulator)
        (armed,) = emulator.faults("target")
        assert f"https://localhost:{emulator.endpoints['other'].redfish_port}/redfish/v1/" in str(armed.armed.fault)
        (facts,) = given.faults(emulator)
    assert (facts.must_fire, facts.fired, facts.bmc) == (True, 0, "target")
    assert ("task" in given.sentence) is task


def test_a_scenario_is_called_group_and_number() -> None:
    with pytest.raises(ValueError, match="GROUP-NUMBER, like STATE-001, not 'state one'"):
        replace(BY_ID["STATE-001"], id="state one")
    assert isinstance(replace(BY_ID["STATE-001"], id="ACME2-7"), Scenario)
