"""The messages and keys of the RMCP+ handshake: Open Session, RAKP 1 to 4 (IPMI 2.0, 13.17 to 13.24, 13.31).

`RakpLogin` calls it, in the emulator's one thread; it also checks accounts and keeps the session table.

Rules
  1. All functions but `rakp2` are pure; `rakp2` stores the message and its random number in the half-open session.
  2. A half-open session is small and has no key, because its client has proved nothing yet.
  3. A repeated message gets the same answer again. A client that missed one must not have other random numbers than the BMC.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from emulator.core.clock import Instant
from emulator.ipmi.session.rmcp import Malformed
from emulator.ipmi.session.sessions import IpmiPrivilege
from emulator.ipmi.session.suites import CipherSuite, RmcpStatus

MAX_NAME = 16
HIGHEST_ROLE = 5
"""OEM. No account has this privilege here; higher values do not exist."""
KG_BYTES = 20
MAX_PASSWORD = 20
"""Bytes of a password at most (22.30). An account with a longer one cannot log in over IPMI, as on hardware."""


class OpenRequest(NamedTuple):
    """RMCP+ Open Session Request (table 13-9). `wants` is the highest privilege asked for; 0: the highest possible.

    `proposal` is (authentication, integrity, confidentiality). None: the BMC chooses the algorithm; -1: not a valid proposal.
    """

    tag: int
    wants: int
    console_id: bytes
    proposal: tuple[int | None, int | None, int | None]


class Rakp1(NamedTuple):
    """RAKP Message 1 (table 13-11). `name` is shorter than `name_length` in a message that is too short."""

    tag: int
    managed_id: bytes
    random: bytes
    role: int
    name_length: int
    name: bytes

    @property
    def wants(self) -> int:
        """The privilege asked for; 0: the highest possible."""
        return self.role & 0x0F


class Rakp3(NamedTuple):
    """RAKP Message 3 (table 13-13). `status` is not 0 where the client refused our RAKP 2."""

    tag: int
    status: int
    managed_id: bytes
    auth_code: bytes


@dataclass(slots=True, kw_only=True)
class RakpHalfOpen:
    """A handshake that is under way."""

    id: bytes
    console_id: bytes
    suite: CipherSuite
    since: Instant
    limit: int = IpmiPrivilege.ADMINISTRATOR  # the highest privilege: of the suite, of the channel, and asked for
    rakp1: Rakp1 | None = None
    random: bytes = b""


class SessionKeys(NamedTuple):
    """The keys of a session (13.31, 13.32)."""

    suite: CipherSuite
    sik: bytes
    k1: bytes
    k2: bytes


def parse_open_request(body: bytes) -> OpenRequest:
    """Parses an Open Session Request. Raises Malformed. A proposal that is cut off is answered, with ILLEGAL_PARAMETER."""
    if len(body) < 8:
        raise Malformed("the open session request is cut off")
    if len(body) < 32:
        return OpenRequest(body[0], body[1] & 0x0F, body[4:8], (-1, -1, -1))
    proposal = _proposed(body, 0, 8), _proposed(body, 1, 16), _proposed(body, 2, 24)
    return OpenRequest(body[0], body[1] & 0x0F, body[4:8], proposal)


def _proposed(body: bytes, kind: int, at: int) -> int | None:
    if body[at + 3] == 0:
        return None
    return body[at + 4] & 0x3F if body[at] == kind else -1


def parse_rakp1(body: bytes) -> Rakp1:
    """Parses RAKP Message 1. Raises Malformed."""
    if len(body) < 28:
        raise Malformed("RAKP 1 is cut off")
    length = body[27]
    return Rakp1(body[0], body[4:8], body[8:24], body[24], length, body[28 : 28 + length])


def parse_rakp3(body: bytes) -> Rakp3:
    """Parses RAKP Message 3. Raises Malformed."""
    if len(body) < 8:
        raise Malformed("RAKP 3 is cut off")
    return Rakp3(body[0], body[1], body[4:8], body[8:])


def status_answer(tag: int, status: int, console_id: bytes) -> bytes:
    """The short answer to a handshake message that is refused: tag, status and the console's session id."""
    return bytes((tag, status, 0, 0)) + console_id


def open_response(request: OpenRequest, half: RakpHalfOpen) -> bytes:
    """RMCP+ Open Session Response (table 13-10)."""
    auth, integrity, confidentiality = half.suite.algorithms
    chosen = bytes((0, 0, 0, 8, auth, 0, 0, 0, 1, 0, 0, 8, integrity, 0, 0, 0, 2, 0, 0, 8, confidentiality, 0, 0, 0))
    return bytes((request.tag, RmcpStatus.OK, half.limit, 0)) + half.console_id + half.id + chosen


def _identity(rakp1: Rakp1) -> bytes:
    return bytes((rakp1.role, len(rakp1.name))) + rakp1.name


def rakp2(half: RakpHalfOpen, rakp1: Rakp1, key: bytes, guid: bytes, entropy: Callable[[int], bytes]) -> bytes:
    """RAKP Message 2 (table 13-12)."""
    if half.rakp1 is None or half.rakp1._replace(tag=rakp1.tag) != rakp1:  # some clients use a new tag for each try
        half.rakp1, half.random = rakp1, entropy(16)
    signed = half.console_id + half.id + rakp1.random + half.random + guid + _identity(rakp1)
    code = hmac.digest(key, signed, half.suite.digest)
    return bytes((rakp1.tag, RmcpStatus.OK, 0, 0)) + half.console_id + half.random + guid + code


def proves_password(half: RakpHalfOpen, rakp1: Rakp1, rakp3: Rakp3, key: bytes) -> bool:
    """Whether RAKP 3 was made with this password; compared in constant time."""
    expected = hmac.digest(key, half.random + half.console_id + _identity(rakp1), half.suite.digest)
    return hmac.compare_digest(expected, rakp3.auth_code)


def derive_keys(half: RakpHalfOpen, rakp1: Rakp1, key: bytes) -> SessionKeys:
    """The session's keys. `key` is K_g where one is set, otherwise the user's password."""
    sik = hmac.digest(key, rakp1.random + half.random + _identity(rakp1), half.suite.digest)
    k1, k2 = hmac.digest(sik, b"\1" * 20, half.suite.digest), hmac.digest(sik, b"\2" * 20, half.suite.digest)
    return SessionKeys(half.suite, sik, k1, k2)


def rakp4(half: RakpHalfOpen, rakp1: Rakp1, rakp3: Rakp3, keys: SessionKeys, guid: bytes) -> bytes:
    """RAKP Message 4 (table 13-14)."""
    code = hmac.digest(keys.sik, rakp1.random + half.id + guid, half.suite.digest)
    return status_answer(rakp3.tag, RmcpStatus.OK, half.console_id) + code[: half.suite.icv_length]
