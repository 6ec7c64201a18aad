"""One power-off by Redfish, told alike by IPMI, by the log behind both protocols, and by the sensors."""

from __future__ import annotations

import json

import pytest

from tests.commands import Serving
from tests.outsiders import CURL, IPMITOOL, curl, ipmitool

LOOKS = 200


@pytest.fixture(scope="module")
def bmc(tmp_path_factory):
    with Serving(tmp_path_factory.mktemp("story"), "--profile", "dmtf-generic") as serving:
        yield serving.ready[0]


def told(bmc, *words):
    result = ipmitool(bmc, *words)
    assert result.returncode == 0, result.stderr
    return result.stdout


def log_entries(bmc):
    answer = json.loads(curl(bmc, f"{bmc['system_uri']}/LogServices/SEL/Entries"))
    return [entry["Message"] for entry in answer["Members"]]


def test_a_power_off_is_one_story(bmc):
    told(bmc, "sel", "clear")
    assert "| 0 RPM" not in told(bmc, "sdr", "type", "Fan")
    CURL.change(bmc, "Off")
    for _ in range(LOOKS):
        if IPMITOOL.read(bmc) == "Off":
            break
    assert CURL.read(bmc) == "Off"
    assert "Power off/down" in told(bmc, "sel", "list")
    assert any("powered off" in message for message in log_entries(bmc))
    assert told(bmc, "sdr", "type", "Fan").count("| 0 RPM") == 2


def test_a_log_that_ipmi_clears_is_empty_for_redfish_too(bmc):
    told(bmc, "sel", "clear")
    assert not any("powered off" in message for message in log_entries(bmc))
