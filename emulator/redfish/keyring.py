"""The certificate that a BMC shows on its HTTPS port, as the service may see and replace it."""

from __future__ import annotations

from typing import Protocol


class Keyring(Protocol):
    """PEM texts. Never a private key."""

    def current(self) -> str | None:
        """The certificate in use; None without TLS."""

    def replace(self, pem: str) -> bool:
        """From now on this one is shown. True if connections get it too: the key fits or came along."""


class StaticKeyring:
    """For a service that has no TLS of its own: what is put in is shown, and nothing more."""

    def __init__(self, pem: str | None = None) -> None:
        self._pem = pem

    def current(self) -> str | None:
        return self._pem

    def replace(self, pem: str) -> bool:
        self._pem = pem
        return False
