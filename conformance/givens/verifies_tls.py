"""The fencer is told to verify the BMC's certificate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from conformance.givens.given import Given


@dataclass(frozen=True, slots=True)
class VerifiesTls(Given):
    """Without `ca_file` the certificate is self-signed and unknown to the fencer. `valid` False: it is flawed in another way, by
    a fault of the scenario, so that it fails with the CA file too. Where verification must fail, no credentials may be sent (G8).
    """

    ca_file: bool = False
    valid: bool = True

    @property
    def sentence(self) -> str:
        knows = "is given the CA certificate" if self.ca_file else "is given no CA certificate"
        return f"the fencer is to verify the BMC's certificate, and {knows}"

    @property
    def told_by(self) -> frozenset[str]:
        return frozenset({"bmc.insecure", "bmc.ca_file"})

    @property
    def certificate_fails(self) -> bool:
        return not (self.ca_file and self.valid)

    def handed(self, values: Mapping[str, str]) -> Mapping[str, str]:
        return {**values, "bmc.insecure": "", **({} if self.ca_file else {"bmc.ca_file": ""})}
