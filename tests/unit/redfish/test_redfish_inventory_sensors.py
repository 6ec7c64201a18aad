"""Sensors, power and cooling follow the power of the host, and IPMI would read the same."""

from __future__ import annotations

from dataclasses import replace

import pytest

from emulator.core.bmc import sensors
from emulator.core.truth.host import News


def reading(bmc, sensor):
    return bmc.get(f"{bmc.chassis}/Sensors/{sensor}").json["Reading"]


def off(bmc):
    bmc.reset("ForceOff")
    bmc.clock.advance(3600)


def test_readings_fall_with_the_rail_and_rise_with_it(generic):
    assert reading(generic, "TotalPower") == 184.0
    assert reading(generic, "PSU1OutputVoltage") == 12.1
    off(generic)
    assert reading(generic, "TotalPower") == sensors.STANDBY_W
    assert reading(generic, "CPU1Power") == reading(generic, "PSU2OutputCurrent") == reading(generic, "Fan8") == 0.0
    assert reading(generic, "CPU1Temp") == reading(generic, "InletTemp") == sensors.INLET_C
    generic.reset("On")
    generic.clock.advance(600)
    assert reading(generic, "Fan1") > 40
    assert reading(generic, "CPU2Temp") > 45


def test_what_ipmi_shows_too_is_the_same_here(generic):
    view = {r.sensor.id: r.value for r in generic.view().sensors.all()}
    for name in ("InletTemp", "CPU1Temp", "PSU1InputVoltage", "PSU1OutputVoltage", "TotalPower"):
        assert reading(generic, name) == view[name]
    for name in ("Fan1", "Fan2"):
        assert generic.get(f"{generic.chassis}/Sensors/{name}").json["SpeedRPM"] == view[name]


def test_no_sensor_of_a_healthy_machine_alarms_on_or_off(generic):
    def alarms():
        members = generic.get(f"{generic.chassis}/Sensors").json["Members"]
        bodies = [generic.get(member["@odata.id"]).json for member in members]
        return len(bodies), [body["Id"] for body in bodies if body["Status"]["Health"] != "OK"]

    count, alarmed = alarms()
    assert count > 60
    assert alarmed == []
    off(generic)
    assert alarms()[1] == []


def test_a_host_out_of_sight_has_no_readings(generic):
    generic.rack.news("n1", generic.profile.ids.system, News.OUT_OF_SIGHT)
    assert reading(generic, "CPU1Temp") is None
    assert reading(generic, "InletTemp") == sensors.INLET_C
    metrics = generic.get(f"{generic.chassis}/EnvironmentMetrics").json
    assert metrics["PowerWatts"]["Reading"] is None
    assert metrics["PowerLoadPercent"]["Reading"] is None


def test_excerpts_say_what_their_sensors_say(generic):
    generic.clock.advance(10)
    metrics = generic.get(f"{generic.chassis}/ThermalSubsystem/ThermalMetrics").json
    supply = generic.get(f"{generic.chassis}/PowerSubsystem/PowerSupplies/PSU2/Metrics").json
    excerpts = [*metrics["TemperatureReadingsCelsius"], *metrics["TemperatureSummaryCelsius"].values(), supply["InputPowerWatts"]]
    assert len(excerpts) > 30
    for excerpt in excerpts:
        assert generic.get(excerpt["DataSourceUri"]).json["Reading"] == excerpt["Reading"]


def test_supplies_share_the_load(generic):
    total = reading(generic, "TotalPower")
    assert reading(generic, "PSU1OutputPower") + reading(generic, "PSU2OutputPower") == pytest.approx(total)


def test_energy_grows(generic):
    before = reading(generic, "TotalEnergy")
    generic.clock.advance(3600)
    assert reading(generic, "TotalEnergy") - before == pytest.approx(0.184)


def test_parts_follow_what_the_bmc_measures_not_what_it_says(make_bmc):
    """OpenBMC says Off before the rail falls: until then its fans turn."""
    bmc = make_bmc("openbmc-x86")
    fan = f"{bmc.chassis}/ThermalSubsystem/Fans/Fan1"
    bmc.reset("ForceOff")
    assert bmc.power() == "Off"
    assert bmc.get(fan).json["Status"]["State"] == "Enabled"
    bmc.clock.advance(20)
    assert bmc.get(fan).json["Status"]["State"] == "StandbyOffline"
    assert bmc.get(fan).json["SpeedPercent"]["SpeedRPM"] == 0


def test_looking_at_parts_is_no_look_at_the_power(generic):
    generic.get(f"{generic.chassis}/Sensors/TotalPower")
    generic.get(f"{generic.system}/Memory/DIMMA1")
    assert generic.events("look") == []
    generic.get(generic.system)
    assert len(generic.events("look")) == 1


def test_the_older_shape_has_the_same_readings(make_bmc, generic):
    inventory = replace(generic.profile.inventory, power_and_thermal="legacy")
    identity = replace(
        generic.profile.identity, chassis_type="#Chassis.v1_9_0.Chassis", system_type="#ComputerSystem.v1_5_0.ComputerSystem"
    )
    bmc = make_bmc(replace(generic.profile, inventory=inventory, identity=identity))
    box = bmc.get(bmc.chassis).json
    assert "PowerSubsystem" not in box
    assert box["IndicatorLED"] == "Off"
    power, thermal = bmc.get(box["Power"]["@odata.id"]).json, bmc.get(box["Thermal"]["@odata.id"]).json
    assert power["PowerControl"][0]["PowerConsumedWatts"] == 184.0
    assert thermal["Fans"][0]["Reading"] == 5400
    off(bmc)
    assert bmc.get(box["Thermal"]["@odata.id"]).json["Fans"][0]["Reading"] == 0
    assert bmc.ask("PATCH", bmc.chassis, json={"IndicatorLED": "Lit"}).status_code == 200
    assert bmc.get(bmc.system).json["IndicatorLED"] == "Lit"
