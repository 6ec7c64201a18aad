"""Event log, boot override, sensors, LED and tags: what a BMC remembers of its host."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from emulator.core.bmc import sensors
from emulator.core.bmc.boot import (
    IPMI_DEVICE,
    TARGET_OF_IPMI_DEVICE,
    BootEnabled,
    BootMode,
    BootOverride,
    BootTarget,
    RestartCause,
)
from emulator.core.bmc.machine import Led, RestorePolicy
from emulator.core.bmc.sensors import CPU, FANS, INLET, POWER, PSU_INPUT, PSU_OUTPUT, SENSORS, Meter, Thresholds
from emulator.core.errors import NoSuchSystem, SettingRefused
from emulator.core.power.commands import PowerCommand
from emulator.core.rack import HostSpec
from emulator.core.truth.host import Host, News
from emulator.core.vocab import ChassisControl, Os, Rail

OUT_OF_SIGHT = Host(Rail.UNKNOWN, Os.STOPPED)


def kinds(bench):
    return [entry.kind for entry in bench.view().log.entries()]


# -- boot ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["ForceRestart", "PowerCycle", "GracefulRestart"])
def test_once_falls_back_after_the_next_boot_whatever_caused_it(bench, how):
    boot = bench.view().boot
    boot.set(BootOverride(target=BootTarget.PXE, enabled=BootEnabled.ONCE, mode=BootMode.UEFI))
    bench.view().command("1", PowerCommand.redfish(how), None)
    assert boot.override().enabled is BootEnabled.ONCE
    bench.advance(30)
    assert boot.override() == BootOverride(mode=BootMode.UEFI)
    last = boot.last("1")
    assert (last.target, last.mode, last.cause) == (BootTarget.PXE, BootMode.UEFI, RestartCause.CHASSIS_CONTROL)
    assert bench.view().chassis.boot_started() == last.t
    assert "Boot source override: Pxe." in bench.view().log.entries()[-1].text
    bench.view().command("1", PowerCommand.redfish(how), None)
    bench.advance(30)
    assert (boot.last().target, boot.count()) == (BootTarget.NONE, 2)


def test_continuous_stays_and_disabled_is_never_used(bench):
    boot = bench.view().boot
    boot.set(BootOverride(target=BootTarget.HDD, enabled=BootEnabled.CONTINUOUS))
    bench.rack.news("node1", "1", News.WAS_RESET)
    assert (boot.last().target, boot.override().target) == (BootTarget.HDD, BootTarget.HDD)
    boot.set(BootOverride(target=BootTarget.CD))
    bench.rack.news("node1", "1", News.OS_BOOTED)
    assert (boot.last().target, boot.last().cause) == (BootTarget.NONE, RestartCause.SOFT_RESET)


@pytest.mark.parametrize("boots", [False, True])
def test_the_facts_of_a_system_are_what_each_question_says(bench, boots):
    if boots:
        bench.rack.news("node1", "1", News.WAS_RESET)
    view = bench.view()
    boot, chassis = view.boot, view.chassis
    boot.set(BootOverride(target=BootTarget.PXE, enabled=BootEnabled.ONCE))
    boot.set_order(("Boot0002", "Boot0001"))
    chassis.set_led(Led.BLINKING, seconds=5)
    for _ in range(2):
        assert chassis.facts("1") == (
            view.sensors.energised(),
            boot.override(),
            boot.order(),
            chassis.led(),
            chassis.asset_tag(),
            chassis.host_name(),
            chassis.restore_policy(),
            chassis.restart_cause(),
            chassis.boot_started(),
        )
        chassis.set_asset_tag("A7")
        chassis.set_host_name("db1")
        bench.advance(6)
    assert (chassis.facts().led, chassis.facts().host_name) == (Led.OFF, "db1")


@pytest.mark.parametrize(("rail", "energised"), [(Rail.UP, True), (Rail.DOWN, False), (Rail.UNKNOWN, True)])
def test_a_system_is_energised_unless_its_supplies_give_nothing(rail, energised):
    host = Host(rail, Os.STOPPED)
    assert sensors.energised(host) is energised
    assert (sensors.measure(PSU_OUTPUT, Meter(), host, 0.0) != 0) is energised


def test_a_boot_of_its_own_and_a_dead_start(bench):
    bench.rack.news("node1", "1", News.WAS_RESET)
    assert bench.view().chassis.restart_cause() is RestartCause.UNKNOWN
    bench.view().command("1", PowerCommand.redfish("Nmi"), None)
    bench.rack.news("node1", "1", News.CAME_UP)
    assert bench.view().boot.count() == 2
    bench.rack.news("node1", "1", News.CAME_UP)
    assert bench.view().boot.count() == 2


def test_an_override_that_lacks_what_it_needs_is_refused_and_changes_nothing(bench):
    boot = bench.view().boot
    for wrong in (
        BootOverride(target=BootTarget.UEFI_TARGET, enabled=BootEnabled.ONCE),
        BootOverride(target=BootTarget.UEFI_BOOT_NEXT, enabled=BootEnabled.ONCE),
        BootOverride(target=BootTarget.UEFI_BOOT_NEXT, enabled=BootEnabled.CONTINUOUS, boot_next="Boot0001"),
    ):
        with pytest.raises(SettingRefused):
            boot.set(wrong)
    assert boot.override() == BootOverride()
    boot.set(BootOverride(target=BootTarget.UEFI_TARGET, enabled=BootEnabled.ONCE, uefi_path="HD(1)"))
    boot.set(BootOverride(target=BootTarget.UEFI_BOOT_NEXT, enabled=BootEnabled.ONCE, boot_next="Boot0001"))
    boot.set_order(("Boot0001", "Boot0000"))
    assert boot.order() == ("Boot0001", "Boot0000")
    assert (boot.last(), bench.view().chassis.boot_started()) == (None, None)
    with pytest.raises(NoSuchSystem):
        boot.override("9")


def test_every_ipmi_device_leads_to_a_target_and_back():
    for target, device in IPMI_DEVICE.items():
        assert IPMI_DEVICE[TARGET_OF_IPMI_DEVICE[device]] == device, target


# -- sensors ------------------------------------------------------------------------------------------------------------


def values(bench):
    return {reading.sensor.id: reading.value for reading in bench.view().sensors.all()}


def test_readings_follow_the_power_state(bench):
    on = values(bench)
    assert (on["TotalPower"], on["Fan1"], on["PSU1OutputVoltage"], on["CPU1Temp"]) == (184.0, 5400.0, 12.1, 52.0)
    bench.rack.cut("node1", "1")
    off = values(bench)
    assert (off["TotalPower"], off["Fan1"], off["Fan2"], off["PSU1OutputVoltage"]) == (12.0, 0.0, 0.0, 0.0)
    assert off["CPU1Temp"] == 52.0, "metal cools slowly"
    bench.advance(60)
    assert off["InletTemp"] < values(bench)["CPU1Temp"] < 52.0
    bench.advance(3600)
    assert values(bench)["CPU1Temp"] == off["InletTemp"] == 23.0
    assert {reading.health for reading in bench.view().sensors.all()} == {"OK"}


def test_hung_and_stopped_systems_draw_power_of_their_own(bench):
    bench.rack.news("node1", "1", News.OS_HUNG)
    hung = values(bench)["TotalPower"]
    bench.rack.news("node1", "1", News.OS_CRASHED)
    assert 12.0 < values(bench)["TotalPower"] < hung < 184.0


def test_of_a_host_out_of_sight_nothing_is_measured(bench):
    bench.advance(10)
    bench.rack.news("node1", "1", News.OUT_OF_SIGHT)
    seen = values(bench)
    assert {name for name, value in seen.items() if value is None} == {
        "CPU1Temp",
        "Fan1",
        "Fan2",
        "PSU1OutputVoltage",
        "TotalPower",
    }
    bench.advance(10)
    power = bench.view().sensors.power()
    assert (power.current, power.average, power.low, power.high) == (None, 184.0, 184.0, 184.0)
    bench.rack.news("node1", "1", News.CAME_UP)
    assert values(bench)["CPU1Temp"] == 52.0


def test_power_statistics_are_an_integral(bench):
    assert bench.view().sensors.power().average == 184.0
    bench.advance(30)
    bench.rack.cut("node1", "1")
    bench.advance(10)
    power = bench.view().sensors.power()
    assert power == sensors.PowerStatistics(12.0, 12.0, (184 * 30 + 12 * 10) / 40, 184.0, 40.0)
    warm = values(bench)["CPU1Temp"]
    bench.view().sensors.restart_statistics()
    assert bench.view().sensors.power() == sensors.PowerStatistics(12.0, 12.0, 12.0, 12.0, 0.0)
    assert values(bench)["CPU1Temp"] == warm


def test_power_statistics_add_up_over_several_changes(bench):
    bench.advance(30)
    bench.rack.cut("node1", "1")
    bench.advance(10)
    bench.rack.news("node1", "1", News.CAME_UP)
    bench.advance(20)
    assert bench.view().sensors.power().average == round((184 * 50 + 12 * 10) / 60, 1)


def test_statistics_that_begin_out_of_sight_wait_for_a_level(bench):
    bench.rack.news("node1", "1", News.OUT_OF_SIGHT)
    bench.view().sensors.restart_statistics()
    assert bench.view().sensors.power().average == 0.0
    bench.advance(5)
    bench.rack.news("node1", "1", News.WENT_DOWN)
    assert (bench.view().sensors.power().low, bench.view().sensors.power().high) == (12.0, 12.0)


@pytest.mark.parametrize(
    ("limits", "health"),
    [
        (Thresholds(upper_caution=20), "Warning"),
        (Thresholds(upper_critical=20), "Critical"),
        (Thresholds(upper_fatal=20, upper_caution=10), "Critical"),
        (Thresholds(lower_caution=30), "Warning"),
        (Thresholds(lower_critical=30), "Critical"),
        (Thresholds(lower_fatal=23), "Critical"),
        (Thresholds(upper_caution=24, lower_caution=22), "OK"),
        (Thresholds(), "OK"),
    ],
)
def test_thresholds_make_health(bench, limits, health):
    view = bench.view().sensors
    view.set(INLET.number, replace(view.setup(INLET.number), thresholds=limits))
    assert view.read(INLET).health == health


def test_a_fan_that_stands_still_alarms_only_where_it_should_turn(bench, monkeypatch):
    monkeypatch.setitem(sensors.RPM, Os.RUNNING, 700.0)
    assert bench.view().sensors.read(FANS[0]).health == "Critical"
    bench.rack.cut("node1", "1")
    assert bench.view().sensors.read(FANS[0]).health == "OK"
    assert sensors.measure(FANS[0], Meter(), OUT_OF_SIGHT, 0.0) is None


def test_every_reading_and_threshold_fits_a_sdr():
    assert [sensor.raw(value) for sensor, value in ((INLET, 23), (POWER, 184), (PSU_OUTPUT, 12.1), (PSU_INPUT, 230))] == [
        23,
        46,
        121,
        230,
    ]
    assert (CPU.raw(-5), FANS[0].raw(1e9)) == (0, 255)
    assert len({sensor.number for sensor in SENSORS}) == len({sensor.id for sensor in SENSORS}) == len(SENSORS)
    assert all(len(sensor.name) <= 16 for sensor in SENSORS)


# -- LED, tags, hours ---------------------------------------------------------------------------------------------------


def test_a_timed_identify_ends_by_itself(bench):
    chassis = bench.view().chassis
    assert (chassis.led(), chassis.led_left()) == (Led.OFF, 0.0)
    chassis.identify()
    assert (chassis.led(), chassis.led_left()) == (Led.BLINKING, 15.0)
    bench.advance(15)
    assert (chassis.led(), chassis.led_left()) == (Led.OFF, 0.0)
    chassis.set_led(Led.LIT)
    bench.advance(1e6)
    assert (chassis.led(), chassis.led_left()) == (Led.LIT, math.inf)
    chassis.identify(seconds=0)
    assert chassis.led() is Led.OFF


def test_tags_and_names_are_kept_per_system_and_have_a_limit(bench_of):
    bench = bench_of(HostSpec(), HostSpec())
    chassis = bench.view().chassis
    chassis.set_asset_tag("A-1")
    chassis.set_host_name("db1.example", "2")
    assert [chassis.asset_tag(s) for s in ("1", "2")] == ["A-1", ""]
    assert [chassis.host_name(s) for s in ("1", "2")] == ["node1.1", "db1.example"]
    assert bench.view().system("2").host_name == "node1.2", "the journal's name stays"
    with pytest.raises(SettingRefused):
        chassis.set_asset_tag("x" * 64)
    with pytest.raises(SettingRefused):
        chassis.set_host_name("x" * 256)


def test_power_on_time_counts_only_while_the_rail_is_up(bench):
    chassis = bench.view().chassis
    bench.advance(100)
    bench.rack.cut("node1", "1")
    bench.advance(1000)
    assert chassis.on_seconds() == 100.0
    bench.view().command("1", PowerCommand.redfish("On"), None)
    bench.advance(3)
    rose = chassis.boot_started()
    bench.advance(60)
    assert chassis.on_seconds() == pytest.approx(100 + bench.view().now - rose, abs=1e-6)
    assert chassis.powered_by() is RestartCause.CHASSIS_CONTROL


def test_the_power_button_is_a_cause_of_its_own(bench):
    from emulator.core.power.commands import _cause_of
    from emulator.core.vocab import ResetType

    assert _cause_of(ResetType.PUSH_POWER_BUTTON) is RestartCause.POWER_BUTTON
    assert [policy.ipmi for policy in RestorePolicy] == [0, 1, 2]


# -- made on first use --------------------------------------------------------------------------------------------------


def test_what_is_asked_for_late_has_counted_from_the_beginning(bench):
    bench.advance(100)
    bench.rack.cut("node1", "1")
    bench.advance(100)
    view = bench.view()
    assert view.chassis.on_seconds() == 100
    statistics = view.sensors.power()
    assert (statistics.period_s, statistics.average) == (200, (sensors.WATTS[Os.RUNNING] + sensors.STANDBY_W) / 2)


def test_a_host_that_changes_before_anybody_has_looked_is_known_as_it_was(bench_of):
    bench = bench_of(HostSpec(power="off"))
    bench.advance(50)
    bench.view().command("1", PowerCommand.ipmi(ChassisControl.UP), None)
    bench.advance(50)
    assert [entry.kind.value for entry in bench.view().log.entries()] == ["power-on", "boot"]
    assert bench.view().chassis.on_seconds() == pytest.approx(50, abs=20)
