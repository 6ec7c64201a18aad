"""The fencer is told of another machine than the one that is there."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from conformance.givens.given import Given

STRANGER: Final = str(uuid.uuid5(uuid.NAMESPACE_URL, "urn:fencelab:another-machine"))
"""The UUID of a machine that is in no rack."""
BEHIND_A_BRIDGE: Final = "0x82"
"""An IPMB address that is not the BMC's own (0x20): a request for it has to be bridged (IPMI 2.0 6.13)."""


@dataclass(frozen=True, slots=True)
class UnknownSystem(Given):
    """Whatever names a system names one that the BMC does not have."""

    @property
    def sentence(self) -> str:
        return "the fencer is told a system that the BMC does not have"

    @property
    def told_by(self) -> frozenset[str]:
        return frozenset({"bmc.system_uri", "bmc.system_id"})

    def handed(self, values: Mapping[str, str]) -> Mapping[str, str]:
        return {**values, "bmc.system_uri": "/redfish/v1/Systems/no-such-system", "bmc.uuid": STRANGER}


@dataclass(frozen=True, slots=True)
class OtherIdentity(Given):
    """The system is the one that is selected, and the UUID is another machine's."""

    @property
    def sentence(self) -> str:
        return "the fencer is told another UUID than the machine has"

    @property
    def told_by(self) -> frozenset[str]:
        return frozenset({"bmc.uuid"})

    def handed(self, values: Mapping[str, str]) -> Mapping[str, str]:
        return {**values, "bmc.uuid": STRANGER}


@dataclass(frozen=True, slots=True)
class OtherIpmiTarget(Given):
    """IPMI bridging: the fencer is to reach a controller behind the BMC, which does not exist."""

    @property
    def sentence(self) -> str:
        return f"the fencer is told the IPMI target {BEHIND_A_BRIDGE}, a controller behind the BMC"

    @property
    def told_by(self) -> frozenset[str]:
        return frozenset({"bmc.ipmi_target"})

    def handed(self, values: Mapping[str, str]) -> Mapping[str, str]:
        return {**values, "bmc.ipmi_target": BEHIND_A_BRIDGE}
