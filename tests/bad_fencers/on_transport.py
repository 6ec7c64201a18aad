"""The honest fencer and its mutants as in-process fencers: the same classes, their `requests` and their `time` on the transport.

An adapter of `requests` carries its exchanges, so a fencer that uses sessions needs nothing else. IPMI has a small client of its
own: pyghmi opens sockets.
"""

from __future__ import annotations

import http.client
import importlib
import io
import os
import ssl
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import honest
import mutants
import requests
from requests.structures import CaseInsensitiveDict

sys.path.append(str(Path(__file__).resolve().parents[1]))
ipmi_client = importlib.import_module("ipmi_client")


OPEN_SESSION_RESPONSE = 0x11


class TransportAdapter(requests.adapters.BaseAdapter):
    """Carries the exchanges of a `requests.Session`."""

    def __init__(self, transport: Any) -> None:
        super().__init__()
        self.transport = transport

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> requests.Response:
        body = request.body.encode() if isinstance(request.body, str) else request.body
        seconds = timeout[1] if isinstance(timeout, tuple) else timeout
        ca_file = verify if isinstance(verify, str) else None
        try:
            answer = self.transport.http(request.method, request.url, dict(request.headers), body, seconds, ca_file=ca_file)
        except TimeoutError as error:
            raise requests.ReadTimeout(error, request=request) from error
        except ssl.SSLError as error:
            raise requests.exceptions.SSLError(error, request=request) from error
        except http.client.IncompleteRead as error:
            raise requests.exceptions.ChunkedEncodingError(error, request=request) from error
        except (OSError, http.client.HTTPException) as error:
            raise requests.ConnectionError(error, request=request) from error
        response = requests.Response()
        response.status_code, response.raw = answer.status, io.BytesIO(answer.body)
        response.headers = CaseInsensitiveDict(answer.headers.items())
        response.url, response.request = request.url or "", request
        return response

    def close(self) -> None:
        """There is nothing to close."""


class TransportIpmi(honest.Ipmi):
    """The honest fencer's IPMI over datagrams."""

    transport: Any

    def locate(self) -> None:
        for suite in (17, 3):
            self.command: Any = ipmi_client.Client(self.exchange, self.bmc["user"], self.bmc["password"], suite)
            try:
                self.command.login()
                return
            except AssertionError as error:
                raise honest.Failed("timeout: the BMC did not answer") from error
            except ipmi_client.Refused as error:
                if error.message != OPEN_SESSION_RESPONSE or suite == 3:
                    raise honest.Failed(f"auth: {error}") from error

    def exchange(self, data: bytes) -> list[bytes]:
        for _ in range(4):
            try:
                return [self.transport.datagram(data, 0.5)]
            except TimeoutError:
                continue
        return []

    def request(self, command: int, data: bytes = b"") -> tuple[int, bytes]:
        answer: tuple[int, bytes] | None = self.command.command(0x00, command, data)
        if answer is None:
            raise TimeoutError("the BMC did not answer")
        return answer

    def state(self) -> str | None:
        code, data = self.request(0x01)
        if code:
            raise honest.Failed(f"bad-response: 0x{code:02X}")
        return "On" if data[0] & 1 else "Off"

    def command_off(self) -> None:
        self.answered(self.request(0x02, b"\x00")[0])


def on_transport(kind: type[honest.Redfish], transport: Any, clock: Any) -> type[honest.Redfish]:
    """The same fencer with everything that touches the world replaced."""
    for module in (honest, mutants):
        module.time = clock
    bases = (TransportIpmi,) if kind is honest.Ipmi else (kind, TransportIpmi) if issubclass(kind, honest.Ipmi) else (kind,)

    def start(self: honest.Redfish, bmc: Mapping[str, str]) -> None:
        kind.__init__(self, bmc)
        self.http.mount("https://", TransportAdapter(transport))
        self.http.mount("http://", TransportAdapter(transport))

    return type(kind.__name__, bases, {"__init__": start, "transport": transport})


def fence(action: str, bmc: Mapping[str, str], *, transport: Any, clock: Any, mutant: str = "") -> str | bool | None:
    os.environ["NO_PROXY"] = "*"
    named = mutants.MUTANTS[mutant] if mutant else honest.Ipmi if bmc["protocol"] == "ipmi" else honest.Redfish
    try:
        return on_transport(named, transport, clock)(bmc).run(action)
    except mutants.Claimed:
        return None
    except requests.HTTPError as error:
        raise honest.Failed(str(error)) from error
