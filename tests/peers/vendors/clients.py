"""Outsiders, each as its users call it: `act(bmc, word)` reads the power, then switches it, and returns what was read.

Reading and switching in one call halves the number of processes: some of these programs take seconds to start.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from tests.commands import ROOT
from tests.outsiders import OUTSIDERS, STATUS_CODES, Outsider, Ready, program, run

Word = Literal["On", "Off"]

PLAYBOOK: Final = ROOT / "tests" / "peers" / "vendors" / "switch.yaml"
CALL: Final = ROOT / "tests" / "peers" / "vendors" / "call.py"
OVER_PYTHON: Final = {"Ironic": "over_ironic:redfish", "powerman": "over_powerman:httppower", "sushy": "over_sushy:fence"}
"""Functions of conformance/fencers that call a library or a daemon as its users do."""


@dataclass(frozen=True, slots=True)
class VendorClient:
    """One outsider. `act` raises AssertionError with what the program said, or subprocess.TimeoutExpired."""

    name: str
    protocol: Literal["redfish", "ipmi"]
    act: Callable[[Ready, Word], str]


def _both(outsider: Outsider) -> Callable[[Ready, Word], str]:
    def act(bmc: Ready, word: Word) -> str:
        before = outsider.read(bmc)
        outsider.change(bmc, word)
        return before

    return act


def _said(argv: Sequence[str], stdin: str = "", **env: str) -> str:
    done = run(list(argv), stdin=stdin, **env)
    assert done.returncode == 0, f"exit status {done.returncode}: {done.stdout.strip()} {done.stderr.strip()}"
    return done.stdout


def _script(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def _redfishtool(bmc: Ready, word: Word) -> str:
    login = json.dumps({"user": bmc["username"], "password": bmc["password"]})
    where = (_script("redfishtool"), "-c", "/dev/stdin", "-r", str(bmc["redfish_url"]).removeprefix("https://"), "-S", "Always")
    system = ("Systems", "-L", str(bmc["system_uri"]))
    told = _said((*where, "-P", "PowerState", *system, "get"), login)
    _said((*where, *system, "reset", {"On": "On", "Off": "ForceOff"}[word]), login)
    read = re.search(r'"(On|Off)"', told)
    return read.group(1) if read is not None else told


def _ansible(bmc: Ready, word: Word) -> str:
    given = {
        "baseuri": str(bmc["redfish_url"]).removeprefix("https://"),
        "username": bmc["username"],
        "system_uri": bmc["system_uri"],
        "system_id": str(bmc["system_uri"]).rstrip("/").rpartition("/")[2],
        "command": {"On": "PowerOn", "Off": "PowerForceOff"}[word],
    }
    with tempfile.TemporaryDirectory() as home:
        told = _said(
            (_script("ansible-playbook"), "-i", "localhost,", "-e", json.dumps(given), str(PLAYBOOK)),
            BMC_PASSWORD=str(bmc["password"]),
            HOME=home,
            ANSIBLE_HOME=home,
            ANSIBLE_LOCAL_TEMP=home,
            ANSIBLE_NOCOLOR="1",
            ANSIBLE_PYTHON_INTERPRETER=sys.executable,
        )
    read = re.search(r"PowerState=(\w+)", told)
    return read.group(1) if read is not None else told


def _in_python(name: str) -> Callable[[Ready, Word], str]:
    def act(bmc: Ready, word: Word) -> str:
        told = {
            "url": str(bmc["redfish_url"]),
            "user": str(bmc["username"]),
            "password": str(bmc["password"]),
            "insecure": "true",
            "ca_file": "",
            "system_uri": str(bmc["system_uri"]),
        }
        with tempfile.TemporaryDirectory() as home:
            argv = (sys.executable, str(CALL), OVER_PYTHON[name], word.lower())
            answer = _said(argv, json.dumps(told), HOME=home, PYTHONPATH=str(ROOT), PYTHONWARNINGS="ignore")
        read = re.search(r"^read=(\w+)$", answer, re.MULTILINE)
        assert read is not None, answer
        return read.group(1).capitalize()

    return act


_KNOWN: Final = {outsider.name: outsider for outsider in OUTSIDERS}
CLIENTS: Final = (
    VendorClient("curl", "redfish", _both(_KNOWN["curl"])),
    VendorClient("ipmitool", "ipmi", _both(_KNOWN["ipmitool"])),
    VendorClient("sushy", "redfish", _in_python("sushy")),
    VendorClient("Ironic", "redfish", _in_python("Ironic")),
    VendorClient("Ansible", "redfish", _ansible),
    VendorClient("redfishtool", "redfish", _redfishtool),
    VendorClient("powerman", "redfish", _in_python("powerman")),
    VendorClient("fence_redfish", "redfish", _both(_KNOWN["fence_redfish"])),
    VendorClient("fence_ipmilan", "ipmi", _both(_KNOWN["fence_ipmilan"])),
    VendorClient("fence_bmc", "redfish", _both(_KNOWN["fence_bmc over Redfish"])),
    VendorClient("fence_bmc over IPMI", "ipmi", _both(_KNOWN["fence_bmc over IPMI"])),
)
"""In the order of the table."""

PROGRAMS: Final = ("curl", "ipmitool", "fence_redfish", "fence_ipmilan", "powermand", "httppower")
"""What has to be installed beside Python's packages; `make peers` does it."""


def lacking() -> list[str]:
    """The programs that are not installed."""
    import shutil

    return [name for name in PROGRAMS if shutil.which(name, path="/usr/bin:/bin:/usr/sbin:/sbin:/usr/local/bin") is None]


__all__ = ["CLIENTS", "STATUS_CODES", "VendorClient", "Word", "lacking", "program"]
