"""A behaviour that a profile must have of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from conformance.givens.given import Given, GivenOrigin
from profiles.model import Profile


@dataclass(frozen=True, slots=True)
class ProfileAnswers(Given):
    """Runs only where the profile's own table answers a ResetType in a state ("On", "Off") with this HTTP status."""

    row: str
    reset: str
    status: int

    origin: ClassVar[GivenOrigin] = GivenOrigin.PROFILE

    @property
    def sentence(self) -> str:
        return f"the profile answers {self.reset} on a host that is {self.row} with HTTP {self.status}"

    def missing_in(self, profile: Profile) -> str | None:
        cell = profile.power.table.get(self.row, {}).get(self.reset, profile.power.unlisted_type)
        status = profile.replies[profile.power.outcomes[cell.outcome].reply].status
        if status == self.status:
            return None
        return f"{profile.id} answers {self.reset} on a host that is {self.row} with HTTP {status}, not {self.status}"
