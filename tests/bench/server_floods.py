"""Clients that try to hold a whole emulator, and the two healthy clients of another BMC that say whether they do.

A flood is a program of its own (`python -m tests.bench.server_floods URL USER KIND CONNECTIONS SECONDS`, the password in the
environment), so that it and the healthy clients do not share an interpreter.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlsplit

PASSWORD_VARIABLE: Final = "FENCELAB_FLOOD_PASSWORD"
CHECKOUT: Final = Path(__file__).resolve().parents[2]
SESSIONS: Final = "/redfish/v1/SessionService/Sessions"
GENERATE: Final = "/redfish/v1/CertificateService/Actions/CertificateService.GenerateCSR"


@dataclass(frozen=True, slots=True)
class Bmc:
    url: str
    user: str
    password: str

    @property
    def authorization(self) -> str:
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()

    def connection(self) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(urlsplit(self.url).netloc, context=ssl._create_unverified_context(), timeout=60)

    def get(self, path: str) -> dict[str, object]:
        with contextlib.closing(self.connection()) as connection:
            connection.request("GET", path, headers={"Authorization": self.authorization})
            found: dict[str, object] = json.load(connection.getresponse())
            return found

    def first_member(self, path: str) -> str:
        members = self.get(path)["Members"]
        assert isinstance(members, list)
        return str(members[0]["@odata.id"])


# -- the floods --------------------------------------------------------------------------------------------------------


def _request(bmc: Bmc, method: str, target: str, body: bytes = b"", *, known: bool = True) -> bytes:
    lines = [f"{method} {target} HTTP/1.1", "Host: x", "Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, *([f"Authorization: {bmc.authorization}"] if known else []), "", ""]).encode() + body


def _log_filter(bmc: Bmc) -> bytes:
    system = bmc.first_member("/redfish/v1/Systems")
    entries = f"{bmc.first_member(f'{system}/LogServices')}/Entries"
    return _request(bmc, "GET", f"{entries}?$filter={quote(' or '.join(['Id eq 1'] * 32))}")


def _patch(bmc: Bmc) -> bytes:
    body = json.dumps({f"k{n}": 1 for n in range(70_000)}).encode()
    return _request(bmc, "PATCH", bmc.first_member("/redfish/v1/Systems"), body)


def _name(bmc: Bmc) -> bytes:
    body = {"UserName": f"{time.monotonic()}{'u' * 1_000_000}", "Password": "x"}
    return _request(bmc, "POST", SESSIONS, json.dumps(body).encode(), known=False)


def _key(bmc: Bmc) -> bytes:
    where = f"{bmc.first_member('/redfish/v1/Managers')}/NetworkProtocol/HTTPS/Certificates"
    body = {"CommonName": "a", "Organization": "b", "City": "c", "State": "d", "Country": "DE"}
    body |= {"KeyPairAlgorithm": "TPM_ALG_RSA", "KeyBitLength": 3072, "CertificateCollection": {"@odata.id": where}}
    return _request(bmc, "POST", GENERATE, json.dumps(body).encode())


FLOODS: Final[dict[str, Callable[[Bmc], bytes]]] = {
    "pipeline": lambda bmc: _request(bmc, "GET", "/redfish/v1/Systems", known=False) * 1400,
    "expand": lambda bmc: _request(bmc, "GET", "/redfish/v1/?$expand=*($levels=6)") * 130,
    "filter": _log_filter,
    "long-filter": lambda bmc: _request(bmc, "GET", "/redfish/v1/Systems?$filter=" + quote("Id eq 1 or " * 4000)[:60_000]),
    "patch": _patch,
    "names": _name,
    "keys": _key,
}
"""What one connection sends again and again; it reads the answers as fast as they come."""


def _attack(bmc: Bmc, kind: str, until: float) -> None:
    parts, context = urlsplit(bmc.url), ssl._create_unverified_context()
    while time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection((str(parts.hostname), parts.port or 443), 60) as plain:
            sock = context.wrap_socket(plain)
            threading.Thread(target=_drain, args=(sock,), daemon=True).start()
            while time.monotonic() < until:
                sock.sendall(FLOODS[kind](bmc) if kind == "names" else made(bmc, kind))
                if kind in ("keys", "names"):
                    time.sleep(0.05)


_MADE: dict[str, bytes] = {}


def made(bmc: Bmc, kind: str) -> bytes:
    if kind not in _MADE:
        _MADE[kind] = FLOODS[kind](bmc)
    return _MADE[kind]


def _drain(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while sock.recv(65536):
            pass


# -- what the others notice --------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Noticed:
    """Seconds per request of a client that keeps its connection, and of one that shakes hands each time; bytes of the server."""

    kept: list[float] = field(default_factory=list)
    fresh: list[float] = field(default_factory=list)
    grown: int = 0


def p99(seconds: list[float]) -> float:
    return sorted(seconds)[int(len(seconds) * 0.99)]


def resident(pid: int) -> int:
    """Bytes of memory."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def flood(bmc: Bmc, kind: str, connections: int, seconds: float) -> Iterator[None]:
    command = [sys.executable, "-m", "tests.bench.server_floods", bmc.url, bmc.user, kind, str(connections), str(seconds)]
    environment = os.environ | {PASSWORD_VARIABLE: bmc.password}
    with subprocess.Popen(command, env=environment, cwd=CHECKOUT) as process:
        try:
            yield
        finally:
            process.terminate()


def notice(bmc: Bmc, pid: int, seconds: float) -> Noticed:
    """Two healthy clients ask for the System of `bmc`, 50 times a second each."""
    noticed, until = Noticed(), time.monotonic() + seconds
    system, before = bmc.first_member("/redfish/v1/Systems"), resident(pid)

    def ask(keep: bool, took: list[float]) -> None:
        connection = bmc.connection()
        while time.monotonic() < until:
            begun = time.monotonic()
            connection.request("GET", system, headers={"Authorization": bmc.authorization})
            connection.getresponse().read()
            took.append(time.monotonic() - begun)
            if not keep:
                connection.close()
            time.sleep(0.02)
        connection.close()

    clients = [threading.Thread(target=ask, args=given) for given in ((True, noticed.kept), (False, noticed.fresh))]
    for client in clients:
        client.start()
    while any(client.is_alive() for client in clients):
        noticed.grown = max(noticed.grown, resident(pid) - before)
        time.sleep(0.1)
    return noticed


def main(url: str, user: str, kind: str, connections: str, seconds: str) -> None:
    bmc, until = Bmc(url, user, os.environ[PASSWORD_VARIABLE]), time.monotonic() + float(seconds)
    threads = [threading.Thread(target=_attack, args=(bmc, kind, until), daemon=True) for _ in range(int(connections))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main(*sys.argv[1:])
