"""Seam connect: the fault `tls.old`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from emulator.core.faults.fault import Seam
from emulator.faults.registry import fault, param
from emulator.faults.seams import TlsSettings


@fault("tls.old", example={"params": {"newest": "1.0"}})
@dataclass(frozen=True, slots=True)
class OldVersions:
    """The port speaks only old versions of TLS: a client of today ends the handshake with "unsupported protocol" (TLS-005)."""

    newest: Literal["1.0", "1.1", "1.2"] = param("the newest version that is spoken; older ones are, too", "1.1")
    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.CONNECT

    def handshake(self, usual: TlsSettings) -> TlsSettings:
        return replace(usual, newest=self.newest)
