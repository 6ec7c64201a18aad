"""Seven programs that know nothing of us, or of one another, read and change the power of one host."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from emulator.core.journal import Event, EventKind, chain
from tests.commands import PATIENCE, Serving
from tests.outsiders import CURL, IPMITOOL, OUTSIDERS, WITNESS, Outsider, Ready, ipmitool, program

POWER_AT_START = {"dmtf-generic": "On", "dell-idrac9": "Off", "openbmc-x86": "On"}
"""The seven take turns, so each switches in one direction on the first profile and in the other on the second."""
SEED = "399"
"""One that draws short times from the spans of openbmc-x86: 4 to 15 s for a power cut, 1 to 8 s for a boot."""
RAIL_OF = {"On": "up", "Off": "down"}


@dataclass
class Machine:
    """The one host behind both protocols, and what was done to it."""

    serving: Serving
    bmc: Ready
    power: str
    changes: list[tuple[str, str]] = field(default_factory=list)  # (rail, protocol)

    def until(self, outsider: Outsider, power: str) -> None:
        """Looks until the outsider says so; starting its process is the pause between two looks."""
        end = time.monotonic() + PATIENCE
        while (said := outsider.read(self.bmc)) != power:
            assert time.monotonic() < end, f"{outsider.name} still says {said}, not {power}"


def on_each_profile() -> list[object]:
    # One worker per profile: its tests share one running emulator.
    return [pytest.param(name, marks=pytest.mark.xdist_group(name), id=name) for name in POWER_AT_START]


@pytest.fixture(scope="module", params=on_each_profile())
def machine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    profile, power = request.param, POWER_AT_START[request.param]
    with Serving(tmp_path_factory.mktemp(profile), "--profile", profile, "--power", power.lower(), "--seed", SEED) as serving:
        yield Machine(serving, serving.ready[0], power)


@pytest.mark.parametrize("outsider", OUTSIDERS, ids=lambda outsider: outsider.name)
def test_every_tool_reads_and_changes_the_same_host_and_the_other_protocol_sees_it(machine: Machine, outsider: Outsider) -> None:
    assert outsider.read(machine.bmc) == machine.power
    machine.power = {"On": "Off", "Off": "On"}[machine.power]
    machine.changes.append((RAIL_OF[machine.power], outsider.protocol))
    outsider.change(machine.bmc, machine.power)
    machine.until(WITNESS[outsider.protocol], machine.power)
    machine.until(outsider, machine.power)


def test_ipmitool_with_a_wrong_password_fails_and_changes_nothing(machine: Machine) -> None:
    result = ipmitool(machine.bmc, "chassis", "power", "off", password="not-the-password")
    assert result.returncode == 1
    assert "Unable to establish IPMI v2 / RMCP+ session" in result.stderr
    assert all(outsider.read(machine.bmc) == machine.power for outsider in WITNESS.values())


def test_the_journal_tells_the_same_story(machine: Machine) -> None:
    assert len(machine.changes) == len(OUTSIDERS), "not all of them met on this machine: run the whole file, grouped by profile"
    events = {event.seq: event for event in machine.serving.events()}
    moved = [event for event in events.values() if event.kind is EventKind.RAIL and event.data["was"] != "initial"]
    assert machine.changes == [(event.data["rail"], _protocol(events, event)) for event in moved]
    assert str(machine.bmc["password"]) not in machine.serving.journal.read_text()


def _protocol(events: dict[int, Event], moved: Event) -> object:
    """Through which protocol the request came that moved the rail: the first link of its causal chain."""
    first = chain(events, moved.seq)[0]
    assert first.kind is EventKind.REQUEST
    return first.data["protocol"]


def test_a_witness_that_looks_at_another_machine_is_not_convinced(tmp_path: Path) -> None:
    """The control: without the shared machine behind them the two protocols disagree, and the looks above show it."""
    with Serving(tmp_path, "--profile", "dmtf-generic", "--count", "2", count=2) as serving:
        first, second = serving.ready
        torn = {**first, "ipmi_port": second["ipmi_port"]}
        CURL.change(torn, "Off")
        Machine(serving, torn, "On").until(CURL, "Off")
        assert IPMITOOL.read(torn) == "On"


def test_a_peer_that_is_not_installed_fails_the_test_and_says_what_to_do() -> None:
    with pytest.raises(pytest.fail.Exception, match="no-such-peer is not installed: run make peers"):
        program("no-such-peer")
