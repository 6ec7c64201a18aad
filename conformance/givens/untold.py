"""The fencer is not told something that it needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from conformance.givens.given import Given

ADDRESS = ("bmc.host", "bmc.url", "bmc.ipmi_host")
PASSWORD = ("bmc.password",)


@dataclass(frozen=True, slots=True)
class Untold(Given):
    """`what` the placeholders say, as one word; a fencer whose file has none of them is not asked."""

    what: str
    placeholders: tuple[str, ...]

    @property
    def sentence(self) -> str:
        return f"the fencer is given no {self.what}"

    @property
    def told_by(self) -> frozenset[str]:
        return frozenset(self.placeholders)

    def handed(self, values: Mapping[str, str]) -> Mapping[str, str]:
        return {**values, **dict.fromkeys(self.placeholders, "")}
