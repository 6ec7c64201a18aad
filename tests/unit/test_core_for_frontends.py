"""What front ends and the Python API ask of the core, asked without them."""

from __future__ import annotations

from emulator.core.bmc.accounts import AuthResult
from emulator.core.bmc.eventlog import LogKind
from emulator.core.bmc.sensors import INLET, PSU_OUTPUT, SENSORS, Thresholds
from emulator.core.faults.board import Armed
from emulator.core.faults.trigger import ClientRequest, Intent
from emulator.core.truth.host import News
from emulator.faults.login.locked import Locked
from emulator.faults.power import Ignore
from emulator.wire.ops import Close, Send, Wait, text_of


def test_the_text_of_a_plan_is_what_it_would_send():
    assert text_of((Send(b"HTTP/1.1 "), Wait(5), Send(b"200 OK"), Close())) == b"HTTP/1.1 200 OK"


def test_a_rack_tells_of_every_new_log_entry_and_whose_it_is(bench):
    heard = []
    bench.rack.on_log(lambda name, entry: heard.append((name, entry.kind)))
    bench.rack.news("node1", "1", News.WENT_DOWN)
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


def test_a_view_says_whether_any_fault_is_armed(bench):
    assert not bench.view().has_faults
    bench.rack.arm("node1", Armed(fault=Ignore()))
    assert bench.view().has_faults


def test_a_fault_locks_an_account_for_the_request_that_it_meets(bench):
    bench.rack.arm("node1", Armed(fault=Locked()))
    request = ClientRequest("redfish", "POST", "/redfish/v1/SessionService/Sessions", intent=Intent.LOGIN)
    name, password = "root", "Tr0ub4dor&3"
    assert bench.view().verify(name, password, "192.0.2.1", "session", None, request) == (AuthResult.LOCKED, None)
    assert bench.view().verify(name, password, "192.0.2.1", "session")[0] is AuthResult.OK
