"""A BMC without sockets, with a client that logs in, for tests of what the client meets."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from emulator import Armed, FaultId, HostSpec, SocketlessEmulator, Transport, TransportAnswer, TransportClock, UnitSpec
from emulator.surroundings import reusable
from profiles import load
from profiles.model import Profile

PASSWORD = "Zq7-not-a-default"
DELL = load("dell-idrac9")
REUSED = reusable()
NAME = "node1"


@dataclass
class VirtualBmc:
    emulator: SocketlessEmulator
    transport: Transport
    clock: TransportClock

    @property
    def url(self) -> str:
        return self.emulator.endpoints[NAME].redfish_url

    @property
    def system(self) -> str:
        return self.emulator.endpoints[NAME].systems[0].uri

    @property
    def auth(self) -> dict[str, str]:
        at = self.emulator.endpoints[NAME]
        return {"Authorization": "Basic " + base64.b64encode(f"{at.username}:{PASSWORD}".encode()).decode()}

    def ask(
        self, method: str, path: str, body: object = None, *, timeout: float | None = 2.0, ca_file: str | None = None
    ) -> TransportAnswer:
        data = None if body is None else json.dumps(body).encode()
        headers = self.auth if body is None else {**self.auth, "Content-Type": "application/json"}
        return self.transport.http(method, self.url + path, headers, data, timeout, ca_file=ca_file)

    def reset(self, kind: str = "ForceOff", **more: float) -> TransportAnswer:
        return self.ask("POST", f"{self.system}/Actions/ComputerSystem.Reset", {"ResetType": kind}, **more)

    def power(self) -> str:
        return str(json.loads(self.ask("GET", self.system).body)["PowerState"])

    def arm(self, armed: Armed) -> FaultId:
        return self.emulator.arm(NAME, armed)

    def disarm_after(self, seconds: float, fault: FaultId) -> None:
        self.emulator.call(lambda rack: rack.after(seconds, lambda: rack.faults.disarm(fault)))

    def elapsed(self) -> float:
        """Virtual seconds since the start, to the millisecond."""
        return round(self.emulator.now(), 3)


@contextmanager
def virtual_bmc(
    profile: Profile = DELL, *, seed: int = 7, latency: bool = False, refuse: bool = False, limit_s: float = 600.0
) -> Iterator[VirtualBmc]:
    unit = UnitSpec(name=NAME, profile=profile, hosts=(HostSpec(),), password=PASSWORD)
    silent = frozenset({NAME}) if refuse else frozenset()
    with SocketlessEmulator([unit], seed=seed, latency=latency, refuse=silent, reused=REUSED) as emulator:
        yield VirtualBmc(emulator, *emulator.client(NAME, limit_s=limit_s))
