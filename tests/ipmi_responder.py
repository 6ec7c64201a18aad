"""An IPMI 2.0 BMC of a few lines on a real UDP socket, built on the packet functions of the fencer."""

from __future__ import annotations

import os
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TypeVar

from fencer import Protocol, Target
from fencer.transport import rmcpplus as wire

GUID = bytes.fromhex("4445 4c4c 4200 1041 8043 b7c04f4a3432".replace(" ", ""))


@dataclass
class Responder:
    """One BMC. `lose` and `code` decide the fate of an IPMI command: lost answer, completion code."""

    password: bytes = b"s3cret"
    kg: bytes = b""
    suites: tuple[int, ...] = (3, 17)
    up: bool = True
    stays_up: bool = False  # whatever is sent
    open_status: int = 0x11
    rakp2_status: int = 0
    silent: bool = False
    code: Callable[[int, int], int] = lambda netfn, command: 0
    lose: Callable[[int, int], bool] = lambda netfn, command: False
    commands: list[tuple[int, int, bytes]] = field(default_factory=list)
    opened: int = 0
    closed: int = 0
    socket: socket.socket = field(default_factory=lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))

    def __post_init__(self) -> None:
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.keys: wire.RmcpKeys | None = None
        self.sequence = 0

    def serve(self) -> None:
        while True:
            packet, peer = self.socket.recvfrom(2048)
            if packet == b"stop":
                return
            for reply in self.sent(packet):
                self.socket.sendto(reply, peer)

    def sent(self, packet: bytes) -> Iterator[bytes]:
        """What leaves this BMC after one packet; a subclass may spoil it."""
        yield from self.answers(packet)

    def answers(self, packet: bytes) -> Iterator[bytes]:
        if self.silent:
            return
        plain = wire.unpack(packet)
        if plain is not None:
            yield from self.handshake(plain)
        elif self.keys and (signed := wire.unpack(packet, self.keys)):
            yield from self.command(signed)

    def handshake(self, packet: wire.Packet) -> Iterator[bytes]:
        body = packet.payload
        if packet.kind == wire.OPEN:
            self.console = struct.unpack("<I", body[4:8])[0]
            suite = wire.suite_of(body[12], body[20], body[28])
            if suite is None or suite.number not in self.suites:
                yield wire.pack(wire.OPENED, bytes([body[0], self.open_status, 0, 0]) + body[4:8])
                return
            self.suite, self.session, self.opened = suite, 0x0A0B0C0D, self.opened + 1
            yield wire.pack(wire.OPENED, bytes([body[0], 0, 4, 0]) + body[4:8] + struct.pack("<I", self.session) + body[8:])
        elif packet.kind == wire.RAKP1:
            self.talk = wire.Handshake(
                self.suite, self.console, self.session, body[8:24], os.urandom(16), GUID, body[24], body[28:]
            )
            head = struct.pack("<BBxxI", body[0], self.rakp2_status, self.console)
            code = self.talk.rakp2_code(self.password)
            yield wire.pack(wire.RAKP2, head + self.talk.bmc_random + GUID + code)
        elif packet.kind == wire.RAKP3:
            good = body[8:] == self.talk.rakp3_code(self.password)
            sik = self.talk.session_key(self.kg or self.password)
            head = struct.pack("<BBxxI", body[0], 0 if good else 0x0F, self.console)
            yield wire.pack(wire.RAKP4, head + self.talk.rakp4_code(sik))
            self.keys = self.talk.keys(sik)

    def command(self, packet: wire.Packet) -> Iterator[bytes]:
        body = packet.payload
        netfn, sequence, command, data = body[1] >> 2, body[4], body[5], body[6:-1]
        self.commands.append((netfn, command, data))
        code = self.code(netfn, command)
        found = b""
        if (netfn, command) == (0x00, 0x01) and not code:
            found = bytes([self.up, 0, 0])
        elif (netfn, command) == (0x00, 0x02) and not code:
            self.up = data[0] == 1 or (self.up and self.stays_up)
        elif (netfn, command) == (0x06, 0x3C):
            self.closed += 1
        if self.lose(netfn, command):
            return
        head, rest = bytes([0x81, (netfn | 1) << 2]), bytes([0x20, sequence, command, code]) + found
        reply = head + bytes([-sum(head) & 0xFF]) + rest + bytes([-sum(rest) & 0xFF])
        self.sequence += 1
        yield wire.pack(wire.IPMI, reply, session=self.console, sequence=self.sequence, keys=self.keys, iv=os.urandom(16))

    @property
    def controls(self) -> list[int]:
        return [data[0] for netfn, command, data in self.commands if (netfn, command) == (0x00, 0x02)]


AnyResponder = TypeVar("AnyResponder", bound=Responder)


@contextmanager
def served(found: AnyResponder) -> Iterator[AnyResponder]:
    """Runs the BMC in a thread."""
    thread = threading.Thread(target=found.serve)
    thread.start()
    try:
        yield found
    finally:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stopper:
            stopper.sendto(b"stop", ("127.0.0.1", found.port))
        thread.join()
        found.socket.close()


def target(bmc: Responder, **given: object) -> Target:
    whole = Target(host="127.0.0.1", port=bmc.port, protocol=Protocol.IPMI, user="admin", password="s3cret")
    return replace(whole, **given)  # type: ignore[arg-type]
