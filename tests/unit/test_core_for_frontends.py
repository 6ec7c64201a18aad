"""What front ends and the Python API ask of the core, asked without them."""

from __future__ import annotations

import pytest

from emulator.core.bmc.eventlog import LogKind
from emulator.core.bmc.sensors import INLET, PSU_OUTPUT, SENSORS, Thresholds
from emulator.core.faults.board import Armed
from emulator.core.journal import EventKind
from emulator.core.vocab import Rail
from emulator.faults.power import Gated
from emulator.wire.ops import Close, Send, Wait, text_of


def test_the_text_of_a_plan_is_what_it_would_send():
    assert text_of((Send(b"HTTP/1.1 "), Wait(5), Send(b"200 OK"), Close())) == b"HTTP/1.1 200 OK"


def test_a_rack_tells_of_every_new_log_entry_and_whose_it_is(bench):
    heard = []
    bench.rack.on_log(lambda name, entry: heard.append((name, entry.kind)))
    bench.view().reset("1", "ForceOff", None)
    bench.advance(5)
    assert heard == [("node1", LogKind.POWER_OFF)]


def test_a_view_names_its_systems(bench):
    assert bench.view().system_ids() == ("1",)


def test_other_parts_of_the_bmc_know_a_sensor_that_nobody_is_shown(bench):
    view = bench.view()
    shown = {reading.sensor: reading.value for reading in view.sensors.all()}
    assert {sensor: view.sensors.measured(sensor) for sensor in SENSORS} == shown
    assert view.sensors.measured(PSU_OUTPUT) > 0


def test_limits_are_scaled_with_the_reading_and_a_missing_one_stays_missing():
    limits = Thresholds(upper_caution=40.0, lower_critical=5.0).scaled(2.5, 1)
    assert limits == Thresholds(upper_caution=100.0, lower_critical=12.5)
    assert INLET.thresholds.scaled(1.0, 9) == INLET.thresholds


@pytest.fixture
def gated(bench):
    bench.rack.arm("node1", Armed(fault=Gated(gate=15)))
    bench.view().reset("1", "ForceOff", None)
    return bench


def system_of(bench):
    unit = bench.rack.unit("node1")
    return unit, unit.systems[0]


def test_a_gate_can_be_opened_without_a_look(gated):
    gated.rack.effects.open_gate(*system_of(gated))
    gated.advance(0)
    assert gated.host().rail is Rail.DOWN
    assert len(gated.events(EventKind.GATE)) == 1


def test_opening_an_open_gate_changes_nothing(gated):
    for _ in range(2):
        gated.rack.effects.open_gate(*system_of(gated))
    assert len(gated.events(EventKind.GATE)) == 1


def test_after_an_open_gate_is_forgotten_the_next_command_has_one_of_its_own(gated):
    unit, system = system_of(gated)
    gated.rack.effects.forget_open_gate(system)
    assert system.gate is not None, "a closed gate still holds a command back"
    gated.rack.effects.open_gate(unit, system)
    gated.rack.effects.forget_open_gate(system)
    assert system.gate is None
