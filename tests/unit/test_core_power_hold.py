"""A gate that no read and no time opens, until somebody lets it from outside; and commands behind a gate that is open."""

from __future__ import annotations

from emulator.core.faults.board import Armed
from emulator.core.journal import EventKind
from emulator.core.power.commands import PowerCommand
from emulator.core.power.system import Look
from emulator.core.rack import HostSpec
from emulator.core.vocab import Rail
from emulator.faults.registry import make_fault


def looks(bench, times):
    for _ in range(times):
        bench.view().told([Look("1", "system", "On")], None)


def system(bench):
    return bench.rack.unit("node1").system("1")


def held(bench):
    bench.rack.arm("node1", Armed(fault=make_fault("power.hold")))
    bench.view().command("1", PowerCommand.redfish("ForceOff"), None)


def test_neither_reads_nor_time_move_a_host_that_is_held(bench):
    held(bench)
    looks(bench, 50)
    bench.advance(3600)
    assert bench.host().rail is Rail.UP
    assert bench.events(EventKind.GATE) == []


def test_once_it_is_let_the_reads_count_from_then_on(bench):
    held(bench)
    looks(bench, 50)
    bench.rack.effects.expect_reads(system(bench), 3)
    looks(bench, 2)
    bench.advance(5)
    assert bench.host().rail is Rail.UP
    looks(bench, 1)
    bench.advance(5)
    assert bench.host().rail is Rail.DOWN


def test_without_a_closed_gate_there_is_nothing_to_let(bench):
    bench.rack.effects.expect_reads(system(bench), 3)
    assert system(bench).gate is None
    held(bench)
    bench.rack.effects.open_gate(bench.rack.unit("node1"), system(bench))
    bench.rack.effects.expect_reads(system(bench), 3)
    assert system(bench).gate.reads is None
    bench.advance(5)
    assert bench.host().rail is Rail.DOWN


def test_force_behind_a_gate_that_a_polite_request_has_opened_does_not_wait_for_the_clock_of_the_profile(bench_of):
    bench = bench_of(HostSpec(hung=True))
    bench.rack.arm("node1", Armed(fault=make_fault("power.gate", gate=1)))
    bench.view().command("1", PowerCommand.redfish("GracefulShutdown"), None)
    looks(bench, 1)
    assert bench.host().rail is Rail.UP
    bench.view().command("1", PowerCommand.redfish("ForceOff"), None)
    assert bench.host().rail is Rail.DOWN
