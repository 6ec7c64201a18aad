"""The honest fencer and its mutants as in-process fencers: the same functions, with everything that touches the world replaced.

Every session of `requests` is carried by a transport adapter, `time` is the virtual clock, and pyghmi's IPMI command, which opens
sockets, gives way to a small client over datagrams.
"""

from __future__ import annotations

import http.client
import importlib
import io
import ssl
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import careful
import honest
import logins
import mutants
import mutants_identity
import mutants_logins
import mutants_of_faults
import mutants_state
import requests
from pyghmi.exceptions import IpmiException
from requests.structures import CaseInsensitiveDict

sys.path.append(str(Path(__file__).resolve().parents[1]))
ipmi_client = importlib.import_module("ipmi_client")

MODULES = (careful, honest, logins, mutants, mutants_identity, mutants_logins, mutants_of_faults, mutants_state)
OPEN_SESSION_RESPONSE = 0x11
POWER_IS_ON = 0x01


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
        ca_file = requests.certs.where() if verify is True else verify or None
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
        response.encoding = requests.utils.get_encoding_from_headers(response.headers)
        response.url, response.request = request.url or "", request
        return response

    def close(self) -> None:
        """There is nothing to close."""


class DatagramCommand:
    """As much of pyghmi's `Command` as the fencers use. Raises IpmiException."""

    transport: Any

    def __init__(self, bmc: str, userid: str, password: str, port: int, keepalive: bool) -> None:
        self.address = bmc, port
        for suite in (17, 3):
            self.session: Any = ipmi_client.Client(self.exchange, userid, password, suite)
            try:
                self.session.login()
                return
            except AssertionError:
                raise IpmiException("timeout") from None
            except ipmi_client.Refused as error:
                if error.message != OPEN_SESSION_RESPONSE or suite == 3:
                    raise IpmiException(str(error)) from error

    def exchange(self, data: bytes) -> list[bytes]:
        for _ in range(4):
            try:
                return [self.transport.datagram(data, 0.5, address=self.address)]
            except TimeoutError:
                continue
        return []

    def raw_command(self, netfn: int, command: int, data: tuple[int, ...] = ()) -> dict[str, Any]:
        answer = self.session.command(netfn, command, bytes(data))
        if answer is None:
            raise IpmiException("timeout")
        return {"code": answer[0], "data": answer[1]}

    def get_power(self) -> dict[str, str]:
        answer = self.raw_command(0x00, 0x01)
        if answer["code"]:
            raise IpmiException(f"0x{answer['code']:02X}")
        return {"powerstate": "on" if answer["data"][0] & POWER_IS_ON else "off"}


def fence(action: str, bmc: Mapping[str, str], *, transport: Any, clock: Any, mutant: str = "") -> str | bool | None:
    for module in MODULES:
        if hasattr(module, "time"):
            module.time = clock
    adapter = TransportAdapter(transport)
    requests.Session.get_adapter = lambda self, url: adapter  # type: ignore[method-assign]
    DatagramCommand.transport = transport
    honest.Command = DatagramCommand  # type: ignore[misc]
    return mutants.fence(action, bmc, mutant) if mutant else honest.fence(action, bmc)
