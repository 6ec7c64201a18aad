"""pyghmi as a codec: what goes into and comes out of an established RMCP+ session.

Rules
  1. This is the only file that touches pyghmi's private parts; its version is pinned, and a contract test holds what is set here
     against what pyghmi itself sets.
  2. Never its sockets, its thread, its table of sessions by client address, its handshake or its constructor: with them a
     power-off for one BMC can reach another, one bad packet ends the process, and nothing ever expires.
  3. pyghmi opens and seals payloads; what is inside an IPMI payload is `rmcp`'s, as for sessions of IPMI 1.5.
  4. A request that could be opened is handed out and executed by the caller, so whatever is raised in here came from the bytes.
"""

from __future__ import annotations

import struct
from typing import Any

from pyghmi.ipmi.private import serversession

from emulator.ipmi.session.handshake import SessionKeys
from emulator.ipmi.session.rmcp import PAYLOAD_IPMI, PAYLOAD_SOL, IpmiMessage, Lan15, Malformed, RmcpPlus, answer, parse_message
from emulator.ipmi.session.window import SequenceWindow

UNREADABLE = (ValueError, IndexError, struct.error)
"""What pyghmi and AES raise for a payload that is authentic but cannot be read: bad length, bad padding, no padding."""


class PyghmiSession(serversession.ServerSession):  # type: ignore[misc]  # pyghmi has no types
    """pyghmi's server session after RAKP 4, without all that came before, and without its way to the network."""

    def __new__(cls, *_args: Any, **_kwargs: Any) -> PyghmiSession:
        return object.__new__(cls)

    def __init__(self, keys: SessionKeys, managed_id: bytes, console_id: bytes) -> None:
        # Deliberately no super().__init__: it registers the client's address in a global table and answers the handshake.
        self.ipmiversion = 2.0
        self.authtype = 6
        self.lastpayload = None
        self.last_payload_type = None
        self.currhashlib = keys.suite.digest
        self.currhashlen = keys.suite.icv_length
        self.k1, self.aeskey = keys.k1, keys.k2[:16]
        self.integrityalgo: int | str = keys.suite.integrity
        self.confalgo: int | str = "aes"
        self.localsid = int.from_bytes(managed_id, "little")
        self.sessionid = int.from_bytes(console_id, "little")
        self.sequencenumber = 1
        self.remseqnumber: int | None = None
        self.netpacket = bytearray()
        self._payload: bytes | None = None

    def unwrap(self, datagram: bytes) -> tuple[int, bytes] | None:
        """(sequence number, payload) of an authentic datagram, None for any other. Raises what UNREADABLE lists."""
        self._payload = None
        self.remseqnumber = None  # the link has a window; pyghmi would let the latest datagram in twice
        self._handle_ipmi2_packet(bytearray(datagram))
        return None if self._payload is None else (self.remseqnumber or 0, self._payload)

    def wrap(self, payload_type: int, payload: bytes) -> bytes:
        self.send_payload(payload=bytearray(payload), payload_type=payload_type, retry=False)
        return bytes(self.netpacket)

    def _parse_ipmi_payload(self, payload: bytearray) -> None:
        """Called by pyghmi once the datagram has proved to be authentic."""
        self._payload = bytes(payload)

    sol_handler = _parse_ipmi_payload
    """The same, for a serial-over-LAN payload."""

    def _xmit_packet(self, *_args: Any, **_kwargs: Any) -> None:
        """Called by pyghmi to send `netpacket`; it counts here, and whoever owns the socket sends it."""
        self.sequencenumber = self.sequencenumber % 0xFFFFFFFF + 1


class RmcpPlusLink:
    """The link of an RMCP+ session."""

    __slots__ = ("_session", "_window")

    def __init__(self, keys: SessionKeys, managed_id: bytes, console_id: bytes) -> None:
        self._session = PyghmiSession(keys, managed_id, console_id)
        self._window = SequenceWindow()

    def open(self, datagram: RmcpPlus | Lan15) -> IpmiMessage | None:
        """The request inside; None for a replay. Raises Malformed."""
        if not isinstance(datagram, RmcpPlus):
            raise Malformed("an IPMI 1.5 datagram in an RMCP+ session")
        if datagram.payload_type != PAYLOAD_IPMI:
            raise Malformed("a payload that was not activated")
        payload = self._open(datagram)
        return None if payload is None else parse_message(payload)

    def open_sol(self, datagram: RmcpPlus) -> bytes | None:
        """The serial-over-LAN payload inside; None for a replay. Raises Malformed."""
        return self._open(datagram)

    def _open(self, datagram: RmcpPlus) -> bytes | None:
        if not (datagram.authenticated and datagram.encrypted):
            raise Malformed("neither clear text nor missing integrity was agreed upon")
        try:
            opened = self._session.unwrap(datagram.raw)
        except UNREADABLE as error:
            raise Malformed("an unreadable payload") from error
        if opened is None:
            raise Malformed("wrong integrity code or session")
        sequence, payload = opened
        return payload if self._window.admits(sequence) else None  # only what is authentic may move the window

    def seal(self, message: IpmiMessage, code: int, data: bytes) -> bytes:
        return self._session.wrap(PAYLOAD_IPMI, answer(message, code, data))

    def seal_sol(self, payload: bytes) -> bytes:
        return self._session.wrap(PAYLOAD_SOL, payload)
