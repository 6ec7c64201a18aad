"""The fencer is told to say everything that it does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from conformance.givens.given import Given


@dataclass(frozen=True, slots=True)
class Verbose(Given):
    """A fencer whose file does not use the placeholder runs as it always does."""

    @property
    def sentence(self) -> str:
        return "the fencer is told to be verbose, if it can"

    def handed(self, values: Mapping[str, str]) -> Mapping[str, str]:
        return {**values, "bmc.verbose": "1"}
