"""Encrypts and decrypts the payloads of an established RMCP+ session, with pyghmi as a codec.

The responder calls `RmcpPlusLink` for each datagram of a session, in the emulator's one thread.

Rules
  1. Only this file uses pyghmi's private parts. pyghmi's version is pinned, and a contract test compares the attributes that are
     set here with those that pyghmi itself sets.
  2. Never use pyghmi's sockets, thread, session table (keyed by client address), handshake or constructor. With them a power-off
     for one BMC can reach another, one malformed packet ends the process, and sessions never expire.
  3. pyghmi opens and seals payloads. `rmcp` parses the IPMI messages in them, as for IPMI 1.5.
  4. The caller executes the requests, not pyghmi, so an exception in here always comes from the bytes of the datagram.
"""

from __future__ import annotations

import struct

from pyghmi.ipmi.private import serversession

from emulator.ipmi.session.handshake import SessionKeys
from emulator.ipmi.session.rmcp import PAYLOAD_IPMI, PAYLOAD_SOL, IpmiMessage, Lan15, Malformed, RmcpPlus, answer, parse_message
from emulator.ipmi.session.window import SequenceWindow

UNREADABLE = (ValueError, IndexError, struct.error)
"""What pyghmi and AES raise for an authentic payload that cannot be decrypted: bad length, bad padding, no padding."""


class PyghmiSession(serversession.ServerSession):  # type: ignore[misc]  # pyghmi has no types
    """pyghmi's server session in its state after RAKP 4, without its handshake and its network code."""

    def __new__(cls, *_args: object, **_kwargs: object) -> PyghmiSession:
        return object.__new__(cls)

    def __init__(self, keys: SessionKeys, managed_id: bytes, console_id: bytes) -> None:
        # No super().__init__ on purpose: it registers the client's address in a global table and answers the handshake.
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
        """(sequence number, payload) of an authentic datagram; None for any other. Raises one of UNREADABLE."""
        self._payload = None
        self.remseqnumber = None  # the link has a sequence window; pyghmi would accept the latest datagram twice
        self._handle_ipmi2_packet(bytearray(datagram))
        return None if self._payload is None else (self.remseqnumber or 0, self._payload)

    def wrap(self, payload_type: int, payload: bytes) -> bytes:
        """The encrypted and authenticated datagram for a payload."""
        self.send_payload(payload=bytearray(payload), payload_type=payload_type, retry=False)
        return bytes(self.netpacket)

    def _parse_ipmi_payload(self, payload: bytearray) -> None:
        """pyghmi calls this with the payload of an authentic datagram."""
        self._payload = bytes(payload)

    sol_handler = _parse_ipmi_payload
    """pyghmi calls this with a serial-over-LAN payload."""

    def _xmit_packet(self, *_args: object, **_kwargs: object) -> None:
        """pyghmi calls this to send `netpacket`. This only counts the sequence number; the owner of the socket sends it."""
        self.sequencenumber = self.sequencenumber % 0xFFFFFFFF + 1


class RmcpPlusLink:
    """The `Link` of an RMCP+ session."""

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
        return payload if self._window.admits(sequence) else None  # only an authentic datagram may move the window

    def seal(self, message: IpmiMessage, code: int, data: bytes) -> bytes:
        return self._session.wrap(PAYLOAD_IPMI, answer(message, code, data))

    def seal_sol(self, payload: bytes) -> bytes:
        return self._session.wrap(PAYLOAD_SOL, payload)
