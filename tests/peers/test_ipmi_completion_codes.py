"""Every completion code that a shipped profile declares for chassis control is seen by real ipmitool, in ipmitool's words."""

from __future__ import annotations

import ipaddress
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from emulator.assembly import Emulator
from emulator.core.rack import HostSpec, UnitSpec
from emulator.fleet import Fleet
from profiles import load
from tests.effort import profiles_to_try
from tools.ipmi_clients import quick

NETWORK = "127.89.0.0/20"
PATIENCE = 30

TEXTS = {
    0xC0: "Node busy",
    0xC1: "Invalid command",
    0xC2: "Invalid command on LUN",
    0xC3: "Timeout",
    0xC4: "Out of space",
    0xC7: "Request data length invalid",
    0xC9: "Parameter out of range",
    0xCB: "Requested sensor, data, or record not found",
    0xCC: "Invalid data field in request",
    0xCE: "Command response could not be provided",
    0xD2: "BMC initialization in progress",
    0xD3: "Destination unavailable",
    0xD4: "Insufficient privilege level",
    0xD5: "Command not supported in present state",
    0xD6: "Cannot execute command, command disabled",
    0xFF: "Unspecified error",
}
"""ipmitool 1.8.19. Of 0xCF it shows nothing: it takes it for no answer at all."""
SAID = {"down": "Down/Off", "up": "Up/On", "cycle": "Cycle", "reset": "Reset", "diag": "Diag", "soft": "Soft"}
ASKED = {"down": "off", "up": "on", "cycle": "cycle", "reset": "reset", "diag": "diag", "soft": "soft"}


@dataclass(frozen=True)
class Cell:
    profile: str
    state: str
    control: str
    code: int

    @property
    def name(self) -> str:
        return f"{self.profile}-{self.state}-{self.control}"


CELLS = [
    Cell(name, state, control, cell.completion_code)
    for name in profiles_to_try()
    for state, row in load(name).ipmi.chassis.items()
    for control, cell in row.items()
]


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    profiles = {name: quick(load(name)) for name in profiles_to_try()}
    # A profile whose BMCs have no IPMI on their LAN is asked all the same: its table is what is looked at.
    shown = {name: replace(profile, ipmi=replace(profile.ipmi, lan=True)) for name, profile in profiles.items()}
    units = [UnitSpec(name=cell.name, profile=shown[cell.profile], hosts=(HostSpec(power=cell.state.lower()),)) for cell in CELLS]
    with Emulator(units, fleet=Fleet(ipaddress.IPv4Network(NETWORK))) as made:
        yield made


def test_the_tables_declare_refusals_and_none_without_a_text():
    declared = {cell.code for cell in CELLS}
    assert {0x00, 0xD5} <= declared
    assert declared - {0x00} <= TEXTS.keys()


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: f"{cell.name}-{cell.code:02x}")
def test_ipmitool_sees_the_declared_code(emulator: Emulator, cell: Cell):
    end = emulator.endpoints[cell.name]
    login = ["-H", end.ipmi_host, "-p", str(end.ipmi_port), "-U", end.username, "-P", end.password]
    argv = ["ipmitool", "-I", "lanplus", *login, "chassis", "power", ASKED[cell.control]]
    run = subprocess.run(argv, capture_output=True, text=True, timeout=PATIENCE, check=False)
    said = SAID[cell.control]
    if cell.code == 0:
        assert (run.returncode, run.stdout.strip()) == (0, f"Chassis Power Control: {said}")
    else:
        assert run.returncode == 1
        assert f"Set Chassis Power Control to {said} failed: {TEXTS[cell.code]}" in run.stderr
