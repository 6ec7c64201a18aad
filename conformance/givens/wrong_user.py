"""The fencer logs in with a name that the BMC does not know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from conformance.givens.given import Given

NOBODY = "fencenobody"


@dataclass(frozen=True, slots=True)
class WrongUser(Given):
    """The name has fewer than 16 bytes, as IPMI wants it."""

    @property
    def sentence(self) -> str:
        return "the fencer is given a user that the BMC does not know"

    def handed(self, values: Mapping[str, str]) -> Mapping[str, str]:
        return {**values, "bmc.user": NOBODY}
