"""Parses and builds RMCP, ASF and IPMI LAN messages.

The responder and the links of sessions call it, in the emulator's one thread. All functions are pure.

Rules
  1. Nothing here knows a session, a key or a BMC. A session's link decrypts RMCP+ payloads.
  2. Parsing any bytes gives a value or raises `Malformed`, and nothing else.

Theory (IPMI 2.0, 13.1 to 13.8; ASF 2.0, 3.2)
  A datagram is an RMCP header and an ASF or IPMI message. IPMI messages have one of two session headers: IPMI 1.5 (sequence
  number, session id, optional authentication code) or RMCP+ (with a payload type first). Outside of a session these fields are 0.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

RMCP_IPMI: Final = bytes((0x06, 0x00, 0xFF, 0x07))
RMCP_ASF: Final = bytes((0x06, 0x00, 0xFF, 0x06))
ASF_IANA: Final = bytes((0x00, 0x00, 0x11, 0xBE))
BMC_ADDRESS: Final = 0x20
IPMI_PORT: Final = 623
NO_SESSION: Final = bytes(4)

AUTH_RMCP_PLUS: Final = 0x06
PAYLOAD_IPMI: Final = 0x00
PAYLOAD_SOL: Final = 0x01
PAYLOAD_OPEN_REQUEST: Final = 0x10
PAYLOAD_OPEN_RESPONSE: Final = 0x11
PAYLOAD_RAKP1: Final = 0x12
PAYLOAD_RAKP2: Final = 0x13
PAYLOAD_RAKP3: Final = 0x14
PAYLOAD_RAKP4: Final = 0x15

_RMCP_PLUS_HEADER = struct.Struct("<5xB4sIH")  # payload type and flags, session id, sequence, length of the payload


class Malformed(Exception):
    """A datagram that is not valid: the sender's fault. It is counted and never answered."""


class Ping(NamedTuple):
    """An ASF presence ping."""

    tag: int


class Lan15(NamedTuple):
    """An IPMI 1.5 datagram. `auth_code` is empty for authentication type none."""

    auth_type: int
    sequence: int
    session_id: bytes
    auth_code: bytes
    payload: bytes


class RmcpPlus(NamedTuple):
    """An RMCP+ datagram. `payload` is still encrypted; `raw` is the whole datagram."""

    payload_type: int
    encrypted: bool
    authenticated: bool
    session_id: bytes
    sequence: int
    payload: bytes
    raw: bytes


class IpmiMessage(NamedTuple):
    """An IPMI request, without its session header."""

    netfn: int
    command: int
    data: bytes
    lun: int = 0
    rq_address: int = 0x81
    rq_seq: int = 0
    rq_lun: int = 0


def parse(datagram: bytes) -> Ping | Lan15 | RmcpPlus:
    """Parses a datagram. Raises Malformed."""
    if len(datagram) < 5 or datagram[0] != 0x06:
        raise Malformed("no RMCP header")
    match datagram[3]:
        case 0x06:
            return _parse_asf(datagram)
        case 0x07 if datagram[4] == AUTH_RMCP_PLUS:
            return _parse_rmcp_plus(datagram)
        case 0x07:
            return _parse_lan15(datagram)
    raise Malformed("neither ASF nor IPMI")


def _parse_asf(datagram: bytes) -> Ping:
    if len(datagram) < 12 or datagram[4:8] != ASF_IANA or datagram[8] != 0x80:
        raise Malformed("an ASF message that is no presence ping")
    return Ping(datagram[9])


def _parse_lan15(datagram: bytes) -> Lan15:
    auth_type = datagram[4]
    start = 13 if auth_type == 0 else 29
    if len(datagram) <= start:
        raise Malformed("the IPMI 1.5 header is cut off")
    length = datagram[start]
    payload = datagram[start + 1 : start + 1 + length]
    if len(payload) != length:
        raise Malformed("the IPMI 1.5 message is cut off")
    return Lan15(
        auth_type=auth_type,
        sequence=int.from_bytes(datagram[5:9], "little"),
        session_id=datagram[9:13],
        auth_code=datagram[13:start],
        payload=payload,
    )


def _parse_rmcp_plus(datagram: bytes) -> RmcpPlus:
    if len(datagram) < 16:
        raise Malformed("the RMCP+ header is cut off")
    flags, session_id, sequence, length = _RMCP_PLUS_HEADER.unpack_from(datagram)
    payload_type = flags & 0x3F
    if payload_type == 0x02:
        raise Malformed("an OEM payload")
    payload = datagram[16 : 16 + length]
    if len(payload) != length:
        raise Malformed("the RMCP+ payload is cut off")
    return RmcpPlus(payload_type, flags & 0x80 != 0, flags & 0x40 != 0, session_id, sequence, payload, datagram)


def checksum(data: bytes) -> int:
    """The two's complement of the sum of the bytes (13.8)."""
    return -sum(data) & 0xFF


def parse_message(payload: bytes) -> IpmiMessage:
    """Parses an IPMI request. Raises Malformed."""
    if len(payload) < 7:
        raise Malformed("the IPMI message is cut off")
    if checksum(payload[:2]) != payload[2] or checksum(payload[3:-1]) != payload[-1]:
        raise Malformed("wrong checksum")
    if payload[1] >> 2 & 1:
        raise Malformed("a response, not a request")
    _, netfn_lun, _, rq_address, rq_seq_lun, command = payload[:6]
    return IpmiMessage(netfn_lun >> 2, command, payload[6:-1], netfn_lun & 0x03, rq_address, rq_seq_lun >> 2, rq_seq_lun & 0x03)


def answer(message: IpmiMessage, code: int, data: bytes) -> bytes:
    """The IPMI response to a request."""
    head = bytes((message.rq_address, (message.netfn + 1) << 2 | message.rq_lun))
    body = bytes((BMC_ADDRESS, message.rq_seq << 2 | message.lun, message.command, code)) + data
    return head + bytes((checksum(head),)) + body + bytes((checksum(body),))


def lan15(
    payload: bytes, *, auth_type: int = 0, sequence: int = 0, session_id: bytes = NO_SESSION, auth_code: bytes = b""
) -> bytes:
    """An IPMI 1.5 datagram, without the legacy pad of 13.6: clients must send that, but some refuse an answer with it."""
    head = RMCP_IPMI + bytes((auth_type,)) + sequence.to_bytes(4, "little") + session_id + auth_code
    return head + bytes((len(payload),)) + payload


def rmcp_plus(payload_type: int, payload: bytes) -> bytes:
    """An RMCP+ datagram outside of a session."""
    return RMCP_IPMI + bytes((AUTH_RMCP_PLUS, payload_type)) + bytes(8) + len(payload).to_bytes(2, "little") + payload


def pong(ping: Ping) -> bytes:
    """The ASF presence pong, which says that the BMC supports IPMI (ASF 2.0, 3.2.4.3)."""
    body = ASF_IANA + bytes(4) + bytes((0x81, 0x00)) + bytes(6)
    return RMCP_ASF + ASF_IANA + bytes((0x40, ping.tag, 0x00, len(body))) + body
