"""Packets that nobody should send: those that ended other servers, and spoilt ones of every kind."""

from __future__ import annotations

import random

from tests.ipmi_client import RMCP, Client, Client15, Send, handshake, request, sessionless


def killers(client: Client) -> list[bytes]:
    """Each of these ended another server's process, sent by anybody after one open session request."""
    rakp1 = bytes((0, 0, 0, 0)) + client.managed + bytes(16) + bytes((4, 0, 0))
    return [
        RMCP,
        RMCP[:3],
        b"",
        handshake(0x12, bytes((0, 0, 0, 0)) + client.managed),
        handshake(0x12, rakp1),
        handshake(0x12, rakp1 + b"\x04\xff\xfe\xc3\x28"),
        handshake(0x12, rakp1 + b"\xff" + bytes(255)),
        handshake(0x12, rakp1 + b"\x00"),
        handshake(0x14, bytes((0, 0, 0, 0)) + client.managed + bytes(20)),
        handshake(0x14, b""),
        handshake(0x15, bytes(40)),
        handshake(0x13, bytes((0, 0, 0, 0)) + client.managed + bytes(60)),
        handshake(0x11, bytes(36)),
        handshake(0x10, bytes(6)),
        handshake(0x10, bytes(20)),
        RMCP + bytes((6, 0x40)) + client.managed + bytes((1, 0, 0, 0, 7, 0)) + request(0, 1),
        RMCP + bytes((6, 0xC0)) + client.managed + bytes((1, 0, 0, 0, 32, 0)) + bytes(50),
        RMCP + bytes((6, 0xC2)) + client.managed + bytes(50),
        (RMCP + bytes(9))[:10],
        RMCP + bytes((2,)) + bytes(12),
        RMCP + bytes(9) + b"\xff",
        sessionless(request(6, 0x38)),
        sessionless(b""),
    ]


def corpus(to: Send, *, user: str = "root", password: str = "Tr0ub4dor&3") -> list[bytes]:
    """One good datagram of every kind, recorded from sessions with a real BMC, to be spoilt."""
    seen: list[bytes] = []

    def send(datagram: bytes) -> list[bytes]:
        seen.append(datagram)
        return to(datagram)

    client = Client(send, user=user, password=password).login()
    for netfn, command, data in ((0, 1, b""), (0, 2, b"\x03"), (6, 1, b""), (6, 0x54, b"\x0e\x00\x80"), (0, 9, b"\x05\x00\x00")):
        client.command(netfn, command, data)
    Client15(send, user=user, password=password).login().command(0, 1)
    return [
        *seen,
        *killers(client),
        sessionless(request(6, 0x38, b"\x8e\x04")),
        sessionless(request(6, 0x54, b"\x0e\x00\x80"), v2=True),
        sessionless(request(6, 0x39, b"\x02" + b"root".ljust(16, b"\0"))),
        sessionless(request(6, 0x3A, bytes(22))),
        bytes.fromhex("0600ff06000011be80010000"),
    ]


def spoil(rng: random.Random, packet: bytes, live: bytes) -> bytes:
    data = bytearray(packet)
    for _ in range(rng.randrange(1, 4)):
        match rng.randrange(6):
            case 0 if data:
                data[rng.randrange(len(data))] = rng.randrange(256)
            case 1:
                del data[rng.randrange(len(data) + 1) :]
            case 2:
                data += rng.randbytes(rng.randrange(1, 60))
            case 3 if len(data) >= 10:
                data[6:10] = live
            case 4 if len(data) >= 24:
                data[20:24] = live
            case _ if data:
                data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(data)
