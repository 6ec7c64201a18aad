"""Seam connect: the fault `tls.plain-http`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from emulator.core.faults.fault import Seam
from emulator.faults.registry import fault
from emulator.faults.seams import TlsSettings


@fault("tls.plain-http")
@dataclass(frozen=True, slots=True)
class PlainHttp:
    """The HTTPS port speaks plain HTTP: a TLS client reports "wrong version number", and one that falls back to HTTP sends its
    password in clear text (TLS-006)."""

    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.CONNECT

    def handshake(self, usual: TlsSettings) -> TlsSettings:
        return replace(usual, plain=True)
