"""IPMI 1.5 sessions: challenge, activation, and the authentication code of every message (IPMI 2.0, 13.6, 22.16, 22.17).

`login15` makes challenges and links; the responder calls `Lan15Link` for each datagram, in the emulator's one thread.

Theory
  A client asks for a challenge and sends it back with an authentication code. After that every message of the session has such a
  code. With MD5 it is a digest over password, session id, message and sequence number; with "password" it is the password in
  clear text; with "none" there is no code, and a user name is enough to log in. If the channel access disables per-message
  authentication, only the activation needs a code (6.11.4).

  An activation with a wrong password gets no answer, because the standard drops every message with a wrong code. The client waits
  for its whole time-out, as with hardware.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

from emulator.core.bmc.accounts import LocalAccount
from emulator.core.clock import Instant
from emulator.ipmi.session import rmcp
from emulator.ipmi.session.rmcp import IpmiMessage, Lan15, Malformed, RmcpPlus
from emulator.ipmi.session.suites import CipherSuite
from emulator.ipmi.session.window import SequenceWindow

MAX_PASSWORD = 16
"""Bytes of a password at most in IPMI 1.5. An account with a longer one can log in over RMCP+ only."""

ACTIVATE_SESSION = (0x06, 0x3A)


class AuthType(IntEnum):
    """IPMI 2.0, table 13-8."""

    NONE = 0
    MD5 = 2
    PASSWORD = 4


AUTH_TYPE_OF_WORD = {"none": AuthType.NONE, "md5": AuthType.MD5, "password": AuthType.PASSWORD}
"""The authentication types by the words that profiles use."""


@lru_cache(maxsize=64)
def offered_beside(suites: tuple[CipherSuite, ...]) -> frozenset[AuthType]:
    """The IPMI 1.5 authentication types where the profile names none. A BMC without SHA-1 has none, as OpenBMC: only RMCP+."""
    old = any(suite.digest == "sha1" for suite in suites)
    return frozenset({AuthType.MD5, AuthType.PASSWORD}) if old else frozenset()


class Lan15Link:
    """The `Link` of a 1.5 session. The first datagrams of both sides have sequence number 0; `start` sets the next numbers."""

    def __init__(self, session_id: bytes, auth_type: AuthType, password: str) -> None:
        self._id = session_id
        self._type = auth_type
        self._key = password.encode().ljust(MAX_PASSWORD, b"\0")
        self._out = 0
        self._window = SequenceWindow()
        self._accept_unauthenticated = False
        self._answer_auth_type = auth_type

    def start(self, first_out: int, first_in: int, *, accept_unauthenticated: bool = False) -> None:
        """Sets the next sequence numbers.

        `accept_unauthenticated`: messages without a code are accepted too from now on, and answered without one.
        """
        self._out = first_out or 1
        self._window = SequenceWindow(_highest=first_in - 1)
        self._accept_unauthenticated = accept_unauthenticated

    def _code(self, payload: bytes, sequence: int, auth_type: AuthType) -> bytes:
        match auth_type:
            case AuthType.NONE:
                return b""
            case AuthType.PASSWORD:
                return self._key
            case AuthType.MD5:
                signed = self._key + self._id + payload + sequence.to_bytes(4, "little") + self._key
                return hashlib.md5(signed, usedforsecurity=False).digest()

    def proves_password(self, datagram: Lan15) -> bool:
        """Whether the authentication code of a datagram is right. Compares in constant time."""
        right = self._code(datagram.payload, datagram.sequence, self._type)
        return datagram.auth_type == self._type and hmac.compare_digest(right, datagram.auth_code)

    def open(self, datagram: RmcpPlus | Lan15) -> IpmiMessage | None:
        """The request inside; None for a replay. Raises Malformed."""
        if not isinstance(datagram, Lan15):
            raise Malformed("an RMCP+ datagram in an IPMI 1.5 session")
        unauthenticated = self._accept_unauthenticated and datagram.auth_type == AuthType.NONE
        if not unauthenticated and not self.proves_password(datagram):
            raise Malformed("wrong authentication code")
        message = rmcp.parse_message(datagram.payload)
        if not self._window.admits(datagram.sequence):
            return None
        self._answer_auth_type = AuthType.NONE if unauthenticated else self._type
        return message

    def seal(self, message: IpmiMessage, code: int, data: bytes) -> bytes:
        payload, sequence, kind = rmcp.answer(message, code, data), self._out, self._answer_auth_type
        if sequence:
            self._out = (sequence + 1) & 0xFFFFFFFF or 1  # 0 is for messages outside of a session
        auth_code = self._code(payload, sequence, kind)
        return rmcp.lan15(payload, auth_type=kind, sequence=sequence, session_id=self._id, auth_code=auth_code)


@dataclass(slots=True, kw_only=True)
class Challenge:
    """A challenge that a client asked for and has not sent back yet."""

    id: bytes
    since: Instant
    account: LocalAccount
    text: bytes
    auth_type: AuthType
    link: Lan15Link
