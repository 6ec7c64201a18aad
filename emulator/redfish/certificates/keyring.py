"""The certificate of a BMC's HTTPS port, as the Redfish service reads and replaces it.

`tls_ports.TlsKeyring` implements it for real ports. `certificate_service` calls it in the emulator's thread.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from emulator.redfish.certificates.signing import CsrContent, KeyKind, new_key, signing_request


class Keyring(Protocol):
    """The certificate of one BMC as PEM text. It never returns a private key."""

    def current(self) -> str | None:
        """The certificate that is shown; None without TLS."""

    def replace(self, pem: str) -> None:
        """Uses and shows this certificate from now on. `pem` holds its key, or the BMC has it.

        Raises ValueError, and nothing has changed, if a TLS port cannot use the certificate.
        """

    def signing_request(self, request: CsrContent, done: Callable[[str], None]) -> bool:
        """Gives `done` a signing request as PEM, now or later. False: the BMC makes too many keys already.

        Keeps a new key for the certificate that will answer it, and drops the previous such key.
        """


class StaticKeyring:
    """For a service without TLS ports of its own: it only shows the certificate."""

    def __init__(self, pem: str | None = None) -> None:
        self._pem = pem

    def current(self) -> str | None:
        return self._pem

    def replace(self, pem: str) -> None:
        self._pem = pem

    def signing_request(self, request: CsrContent, done: Callable[[str], None]) -> bool:
        # No TLS connection needs the key, so it is not kept.
        done(signing_request(request, new_key(request.key or KeyKind.P256)))
        return True
