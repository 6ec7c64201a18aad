"""Seam connect: the fault `tls.eof`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from emulator.core.faults.fault import Seam
from emulator.faults.registry import fault
from emulator.wire.ops import Close, Plan


@fault("tls.eof", example={"count": 1})
@dataclass(frozen=True, slots=True)
class HandshakeEof:
    """TCP connects, and the BMC closes the connection instead of answering the TLS handshake: "EOF occurred in violation of
    protocol" (FAULT-018)."""

    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.CONNECT

    def greeting(self) -> Plan:
        return (Close(),)
