"""What IPMI's clients read and set of a sensor is what a Redfish client sees, and the other way round."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyghmi.ipmi import command

from tests.commands import Serving
from tests.outsiders import Ready, curl, ipmitool

PROFILES = ("dmtf-generic", "dell-idrac9", "openbmc-x86")
SENSORS = {
    "Inlet Temp": "InletTemp",
    "CPU1 Temp": "CPU1Temp",
    "PSU1 Vin": "PSU1InputVoltage",
    "PSU1 Vout": "PSU1OutputVoltage",
    "Pwr Consumption": "TotalPower",
}
LIMITS = {"Lower Non-Critical": "LowerCaution", "Upper Non-Critical": "UpperCaution", "Upper Critical": "UpperCritical"}


@pytest.fixture(scope="module", params=PROFILES)
def bmc(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ready]:
    where: Path = tmp_path_factory.mktemp(request.param)
    with Serving(where, "--profile", request.param) as serving:
        yield serving.ready[0]


def sensor(bmc: Ready, name: str) -> dict[str, object]:
    chassis = json.loads(curl(bmc, str(bmc["system_uri"])))["Links"]["Chassis"][0]["@odata.id"]
    shown: dict[str, object] = json.loads(curl(bmc, f"{chassis}/Sensors/{name}"))
    return shown


def limits(bmc: Ready, name: str) -> dict[str, float]:
    """What `ipmitool sensor get` says, in Redfish's words."""
    rows = (line.split(":", 1) for line in ipmitool(bmc, "sensor", "get", name).stdout.splitlines() if ":" in line)
    told = {key.strip(): value.strip() for key, value in rows}
    return {LIMITS[key]: float(value) for key, value in told.items() if key in LIMITS and value != "na"}


def test_readings_are_the_same(bmc: Ready) -> None:
    client = command.Command(
        bmc=str(bmc["ipmi_host"]), port=int(str(bmc["ipmi_port"])), userid=str(bmc["username"]), password=str(bmc["password"])
    )
    read = {reading.name: reading.value for reading in client.get_sensor_data()}
    assert {name: sensor(bmc, known)["Reading"] for name, known in SENSORS.items()} == {
        name: pytest.approx(read[name]) for name in SENSORS
    }
    assert sensor(bmc, "Fan1")["SpeedRPM"] == read["Fan1"]


def test_a_threshold_is_one_whoever_sets_it(bmc: Ready) -> None:
    def shown() -> dict[str, float]:
        told = sensor(bmc, "CPU1Temp")["Thresholds"]
        assert isinstance(told, dict)
        return {name: float(limit["Reading"]) for name, limit in told.items() if name in LIMITS.values()}

    assert shown() == limits(bmc, "CPU1 Temp")
    assert ipmitool(bmc, "sensor", "thresh", "CPU1 Temp", "unc", "40").returncode == 0
    assert shown()["UpperCaution"] == 40
    assert sensor(bmc, "CPU1Temp")["Status"] == {"State": "Enabled", "Health": "Warning"}
    path = str(sensor(bmc, "CPU1Temp")["@odata.id"])
    body = json.dumps({"Thresholds": {"UpperCaution": {"Reading": 80}}})
    etag = ["-H", f"If-Match: {sensor(bmc, 'CPU1Temp').get('@odata.etag', '*')}"]
    curl(bmc, path, "-X", "PATCH", "-H", "Content-Type: application/json", *etag, "-d", body)
    assert limits(bmc, "CPU1 Temp")["UpperCaution"] == 80
    assert sensor(bmc, "CPU1Temp")["Status"] == {"State": "Enabled", "Health": "OK"}
    log = ipmitool(bmc, "sel", "list").stdout
    for direction in ("Asserted", "Deasserted"):
        assert f"Upper Non-critical going high | {direction}" in log
