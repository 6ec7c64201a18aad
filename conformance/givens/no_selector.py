"""The fencer does not know which of the BMC's systems is meant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from conformance.givens.given import Given

SELECTORS = ("bmc.system_uri", "bmc.uuid")


@dataclass(frozen=True, slots=True)
class NoSelector(Given):
    """Leaves every placeholder empty that names a system."""

    @property
    def sentence(self) -> str:
        return "the fencer is given no system to choose"

    def handed(self, values: Mapping[str, str]) -> Mapping[str, str]:
        return {**values, **dict.fromkeys(SELECTORS, "")}
