"""An emulator with one BMC, and other people's clients for it: requests, ssl, raw sockets, our own stranger of an IPMI client.

`bench.armed(type, ...)` arms a fault as users write it and takes it away again.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field

import requests

from emulator import Emulator, Event, EventKind, UnitSpec, arming_from_mapping
from profiles import load
from tests.ipmi_client import Client

PATIENCE = 20
SHORT = 0.3
"""Seconds in which something does not come that would never come."""


@dataclass
class FaultBench:
    emulator: Emulator
    sockets: list[socket.socket] = field(default_factory=list)

    # -- faults --------------------------------------------------------------------------------------------------------

    def arm(self, fault: str, **envelope: object) -> str:
        return self.emulator.arm("node1", arming_from_mapping({"type": fault, **envelope}))

    @contextlib.contextmanager
    def armed(self, fault: str, **envelope: object) -> Iterator[str]:
        fault_id = self.arm(fault, **envelope)
        try:
            yield fault_id
        finally:
            self.emulator.disarm(fault_id)

    def fired(self, fault_id: str) -> int:
        return next(status.fired for status in self.emulator.faults() if status.id == fault_id)

    def events(self, kind: EventKind) -> list[Event]:
        return [event for event in self.emulator.events() if event.kind is kind]

    # -- Redfish -------------------------------------------------------------------------------------------------------

    @property
    def bmc(self):
        return self.emulator.endpoints["node1"]

    @property
    def system(self) -> str:
        return self.bmc.systems[0].uri

    def ask(self, method: str = "GET", path: str | None = None, **more) -> requests.Response:
        """One request on a connection of its own, the certificate checked."""
        more.setdefault("auth", (self.bmc.username, self.bmc.password))
        more.setdefault("timeout", PATIENCE)
        more.setdefault("verify", self.bmc.ca_file)
        more.setdefault("allow_redirects", False)
        url = self.bmc.redfish_url + (self.system if path is None else path)
        return requests.request(method, url, **more)

    def reset(self, word: str) -> requests.Response:
        return self.ask("POST", f"{self.system}/Actions/ComputerSystem.Reset", json={"ResetType": word})

    def log_in(self) -> requests.Response:
        login = {"UserName": self.bmc.username, "Password": self.bmc.password}
        return self.ask("POST", "/redfish/v1/SessionService/Sessions", json=login, auth=None)

    def power(self) -> object:
        return self.ask().json()["PowerState"]

    def tcp(self) -> socket.socket:
        sock = socket.create_connection((self.bmc.host, self.bmc.redfish_port), timeout=PATIENCE)
        self.sockets.append(sock)
        return sock

    def tls(self, verify: bool = True, sock: socket.socket | None = None) -> ssl.SSLSocket:
        """A connection after its handshake."""
        context = ssl.create_default_context(cafile=self.bmc.ca_file)
        if not verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        made = context.wrap_socket(sock or self.tcp(), server_hostname=self.bmc.host)
        self.sockets.append(made)
        return made

    # -- IPMI ----------------------------------------------------------------------------------------------------------

    def udp(self, timeout: float = PATIENCE) -> socket.socket:
        sock = socket.socket(type=socket.SOCK_DGRAM)
        self.sockets.append(sock)
        sock.settimeout(timeout)
        sock.connect((self.bmc.ipmi_host, self.bmc.ipmi_port))
        return sock

    def ipmi(self, timeout: float = PATIENCE) -> Client:
        sock = self.udp(timeout)

        def send(datagram: bytes) -> list[bytes]:
            sock.send(datagram)
            try:
                return [sock.recv(4096)]
            except TimeoutError:
                return []

        return Client(send, user=self.bmc.username, password=self.bmc.password)


@contextlib.contextmanager
def fault_bench(**settings: object) -> Iterator[FaultBench]:
    """dmtf-generic, in its own thread."""
    with Emulator([UnitSpec(name="node1", profile=load("dmtf-generic"))], **settings) as emulator:
        bench = FaultBench(emulator)
        yield bench
        for sock in bench.sockets:
            sock.close()
