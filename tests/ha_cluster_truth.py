"""Hosts that exist only here: power, BMC, agent and VMs, one HTTP port per host, with the truth about all of them.

`tests/ha_chaos.py` plays with it; `fence-ha` processes see it over real sockets. The truth is kept by whoever serves it, so a
VM that is started twice is seen in the moment of the second start.
"""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from math import ceil

SYSTEM = "/redfish/v1/Systems/1"
RESET = f"{SYSTEM}/Actions/ComputerSystem.Reset"


@dataclass
class Host:
    """`alive`: the operating system runs. Without it the power may still be on, and the VMs go on writing."""

    name: str
    power: str = "On"
    alive: bool = True
    reachable: bool = True
    vms: dict[str, str] = field(default_factory=dict)  # VM -> key of its start
    commands: int = 0
    repairs: int = 0

    @property
    def is_healthy(self) -> bool:
        return self.power == "On" and self.alive

    @property
    def answers(self) -> bool:
        return self.is_healthy and self.reachable


class Cluster:
    """`wrong` collects every broken promise. Any thread may call; the lock is held while truth changes."""

    def __init__(self, hosts: Sequence[str], vms: Sequence[str], seed: int) -> None:
        self.hosts = {name: Host(name) for name in hosts}
        for number, vm in enumerate(vms):
            self.hosts[hosts[number % len(hosts)]].vms[vm] = "placed"
        self.vms = list(vms)
        self.dice, self.lock = random.Random(seed), threading.RLock()
        self.wrong: list[str] = []
        self.starts = 0
        self.lost_answers = 0.15
        self.loses_starts = False  # True: no answer to a start of a VM arrives
        self.power_takes_s = 0.3
        self._servers = {name: self._served(host) for name, host in self.hosts.items()}

    def _served(self, host: Host) -> ThreadingHTTPServer:
        cluster = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                cluster.serve(self, host)

            def do_POST(self) -> None:
                cluster.serve(self, host)

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, request: object, client_address: object) -> None:
                """A manager that hung up, or was killed."""

        server = Server(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return server

    def url(self, name: str) -> str:
        """Where this host's BMC, its agent and its health check are."""
        return f"http://127.0.0.1:{self._servers[name].server_address[1]}"

    def close(self) -> None:
        for server in self._servers.values():
            server.shutdown()
            server.server_close()

    # -- what happens to hosts

    def power_off(self, host: Host, repairs: int | None = None) -> None:
        """`repairs`: only if nobody has repaired the host since."""
        with self.lock:
            if repairs not in (None, host.repairs):
                return
            host.power, host.alive = "Off", False
            host.vms.clear()

    def hang(self, host: Host) -> None:
        with self.lock:
            host.alive = False

    def repair(self, host: Host) -> None:
        """Somebody switches it on. It comes up without VMs."""
        with self.lock:
            host.power, host.alive, host.reachable = "On", True, True
            host.vms.clear()
            host.repairs += 1

    # -- what is true

    def places(self, vm: str) -> list[str]:
        """Hosts on which the VM runs: power is what counts."""
        return [host.name for host in self.hosts.values() if host.power == "On" and vm in host.vms]

    def writes(self, host: Host) -> bool:
        with self.lock:
            return host.power == "On" and bool(host.vms)

    def all_vms_run(self) -> bool:
        with self.lock:
            return all(len(at := self.places(vm)) == 1 and self.hosts[at[0]].alive for vm in self.vms)

    def _wrong(self, text: str) -> None:
        self.wrong.append(text)

    # -- the doors

    def serve(self, request: BaseHTTPRequestHandler, host: Host) -> None:
        length = int(request.headers.get("Content-Length") or 0)
        body = json.loads(request.rfile.read(length)) if length else {}
        path = request.path.rstrip("/")
        if path.startswith("/redfish"):
            self._bmc(request, host, path, body)
        elif not host.answers:
            request.close_connection = True
        elif path == "/alive":
            _answer(request, 200, {})
        elif path.startswith("/vms/"):
            self._agent(request, host, path.removeprefix("/vms/"), str(body.get("vm")), str(body.get("key")))
        else:
            _answer(request, 404, {})

    def _bmc(self, request: BaseHTTPRequestHandler, host: Host, path: str, body: dict[str, str]) -> None:
        if request.command == "POST" and path == RESET:
            status = self._reset(host, body.get("ResetType", ""))
            if self.dice.random() < self.lost_answers:
                request.close_connection = True
            else:
                _answer(request, status, {"error": {"message": "already off"}} if status == 409 else None)
            return
        system = {"@odata.id": SYSTEM}
        tree = {
            "/redfish/v1": {"@odata.id": "/redfish/v1", "Systems": {"@odata.id": "/redfish/v1/Systems"}},
            "/redfish/v1/Systems": {"@odata.id": "/redfish/v1/Systems", "Members": [system]},
            SYSTEM: {
                **system, "Id": "1", "UUID": f"00000000-0000-0000-0000-{sum(host.name.encode()):012d}", "PowerState": host.power,
                "Actions": {"#ComputerSystem.Reset": {
                    "target": RESET, "ResetType@Redfish.AllowableValues": ["On", "ForceOff", "ForceRestart"],
                }},
            },
        }  # fmt: skip
        _answer(request, 200 if path in tree else 404, tree.get(path, {}))

    def _reset(self, host: Host, kind: str) -> int:
        with self.lock:
            host.commands += 1
            others = [other for other in self.hosts.values() if other is not host]
            healthy = sum(other.is_healthy and other.reachable for other in others)
            if healthy < ceil(len(self.hosts) / 2):
                self._wrong(f"{kind} to {host.name} while {healthy} of {len(self.hosts)} hosts were healthy without it")
            if host.is_healthy:
                self._wrong(f"{kind} to {host.name}, which is healthy")
            if host.power == "Off":
                return 409
            if kind == "ForceOff":
                threading.Timer(self.power_takes_s, self.power_off, [host, host.repairs]).start()
            return 204

    def _agent(self, request: BaseHTTPRequestHandler, host: Host, what: str, vm: str, key: str) -> None:
        with self.lock:
            if what == "start":
                elsewhere = [name for name in self.places(vm) if name != host.name]
                if elsewhere:
                    self._wrong(f"{vm} was started on {host.name} with {key} while it runs on {elsewhere}")
                self.starts += host.vms.get(vm) != key
                host.vms.setdefault(vm, key)
            elif what == "stop":
                host.vms.pop(vm, None)
            lost = self.dice.random() < self.lost_answers or (what == "start" and self.loses_starts)
        if lost:
            request.close_connection = True
        else:
            _answer(request, 200, {})


def _answer(request: BaseHTTPRequestHandler, status: int, body: object) -> None:
    data = b"" if body is None else json.dumps(body).encode()
    request.send_response(status)
    request.send_header("Content-Type", "application/json")
    request.send_header("Content-Length", str(len(data)))
    request.end_headers()
    request.wfile.write(data)
