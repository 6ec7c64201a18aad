"""What a fault of each seam must be able to do, where the seam is not the core's own (those are in `emulator.core.faults.fault`).

Those that make plans for the wire are in `emulator.faults.plans`. All functions are pure; the front end that owns the seam calls
them in the emulator's thread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple, Protocol, runtime_checkable

from emulator.core.faults.fault import Seam

if TYPE_CHECKING:
    from emulator.faults.protocol.redirect import Redirect
    from emulator.faults.protocol.reply import HttpReply

EXECUTED: Final = "whether the BMC does what was asked before this happens"


class HttpContent(NamedTuple):
    """A Redfish answer before it is bytes on a wire."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@runtime_checkable
class ContentFault(Protocol):
    """Seam protocol: changes the content of a Redfish answer. What was asked has been done."""

    name: ClassVar[str]
    seam: ClassVar[Seam]

    def change(self, answer: HttpContent) -> HttpContent: ...


class Asked(NamedTuple):
    """The request that a Redfish answer is for. `path` is as the client wrote it, decoded and without query; header names are in
    lower case. `etag` is the entity tag of the system that it is about, None for a read and where it is about no system."""

    method: str
    path: str
    query: str
    scheme: str
    headers: Mapping[str, str]
    etag: str | None = None


@runtime_checkable
class AskedContentFault(Protocol):
    """Seam protocol: as `ContentFault`, where the new content depends on the request."""

    name: ClassVar[str]
    seam: ClassVar[Seam]

    def change_asked(self, answer: HttpContent, asked: Asked) -> HttpContent: ...


@runtime_checkable
class RequestFault(Protocol):
    """Seam protocol: looks at a Redfish request and may answer it in the service's place, with an answer or a redirect. It has
    acted even where it lets the request pass. `settles`: headers that it has judged, and the service ignores then."""

    name: ClassVar[str]
    seam: ClassVar[Seam]
    settles: ClassVar[tuple[str, ...]]

    def instead(self, asked: Asked) -> HttpReply | Redirect | None: ...


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """How the Redfish port speaks TLS to one new connection. `certificate`: None is the BMC's own, else one of
    `emulator.faults.tls.certificate.CERTIFICATES`. `newest` is the newest TLS version that is spoken. `plain`: no TLS at all."""

    certificate: str | None = None
    newest: str | None = None
    plain: bool = False


@runtime_checkable
class HandshakeFault(Protocol):
    """Seam connect: how the port speaks TLS to a new connection."""

    name: ClassVar[str]
    seam: ClassVar[Seam]

    def handshake(self, usual: TlsSettings) -> TlsSettings: ...


@runtime_checkable
class PortFault(Protocol):
    """Seam port: what clients meet at the BMC's ports. `refuses`: TCP connects are refused, else their SYN is dropped.
    `ipmi`: the IPMI port is silent too. `breaks`: connections that are open are reset."""

    name: ClassVar[str]
    seam: ClassVar[Seam]

    @property
    def refuses(self) -> bool: ...
    @property
    def ipmi(self) -> bool: ...
    @property
    def breaks(self) -> bool: ...


@runtime_checkable
class QueueFault(Protocol):
    """Seam port: how many connections the BMC's TCP ports serve at a time; more wait."""

    name: ClassVar[str]
    seam: ClassVar[Seam]

    @property
    def at_once(self) -> int: ...


class Passage(NamedTuple):
    """A datagram on its way: it goes on after `after_s` seconds, or with `behind_next` as soon as the next one in the same
    direction has gone, whichever is first."""

    data: bytes
    after_s: float = 0.0
    behind_next: bool = False


@runtime_checkable
class DatagramFault(Protocol):
    """Seam datagram: what becomes of one IPMI datagram. `roll()` is a number from 0 to 1, drawn from the rack's seed."""

    name: ClassVar[str]
    seam: ClassVar[Seam]

    @property
    def direction(self) -> str:
        """in (to the BMC), out, or both."""

    def passages(self, data: bytes, roll: Callable[[], float]) -> tuple[Passage, ...]: ...
