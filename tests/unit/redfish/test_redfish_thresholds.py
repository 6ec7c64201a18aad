"""Thresholds are one machine's: what IPMI sets is shown here, what is set here is told over IPMI."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from emulator.core.bmc.sensors import CPU, FANS, SensorNumber, Thresholds
from emulator.ipmi.responder import IpmiResponder
from emulator.redfish.service.paths import manager_path
from profiles import load
from tests.ipmi_client import PEER, Client


@pytest.fixture
def ipmi(generic):
    bmc = IpmiResponder(generic.view(), entropy=os.urandom)
    send = lambda datagram: [data for data, _peer in bmc.receive(datagram, PEER)]  # noqa: E731
    return Client(send, user=generic.admin[0], password=generic.admin[1], suite=17).login()


def sensor(bmc, name):
    return bmc.get(f"{bmc.chassis}/Sensors/{name}").json


def patch(bmc, path, body):
    return bmc.ask("PATCH", path, json=body)


def told(ipmi, number):
    code, data = ipmi.command(4, 0x27, bytes((number,)))
    assert code == 0
    return data


def test_a_threshold_that_ipmi_sets_is_shown_with_the_health_that_comes_of_it(generic, ipmi):
    before = generic.get(f"{generic.chassis}/Sensors/CPU1Temp")
    assert before.json["Status"]["Health"] == "OK"
    assert ipmi.command(4, 0x26, bytes((SensorNumber.CPU_TEMPERATURE, 0x08, 0, 0, 0, 50, 0, 0))) == (0, b"")
    after = generic.get(f"{generic.chassis}/Sensors/CPU1Temp")
    assert after.json["Thresholds"]["UpperCaution"]["Reading"] == 50
    assert after.json["Status"]["Health"] == "Warning"
    assert after.headers["ETag"] != before.headers["ETag"]
    entries = generic.get(f"{generic.system}/LogServices/SEL/Entries").json["Members"]
    assert entries[-1]["Severity"] == "Warning"
    assert "CPU1 Temp" in entries[-1]["Message"]


def test_a_threshold_that_is_patched_is_told_over_ipmi(generic, ipmi):
    path = f"{generic.chassis}/Sensors"
    done = patch(
        generic, f"{path}/CPU1Temp", {"Thresholds": {"UpperCaution": {"Reading": 50}, "UpperCritical": {"Reading": 90.0}}}
    )
    assert done.status_code == 200
    assert told(ipmi, SensorNumber.CPU_TEMPERATURE)[4:6] == bytes((50, 90))
    assert ipmi.command(4, 0x2D, bytes((SensorNumber.CPU_TEMPERATURE,)))[1][2] & 0x3F == 0x08
    assert patch(generic, f"{path}/Fan1", {"Thresholds": {"LowerCaution": {"Reading": 15}}}).status_code == 200
    assert told(ipmi, SensorNumber.FAN_1)[1] == 18, "15 % of 12000 turns a minute, in hundreds"
    assert sensor(generic, "Fan1")["Thresholds"]["LowerCaution"]["Reading"] == 15


@pytest.mark.parametrize(
    ("name", "body", "status", "message"),
    [
        ("CPU1Temp", {"Thresholds": {"UpperCaution": {"Reading": "hot"}}}, 400, "PropertyValueTypeError"),
        ("CPU1Temp", {"Thresholds": {"UpperCaution": {"Reading": 4000}}}, 400, "PropertyValueOutOfRange"),
        ("CPU1Temp", {"Thresholds": {"LowerCaution": {"Reading": 4}}}, 400, "PropertyUnknown"),
        ("CPU1Temp", {"Thresholds": {"UpperCaution": {"Activation": "Disabled"}}}, 400, "PropertyNotWritable"),
        ("CPU1Temp", {"Reading": 4}, 400, "PropertyNotWritable"),
        ("ExhaustTemp", {"Thresholds": {"UpperCaution": {"Reading": 4}}}, 405, "OperationNotAllowed"),
    ],
)
def test_what_cannot_be_written(generic, name, body, status, message):
    before = sensor(generic, "CPU1Temp")["Thresholds"]
    answer = patch(generic, f"{generic.chassis}/Sensors/{name}", body)
    assert answer.status_code == status
    assert message in answer.text
    assert sensor(generic, "CPU1Temp")["Thresholds"] == before


def test_a_sensor_that_is_not_scanned_shows_nothing_and_its_neighbours_go_on(generic, ipmi):
    assert ipmi.command(4, 0x28, bytes((SensorNumber.CPU_TEMPERATURE, 0x80))) == (0, b"")
    assert sensor(generic, "CPU1Temp")["Reading"] is None
    assert sensor(generic, "CPU2Temp")["Reading"] is not None


def test_older_shapes_show_the_same(make_bmc):
    profile = load("dmtf-generic")
    bmc = make_bmc(replace(profile, inventory=replace(profile.inventory, power_and_thermal="legacy")))
    view = bmc.view().sensors
    setup = view.setup(CPU.number)
    view.set(CPU.number, replace(setup, thresholds=replace(setup.thresholds, upper_caution=50)))
    fan = view.setup(FANS[0].number)
    view.set(FANS[0].number, replace(fan, thresholds=Thresholds(lower_caution=6000, lower_critical=800)))
    thermal = bmc.get(f"{bmc.chassis}/Thermal").json
    cpu = next(row for row in thermal["Temperatures"] if row["Name"] == "CPU1 Temp")
    assert (cpu["UpperThresholdNonCritical"], cpu["Status"]["Health"]) == (50, "Warning")
    assert (thermal["Fans"][0]["LowerThresholdNonCritical"], thermal["Fans"][0]["Status"]["Health"]) == (6000, "Warning")


def test_a_makers_record_is_a_log_entry_without_a_sensor(generic, ipmi):
    record = bytes.fromhex("0000 c0 00000000 a20200 010203040506")
    assert ipmi.command(0x0A, 0x44, record)[0] == 0
    entry = generic.get(f"{generic.system}/LogServices/SEL/Entries").json["Members"][-1]
    assert entry["Message"] == "An OEM record of type 0xC0 of manufacturer 674: 010203040506"
    assert "SensorNumber" not in entry
    assert "EntryCode" not in entry


def test_a_log_that_ipmi_has_switched_off_says_so(generic, ipmi):
    path = f"{generic.system}/LogServices/SEL"
    assert generic.get(path).json["ServiceEnabled"] is True
    assert ipmi.command(6, 0x2E, b"\x00") == (0, b"")
    assert generic.get(path).json["ServiceEnabled"] is False


def test_the_clocks_zone_is_the_one_that_ipmi_sets(generic, ipmi):
    manager = generic.get(manager_path(generic.profile)).json
    assert manager["DateTimeLocalOffset"] == "+00:00"
    assert ipmi.command(0x0A, 0x5D, (-330).to_bytes(2, "little", signed=True)) == (0, b"")
    for path in (manager_path(generic.profile), f"{generic.system}/LogServices/SEL"):
        shown = generic.get(path).json
        assert shown["DateTimeLocalOffset"] == "-05:30"
        assert shown["DateTime"].endswith("-05:30")
