"""When a fault fires: triggers, and what a request means to them."""

from __future__ import annotations

import pytest

from emulator.core.faults.board import Armed
from emulator.core.faults.fault import Seam
from emulator.core.faults.trigger import ClientRequest, Intent, When
from emulator.core.journal import EventKind
from emulator.core.power.commands import PowerCommand
from emulator.core.power.system import Look
from emulator.core.vocab import ChassisControl, Rail, ResetType
from emulator.faults.power import Gated, Ignore
from emulator.faults.report import Says
from profiles.model import View

LOOK = ClientRequest(protocol="redfish", method="GET", path="/redfish/v1/Systems/1", system="1")


def look(bench, view=View.SYSTEM):
    """A client asks and is told."""
    word = bench.view().power("1", view, LOOK)
    bench.view().told([Look("1", view, word)], None)
    return word


def reset(bench, word):
    return bench.view().command("1", PowerCommand.redfish(word), None)


def test_triggers_look_at_method_path_rail_and_order(bench):
    when = When(protocol="redfish", method="POST", path="*/Actions/*", rail=Rail.UP, skip=1)
    bench.rack.arm("node1", Armed(fault=Ignore(), when=when, count=1))
    view, board = bench.view(), bench.rack.unit("node1").faults
    post = ClientRequest(protocol="redfish", method="POST", path="/redfish/v1/Systems/1/Actions/ComputerSystem.Reset", system="1")
    assert [len(view.faults(Seam.POWER, post)) for _ in range(3)] == [0, 1, 0]
    assert not view.faults(Seam.POWER, LOOK)
    assert not view.faults(Seam.WIRE, post)
    bench.rack.faults.disarm("f1")
    assert not board.armings


@pytest.mark.parametrize(
    ("when", "path", "matches"),
    [
        (When(path="*/ComputerSystem.Reset"), "/redfish/v1/Systems/1/Actions/ComputerSystem.Reset", True),
        (When(path="*/ComputerSystem.Reset"), "/redfish/v1/Systems/1/Actions/ComputerSystem.Reset/", True),
        (When(path="/redfish/v1/Systems/1/"), "/redfish/v1/Systems/1", True),
        (When(path="/"), "/", True),
        (When(path="/redfish/v1/Systems/?"), "/redfish/v1/Systems/1", True),
        (When(path="/redfish/v1/Systems"), "/redfish/v1/Systems/1", False),
        (When(intent=Intent.POWER_COMMAND), "/anything", True),
        (When(intent=Intent.LOGIN), "/anything", False),
        (When(reset=(ResetType.FORCE_OFF,)), "/anything", True),
        (When(reset=(ResetType.ON,)), "/anything", False),
    ],
)
def test_a_trigger_looks_at_what_a_request_means(when, path, matches):
    request = ClientRequest("redfish", "POST", path, "1", ResetType.FORCE_OFF, Intent.POWER_COMMAND)
    assert when.matches(request, Rail.UP) is matches


def test_a_request_is_journaled_with_what_it_means_and_no_empty_keys():
    known = ClientRequest("redfish", "POST", "/x", "1", ResetType.FORCE_OFF, Intent.POWER_COMMAND)
    assert known.facts("/x/", user="root") == {
        "protocol": "redfish", "method": "POST", "path": "/x/", "intent": "power-command", "user": "root", "system": "1",
        "reset": "ForceOff",
    }  # fmt: skip
    assert "system" not in ClientRequest("ipmi", "IPMI", "system-guid").facts("system-guid")


def test_an_answer_that_tells_two_words_of_a_system_is_one_read(bench):
    bench.rack.arm("node1", Armed(fault=Gated(gate=2)))
    reset(bench, "ForceOff")
    both = [Look("1", View.SYSTEM, "On"), Look("1", View.CHASSIS, "On"), Look("1", View.SYSTEM, "On")]
    bench.view().told(both, None)
    assert [(e.data["view"], e.data["word"]) for e in bench.events(EventKind.LOOK)] == [("system", "On"), ("chassis", "On")]
    assert bench.events(EventKind.GATE) == []
    bench.view().told(both, None)
    assert [e.data["after_reads"] for e in bench.events(EventKind.GATE)] == [2]


def test_both_protocols_command_through_one_door_and_keep_their_own_tables(bench):
    off, down = PowerCommand.redfish("ForceOff"), PowerCommand.ipmi(ChassisControl.DOWN)
    assert (off.reset, down.reset) == (ResetType.FORCE_OFF, ResetType.FORCE_OFF)
    assert PowerCommand.redfish("Explode").reset is None
    http, ipmi = bench.view().command("1", off, None), bench.view().command("1", down, None)
    assert (http.code, http.reply, ipmi.code, ipmi.reply) == (204, "ok", 0, "")
    first, second = (event.data for event in bench.events(EventKind.COMMAND))
    assert (first["via"], first["reset"], first["status"]) == ("redfish", "ForceOff", 204)
    assert (second["via"], second["reset"], second["completion_code"]) == ("ipmi", "ForceOff", 0)


def test_a_request_that_names_no_system_is_matched_against_the_first(bench):
    bench.rack.arm("node1", Armed(fault=Says("Off"), when=When(rail=Rail.UP)))
    assert bench.view().faults(Seam.REPORT, ClientRequest(protocol="ipmi", method="IPMI", path="chassis-status"))


def test_a_request_for_an_unknown_system_matches_no_rail(bench):
    bench.rack.arm("node1", Armed(fault=Says("Off"), when=When(rail=Rail.UP)))
    assert not bench.view().faults(Seam.REPORT, ClientRequest(protocol="redfish", method="GET", path="/", system="nobody"))


def test_every_third_match_behind_those_that_are_skipped(bench):
    bench.rack.arm("node1", Armed(fault=Ignore(), when=When(skip=1, every=3)))
    assert [len(bench.view().faults(Seam.POWER, LOOK)) for _ in range(8)] == [0, 0, 0, 1, 0, 0, 1, 0]
