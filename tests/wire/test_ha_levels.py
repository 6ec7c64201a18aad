"""Fencing levels on real sockets: `fence-ha run` as a process, an emulated BMC and two PDUs; the truth is the host's rail.

Durations are a twentieth, and the PDUs' own a hundredth.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from emulator import Emulator, EventKind, PowerAction, Rail, UnitSpec, make_fault
from emulator.core.faults.board import Armed
from fencer.ha.record import HostRecord
from fencer.ha.sqlite_store import SqliteStore
from fencer.ha.states import HAState
from profiles import load
from profiles.scale import at_scale

pytestmark = pytest.mark.long

NAMES = ("FENCE_STARTED", "FENCE_LEVEL_FAILED", "FENCED")
CLI = [sys.executable, "-m", "fencer.ha.cli"]
PDU = at_scale(load("pdu-generic"), 0.01)
POLICY = {
    "start_quiet": 0.0, "activity_samples": 1, "recovery_attempts": 0, "request_timeout": 40.0, "lease": 100.0,
    "device_check_first": 10.0,
}  # fmt: skip


class Site:
    """node1 hangs on outlet A1 of two PDUs; node2 is well, so that there is somebody to take VMs."""

    def __init__(self, path: Path, emulator: Emulator) -> None:
        self.path, self.file, self.emulator = path, path / "ha.yaml", emulator
        self.managers: list[subprocess.Popen[str]] = []
        self.alive = path / "node1.alive"
        self.alive.touch()
        self.config: dict[str, object] = {
            "scale": 0.05,
            "policy": dict(POLICY),
            "devices": [{"name": name, "kind": "pdu", **self.access(name)} for name in ("pdu1", "pdu2")],
            "hosts": [
                {
                    "name": "node1", "bmc": self.access("node1"), "fence": [["bmc"], ["pdu1", "pdu2"]],
                    "outlets": {"pdu1": ["A1"], "pdu2": ["A1"]},
                    "health": [{"kind": "exec", "argv": ["test", "-e", str(self.alive)]}],
                },
                {"name": "node2", "bmc": self.access("node2"), "health": [{"kind": "exec", "argv": ["true"]}]},
            ],
        }  # fmt: skip
        self.write()
        with closing(SqliteStore(path / "fence-ha.db")) as store:  # all were well before
            for name in ("node1", "node2"):
                store.register(HostRecord(host=name, state=HAState.AVAILABLE, seen_healthy=True), [])

    def access(self, name: str) -> dict[str, str]:
        at = self.emulator.endpoints[name]
        return {"url": at.redfish_url, "username": at.username, "password": at.password}

    def write(self) -> None:
        self.file.write_text(json.dumps(self.config))

    def start(self) -> subprocess.Popen[str]:
        words = [*CLI, "run", str(self.file), "--json"]
        self.managers.append(
            subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONWARNINGS": "ignore"})
        )
        return self.managers[-1]

    def say(self, *words: str) -> str:
        command, *rest = words
        return subprocess.run([*CLI, command, str(self.file), *rest], capture_output=True, text=True, check=False).stdout

    def commanded(self) -> list[tuple[str, str]]:
        """The power commands that arrived: the unit and its system or outlet."""
        return [(str(e.bmc), str(e.data["system"])) for e in self.emulator.events() if e.kind is EventKind.COMMAND]

    def close(self) -> None:
        for manager in self.managers:
            manager.kill()
            manager.wait()
            assert manager.stdout is not None
            manager.stdout.close()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    units = [
        UnitSpec(name="pdu1", profile=PDU, feeds={"A1": ("node1",)}),
        UnitSpec(name="pdu2", profile=PDU, feeds={"A1": ("node1",)}),
        UnitSpec(name="node1", profile=load("dmtf-generic")),
        UnitSpec(name="node2", profile=load("dmtf-generic")),
    ]
    with Emulator(units, tls=False) as emulator:
        made = Site(tmp_path, emulator)
        yield made
        made.close()


def until(manager: subprocess.Popen[str], **wanted: object) -> list[dict[str, object]]:
    """All lines up to the first one that has the wanted values. The test's time-out ends a wait that is in vain."""
    assert manager.stdout is not None
    seen = []
    for line in manager.stdout:
        seen.append(json.loads(line))
        if all(seen[-1].get(key) == value for key, value in wanted.items()):
            return seen
    raise AssertionError(f"{wanted} did not come; seen {seen}")


def test_a_host_whose_bmc_died_with_it_is_down_by_its_outlets(site: Site) -> None:
    manager = site.start()
    site.emulator.power("node1", PowerAction.UNPLUG)  # no input power: the host and its BMC are gone, and the PDUs do not know it
    site.alive.unlink()
    seen = until(manager, alert="FENCED")
    begun, passed, fenced = (next(line for line in seen if line.get("alert") == name) for name in NAMES)
    assert (passed["level"], passed["devices"]) == (1, ["bmc"])
    assert (fenced["how"], fenced["level"], fenced["devices"]) == ("powered-off", 2, ["pdu1", "pdu2"])
    assert site.commanded() == [("pdu1", "A1"), ("pdu2", "A1")]
    assert site.emulator.host("node1").rail is Rail.DOWN
    row = json.loads(site.say("status", "--json").splitlines()[0])
    assert (row["status"], row["level"], row["devices"], row["evidence"]["level"]) == ("Down", 2, ["pdu1", "pdu2"], 2)
    assert "fenced, level 2 of 2 (pdu1, pdu2)" in site.say("status")
    assert float(str(fenced["t"])) >= float(str(begun["t"]))


def test_a_pdu_is_not_touched_when_the_bmc_proves_off(site: Site) -> None:
    manager = site.start()
    site.alive.unlink()
    fenced = until(manager, alert="FENCED")[-1]
    assert (fenced["how"], fenced["level"], fenced["devices"]) == ("powered-off", 1, ["bmc"])
    assert {unit for unit, _ in site.commanded()} == {"node1"}


def test_a_host_that_lives_on_one_cord_is_never_down_by_the_other(site: Site) -> None:
    """The second PDU accepts and does nothing, and the BMC is cut off from the manager."""
    for name, fault in (("pdu2", "power.ignore"), ("node1", "wire.refuse")):
        site.emulator.arm(name, Armed(fault=make_fault(fault)))
    manager = site.start()
    site.alive.unlink()
    seen = until(manager, alert="FENCE_LEVEL_FAILED", level=2)
    assert site.emulator.host("node1").rail is Rail.UP
    assert ("pdu1", "A1") in site.commanded()
    assert [line for line in seen if line.get("to") == "Fenced"] == []
    assert "pdu2" in str(seen[-1]["text"])
    assert json.loads(site.say("status", "--json").splitlines()[0])["status"] == "Disconnected"


def test_a_manager_that_takes_over_starts_with_the_bmc_again(site: Site) -> None:
    first = site.start()
    site.emulator.power("node1", PowerAction.UNPLUG)
    site.alive.unlink()
    until(first, alert="FENCE_LEVEL_FAILED")
    first.kill()
    second = site.start()
    seen = until(second, alert="FENCED")
    reads = [line["devices"] for line in seen if line["kind"] == "power-read" and line["host"] == "node1"]
    assert reads[0] == ["bmc"]
    assert (seen[-1]["level"], site.emulator.host("node1").rail) == (2, Rail.DOWN)


def test_the_check_before_the_trouble_asks_every_device_and_names_the_one_that_is_wrong(site: Site) -> None:
    assert [line.split()[1] for line in site.say("check").splitlines()] == ["ok", "ok"]
    hosts = site.config["hosts"]
    assert isinstance(hosts, list)
    hosts[0]["outlets"]["pdu2"] = ["Z9"]
    site.write()
    first = site.say("check").splitlines()[0]
    assert "FAIL" in first
    assert "pdu2: " in first
    assert "has no outlet 'Z9'" in first
