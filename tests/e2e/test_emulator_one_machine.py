"""One machine behind two protocols, on real sockets: what one changes the other shows."""

from __future__ import annotations

import base64
import http.client
import json
import socket
import time
from collections.abc import Iterator

import pytest

from emulator.assembly import Emulator
from emulator.core.rack import UnitSpec
from profiles import load
from tests.ipmi_client import Client

USER, PASSWORD = "admin", "F3nce-lab.demo"


class Machine:
    def __init__(self, emulator: Emulator, sock: socket.socket) -> None:
        self._end = emulator.endpoints["bmc"]
        self._sock = sock

    def ipmi(self, user: str = USER, password: str = PASSWORD) -> Client:
        return Client(self._send, user=user, password=password).login()

    def _send(self, datagram: bytes) -> list[bytes]:
        self._sock.sendto(datagram, (self._end.ipmi_host, self._end.ipmi_port))
        return [self._sock.recv(2048)]

    def redfish(
        self, method: str, path: str, body: object = None, user: str = USER, password: str = PASSWORD
    ) -> tuple[int, dict]:
        connection = http.client.HTTPConnection(self._end.host, self._end.redfish_port, timeout=10)
        login = base64.b64encode(f"{user}:{password}".encode()).decode()
        headers = {"Authorization": f"Basic {login}", "Content-Type": "application/json"}
        try:
            if method == "PATCH":
                connection.request("GET", path, headers=headers)
                answer = connection.getresponse()
                answer.read()
                if etag := answer.headers.get("ETag"):
                    headers["If-Match"] = etag
            connection.request(method, path, body=json.dumps(body) if body is not None else None, headers=headers)
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text else {}
        finally:
            connection.close()

    @property
    def system(self) -> str:
        return self._end.systems[0].uri


@pytest.fixture
def machine() -> Iterator[Machine]:
    units = [UnitSpec(name="bmc", profile=load("dmtf-generic"))]
    with Emulator(units, tls=False) as emulator, socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.settimeout(10)
        yield Machine(emulator, sock)


def test_the_boot_override_is_one(machine):
    ipmi = machine.ipmi()
    assert ipmi.command(0, 8, bytes.fromhex("05 e004000000")) == (0, b"")
    boot = machine.redfish("GET", machine.system)[1]["Boot"]
    assert (boot["BootSourceOverrideTarget"], boot["BootSourceOverrideEnabled"]) == ("Pxe", "Continuous")
    wanted = {"Boot": {"BootSourceOverrideTarget": "Cd", "BootSourceOverrideEnabled": "Once"}}
    assert machine.redfish("PATCH", machine.system, wanted)[0] in (200, 204)
    flags = ipmi.command(0, 9, b"\x05\0\0")[1]
    assert flags[2] & 0xC0 == 0x80
    assert flags[3] >> 2 & 0x0F == 0x5


def test_the_identify_light_is_one(machine):
    ipmi = machine.ipmi()
    assert ipmi.command(0, 4, b"\x00\x01") == (0, b"")
    system = machine.redfish("GET", machine.system)[1]
    assert system.get("LocationIndicatorActive", system.get("IndicatorLED")) in (True, "Blinking", "Lit")


def test_a_user_made_over_ipmi_logs_in_over_redfish(machine):
    ipmi = machine.ipmi()
    assert ipmi.command(6, 0x45, b"\x05" + b"bob".ljust(16, b"\0")) == (0, b"")
    assert ipmi.command(6, 0x47, b"\x05\x02" + b"s3cret-s3cret".ljust(16, b"\0")) == (0, b"")
    assert ipmi.command(6, 0x43, b"\x91\x05\x04") == (0, b"")
    assert ipmi.command(6, 0x47, b"\x05\x01") == (0, b"")
    assert machine.redfish("GET", machine.system, user="bob", password="s3cret-s3cret")[0] == 200
    assert machine.redfish("GET", machine.system, user="bob", password="wrong")[0] == 401


def test_power_commands_of_one_are_the_others_state_and_both_read_one_log(machine):
    ipmi = machine.ipmi()
    status, _ = machine.redfish("POST", f"{machine.system}/Actions/ComputerSystem.Reset", {"ResetType": "ForceOff"})
    assert status in (200, 202, 204)
    until = time.monotonic() + 20
    while ipmi.command(0, 1)[1][0] & 1:
        assert time.monotonic() < until, "IPMI never says off"
    code, entry = ipmi.command(0x0A, 0x43, bytes(2) + b"\xff\xff\x00\xff")
    assert code == 0
    assert entry[12] == 0x09  # power unit
