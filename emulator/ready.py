"""Checks over both protocols, as a client would, that a BMC which was just opened answers.

`cli` calls `check` in the main thread before it prints the READY line of a BMC.
"""

from __future__ import annotations

import http.client
import socket
import ssl
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from emulator.endpoints import Endpoint

TIMEOUT_S = 10.0
"""For each protocol."""

GET_CHANNEL_AUTH_CAPABILITIES = bytes.fromhex("0600ff07000000000000000000092018c88100388e04b5")
"""The first packet of every client: IPMI 1.5 format, no session, netfn 6, command 0x38, channel 0xE with the RMCP+ bit."""


class NotAnswering(Exception):
    """A BMC that was just opened does not answer: the emulator is broken, or this machine drops loopback traffic."""


def check(endpoint: Endpoint, *, redfish: bool, lan: bool) -> None:
    """Returns when what the BMC has answers: with `redfish` that, with `lan` IPMI. Raises NotAnswering."""
    if redfish:
        _redfish(endpoint)
    if lan:
        _ipmi(endpoint)


def _redfish(endpoint: Endpoint) -> None:
    connection: http.client.HTTPConnection
    if endpoint.redfish_url.startswith("https:"):
        context = ssl.create_default_context(cafile=endpoint.ca_file)
        context.check_hostname = False  # a fault may give the certificate another name on purpose
        connection = http.client.HTTPSConnection(endpoint.host, endpoint.redfish_port, timeout=TIMEOUT_S, context=context)
    else:
        connection = http.client.HTTPConnection(endpoint.host, endpoint.redfish_port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", "/redfish/v1/")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        raise NotAnswering(f"{endpoint.name} does not answer at {endpoint.redfish_url}: {error}") from error
    finally:
        connection.close()
    if status != 200:
        raise NotAnswering(f"{endpoint.name} answers {status} at {endpoint.redfish_url}/redfish/v1/")


def _ipmi(endpoint: Endpoint) -> None:
    family = socket.AF_INET6 if ":" in endpoint.ipmi_host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as client:
        client.settimeout(TIMEOUT_S)
        try:
            client.sendto(GET_CHANNEL_AUTH_CAPABILITIES, (endpoint.ipmi_host, endpoint.ipmi_port))
            client.recv(1024)
        except OSError as error:
            where = f"{endpoint.ipmi_host} port {endpoint.ipmi_port}"
            raise NotAnswering(f"{endpoint.name} does not answer IPMI at {where}: {error}") from error
