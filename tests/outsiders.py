"""Other people's programs that read and change the power of a host, each behind the same two verbs."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pytest

from tests.commands import PATIENCE, command, environment

Ready = Mapping[str, str | int]
"""What the emulator's READY line says."""

SUSHY = """
import sys, sushy
url, uri, user, word = sys.argv[1:]
system = sushy.Sushy(url, user, sys.stdin.read(), verify=False).get_system(uri)
if word == "read":
    print({sushy.POWER_STATE_ON: "On", sushy.POWER_STATE_OFF: "Off"}[system.power_state])
else:
    system.reset_system({"On": sushy.RESET_ON, "Off": sushy.RESET_FORCE_OFF}[word])
"""
STATUS_CODES = {0: "On", 2: "Off"}
"""Exit codes of a fence agent asked for the status (FenceAgentAPI)."""


def program(name: str) -> str:
    """Where a program is. Fails the test where it is not installed: a peer that nobody ran has proved nothing."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")
    if found is None:
        pytest.fail(f"{name} is not installed: run make peers")
    return found


def run(argv: list[str], *, stdin: str = "", **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        argv, input=stdin, capture_output=True, text=True, timeout=2 * PATIENCE, env=environment(**env), check=False
    )


def _done(result: subprocess.CompletedProcess[str]) -> str:
    assert result.returncode == 0, f"{result.args}: {result.returncode}\n{result.stdout}{result.stderr}"
    return result.stdout


# -- ipmitool ----------------------------------------------------------------------------------------------------------


def ipmitool(bmc: Ready, *words: str, password: str | None = None) -> subprocess.CompletedProcess[str]:
    """`-I lanplus` without -C: ipmitool asks for the cipher suites and picks one."""
    address = ["-H", str(bmc["ipmi_host"]), "-p", str(bmc["ipmi_port"]), "-U", str(bmc["username"]), "-E"]
    secret = str(bmc["password"]) if password is None else password
    return run([program("ipmitool"), "-I", "lanplus", *address, *words], IPMI_PASSWORD=secret)


def _ipmitool_read(bmc: Ready) -> str:
    return {"Chassis Power is on\n": "On", "Chassis Power is off\n": "Off"}[_done(ipmitool(bmc, "chassis", "power", "status"))]


def _ipmitool_change(bmc: Ready, word: str) -> None:
    _done(ipmitool(bmc, "chassis", "power", word.lower()))


# -- fence agents ------------------------------------------------------------------------------------------------------


def _agent(argv: list[str], action: str, parameters: Mapping[str, str | int]) -> subprocess.CompletedProcess[str]:
    """As Pacemaker calls one: parameters on stdin."""
    return run(argv, stdin="".join(f"{name}={value}\n" for name, value in {"action": action, **parameters}.items()))


def _agent_read(argv: list[str], parameters: Mapping[str, str | int]) -> str:
    result = _agent(argv, "status", parameters)
    assert result.returncode in STATUS_CODES, f"{result.args}: {result.returncode}\n{result.stdout}{result.stderr}"
    return STATUS_CODES[result.returncode]


def over_redfish(bmc: Ready) -> dict[str, str | int]:
    """Parameters that fence_redfish and fence_bmc share."""
    host, port = str(bmc["redfish_url"]).removeprefix("https://").split(":")
    where: dict[str, str | int] = {"ip": host, "ipport": port, "systems_uri": bmc["system_uri"], "ssl_insecure": 1}
    return where | {"username": bmc["username"], "password": bmc["password"], "power_timeout": 45}


def over_ipmi(bmc: Ready) -> dict[str, str | int]:
    """Parameters that fence_ipmilan and fence_bmc share."""
    where = {"ip": bmc["ipmi_host"], "ipport": bmc["ipmi_port"], "lanplus": 1, "power_wait": 0}
    return where | {"username": bmc["username"], "password": bmc["password"], "power_timeout": 45}


# -- curl and sushy ----------------------------------------------------------------------------------------------------


def curl(bmc: Ready, path: str, *options: str) -> str:
    config = f'user = "{bmc["username"]}:{bmc["password"]}"\n'  # on stdin: argv can be read by everybody
    return _done(run([program("curl"), "-ksSf", "-K", "-", *options, f"{bmc['redfish_url']}{path}"], stdin=config))


def _curl_read(bmc: Ready) -> str:
    return str(json.loads(curl(bmc, str(bmc["system_uri"])))["PowerState"])


def _curl_change(bmc: Ready, word: str) -> None:
    target = json.loads(curl(bmc, str(bmc["system_uri"])))["Actions"]["#ComputerSystem.Reset"]["target"]
    body = json.dumps({"ResetType": {"On": "On", "Off": "ForceOff"}[word]})
    curl(bmc, target, "-H", "Content-Type: application/json", "-d", body)


def _sushy(bmc: Ready, word: str) -> str:
    if importlib.util.find_spec("sushy") is None:
        pytest.fail("sushy is not installed: run make peers")
    where = [str(bmc[key]) for key in ("redfish_url", "system_uri", "username")]
    return _done(run([sys.executable, "-c", SUSHY, *where, word], stdin=str(bmc["password"]), PYTHONWARNINGS="ignore"))


# -- all of them -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Outsider:
    name: str
    protocol: str
    read: Callable[[Ready], str]
    change: Callable[[Ready, str], object]


def _fence_agent(
    name: str, protocol: str, find: Callable[[], list[str]], parameters: Callable[[Ready], Mapping[str, str | int]]
) -> Outsider:
    return Outsider(
        name,
        protocol,
        lambda bmc: _agent_read(find(), parameters(bmc)),
        lambda bmc, word: _done(_agent(find(), word.lower(), parameters(bmc))),
    )


IPMITOOL = Outsider("ipmitool", "ipmi", _ipmitool_read, _ipmitool_change)
CURL = Outsider("curl", "redfish", _curl_read, _curl_change)
OUTSIDERS = (
    IPMITOOL,
    CURL,
    _fence_agent("fence_ipmilan", "ipmi", lambda: [program("fence_ipmilan")], over_ipmi),
    _fence_agent("fence_redfish", "redfish", lambda: [program("fence_redfish")], over_redfish),
    Outsider("sushy", "redfish", lambda bmc: _sushy(bmc, "read").strip(), _sushy),
    _fence_agent("fence_bmc over Redfish", "redfish", lambda: command("fence_bmc"), over_redfish),
    _fence_agent("fence_bmc over IPMI", "ipmi", lambda: command("fence_bmc"), over_ipmi),
)
WITNESS = {"redfish": IPMITOOL, "ipmi": CURL}
"""Who looks, through the other protocol, at what was changed through one."""
