"""The fencer does not know the UUID of the machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from conformance.givens.given import Given


@dataclass(frozen=True, slots=True)
class NoIdentity(Given):
    """Only the URI says which system is meant. With a UUID a fencer would notice by that alone when another machine answers."""

    @property
    def sentence(self) -> str:
        return "the fencer is given no UUID of the machine"

    def handed(self, values: Mapping[str, str]) -> Mapping[str, str]:
        return {**values, "bmc.uuid": ""}
