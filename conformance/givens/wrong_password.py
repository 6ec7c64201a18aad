"""The fencer has a password that the BMC refuses."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from conformance.givens.given import Given


@dataclass(frozen=True, slots=True)
class WrongPassword(Given):
    """The wrong password is derived from the right one, so that it is as long and as unlikely to be printed by chance."""

    @property
    def sentence(self) -> str:
        return "the fencer is given a wrong password"

    def handed(self, values: Mapping[str, str]) -> Mapping[str, str]:
        right = values["bmc.password"]
        wrong = hashlib.sha256(right.encode()).hexdigest()[: len(right)]
        return {**values, "bmc.password": wrong}
