"""The honest fencer and its mutants as in-process fencers: the same functions, with everything that touches the world replaced.

Every session of `requests` is carried by a transport adapter, `time` is the virtual clock, and the UDP socket of IPMI sends its
datagrams by the transport.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import socket
import ssl
from collections.abc import Mapping
from typing import Any

import careful
import honest
import honest_ipmi
import logins
import mutants
import mutants_identity
import mutants_ipmi
import mutants_logins
import mutants_of_drivers
import mutants_of_faults
import mutants_state
import requests
import styles
from requests.structures import CaseInsensitiveDict

MODULES = (
    careful, honest, honest_ipmi, logins, mutants, mutants_identity, mutants_ipmi, mutants_logins, mutants_of_drivers,
    mutants_of_faults, mutants_state, styles,
)  # fmt: skip


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


class DatagramSocket:
    """A connected UDP socket, as far as the fencers use one: what is sent goes with the next look for an answer."""

    SOCK_DGRAM = socket.SOCK_DGRAM
    transport: Any

    def __init__(self, type: int) -> None:
        self.address: tuple[str, int] | None = None
        self.waiting = b""
        self.timeout: float | None = None

    @classmethod
    def socket(cls, type: int) -> DatagramSocket:
        return cls(type)

    def connect(self, address: tuple[str, int]) -> None:
        self.address = address

    def settimeout(self, seconds: float | None) -> None:
        self.timeout = seconds

    def send(self, data: bytes) -> None:
        if self.waiting:
            with contextlib.suppress(TimeoutError):
                self.transport.datagram(self.waiting, 0, address=self.address)
        self.waiting = data

    def recv(self, size: int) -> bytes:
        data, self.waiting = self.waiting, b""
        answer: bytes = self.transport.datagram(data, self.timeout, address=self.address)
        return answer


def fence(action: str, bmc: Mapping[str, str], *, transport: Any, clock: Any, mutant: str = "") -> str | bool | None:
    for module in MODULES:
        if hasattr(module, "time"):
            module.time = clock
    adapter = TransportAdapter(transport)
    requests.Session.get_adapter = lambda self, url: adapter  # type: ignore[method-assign]
    DatagramSocket.transport = transport
    honest_ipmi.socket = DatagramSocket  # type: ignore[assignment]
    return mutants.fence(action, bmc, mutant) if mutant else honest.fence(action, bmc)
