"""What faults of the seams wire and connect must be able to do: they make plans of `emulator.wire.ops`, which the loop plays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final, Protocol, runtime_checkable

from emulator.core.faults.fault import Seam
from emulator.faults.seams import DatagramFault, HandshakeFault, PortFault, QueueFault
from emulator.wire.ops import Plan


@runtime_checkable
class WireFault(Protocol):
    """Seam wire: changes how the bytes of an HTTP answer go out. `executed`: whether the BMC does what was asked; the client
    cannot tell, and has to look again."""

    name: ClassVar[str]
    seam: ClassVar[Seam]

    @property
    def executed(self) -> bool: ...

    def rewrite(self, plan: Plan) -> Plan: ...


@runtime_checkable
class ConnectFault(Protocol):
    """Seam connect: what is played on a new connection before the TLS handshake. The handshake follows if the plan leaves the
    connection open."""

    name: ClassVar[str]
    seam: ClassVar[Seam]

    def greeting(self) -> Plan: ...


ASKED_OF: Final[Mapping[Seam, tuple[type, ...]]] = {
    Seam.WIRE: (WireFault,),
    Seam.CONNECT: (ConnectFault, HandshakeFault),
    Seam.PORT: (PortFault, QueueFault),
    Seam.DATAGRAM: (DatagramFault,),
}
"""One of these must be met by a fault of the seam."""
