"""fence_bmc on the outlets of an emulated PDU, over real sockets; the truth is that of the host behind the cords."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from emulator import Emulator, EventKind, Intent, Rail, UnitSpec, When, make_fault
from emulator.core.faults.board import Armed
from fencer import FenceError, fence, power_on, read
from fencer.device_check import check_device
from fencer.outcome import Cause, FenceVerdict, Power, PowerCommand
from fencer.run import list_hosts, send_diag
from fencer.target import Protocol, Target
from profiles import load
from profiles.scale import at_scale
from tests.redfish_service import LIMITS

PDU = at_scale(load("pdu-generic"), 0.01)
POWER_COMMAND = When(intent=Intent.POWER_COMMAND)
QUICK = replace(LIMITS, deadline=0.7)
OUTLETS = "/redfish/v1/PowerEquipment/RackPDUs/1/Outlets"


@pytest.fixture
def rack() -> Iterator[Emulator]:
    units = [
        UnitSpec(name="pdu1", profile=PDU, feeds={"A1": ("node1",), "B1": ("node1",)}),
        UnitSpec(name="node1", profile=load("dmtf-generic")),
    ]
    with Emulator(units, tls=False) as emulator:
        yield emulator


def target(rack: Emulator, *outlets: str, name: str = "pdu1") -> Target:
    at = rack.endpoints[name]
    return Target(
        host=at.host, url=at.redfish_url, protocol=Protocol.PDU, outlets=outlets, user=at.username, password=at.password
    )


def commanded(rack: Emulator) -> list[str]:
    return [str(event.data["system"]) for event in rack.events() if event.kind is EventKind.COMMAND]


def test_a_host_with_two_cords_is_off_and_its_bmc_with_it(rack: Emulator) -> None:
    outcome = fence(target(rack, "A1", f"{OUTLETS}/B1"), LIMITS)
    assert (outcome.verdict, rack.host("node1").rail) == (FenceVerdict.CONFIRMED, Rail.DOWN)
    assert commanded(rack) == ["A1", "B1"]
    assert power_on(target(rack, "A1", "B1"), LIMITS).verdict is FenceVerdict.CONFIRMED
    assert read(target(rack, "A1", "B1"), 2).power is Power.ON


def test_one_of_two_cords_is_not_the_host(rack: Emulator) -> None:
    fence(target(rack, "A1"), LIMITS)
    assert rack.host("node1").rail is Rail.UP
    assert read(target(rack, "A1", "B1"), 2).power is Power.MIXED


@pytest.mark.parametrize(
    ("outlets", "sentence"),
    [
        (("A1", "Z9"), "has no outlet 'Z9'; it has A1, A2, A3"),
        (("a1",), "has no outlet 'a1'"),
        (("A1", f"{OUTLETS}/A1"), "name 1 outlets only"),
        (("A1", "/redfish/v1/Managers/BMC"), "has no outlet '/redfish/v1/Managers/BMC'"),
        (("A1", "http://192.0.2.1/redfish/v1/x"), "the outlet http://192.0.2.1/redfish/v1/x"),
    ],
)
def test_a_wrong_outlet_fails_before_any_command(rack: Emulator, outlets: tuple[str, ...], sentence: str) -> None:
    outcome = fence(target(rack, *outlets), LIMITS)
    assert outcome.failure is not None
    assert (outcome.failure.cause, commanded(rack)) == (Cause.CONFIG, [])
    assert sentence in outcome.failure.text


def test_an_outlet_that_does_nothing_is_no_success(rack: Emulator) -> None:
    rack.arm("pdu1", Armed(fault=make_fault("power.ignore")))
    outcome = fence(target(rack, "A1", "B1"), QUICK)
    assert (outcome.verdict, rack.host("node1").rail) == (FenceVerdict.REFUTED, Rail.UP)
    assert outcome.failure is not None
    assert "ForceOff was accepted" in outcome.failure.text


def test_every_outlet_is_commanded_whatever_the_first_one_answers(rack: Emulator) -> None:
    rack.arm("pdu1", Armed(fault=make_fault("redfish.reply", reply="precondition"), when=POWER_COMMAND, count=1))
    assert fence(target(rack, "A1", "B1"), LIMITS).verdict is FenceVerdict.CONFIRMED
    assert (commanded(rack)[0], rack.host("node1").rail) == ("B1", Rail.DOWN)


def test_an_outlet_without_a_word_is_not_off(rack: Emulator) -> None:
    rack.arm("pdu1", Armed(fault=make_fault("report.says", word=None)))
    outcome = fence(target(rack, "A1", "B1"), QUICK)
    assert outcome.verdict is FenceVerdict.UNKNOWN
    assert outcome.failure is not None
    assert "A1 no word, B1 no word" in outcome.failure.text


def test_a_bmc_is_no_pdu(rack: Emulator) -> None:
    with pytest.raises(FenceError, match="links to no PowerEquipment: this is no PDU"):
        read(target(rack, "A1", name="node1"), 2)


def test_monitor_asks_that_the_outlets_are_there_and_can_be_switched(rack: Emulator) -> None:
    assert check_device(target(rack), LIMITS).failure is None
    assert check_device(target(rack, "A1", "B1"), LIMITS).failure is None
    failure = check_device(target(rack, "A9"), LIMITS).failure
    assert failure is not None
    assert "has no outlet 'A9'" in failure.text
    assert commanded(rack) == []


def test_without_a_name_nothing_is_switched(rack: Emulator) -> None:
    outcome = fence(target(rack), QUICK)
    assert (outcome.verdict, commanded(rack)) == (FenceVerdict.REFUTED, [])


def test_list_has_every_outlet_and_diag_has_none(rack: Emulator) -> None:
    members = list_hosts(target(rack, "A1"), LIMITS)
    assert [member.plug for member in members] == list(PDU.feeder.outlets if PDU.feeder else ())
    assert {member.word for member in members} == {"On"}
    failure = send_diag(target(rack, "A1"), LIMITS).failure
    assert failure is not None
    assert failure.cause is Cause.UNSUPPORTED
    assert PowerCommand.NMI in failure.text


def test_a_refused_password_ends_it_before_any_command(rack: Emulator) -> None:
    outcome = fence(replace(target(rack, "A1", "B1"), password="wrong"), QUICK)
    assert outcome.failure is not None
    assert (outcome.failure.cause, commanded(rack)) == (Cause.AUTH, [])
