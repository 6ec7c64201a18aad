"""Floods of hostile packets against a BMC in a process of its own, while a real ipmitool does its work every second."""

from __future__ import annotations

import json
import os
import random
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.ipmi_client import Send, open_request
from tests.ipmi_hostile import corpus, spoil

ROOT = Path(__file__).resolve().parents[1]
USER, PASSWORD = "root", "calvin"
RATE = 4000
"""Packets a second: about half of what the server can take, so that what is tested is the server and not the socket's buffer."""
BURST = 40
MEGABYTE = 1 << 20


@dataclass
class Target:
    """A BMC under `process`, its port, and its journal."""

    process: subprocess.Popen[str]
    address: str
    port: int
    journal: Path

    def resident(self) -> int:
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def events(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.journal.read_text().splitlines()]

    def ipmitool(self) -> tuple[bool, float]:
        """(whether a session with a chassis status succeeded, seconds)."""
        argv = ["ipmitool", "-I", "lanplus", "-H", self.address, "-p", str(self.port), "-U", USER, "-P", PASSWORD]
        began = time.monotonic()
        run = subprocess.run([*argv, "chassis", "power", "status"], capture_output=True, text=True, check=False, timeout=30)
        return run.returncode == 0 and "Chassis Power is on" in run.stdout, time.monotonic() - began


@contextmanager
def target(directory: Path) -> Iterator[Target]:
    journal = directory / "journal.jsonl"
    argv = [
        sys.executable,
        "-m",
        "emulator",
        "run",
        "--profile",
        "dell-idrac9",
        "--plain-http",
        "--json",
        "--journal",
        str(journal),
    ]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            facts = json.loads(process.stdout.readline())
            yield Target(process, facts["ipmi_host"], facts["ipmi_port"], journal)
        finally:
            process.kill()


@dataclass
class Seen:
    """What a flood did: real sessions and their seconds, memory in bytes before, at most, and some time after."""

    sessions: list[tuple[bool, float]] = field(default_factory=list)
    before: int = 0
    most: int = 0
    after: int = 0
    sent: int = 0


def flood(on: Target, packets: Iterator[bytes], *, settle: float) -> Seen:
    """Sends all packets from many ports; once a second a real session, to the end."""
    for _ in range(3):
        assert on.ipmitool()[0]
    seen, over = Seen(before=on.resident()), threading.Event()

    def send_all() -> None:
        sockets = [socket.socket(type=socket.SOCK_DGRAM) for _ in range(16)]
        due = time.monotonic()
        for packet in packets:
            sock = sockets[seen.sent % len(sockets)]
            sock.sendto(packet, (on.address, on.port))
            seen.sent += 1
            if seen.sent % BURST == 0:
                for other in sockets:
                    while select.select([other], [], [], 0)[0]:
                        other.recv(2048)
                due += BURST / RATE
                time.sleep(max(0.0, due - time.monotonic()))
        for sock in sockets:
            sock.close()
        over.set()

    sender = threading.Thread(target=send_all, name="flood")
    sender.start()
    while True:
        began = time.monotonic()
        seen.sessions.append(on.ipmitool())
        seen.most = max(seen.most, on.resident())
        if over.wait(max(0.0, 1.0 - (time.monotonic() - began))):
            break
    sender.join()
    until = time.monotonic() + settle
    while time.monotonic() < until:
        time.sleep(1)
        seen.sessions.append(on.ipmitool())
    seen.after = on.resident()
    return seen


def sender_to(on: Target) -> tuple[Send, Callable[[], None]]:
    sock = socket.socket(type=socket.SOCK_DGRAM)
    sock.settimeout(5)

    def send(datagram: bytes) -> list[bytes]:
        sock.sendto(datagram, (on.address, on.port))
        return [sock.recv(2048)]

    return send, sock.close


def spoilt_packets(on: Target, count: int, *, seed: int = 2026) -> Iterator[bytes]:
    """A quarter noise, the rest good datagrams of every kind with one to three things wrong."""
    send, close = sender_to(on)
    good = corpus(send, user=USER, password=PASSWORD)
    close()
    rng = random.Random(seed)
    for n in range(count):
        yield rng.randbytes(rng.randrange(1, 80)) if n % 4 == 0 else spoil(rng, rng.choice(good), rng.randbytes(4)) or b"\0"


def half_open_sessions(count: int) -> Iterator[bytes]:
    """Open session requests that nobody follows up."""
    for n in range(count):
        yield open_request(3 if n % 2 else 17, n.to_bytes(4, "big"), tag=n % 256)


def check(on: Target, seen: Seen, count: int) -> None:
    """Every real session succeeds, at most 50 MB more and back again, and the journal tells it."""
    assert seen.sent == count
    assert [ok for ok, _ in seen.sessions] == [True] * len(seen.sessions)
    assert seen.most - seen.before <= 50 * MEGABYTE
    assert seen.after - seen.before <= 20 * MEGABYTE
    assert on.process.poll() is None
    summary = [event for event in on.events() if event.get("what") == "dropped so far"]
    assert summary, "the flood is told in the journal"
    assert len(summary) < 30, "and does not drown it"
