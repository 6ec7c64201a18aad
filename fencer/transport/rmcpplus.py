"""Packets, keys and status words of RMCP+ (IPMI 2.0, section 13), as bytes. `IpmiSession` calls these functions.

Rules
  1. Pure: no socket, no clock; random bytes come in as arguments.
  2. Every received packet is checked before use: lengths, session, authentication code, padding. A wrong packet is dropped
     (the result is None), as the specification requires; no packet raises an exception.

Theory
  There are three secrets: K_uid (the password), K_g (the BMC's key; K_uid if there is none) and SIK, computed from the
  random numbers of both sides. K1 signs packets, the first 16 bytes of K2 encrypt them. Suite 3 does this with SHA-1 and 12-byte
  signatures, suite 17 with SHA-256 and 16-byte ones; both encrypt with AES-CBC-128.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

RMCP = b"\x06\x00\xff\x07"
RMCPPLUS = 0x06
IPMI, OPEN, OPENED, RAKP1, RAKP2, RAKP3, RAKP4 = 0x00, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15
ENCRYPTED, SIGNED = 0x80, 0x40
NAME_ONLY = 0x10  # the BMC looks the user up by name only, whatever the privilege


@dataclass(frozen=True, slots=True)
class Suite:
    """A cipher suite (table 22-20)."""

    number: int
    authentication: int
    integrity: int
    confidentiality: int
    hash: str
    signature: int  # bytes of the integrity code, and of the one in RAKP 4

    def mac(self, key: bytes, *parts: bytes) -> bytes:
        return hmac.new(key, b"".join(parts), self.hash).digest()

    @property
    def mac_size(self) -> int:
        return hashlib.new(self.hash).digest_size


SUITES: Mapping[int, Suite] = {
    3: Suite(3, 0x01, 0x01, 0x01, "sha1", 12),
    17: Suite(17, 0x03, 0x04, 0x01, "sha256", 16),
}
STATUS_WORDS: Mapping[int, str] = {  # table 13-15
    0x01: "insufficient resources for a session",
    0x02: "invalid session id",
    0x03: "invalid payload type",
    0x04: "invalid authentication algorithm",
    0x05: "invalid integrity algorithm",
    0x06: "no matching authentication payload",
    0x07: "no matching integrity payload",
    0x08: "inactive session id",
    0x09: "invalid role",
    0x0A: "unauthorized role or privilege level",
    0x0B: "insufficient resources for a session at that role",
    0x0C: "invalid name length",
    0x0D: "unauthorized name",
    0x0E: "unauthorized GUID",
    0x0F: "invalid integrity check value",
    0x10: "invalid confidentiality algorithm",
    0x11: "no cipher suite match",
    0x12: "illegal or unrecognized parameter",
}


@dataclass(frozen=True, slots=True)
class Packet:
    """One received RMCP+ packet that passed every check."""

    kind: int
    session: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class RmcpKeys:
    """The keys of an open session: K1 signs, K2 encrypts."""

    suite: Suite
    k1: bytes
    k2: bytes


@dataclass(frozen=True, slots=True)
class Handshake:
    """The values that RAKP exchanges (13.20 to 13.23)."""

    suite: Suite
    console_session: int
    bmc_session: int
    console_random: bytes
    bmc_random: bytes
    guid: bytes
    role: int
    user: bytes

    def _role_and_name(self) -> bytes:
        return bytes([self.role, len(self.user)]) + self.user

    def rakp2_code(self, password: bytes) -> bytes:
        ids = struct.pack("<II", self.console_session, self.bmc_session)
        return self.suite.mac(password, ids, self.console_random, self.bmc_random, self.guid, self._role_and_name())

    def rakp3_code(self, password: bytes) -> bytes:
        return self.suite.mac(password, self.bmc_random, struct.pack("<I", self.console_session), self._role_and_name())

    def session_key(self, kg: bytes) -> bytes:
        return self.suite.mac(kg, self.console_random, self.bmc_random, self._role_and_name())

    def rakp4_code(self, sik: bytes) -> bytes:
        code = self.suite.mac(sik, self.console_random, struct.pack("<I", self.bmc_session), self.guid)
        return code[: self.suite.signature]

    def keys(self, sik: bytes) -> RmcpKeys:
        """Derives K1 and K2 from the SIK. The constants are 20 bytes long for every hash (13.32)."""
        return RmcpKeys(self.suite, self.suite.mac(sik, b"\x01" * 20), self.suite.mac(sik, b"\x02" * 20))


def open_request(tag: int, privilege: int, session: int, suite: Suite) -> bytes:
    algorithms_wanted = (suite.authentication, suite.integrity, suite.confidentiality)
    body = struct.pack("<BBHI", tag, privilege, 0, session)
    for kind, number in enumerate(algorithms_wanted):
        body += bytes([kind, 0, 0, 8, number, 0, 0, 0])
    return body


def rakp1(tag: int, bmc_session: int, console_random: bytes, role: int, user: bytes) -> bytes:
    return struct.pack("<BxxxI", tag, bmc_session) + console_random + bytes([role, 0, 0, len(user)]) + user


def rakp3(tag: int, bmc_session: int, code: bytes) -> bytes:
    return struct.pack("<BxxxI", tag, bmc_session) + code


def suite_of(authentication: int, integrity: int, confidentiality: int) -> Suite | None:
    """Returns the supported suite with these algorithms, or None."""
    for suite in SUITES.values():
        if (suite.authentication, suite.integrity, suite.confidentiality) == (
            authentication, integrity, confidentiality,
        ):  # fmt: skip
            return suite
    return None


def pack(
    kind: int, payload: bytes, *, session: int = 0, sequence: int = 0, keys: RmcpKeys | None = None, iv: bytes = b""
) -> bytes:
    """Builds a packet, signed and encrypted if `keys` is given. `iv`: 16 new random bytes for each signed packet."""
    if keys is not None:
        kind |= ENCRYPTED | SIGNED
        payload = iv + _aes(keys, iv, _padded(payload), decrypt=False)
    head = struct.pack("<BBIIH", RMCPPLUS, kind, session, sequence, len(payload))
    body = head + payload
    if keys is None:
        return RMCP + body
    padding = -(len(body) + 2) % 4
    body += b"\xff" * padding + bytes([padding, 0x07])
    return RMCP + body + keys.suite.mac(keys.k1, body)[: keys.suite.signature]


def unpack(packet: bytes, keys: RmcpKeys | None = None) -> Packet | None:
    """Parses a packet; None if any check fails. With `keys`, only signed packets are accepted."""
    if len(packet) < 16 or packet[:1] != b"\x06" or packet[3] != 0x07 or packet[4] != RMCPPLUS:
        return None
    _, kind, session, _, size = struct.unpack("<BBIIH", packet[4:16])
    payload = packet[16 : 16 + size]
    if len(payload) != size:
        return None
    if keys is None:
        return None if kind & (ENCRYPTED | SIGNED) else Packet(kind & 0x3F, session, payload)
    signed, code = packet[4 : -keys.suite.signature], packet[-keys.suite.signature :]
    if not kind & SIGNED or len(signed) < 12 + size:
        return None
    if not hmac.compare_digest(keys.suite.mac(keys.k1, signed)[: keys.suite.signature], code):
        return None
    if kind & ENCRYPTED:
        opened = _unpadded(_aes(keys, payload[:16], payload[16:], decrypt=True)) if _is_cbc(payload) else None
        return None if opened is None else Packet(kind & 0x3F, session, opened)
    return Packet(kind & 0x3F, session, payload)


def _is_cbc(payload: bytes) -> bool:
    return len(payload) >= 32 and len(payload) % 16 == 0


def _aes(keys: RmcpKeys, iv: bytes, data: bytes, *, decrypt: bool) -> bytes:
    cipher = Cipher(algorithms.AES(keys.k2[:16]), modes.CBC(iv))
    context = cipher.decryptor() if decrypt else cipher.encryptor()
    return context.update(data) + context.finalize()


def _padded(data: bytes) -> bytes:
    size = -(len(data) + 1) % 16
    return data + bytes(range(1, size + 1)) + bytes([size])


def _unpadded(data: bytes) -> bytes | None:
    size = data[-1]
    if size > 15 or data[len(data) - 1 - size : -1] != bytes(range(1, size + 1)):
        return None
    return data[: len(data) - 1 - size]


def _checksum(data: bytes) -> int:
    return -sum(data) & 0xFF


def message(sequence: int, netfn: int, command: int, data: bytes = b"") -> bytes:
    """Builds an IPMI request to the BMC (figure 13-4)."""
    head = bytes([0x20, netfn << 2])
    body = bytes([0x81, sequence << 2, command]) + data
    return head + bytes([_checksum(head)]) + body + bytes([_checksum(body)])


def answer(payload: bytes, sequence: int, netfn: int, command: int) -> bytes | None:
    """Returns completion code and data if `payload` answers that request; otherwise None."""
    if len(payload) < 8 or _checksum(payload[:2]) != payload[2] or _checksum(payload[3:-1]) != payload[-1]:
        return None
    if payload[1] >> 2 != netfn | 1 or payload[4] >> 2 != sequence or payload[5] != command:
        return None
    return payload[6:-1]
