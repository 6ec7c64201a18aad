"""An emulator of one BMC on real sockets, started as a library, and a small Redfish client for it."""

from __future__ import annotations

import base64
import http.client
import json
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace

from emulator import Emulator, Endpoint, Event, HostSpec, UnitSpec
from emulator.core.faults.board import Armed
from emulator.core.faults.fault import Fault
from emulator.core.faults.trigger import When
from emulator.core.journal import EventKind
from profiles import load
from profiles.model import Profile, Span
from tests.ipmi_client import Client as IpmiClient

PATIENCE = 30
SHORT = 0.3
"""Seconds in which something does not come that would never come."""
STEADY = When(method="POST")
CHASSIS_STATUS, CHASSIS_CONTROL = (0, 0x01), (0, 0x02)


def quick_profile() -> Profile:
    """dmtf-generic with hosts that fall at once: these tests are about wires, and wait for nobody's power supply."""
    generic = load("dmtf-generic")
    off = tuple(replace(step, at=Span(0, 0)) for step in generic.power.effects["force_off"])
    down = tuple(replace(step, at=Span(0, 0)) for step in generic.power.on_os_down)
    return replace(generic, power=replace(generic.power, effects={**generic.power.effects, "force_off": off}, on_os_down=down))


def started(profile: Profile) -> Iterator[Callable[..., Emulator]]:
    """`start(HostSpec(), ...)`: a running emulator of one BMC, node1, with these hosts."""
    with ExitStack() as stack:

        def starter(*hosts: HostSpec, tls: bool = False, **spec: float) -> Emulator:
            unit = UnitSpec(name="node1", profile=profile, hosts=hosts or (HostSpec(),), **spec)  # type: ignore[arg-type]
            return stack.enter_context(Emulator([unit], tls=tls))

        yield starter


class Redfish:
    """One connection to a BMC."""

    def __init__(self, endpoint: Endpoint, timeout: float = PATIENCE) -> None:
        where = (endpoint.host, endpoint.redfish_port)
        context = ssl.create_default_context(cafile=endpoint.ca_file)
        self._login = base64.b64encode(f"{endpoint.username}:{endpoint.password}".encode()).decode()
        self.uri = endpoint.systems[0].uri
        self.connection: http.client.HTTPConnection = (
            http.client.HTTPSConnection(*where, timeout=timeout, context=context)
            if endpoint.redfish_url.startswith("https:")
            else http.client.HTTPConnection(*where, timeout=timeout)
        )

    def send(self, method: str, path: str, body: object = None) -> None:
        headers = {"Authorization": f"Basic {self._login}", "Content-Type": "application/json"}
        self.connection.request(method, path, None if body is None else json.dumps(body), headers)

    def power(self, uri: str = "") -> object:
        with closing(self.connection):
            self.send("GET", uri or self.uri)
            return json.loads(self.connection.getresponse().read())["PowerState"]

    def reset(self, word: str, uri: str = "") -> int:
        """The status of the answer."""
        with closing(self.connection):
            self.send("POST", f"{uri or self.uri}/Actions/ComputerSystem.Reset", {"ResetType": word})
            answer = self.connection.getresponse()
            answer.read()
            return answer.status


def of_kind(emulator: Emulator, *kinds: EventKind) -> list[Event]:
    return [event for event in emulator.events() if event.kind in kinds]


def arm(emulator: Emulator, fault: Fault, when: When = STEADY) -> None:
    emulator.arm("node1", Armed(fault=fault, when=when, count=1))


def ipmi_client(endpoint: Endpoint, timeout: float = PATIENCE) -> IpmiClient:
    """Logged in over a socket of its own; the client shares no code with the emulator."""

    def send(datagram: bytes) -> list[bytes]:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.settimeout(timeout)
            udp.sendto(datagram, (endpoint.ipmi_host, endpoint.ipmi_port))
            return [udp.recv(4096)]

    return IpmiClient(send, user=endpoint.username, password=endpoint.password, suite=17).login()


def ipmi_power(client: IpmiClient) -> str:
    status = client.command(*CHASSIS_STATUS)
    assert status is not None
    code, data = status
    assert code == 0
    return "On" if data[0] & 1 else "Off"
