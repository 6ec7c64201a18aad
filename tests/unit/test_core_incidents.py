"""What happens by itself once a client has been told the power of a system: power lost, power back, a BMC that restarts."""

from __future__ import annotations

import pytest

from emulator.core.bmc.view import Look
from emulator.core.faults.board import Armed
from emulator.core.faults.trigger import When
from emulator.core.journal import EventKind
from emulator.core.rack import HostSpec, UnitSpec
from emulator.core.vocab import Os, Rail
from emulator.faults.registry import make_fault
from profiles import load
from profiles.model import View
from tests.conftest import make_bench


def bench_of(power: str = "on"):
    return make_bench(UnitSpec(name="node1", profile=load("openbmc-x86"), hosts=(HostSpec(power=power),)))


def told(bench, word: str, view: View = View.SYSTEM) -> None:
    bench.view().told([Look(bench.view().first_id, view, word)], None)


@pytest.mark.parametrize("view", [View.SYSTEM, View.IPMI])
def test_a_host_loses_its_power_once_it_was_read(view):
    bench = bench_of()
    bench.rack.arm("node1", Armed(fault=make_fault("host.power-lost"), when=When(rail=Rail.UP), count=1))
    assert bench.host().rail is Rail.UP
    told(bench, "On", view)
    bench.advance(0.1)
    assert bench.host().rail is Rail.DOWN
    assert [e.data["what"] for e in bench.events(EventKind.INCIDENT)] == ["power-lost"]
    told(bench, "Off", view)
    assert len(bench.events(EventKind.INCIDENT)) == 1


def test_what_is_due_later_happens_later():
    bench = bench_of("off")
    bench.rack.arm("node1", Armed(fault=make_fault("host.power-restored", seconds=5.0), count=1))
    told(bench, "Off")
    bench.advance(4.9)
    assert bench.host().rail is Rail.DOWN
    bench.advance(0.2)
    assert bench.host().rail is Rail.UP


def test_a_bmc_restarts_by_itself_and_only_once_at_a_time():
    bench = bench_of()
    bench.rack.arm("node1", Armed(fault=make_fault("bmc.restart", seconds=0.0, outage_s=10.0)))
    told(bench, "On")
    told(bench, "On")
    assert bench.view().presence().being.value != "here"
    assert [e.data["what"] for e in bench.events(EventKind.BMC)].count("down") == 1
    bench.advance(60)
    assert bench.host().rail is Rail.UP


def test_nothing_happens_to_a_system_of_which_nothing_was_told():
    bench = make_bench(UnitSpec(name="node1", profile=load("openbmc-x86"), hosts=(HostSpec(), HostSpec())))
    bench.rack.arm("node1", Armed(fault=make_fault("host.power-lost")))
    told(bench, "On")
    bench.advance(0.1)
    assert (bench.host(n=0).rail, bench.host(n=1).rail) == (Rail.DOWN, Rail.UP)


def test_an_operating_system_crashes_once_the_power_was_read():
    bench = bench_of()
    bench.rack.arm("node1", Armed(fault=make_fault("host.os-crashed"), count=1))
    told(bench, "On")
    bench.advance(0.1)
    assert (bench.host().rail, bench.host().os) == (Rail.UP, Os.STOPPED)
    assert [e.data["what"] for e in bench.events(EventKind.INCIDENT)] == ["os-crashed"]
