"""What a profile says of a BMC's ports: no Redfish at all, and the range of TLS versions."""

from __future__ import annotations

import socket
import ssl
from dataclasses import replace

import pytest

from emulator import Emulator, UnitSpec
from profiles import load


def emulated(**http: object) -> Emulator:
    profile = load("dmtf-generic")
    return Emulator([UnitSpec(name="node1", profile=replace(profile, http=replace(profile.http, **http)))])


def port_of(emulator: Emulator) -> tuple[str, int]:
    host, port = emulator.endpoints["node1"].redfish_url.removeprefix("https://").split(":")
    return host, int(port)


def test_a_bmc_without_redfish_refuses_connections() -> None:
    with emulated(served=False) as emulator, pytest.raises(ConnectionRefusedError):
        socket.create_connection(port_of(emulator), 5)


def test_a_bmc_may_speak_old_tls_only() -> None:
    with emulated(tls_min="1.2", tls_max="1.2") as emulator:
        context = ssl._create_unverified_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        with socket.create_connection(port_of(emulator), 5) as plain, pytest.raises(ssl.SSLError):
            context.wrap_socket(plain)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        with socket.create_connection(port_of(emulator), 5) as plain, context.wrap_socket(plain) as tls:
            assert tls.version() == "TLSv1.2"
