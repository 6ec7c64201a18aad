"""The fencer is given another address for a BMC than its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from conformance.givens.given import Given

NO_ROUTE: Final = "255.255.255.255"
"""Linux refuses to connect to it at once, "Network is unreachable", whatever its routes are; nothing is sent."""
UNKNOWN_NAME: Final = "bmc.invalid"
"""RFC 6761: there is never such a name."""


@dataclass(frozen=True, slots=True)
class OtherAddress(Given):
    """`words` say what is the matter with the address. Ports stay as they are."""

    host: str
    words: str

    @property
    def sentence(self) -> str:
        return f"the fencer is given the address {self.host}, {self.words}"

    def handed(self, values: Mapping[str, str]) -> Mapping[str, str]:
        url = f"https://{self.host}:{values['bmc.port']}"
        return {**values, "bmc.host": self.host, "bmc.ipmi_host": self.host, "bmc.url": url}
