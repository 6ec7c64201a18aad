"""One RMCP+ session (IPMI 2.0, section 13) on one UDP socket, with strict time limits.

`IpmiTransport` calls it from one thread. Times are seconds of the monotonic clock.

Rules
  1. A call ends within its time-out. Lost packets are sent again while there is time, except for power commands.
  2. RAKP errors that judge the user or the password count as refused log-ins (`refused_logins`).
  3. A BMC that does not answer is unreachable, not off. A BMC that answers Open Session and then does not answer RAKP 1
     has refused the user name.
"""

from __future__ import annotations

import itertools
import os
import secrets
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from fencer.outcome import Cause, Failure
from fencer.target import Target
from fencer.transport import rmcpplus
from fencer.transport.base import CallFailed
from fencer.transport.limits import addresses
from fencer.transport.refused_logins import RefusedLogins

Reply = TypeVar("Reply")

RESEND_INTERVAL_S = 1.0  # between two copies of one packet
DEFAULT_PORT = 623
LOGOUT_TIMEOUT_S = 1.5
LOGOUT_RESEND_S = 0.4
MAX_UNUSABLE_ANSWERS = 4  # to Open Session in one call, so that a broken BMC is not flooded
SESSION_CAUSES = {
    0x01: Cause.BUSY,
    0x0B: Cause.BUSY,
    0x09: Cause.PRIVILEGE,
    0x0A: Cause.PRIVILEGE,
    0x0D: Cause.AUTH,
    0x0F: Cause.AUTH,
    0x0C: Cause.AUTH,
    0x0E: Cause.AUTH,
    0x04: Cause.UNSUPPORTED,
    0x05: Cause.UNSUPPORTED,
    0x10: Cause.UNSUPPORTED,
    0x11: Cause.UNSUPPORTED,
}
OTHER_SUITE = frozenset({0x04, 0x05, 0x10, 0x11, 0x12})


class IpmiSession:
    """Opens the session on first use, and opens a new one after two lost answers in a row."""

    def __init__(self, target: Target, refused: RefusedLogins | None = None) -> None:
        """`refused` counts the refused log-ins of all transports of a run. Raises CallFailed for settings that cannot work."""
        self._target = target
        self._user = target.user.encode("utf-8", "surrogateescape")
        self._password = target.password.encode("utf-8", "surrogateescape")
        if len(self._user) > 16:
            raise _bad_setting("an IPMI user name has at most 16 bytes")
        if len(self._password) > 20:
            raise _bad_setting("an IPMI 2.0 password has at most 20 bytes")
        if len(target.kg) > 20:
            raise _bad_setting("an IPMI K_g key has at most 20 bytes")
        if target.cipher is not None and target.cipher not in rmcpplus.SUITES:
            raise _bad_setting(f"cipher suite {target.cipher} is not one of 3 and 17")
        self._name = f"{target.host}:{target.port or DEFAULT_PORT}"
        self._socket: socket.socket | None = None
        self._place = 0  # in the addresses of the host name: the next one is used after one that does not answer
        self._keys: rmcpplus.RmcpKeys | None = None
        self._bmc_session = 0
        self._console_session = 0
        self._sequence = 0
        self._message = 0
        self._lost = 0
        self._refused_logins = refused or RefusedLogins()
        self.guid: bytes | None = None  # as received; None if it is zero
        self.suite: int | None = None

    def request(self, netfn: int, command: int, data: bytes, timeout: float, *, once: bool = False) -> bytes:
        """Sends one IPMI command; returns completion code and data. `once`: never sends it again. Raises CallFailed."""
        end = time.monotonic() + timeout
        if self._keys is None:
            self._open(end)
        try:
            reply = self._command(netfn, command, data, end, once=once)
        except CallFailed:
            self._lost += 1
            if self._lost > 1:  # after two lost answers the BMC has probably restarted and dropped the session
                self._drop()
            raise
        self._lost = 0
        return reply

    @property
    def is_open(self) -> bool:
        return self._keys is not None

    def close(self, timeout: float = LOGOUT_TIMEOUT_S) -> None:
        """Closes the session and the socket. If Close Session is lost, the BMC ends the session by its own time-out."""
        if self._keys is not None:
            try:
                data = struct.pack("<I", self._bmc_session)
                end = time.monotonic() + min(timeout, LOGOUT_TIMEOUT_S)
                self._command(0x06, 0x3C, data, end, once=False, interval=LOGOUT_RESEND_S)
            except CallFailed:
                pass
        self._drop()

    def _drop(self) -> None:
        self._keys = None
        self._lost = 0
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    # --- opening -------------------------------------------------------------------------------------------------

    def _open(self, end: float) -> None:
        self._refused_logins.wait(end)
        try:
            self._connect(end)
            suite = self._open_session(end)
            self._authenticate(suite, end)
            code = self._command(0x06, 0x3B, bytes([self._target.privilege]), end, once=False)
        except CallFailed as call_failed:
            self._drop()
            if call_failed.failure.cause is Cause.UNREACHABLE:
                self._place += 1
            if call_failed.failure.cause is Cause.AUTH:
                raise self._refused_logins.add(call_failed.failure) from call_failed
            raise
        if code[0]:
            self.close(end - time.monotonic())
            raise _call_failed(
                Cause.PRIVILEGE,
                f"{self._name} refuses privilege level {self._target.privilege} to this user",
                code=f"0x{code[0]:02X}",
            )

    def _connect(self, end: float) -> None:
        found = list(dict.fromkeys(addresses(self._target.host, max(end - time.monotonic(), 0.05))))
        family, address = found[self._place % len(found)]
        try:
            self._socket = socket.socket(family, socket.SOCK_DGRAM)
            self._socket.connect((address, self._target.port or DEFAULT_PORT))
        except OSError as error:
            raise _call_failed(Cause.UNREACHABLE, f"{self._name}: no route ({error.strerror})") from error

    def _open_session(self, end: float) -> rmcpplus.Suite:
        """Proposes cipher suites 17 and 3 in turn: some BMCs refuse an unknown suite, others do not answer."""
        wanted = [rmcpplus.SUITES[self._target.cipher]] if self._target.cipher else [rmcpplus.SUITES[17], rmcpplus.SUITES[3]]
        self._console_session = secrets.randbits(31) + 1
        self._sequence = 0
        refused: set[int] = set()
        refusal: CallFailed | None = None
        silent, unusable = True, 0
        for suite in itertools.cycle(wanted):
            if suite.number in refused:
                if len(refused) == len(wanted) and refusal is not None:
                    raise refusal
                continue
            tag = secrets.randbits(8)
            # Privilege 0 requests the highest level that the suite allows; the BMC checks the user's own limit at RAKP 1.
            body = rmcpplus.open_request(tag, 0, self._console_session, suite)
            reply = self._handshake(rmcpplus.OPEN, body, rmcpplus.OPENED, tag, end, once=True)
            if reply is None:
                if time.monotonic() >= end:
                    break
                continue
            silent = False
            if reply[1]:
                refusal = self._refused("Open Session", reply[1])
                if reply[1] not in OTHER_SUITE:
                    raise refusal
                refused.add(suite.number)
                continue
            if len(reply) < 36:
                unusable += 1
                if unusable >= MAX_UNUSABLE_ANSWERS:
                    break
                continue
            answered = rmcpplus.suite_of(reply[16], reply[24], reply[32])
            if answered is None or (self._target.cipher and answered.number != self._target.cipher):
                raise _call_failed(Cause.UNSUPPORTED, f"{self._name} chose a cipher suite that was not proposed")
            self._bmc_session = struct.unpack("<I", reply[8:12])[0]
            return answered
        if refusal is not None:
            raise refusal
        words = "does not answer" if silent else "brings no usable Open Session answer"
        raise _call_failed(Cause.UNREACHABLE if silent else Cause.BAD_RESPONSE, f"{self._name} {words} (RMCP+)")

    def _authenticate(self, suite: rmcpplus.Suite, end: float) -> None:
        role = self._target.privilege | rmcpplus.NAME_ONLY
        console_random = os.urandom(16)
        tag = secrets.randbits(8)
        body = rmcpplus.rakp1(tag, self._bmc_session, console_random, role, self._user)
        reply = self._handshake(rmcpplus.RAKP1, body, rmcpplus.RAKP2, tag, end, once=False)
        if reply is None:
            text = f"{self._name} opened a session and ignored the user name: a BMC that does not know it may do so"
            raise _call_failed(Cause.AUTH, text)
        if reply[1]:
            raise self._refused("RAKP 1", reply[1])
        if len(reply) < 40 + suite.mac_size:
            raise _call_failed(Cause.BAD_RESPONSE, f"{self._name} sent a short RAKP 2")
        handshake = rmcpplus.Handshake(
            suite, self._console_session, self._bmc_session, console_random, reply[8:24], reply[24:40], role, self._user
        )
        if reply[40 : 40 + suite.mac_size] != handshake.rakp2_code(self._password):
            raise _call_failed(Cause.AUTH, f"{self._name} does not share this password (RAKP 2 does not verify)")
        tag = secrets.randbits(8)
        body = rmcpplus.rakp3(tag, self._bmc_session, handshake.rakp3_code(self._password))
        reply = self._handshake(rmcpplus.RAKP3, body, rmcpplus.RAKP4, tag, end, once=False)
        if reply is None:
            raise _call_failed(Cause.UNREACHABLE, f"{self._name} does not answer RAKP 3")
        if reply[1]:
            raise self._refused("RAKP 3", reply[1])
        sik = handshake.session_key(self._target.kg or self._password)
        if reply[8 : 8 + suite.signature] != handshake.rakp4_code(sik):
            raise _call_failed(Cause.AUTH, f"{self._name} does not share the K_g key (RAKP 4 does not verify)")
        self._keys = handshake.keys(sik)
        self.guid = handshake.guid if any(handshake.guid.strip(b"\xff")) else None
        self.suite = suite.number

    def _refused(self, what: str, status: int) -> CallFailed:
        words = rmcpplus.STATUS_WORDS.get(status, "no known status")
        cause = SESSION_CAUSES.get(status, Cause.BAD_RESPONSE)
        return _call_failed(cause, f"{self._name} refused {what}: {words}", code=f"RMCP+ 0x{status:02X}", words=words)

    # --- one exchange --------------------------------------------------------------------------------------------

    def _handshake(self, kind: int, body: bytes, wanted: int, tag: int, end: float, *, once: bool) -> bytes | None:
        def match(packet: bytes) -> bytes | None:
            seen = rmcpplus.unpack(packet)
            if seen is None or seen.kind != wanted or len(seen.payload) < 8:
                return None
            session = struct.unpack("<I", seen.payload[4:8])[0]
            # Some BMCs answer with tag 0; the console session id identifies the answer in that case.
            return seen.payload if seen.payload[0] in (tag, 0) and session == self._console_session else None

        return self._exchange(lambda: rmcpplus.pack(kind, body), match, end, once=once)

    def _command(self, netfn: int, command: int, data: bytes, end: float, *, once: bool, interval: float | None = None) -> bytes:
        keys = self._keys
        assert keys is not None
        self._message = self._message % 63 + 1
        body = rmcpplus.message(self._message, netfn, command, data)

        def packet() -> bytes:
            self._sequence += 1
            return rmcpplus.pack(
                rmcpplus.IPMI, body, session=self._bmc_session, sequence=self._sequence, keys=keys, iv=os.urandom(16)
            )

        def match(packet: bytes) -> bytes | None:
            seen = rmcpplus.unpack(packet, keys)
            if seen is None or seen.kind != rmcpplus.IPMI or seen.session != self._console_session:
                return None
            found = rmcpplus.answer(seen.payload, self._message, netfn, command)
            return found or None

        reply = self._exchange(packet, match, end, once=once, interval=interval)
        if reply is None:
            text = f"{self._name} does not answer IPMI command 0x{netfn:02X}/0x{command:02X}"
            raise _call_failed(Cause.UNREACHABLE, text)
        return reply

    def _exchange(
        self,
        packet: Callable[[], bytes],
        match: Callable[[bytes], Reply | None],
        end: float,
        *,
        once: bool,
        interval: float | None = None,
    ) -> Reply | None:
        """Sends the packet, and again each `interval` seconds (RESEND_INTERVAL_S), until `match` accepts an answer.

        None if the time is up.
        """
        assert self._socket is not None
        while (now := time.monotonic()) < end:
            resend_at = min(now + (interval or RESEND_INTERVAL_S), end)
            try:
                self._socket.send(packet())
                while (left := resend_at - time.monotonic()) > 0:
                    self._socket.settimeout(left)
                    found = match(self._socket.recv(2048))
                    if found is not None:
                        return found
            except TimeoutError:
                pass
            except OSError as error:
                text = f"{self._name}: UDP says {error.strerror or error}"
                raise _call_failed(Cause.UNREACHABLE, text) from error
            if once:
                return None
        return None


def _bad_setting(text: str) -> CallFailed:
    return CallFailed(Failure(cause=Cause.CONFIG, text=text), final=True)


def _call_failed(cause: Cause, text: str, *, code: str | None = None, words: str | None = None) -> CallFailed:
    failure = Failure(cause=cause, text=text)
    return CallFailed(replace(failure, code=code, bmc_text=words))
