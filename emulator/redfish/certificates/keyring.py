"""The certificate that a BMC shows on its HTTPS port, as the service may see and replace it."""

from __future__ import annotations

from typing import Protocol

from emulator.redfish.certificates.signing import KeyKind, Wish, new_key, signing_request


class Keyring(Protocol):
    """PEM texts. Never a private key."""

    def current(self) -> str | None:
        """The certificate in use; None without TLS."""

    def replace(self, pem: str) -> bool:
        """From now on this one is shown. True if connections get it too: the key came along, or is one that this BMC has.

        Raises ValueError, and nothing has changed, for what cannot be used on a port of its kind.
        """

    def signing_request(self, wish: Wish) -> str:
        """PEM. A new key is kept for the certificate that is made from it, in the place of one that still waited."""


class StaticKeyring:
    """For a service that has no TLS of its own: what is put in is shown, and nothing more."""

    def __init__(self, pem: str | None = None) -> None:
        self._pem = pem

    def current(self) -> str | None:
        return self._pem

    def replace(self, pem: str) -> bool:
        self._pem = pem
        return False

    def signing_request(self, wish: Wish) -> str:
        # Nobody connects here, so no key needs to be kept.
        return signing_request(wish, new_key(wish.key or KeyKind.P256))
