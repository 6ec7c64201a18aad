"""Fences the nodes of some rows with a real Pacemaker, and prints what happened as JSON.

Started by `fence_rows` in namespaces of its own: python -m tests.peers.pacemaker.inside AGENT ROW... Everything that it starts
ends with the process namespace.
"""

from __future__ import annotations

import json
import re
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from emulator import Emulator, Endpoint, EventKind, HostSpec, Rail, UnitSpec, arming_from_mapping
from fencer.metadata import metadata
from profiles import load
from profiles.model import Account
from tests.peers.pacemaker import cluster
from tests.peers.pacemaker.rows import BY_ID, Row

READER = Account(name="reader", password="Reader-pass.1", role="ReadOnly")
AT_ONCE = 4
METADATA = "/run/fence_bmc.xml"
READS_OF_A_MONITOR = 2
LOG_TOLERANCE_S = 0.002  # the log has milliseconds


@dataclass
class Seen:
    """What happened to one row. `early` is a success that was logged before the rail fell."""

    row: str
    agent: str
    exit_status: int = -1
    seconds: float = 0.0
    rail_down: bool = False
    restarted: bool = False
    early: bool = False
    started_before: bool = False
    started_after: bool = False
    reads_after: int = 0  # power states that monitors asked for after the fencing
    said: list[str] = field(default_factory=list)  # what the agent wrote on stderr, as it stands in the cluster's log
    succeeded: list[str] = field(default_factory=list)  # the log's lines of success


class Truth:
    """When each rail fell last, in Unix time. Filled in the emulator's thread."""

    def __init__(self) -> None:
        self.down: dict[str, float] = {}
        self.incarnation: dict[str, int] = {}
        self.lock = threading.Lock()

    def note(self, unit: str, system: str, host: object) -> None:
        with self.lock:
            self.incarnation[unit] = host.incarnation  # type: ignore[attr-defined]
            if host.rail is Rail.DOWN:  # type: ignore[attr-defined]
                self.down.setdefault(unit, time.time())


def unit_of(row: Row) -> UnitSpec:
    profile = load(row.profile)
    if row.reader:
        profile = replace(profile, auth=replace(profile.auth, accounts=(*profile.auth.accounts, READER)))
    return UnitSpec(name=row.id, profile=profile, hosts=(HostSpec(power=row.power),))  # type: ignore[arg-type]


def devices_of(row: Row, agent: str, endpoint: Endpoint) -> list[cluster.Device]:
    user, password = (READER.name, READER.password) if row.reader else (endpoint.username, row.password or endpoint.password)
    login = {"username": user, "password": password}
    own = row.parameters if agent == "fence_bmc" else {}
    redfish = {"ip": endpoint.host, "ipport": str(endpoint.redfish_port), "ssl_insecure": "1", **login, **own}
    found = [cluster.Device(f"{row.id}-1", agent, row.id, redfish)]
    if row.levels:
        ipmi = {"ip": endpoint.ipmi_host, "ipport": str(endpoint.ipmi_port), **login}
        if agent == "fence_bmc":
            found.append(cluster.Device(f"{row.id}-2", agent, row.id, {**ipmi, "protocol": "ipmi"}))
        else:
            found.append(cluster.Device(f"{row.id}-2", "fence_ipmilan", row.id, {**ipmi, "lanplus": "1"}))
    return found


def fence(row: Row, seen: Seen, emulator: Emulator) -> None:
    began = time.monotonic()
    option = {"off": "--fence", "reboot": "--reboot"}[row.action]
    done = cluster.run("stonith_admin", option, row.id, "--timeout", "90", timeout=200)
    seen.exit_status, seen.seconds = done.returncode, round(time.monotonic() - began, 1)
    host = emulator.call(lambda rack: rack.unit(row.id).first().host)
    seen.rail_down = host.rail is Rail.DOWN
    seen.restarted = host.incarnation > 1


def read_log(seen: Seen, down_at: float | None) -> None:
    """Fills in what the log says of this row: by the number of the agent's process."""
    node, numbers = re.escape(seen.row), set[str]()
    lines = cluster.log_lines()
    for line in lines:
        if match := re.search(rf"Operation '\w+' \[(\d+)\].* targeting {node} .*returned", line.text):
            numbers.add(match[1])
        success = re.search(rf"targeting {node} .*(?:returned 0|: OK)", line.text) or re.search(
            rf"Operation '\w+' targeting {node} .*: OK", line.text
        )
        if success:
            seen.succeeded.append(line.text)
            seen.early |= down_at is None or line.at + LOG_TOLERANCE_S < down_at
    for line in lines:
        match = re.search(r"\[(\d+)\] stderr: \[ (.*) \]", line.text)
        if match and match[1] in numbers:
            seen.said.append(match[2])


def main() -> None:
    agent, rows = sys.argv[1], [BY_ID[name] for name in sys.argv[2:]]
    cluster.make_private({"fence_bmc": agent_script()})
    Path(METADATA).write_text(metadata())
    truth = Truth()
    with Emulator([unit_of(row) for row in rows]) as emulator:
        emulator.call(lambda rack: rack.listen(truth.note))
        truth.down |= {row.id: 0.0 for row in rows if row.power == "off"}
        devices = [device for row in rows for device in devices_of(row, agent, emulator.endpoints[row.id])]
        cluster.start()
        for row in rows:
            if not row.starts:
                arm(emulator, row)
        cluster.configure(devices, {row.id: [f"{row.id}-1", f"{row.id}-2"] for row in rows if row.levels})
        wait_for_starts(devices)
        found = [Seen(row.id, agent) for row in rows]
        before = cluster.resources()
        for row in rows:
            if row.starts:
                arm(emulator, row)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda pair: fence(pair[0], pair[1], emulator), zip(rows, found, strict=True)))
        monitors = wait_for_monitors(emulator, rows)
        after = cluster.resources()
        for row, seen in zip(rows, found, strict=True):
            names = [device.name for device in devices if device.node == row.id]
            seen.started_before, seen.started_after = (all(state[name] for name in names[-1:]) for state in (before, after))
            seen.reads_after = monitors[row.id]
            read_log(seen, truth.down.get(row.id))
        print(json.dumps([asdict(seen) for seen in found]))


def agent_script() -> str:
    """Returns the agent as the cluster finds it.

    The controller asks for the metadata as the user hacluster, who may not be able to run this Python from a home folder.
    """
    bmc = Path(sys.executable).parent / "fence_bmc"
    return f'#!/bin/sh\n[ "$(id -u)" = 0 ] && exec {bmc} "$@"\nexec cat {METADATA}\n'


def arm(emulator: Emulator, row: Row) -> None:
    for fault in row.faults:
        emulator.arm(row.id, arming_from_mapping(fault))


def wait_for_starts(devices: list[cluster.Device]) -> None:
    """Waits until each device has been started, well or not."""

    def all_started() -> bool:
        text = "\n".join(line.text for line in cluster.log_lines())
        return all(re.search(rf"Result of start operation for {re.escape(device.name)} ", text) for device in devices)

    cluster.wait_for("every device", all_started)


def power_reads(emulator: Emulator) -> Counter[str]:
    """How often each BMC was asked for its power state. One monitor asks it for that of the System, and of its chassis."""
    return Counter(
        event.bmc for event in emulator.journal if event.kind is EventKind.REQUEST and event.data.get("intent") == "power-read"
    )


def wait_for_monitors(emulator: Emulator, rows: list[Row]) -> Counter[str]:
    """Waits until each device that works was monitored and a second monitor has begun. Returns the new reads of each BMC."""
    before = power_reads(emulator)

    def monitored() -> bool:
        now = power_reads(emulator)
        return all(now[row.id] - before[row.id] > READS_OF_A_MONITOR for row in rows if row.starts)

    cluster.wait_for("a monitor of every device", monitored)
    return power_reads(emulator) - before


if __name__ == "__main__":
    main()
