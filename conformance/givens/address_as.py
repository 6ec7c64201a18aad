"""Another way to write the address of the BMC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from conformance.givens.given import TARGET, Given, PlannedRack
from profiles.model import Profile

IPV6_LOOPBACK: Final = "::1"
IPV6_ADDRESSES: Final = Path("/proc/net/if_inet6")
LOOPBACK_ENTRY: Final = f"{1:032x}"
"""How the kernel lists that address there."""


@dataclass(frozen=True, slots=True)
class AddressAs(Given):
    """`name`: a host name instead of an address. `host-port`: address and port in one, and no port of its own."""

    form: Literal["name", "host-port"]

    @property
    def sentence(self) -> str:
        return f"the fencer is given {'the name localhost' if self.form == 'name' else 'host:port'} as address"

    @property
    def told_by(self) -> frozenset[str]:
        return frozenset({"bmc.host"}) if self.form == "host-port" else frozenset({"bmc.host", "bmc.url"})

    def handed(self, values: Mapping[str, str]) -> Mapping[str, str]:
        if self.form == "host-port":
            return {**values, "bmc.host": f"{values['bmc.host']}:{values['bmc.port']}", "bmc.port": ""}
        return {**values, "bmc.host": "localhost", "bmc.url": values["bmc.url"].replace(values["bmc.host"], "localhost")}


@dataclass(frozen=True, slots=True)
class OverIpv6(Given):
    """The BMC has an IPv6 address only."""

    bmc: str = TARGET

    @property
    def sentence(self) -> str:
        return f"{self.bmc}: has the address {IPV6_LOOPBACK} and no other"

    def shape(self, rack: PlannedRack) -> PlannedRack:
        return rack.listening_at(self.bmc, IPV6_LOOPBACK)

    def missing_in(self, profile: Profile) -> str | None:
        return None if _has_ipv6() else "this machine has no IPv6 loopback address"


def _has_ipv6() -> bool:
    try:
        return LOOPBACK_ENTRY in IPV6_ADDRESSES.read_text(encoding="ascii")
    except OSError:
        return False
