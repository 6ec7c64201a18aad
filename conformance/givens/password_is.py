"""The fencer's account has a password of a certain kind."""

from __future__ import annotations

from dataclasses import dataclass, replace

from conformance.givens.given import TARGET, Given, PlannedRack


@dataclass(frozen=True, slots=True)
class PasswordIs(Given):
    """The password of one BMC: `start`, then as much of the run's own random password as makes `size` bytes in UTF-8."""

    start: str
    size: int
    bmc: str = TARGET

    @property
    def sentence(self) -> str:
        return f"{self.bmc}: the password has {self.size} bytes and begins with {self.start}"

    def shape(self, rack: PlannedRack) -> PlannedRack:
        rest = self.size - len(self.start.encode())
        password = self.start + rack.password[::-1][:rest]
        return rack.with_unit(self.bmc, lambda unit: replace(unit, password=password))
