"""A lab without containers: emulated BMCs, hosts and virtual machines as local processes, and a real `fence-ha`.

    with LocalSite(directory, settings) as site:
        site.cut_power("node1")
        site.wait_for(lambda event: event.data.get("status") == "Down", "node1 is Down", seconds=20)

`demo` and `lab.local_incident` use it. The caller's thread starts and waits; one more thread reads the lines of `fence-ha`.
Times are seconds. One journal has everything: the events of the BMCs, the lines of `fence-ha` (kind `manager`) and the writes
to the shared disk (kind `write`, one event per run of a machine).
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import yaml

from emulator import HEAD_KEYS, Datum, Emulator, Event, EventKind, HostSpec, ProcessHost, UnitSpec, free_ports
from lab.oracle import DiskWrite, read_disk
from lab.site import SiteFailed as SiteFailed
from profiles import load
from profiles.scale import at_scale

AGENT = Path(__file__).with_name("node") / "agent.py"
TIMEOUT_S = 20.0
"""How long to wait for the hosts to boot and for `fence-ha` to end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteSettings:
    """`machines` maps each node to the machines that run on it at first. `policy` goes into fence-ha's YAML as it is."""

    profile: str
    policy: Mapping[str, Any]
    scale: float
    machines: Mapping[str, tuple[str, ...]]
    seed: int = 0
    heartbeat_age: float = 1.0  # seconds, before `scale`, after which a node's heartbeat file is old
    extra: Mapping[str, Any] = field(default_factory=dict)


class LocalSite:
    def __init__(self, directory: Path, settings: SiteSettings, journal: Path | None = None) -> None:
        self.directory = directory.resolve()
        self.disk = self.directory / "disk"
        self.settings = settings
        self.agents: dict[str, str] = {}
        self._journal = journal
        self._manager: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._events_changed = threading.Condition()
        self._manager_events: list[Event] = []

    # -- life ----------------------------------------------------------------------------------------------------------

    def __enter__(self) -> LocalSite:
        self.disk.mkdir(parents=True, exist_ok=True)
        nodes = list(self.settings.machines)
        ports = dict(zip(nodes, free_ports(len(nodes)), strict=True))
        self.agents = {node: f"http://127.0.0.1:{port}" for node, port in ports.items()}
        profile = at_scale(load(self.settings.profile), self.settings.scale)
        processes = {
            node: ProcessHost(
                argv=[sys.executable, "-I", "-S", str(AGENT)],
                env={
                    "NODE_NAME": node,
                    "NODE_DISK": str(self.disk),
                    "NODE_PORT": str(ports[node]),
                    "NODE_VMS": ",".join(self.settings.machines[node]),
                },
                log=self.directory / f"{node}.log",
            )
            for node in nodes
        }
        units = [UnitSpec(name=node, profile=profile, hosts=(HostSpec(name=node),)) for node in nodes]
        self.emulator = Emulator(units, seed=self.settings.seed, processes=processes, journal_path=self._journal)
        self.emulator.__enter__()
        try:
            # Machines write CLOCK_MONOTONIC; the journal's clock starts with the emulator.
            self._offset = time.monotonic() - self.emulator.now()
            for node in nodes:
                self._await_agent(node)
            self.config = self._write_config()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self.stop_manager()
        self.emulator.close()

    def _await_agent(self, node: str) -> None:
        until = time.monotonic() + TIMEOUT_S
        while True:
            try:
                with urllib.request.urlopen(f"{self.agents[node]}/healthz", timeout=1) as answer:
                    answer.read()
                return
            except OSError as error:
                if time.monotonic() > until:
                    raise SiteFailed(f"{node} does not boot: see {self.directory / f'{node}.log'}") from error
                time.sleep(0.02)

    # -- the manager ---------------------------------------------------------------------------------------------------

    def _write_config(self) -> Path:
        hosts = []
        for node, agent in self.agents.items():
            endpoint = self.emulator.endpoints[node]
            hosts.append(
                {
                    "name": node,
                    "agent": agent,
                    "bmc": {
                        "protocol": "redfish",
                        "url": endpoint.redfish_url,
                        "username": endpoint.username,
                        "password_env": "SITE_BMC_PASSWORD",
                        "system": endpoint.systems[0].uri,
                        "ca_file": endpoint.ca_file,
                    },
                    "health": [{"kind": "http", "url": f"{agent}/healthz", "status": 200}],
                    "activity": [
                        {"kind": "file", "path": str(self.disk / f"{node}.heartbeat"), "max_age": self.settings.heartbeat_age}
                    ],
                }
            )
        config = {
            "cluster": "local",
            "state_file": str(self.directory / "fence-ha.db"),
            "scale": self.settings.scale,
            "policy": dict(self.settings.policy),
            "hosts": hosts,
            "vms": [{"name": vm, "host": node} for node, vms in self.settings.machines.items() for vm in vms],
            "executor": {"kind": "http"},
            **self.settings.extra,
        }
        path = self.directory / "ha.yaml"
        path.write_text(yaml.safe_dump(config, sort_keys=False))
        return path

    def start_manager(self) -> None:
        """Starts `fence-ha run`; its lines go into the journal."""
        password = next(iter(self.emulator.endpoints.values())).password
        with open(self.directory / "fence-ha.err", "wb") as err:
            self._manager = subprocess.Popen(
                [sys.executable, "-m", "fencer.ha.cli", "run", str(self.config), "--json"],
                env={**os.environ, "SITE_BMC_PASSWORD": password, "PYTHONFAULTHANDLER": "1"},
                cwd=Path(__file__).resolve().parent.parent,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=err,
                text=True,
            )
        self._reader = threading.Thread(target=self._read_manager_lines, args=(self._manager,), daemon=True)
        self._reader.start()

    def _read_manager_lines(self, manager: subprocess.Popen[str]) -> None:
        assert manager.stdout is not None
        with manager.stdout as lines:
            for line in lines:
                raw = json.loads(line)
                data: dict[str, Datum] = {key: value for key, value in raw.items() if key not in HEAD_KEYS and key != "host"}
                data["what"] = raw["kind"]
                host = str(raw["host"])
                seq = self.emulator.record(host, EventKind.MANAGER, None, **data)
                with self._events_changed:
                    self._manager_events.append(Event(seq, 0.0, host, EventKind.MANAGER, None, data))
                    self._events_changed.notify_all()

    def stop_manager(self) -> None:
        if self._manager is None:
            return
        self._manager.send_signal(signal.SIGTERM)
        try:
            self._manager.wait(TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._manager.send_signal(signal.SIGABRT)  # its faulthandler writes the stack traces to fence-ha.err
            self._manager.wait()
        if self._reader is not None:
            self._reader.join()
        self._manager = None

    def wait_for(self, matches: Callable[[Event], bool], what: str, seconds: float) -> Event:
        """Returns the first line of the manager, past or future, that matches. Raises SiteFailed after `seconds`."""
        until = time.monotonic() + seconds
        checked = 0
        with self._events_changed:
            while True:
                for event in self._manager_events[checked:]:
                    if matches(event):
                        return event
                checked = len(self._manager_events)
                ended = self._manager is not None and self._manager.poll() is not None
                if ended or not self._events_changed.wait(until - time.monotonic()):
                    why = "fence-ha has ended" if ended else f"not within {seconds:g} s"
                    raise SiteFailed(f"{what}: {why}; see {self.directory / 'fence-ha.err'}")

    def wait_until_all_hosts_are_owned(self) -> None:
        """Returns when the manager holds the lease of every host and all machines write. Raises SiteFailed."""
        until = time.monotonic() + TIMEOUT_S
        machines = {vm for vms in self.settings.machines.values() for vm in vms}
        while True:
            if self._owns_all_hosts() and machines <= {vm for vm, writes in self.writes().items() if writes}:
                return
            if time.monotonic() > until or (self._manager is not None and self._manager.poll() is not None):
                raise SiteFailed(f"fence-ha does not take the hosts over: see {self.directory / 'fence-ha.err'}")
            time.sleep(0.05)

    def _owns_all_hosts(self) -> bool:
        command = [sys.executable, "-m", "fencer.ha.cli", "status", str(self.config), "--json"]
        status = subprocess.run(command, cwd=Path(__file__).resolve().parent.parent, capture_output=True, text=True, check=False)
        if status.returncode != 0:
            return False
        hosts = [json.loads(line) for line in status.stdout.splitlines()]
        return len(hosts) == len(self.agents) and all(host["state"] == "Available" and host.get("owner") for host in hosts)

    @staticmethod
    def run_for(seconds: float) -> None:
        """Lets the lab run for `seconds` of real time."""
        time.sleep(seconds)

    # -- incidents -----------------------------------------------------------------------------------------

    def cut_power(self, node: str) -> None:
        """Cuts the power of the host without any power command."""
        self.emulator.cut(node)

    def hang(self, node: str) -> None:
        """Makes the host hang: it answers nothing and ignores a shutdown request, but its machines keep writing."""
        request = urllib.request.Request(f"{self.agents[node]}/hang", data=b"", method="POST")
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
            answer.read()
        self.emulator.hang(node)

    def writes(self) -> dict[str, list[DiskWrite]]:
        return read_disk(self.disk)

    def journal_writes(self) -> None:
        """Adds the writes to the shared disk to the journal: one event per run of a machine. Times are the journal's."""
        for vm, writes in self.writes().items():
            runs: dict[str, list[DiskWrite]] = {}
            for write in writes:
                runs.setdefault(write.token, []).append(write)
            for token, run in runs.items():
                times: list[str | int | float | bool | None] = [round(write.t - self._offset, 4) for write in run]
                self.emulator.record(run[0].host, EventKind.WRITE, None, vm=vm, host=run[0].host, token=token, times=times)
