"""pyghmi as a codec: what goes into and comes out of an established RMCP+ session.

Rules
  1. This is the only file that touches pyghmi's private parts; its version is pinned, and a contract test holds what is set here
     against what pyghmi itself sets.
  2. Never its sockets, its thread, its table of sessions by client address, its handshake or its constructor: with them a
     power-off for one BMC can reach another, one bad packet ends the process, and nothing ever expires.
  3. A request that could be opened is handed out and executed by the caller, so whatever is raised in here came from the bytes.
"""

from __future__ import annotations

import struct
from collections import deque
from typing import Any

from pyghmi.ipmi.private import constants, serversession

from emulator.ipmi.handshake import Keys
from emulator.ipmi.rmcp import PAYLOAD_IPMI, PAYLOAD_SOL, Lan15, Malformed, Message, RmcpPlus
from emulator.ipmi.window import Window

UNREADABLE = (ValueError, IndexError, struct.error)
"""What pyghmi and AES raise for a payload that is authentic but cannot be read: bad length, bad padding, no padding."""


class Outbox:
    """Stands where pyghmi expects a socket, and keeps what it is told to send."""

    def __init__(self) -> None:
        self._sent: list[bytes] = []

    def setblocking(self, _flag: bool) -> None:
        """pyghmi calls it before every datagram; there is nothing that could block."""

    def sendto(self, packet: bytearray, _peer: object) -> None:
        self._sent.append(bytes(packet))

    def take(self) -> bytes:
        """The one datagram that was sent."""
        (datagram,) = self._sent
        self._sent.clear()
        return datagram


class PyghmiSession(serversession.ServerSession):  # type: ignore[misc]  # pyghmi has no types
    """pyghmi's server session after RAKP 4, without all that came before."""

    def __new__(cls, *_args: Any, **_kwargs: Any) -> PyghmiSession:
        return object.__new__(cls)

    def __init__(self, keys: Keys, managed_id: bytes, console_id: bytes, outbox: Outbox) -> None:
        # Deliberately no super().__init__: it registers the client's address in a global table and answers the handshake.
        self.servermode = True
        self.ipmiversion = 2.0
        self.authtype = 6
        self.broken = False
        self.rqaddr = constants.IPMI_BMC_ADDRESS
        self.rqlun = 0
        self.socket = outbox
        self.sockaddr = ("", 0)  # only handed on to the outbox; None would make pyghmi look names up
        self.pendingpayloads: deque[object] = deque()
        self.lastpayload = None
        self.last_payload_type = None
        self.currhashlib = keys.suite.digest
        self.currhashlen = keys.suite.icv_length
        self.k1, self.k2, self.aeskey = keys.k1, keys.k2, keys.k2[:16]
        self.integrityalgo: int | str = keys.suite.integrity
        self.confalgo: int | str = "aes"
        self.localsid = int.from_bytes(managed_id, "little")
        self.sessionid = int.from_bytes(console_id, "little")
        self.sequencenumber = 1
        self.remseqnumber: int | None = None
        self.lun = 0
        self.window = Window()
        self._replayed = False
        self._request: dict[str, Any] | None = None
        self._characters: bytes | None = None

    def ipmicallback(self, request: dict[str, Any]) -> None:
        self._request = request

    def _parse_ipmi_payload(self, payload: bytearray) -> None:
        """Called by pyghmi once the datagram has proved to be authentic: only then may it move the window."""
        if not self.window.admits(self.remseqnumber or 0):
            self._replayed = True
            return
        if len(payload) >= 7:
            self.lun = payload[1] & 0x03
        super()._parse_ipmi_payload(payload)

    def sol_handler(self, payload: bytearray) -> None:
        """Called by pyghmi with the payload of an authentic serial-over-LAN datagram."""
        if self.window.admits(self.remseqnumber or 0):
            self._characters = bytes(payload)
        else:
            self._replayed = True

    def unwrap_sol(self, datagram: bytes) -> tuple[bytes | None, bool]:
        """(the payload, whether it is a replay). Raises what UNREADABLE lists."""
        self._characters = None
        _, replayed = self.unwrap(datagram)
        return self._characters, replayed

    def unwrap(self, datagram: bytes) -> tuple[dict[str, Any] | None, bool]:
        """(the request, whether it is a replay). Raises what UNREADABLE lists."""
        self._request, self._replayed = None, False
        self.remseqnumber = None  # ours is the window; pyghmi would let the latest datagram in twice
        self._handle_ipmi2_packet(bytearray(datagram))
        return self._request, self._replayed


class RmcpPlusLink:
    """The link of an RMCP+ session."""

    def __init__(self, keys: Keys, managed_id: bytes, console_id: bytes) -> None:
        self._outbox = Outbox()
        self._session = PyghmiSession(keys, managed_id, console_id, self._outbox)

    def open(self, datagram: RmcpPlus | Lan15) -> Message | None:
        """The request inside; None for a replay. Raises Malformed."""
        if not isinstance(datagram, RmcpPlus):
            raise Malformed("an IPMI 1.5 datagram in an RMCP+ session")
        if datagram.payload_type != PAYLOAD_IPMI:
            raise Malformed("a payload that was not activated")
        _insist_on_protection(datagram)
        try:
            request, replayed = self._session.unwrap(datagram.raw)
        except UNREADABLE as error:
            raise Malformed("an unreadable payload") from error
        if replayed:
            return None
        if request is None:
            raise Malformed("wrong integrity code or an unreadable message")
        if request["netfn"] & 1:
            raise Malformed("a response, not a request")
        session = self._session
        return Message(
            netfn=request["netfn"],
            command=request["command"],
            data=bytes(request["data"]),
            lun=session.lun,
            rq_address=session.clientaddr,
            rq_seq=session.seqlun,
            rq_lun=session.rqlun,
        )

    def open_sol(self, datagram: RmcpPlus) -> bytes | None:
        """The serial-over-LAN payload inside; None for a replay. Raises Malformed."""
        _insist_on_protection(datagram)
        try:
            payload, replayed = self._session.unwrap_sol(datagram.raw)
        except UNREADABLE as error:
            raise Malformed("an unreadable payload") from error
        if payload is None and not replayed:
            raise Malformed("wrong integrity code or an unreadable message")
        return payload

    def seal_sol(self, payload: bytes) -> bytes:
        self._session.send_payload(payload=payload, payload_type=PAYLOAD_SOL, retry=False)
        return self._outbox.take()

    def seal(self, message: Message, code: int, data: bytes) -> bytes:
        session = self._session
        session.clientaddr, session.seqlun = message.rq_address, message.rq_seq
        session.clientnetfn, session.clientcommand = message.netfn + 1, message.command
        # pyghmi's names for the two LUNs are swapped: `rqlun` goes out beside the sequence, where the responder's own belongs.
        session.rqlun = message.lun
        session._send_ipmi_net_payload(code=code, data=data, rslun=message.rq_lun)
        return self._outbox.take()


def _insist_on_protection(datagram: RmcpPlus) -> None:
    """Raises Malformed."""
    if not (datagram.authenticated and datagram.encrypted):
        raise Malformed("neither clear text nor missing integrity was agreed upon")
