"""Seam connect: the fault `tls.certificate`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal, TypeAlias

from emulator.core.faults.fault import Seam
from emulator.faults.registry import fault, param
from emulator.faults.seams import TlsSettings

CertificateFlaw: TypeAlias = Literal["expired", "not-yet-valid", "wrong-name", "weak-key", "unknown-ca"]


@fault("tls.certificate", example={"params": {"kind": "expired"}})
@dataclass(frozen=True, slots=True)
class BadCertificate:
    """New connections are shown a certificate that a careful client refuses (TLS-001, TLS-003). Disarmed: the BMC's own again."""

    kind: CertificateFlaw = param(
        "expired since yesterday; valid from tomorrow on; for the name bmc.invalid; with an RSA key of 1024 bits; signed by an "
        "authority that nobody knows",
        "expired",
    )
    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.CONNECT

    def handshake(self, usual: TlsSettings) -> TlsSettings:
        return replace(usual, certificate=self.kind)
