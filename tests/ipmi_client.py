"""An IPMI client without sockets: every method makes or reads one datagram. It shares no code with the emulator, on purpose."""

from __future__ import annotations

import hashlib
import hmac
import os
import struct
from collections.abc import Callable
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

RMCP = bytes.fromhex("0600ff07")
HASHES = {3: (1, 1, 1, "sha1", 12), 17: (3, 4, 1, "sha256", 16)}
PEER = ("127.0.0.1", 40000)

Send = Callable[[bytes], list[bytes]]
"""Hands a datagram to a BMC and returns its answers."""


def csum(data: bytes) -> int:
    return (256 - sum(data) % 256) % 256


def request(netfn: int, cmd: int, data: bytes = b"", seq: int = 1, lun: int = 0) -> bytes:
    head, body = bytes((0x20, netfn << 2 | lun)), bytes((0x81, seq << 2, cmd)) + data
    return head + bytes((csum(head),)) + body + bytes((csum(body),))


def answer(message: bytes) -> tuple[int, bytes]:
    """(completion code, data) of an IPMI response; checks both checksums."""
    assert csum(message[:2]) == message[2]
    assert csum(message[3:-1]) == message[-1]
    return message[6], message[7:-1]


def sessionless(message: bytes, *, v2: bool = False) -> bytes:
    if v2:
        return RMCP + bytes((6, 0)) + bytes(8) + struct.pack("<H", len(message)) + message
    return RMCP + bytes(9) + bytes((len(message),)) + message


def open_sessionless(datagram: bytes) -> tuple[int, bytes]:
    if datagram[4] == 6:
        return answer(datagram[16 : 16 + struct.unpack("<H", datagram[14:16])[0]])
    return answer(datagram[14 : 14 + datagram[13]])


def handshake(kind: int, body: bytes) -> bytes:
    return RMCP + bytes((6, kind)) + bytes(8) + struct.pack("<H", len(body)) + body


def open_request(suite: int | tuple[int, int, int], console: bytes, tag: int = 0, privilege: int = 0) -> bytes:
    auth, integrity, conf = HASHES[suite][:3] if isinstance(suite, int) else suite
    triples = b"".join(bytes((kind, 0, 0, 8, algorithm, 0, 0, 0)) for kind, algorithm in enumerate((auth, integrity, conf)))
    return handshake(0x10, bytes((tag, privilege, 0, 0)) + console + triples)


class Refused(Exception):
    """The BMC answered with an RMCP+ status."""

    def __init__(self, message: int, status: int) -> None:
        super().__init__(f"message 0x{message:02x} status 0x{status:02x}")
        self.message, self.status = message, status


@dataclass
class Client:
    """A session of suite 3 or 17. `login` raises Refused; `command` returns (completion code, data), None for silence."""

    send: Send
    user: str = "root"
    password: str = "Tr0ub4dor&3"
    suite: int = 3
    privilege: int = 4
    kg: bytes | None = None
    console: bytes = field(default_factory=lambda: os.urandom(4))
    managed: bytes = b""
    guid: bytes = b""
    sequence: int = 0
    rq_seq: int = 0

    def _one(self, datagram: bytes) -> bytes | None:
        replies = self.send(datagram)
        assert len(replies) <= 1
        return replies[0] if replies else None

    def _body(self, datagram: bytes, kind: int) -> bytes:
        reply = self._one(datagram)
        assert reply is not None, "silence"
        assert reply[:4] == RMCP
        assert reply[5] == kind
        body = reply[16 : 16 + struct.unpack("<H", reply[14:16])[0]]
        if body[1]:
            raise Refused(kind, body[1])
        return body

    def open(self) -> None:
        body = self._body(open_request(self.suite, self.console, tag=7), 0x11)
        assert body[0] == 7
        assert body[4:8] == self.console
        assert tuple(body[16 + 8 * n] for n in range(3)) == HASHES[self.suite][:3]
        self.managed = body[8:12]

    def rakp1_message(self, random: bytes) -> bytes:
        name = self.user.encode()
        self.random, self.identity = random, bytes((self.privilege, len(name))) + name
        return handshake(0x12, bytes((8, 0, 0, 0)) + self.managed + random + bytes((self.privilege, 0, 0, len(name))) + name)

    def rakp1(self) -> bool:
        """Whether the BMC knows the password that we have."""
        body = self._body(self.rakp1_message(os.urandom(16)), 0x13)
        self.bmc_random, self.guid = body[8:24], body[24:40]
        signed = self.console + self.managed + self.random + self.bmc_random + self.guid + self.identity
        return hmac.compare_digest(hmac.digest(self.password.encode(), signed, self.digest), body[40:])

    @property
    def digest(self) -> str:
        return HASHES[self.suite][3]

    def rakp3_message(self, status: int = 0) -> bytes:
        code = hmac.digest(self.password.encode(), self.bmc_random + self.console + self.identity, self.digest)
        return handshake(0x14, bytes((9, status, 0, 0)) + self.managed + (b"" if status else code))

    def rakp3(self) -> None:
        body = self._body(self.rakp3_message(), 0x15)
        key = self.kg or self.password.encode()
        self.sik = hmac.digest(key, self.random + self.bmc_random + self.identity, self.digest)
        self.k1, self.k2 = (hmac.digest(self.sik, bytes((n,)) * 20, self.digest) for n in (1, 2))
        code = hmac.digest(self.sik, self.random + self.managed + self.guid, self.digest)
        assert body[8:] == code[: HASHES[self.suite][4]]

    def login(self, *, raise_privilege: bool = True) -> Client:
        self.open()
        self.rakp1()
        self.rakp3()
        if raise_privilege:
            assert self.command(6, 0x3B, bytes((self.privilege,))) == (0, bytes((self.privilege,)))
        return self

    def wrap(self, message: bytes, *, sequence: int | None = None, encrypt: bool = True, sign: bool = True) -> bytes:
        if sequence is None:
            self.sequence += 1
            sequence = self.sequence
        payload = message
        if encrypt:
            pad = -(len(message) + 1) % 16
            payload = self.aes(message + bytes(range(1, pad + 1)) + bytes((pad,)))
        kind = 0x80 * encrypt | 0x40 * sign
        packet = RMCP + bytes((6, kind)) + self.managed + struct.pack("<IH", sequence, len(payload)) + payload
        return self.sign(packet) if sign else packet

    def aes(self, padded: bytes) -> bytes:
        iv = os.urandom(16)
        crypt = Cipher(algorithms.AES(self.k2[:16]), modes.CBC(iv)).encryptor()
        return iv + crypt.update(padded) + crypt.finalize()

    def sign(self, packet: bytes) -> bytes:
        pad = -(len(packet) - 4 + 2) % 4
        packet += b"\xff" * pad + bytes((pad, 7))
        return packet + hmac.digest(self.k1, packet[4:], self.digest)[: HASHES[self.suite][4]]

    def unwrap(self, datagram: bytes) -> bytes:
        icv = HASHES[self.suite][4]
        assert datagram[5] == 0xC0
        assert datagram[6:10] == self.console
        assert hmac.digest(self.k1, datagram[4:-icv], self.digest)[:icv] == datagram[-icv:]
        (length,) = struct.unpack("<H", datagram[14:16])
        payload = datagram[16 : 16 + length]
        crypt = Cipher(algorithms.AES(self.k2[:16]), modes.CBC(payload[:16])).decryptor()
        plain = crypt.update(payload[16:]) + crypt.finalize()
        return plain[: -plain[-1] - 1]

    def command(self, netfn: int, cmd: int, data: bytes = b"") -> tuple[int, bytes] | None:
        self.rq_seq = (self.rq_seq + 1) % 64
        reply = self._one(self.wrap(request(netfn, cmd, data, self.rq_seq)))
        if reply is None:
            return None
        message = self.unwrap(reply)
        assert message[4] >> 2 == self.rq_seq
        assert message[1] >> 2 == netfn + 1
        assert message[5] == cmd
        return answer(message)

    def close(self) -> tuple[int, bytes] | None:
        return self.command(6, 0x3C, self.managed)


@dataclass
class Client15:
    """An IPMI 1.5 session. `auth_type` is 0 (none), 2 (MD5) or 4 (password)."""

    send: Send
    user: str = "root"
    password: str = "Tr0ub4dor&3"
    auth_type: int = 2
    privilege: int = 4
    session_id: bytes = bytes(4)
    sequence: int = 0
    rq_seq: int = 0
    heard: int = 100
    signs_each: bool = True  # what the BMC wants of the messages after the activation

    def code(self, message: bytes, sequence: int) -> bytes:
        key = self.password.encode().ljust(16, b"\0")
        signed = key + self.session_id + message + struct.pack("<I", sequence) + key
        return {0: b"", 2: hashlib.md5(signed).digest(), 4: key}[self.auth_type]

    def wrap(self, message: bytes, sequence: int | None = None) -> bytes:
        if sequence is None:
            sequence = self.sequence
            self.sequence += bool(self.sequence)
        head = RMCP + bytes((self.auth_type,)) + struct.pack("<I", sequence) + self.session_id
        return head + self.code(message, sequence) + bytes((len(message),)) + message

    def unwrap(self, datagram: bytes) -> bytes:
        """Checks the BMC's code, and that its sequence counts up."""
        assert datagram[4] == self.auth_type
        assert datagram[9:13] == self.session_id
        (sequence,) = struct.unpack("<I", datagram[5:9])
        start = 29 if self.auth_type else 13
        message = datagram[start + 1 : start + 1 + datagram[start]]
        assert datagram[13:start] == self.code(message, sequence)
        assert sequence in (0, self.heard)
        self.heard += bool(sequence)
        return message

    def challenge(self) -> tuple[int, bytes]:
        data = bytes((self.auth_type,)) + self.user.encode().ljust(16, b"\0")
        (reply,) = self.send(sessionless(request(6, 0x39, data)))
        return open_sessionless(reply)

    def activation(self, text: bytes) -> bytes:
        return request(6, 0x3A, bytes((self.auth_type, self.privilege)) + text + struct.pack("<I", self.heard))

    def login(self) -> Client15:
        """Raises Refused with a completion code; AssertionError for silence."""
        code, data = self.challenge()
        if code:
            raise Refused(0x39, code)
        self.session_id, text = data[:4], data[4:]
        replies = self.send(self.wrap(self.activation(text)))
        assert replies, "silence"
        code, data = answer(self.unwrap(replies[0]))
        if code:
            raise Refused(0x3A, code)
        assert data[0] == (self.auth_type if self.signs_each else 0)
        assert data[1:5] == self.session_id
        (self.sequence,) = struct.unpack("<I", data[5:9])
        return self

    def command(self, netfn: int, cmd: int, data: bytes = b"") -> tuple[int, bytes] | None:
        self.rq_seq = (self.rq_seq + 1) % 64
        replies = self.send(self.wrap(request(netfn, cmd, data, self.rq_seq)))
        return answer(self.unwrap(replies[0])) if replies else None
