"""Who may log in to a BMC, and how: instead of the rules of the profile."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

from conformance.givens.given import TARGET, Given, PlannedRack
from profiles.model import Lockout, Profile

IDLE_S: Final = 3600.0
"""Sessions that nobody closes outlast the scenario."""


@dataclass(frozen=True, slots=True)
class LogInRules(Given):
    """Rules for the accounts of one BMC, the same on every profile; None leaves the profile's.

    `basic`: whether HTTP Basic is accepted. `slots`: how many sessions may be open at once, Redfish and IPMI each. `role`: of the
    fencer's account. `failures`: refused log-ins in ten minutes after which the account is locked for ten minutes.
    """

    words: str
    basic: bool | None = None
    slots: int | None = None
    role: Literal["Administrator", "Operator", "ReadOnly"] | None = None
    failures: int | None = None
    bmc: str = TARGET

    @property
    def sentence(self) -> str:
        return self.words

    def shape(self, rack: PlannedRack) -> PlannedRack:
        return rack.with_unit(self.bmc, lambda unit: replace(unit, profile=self._changed(unit.profile)))

    def _changed(self, profile: Profile) -> Profile:
        auth, ipmi = profile.auth, profile.ipmi
        if self.basic is not None:
            # Without the profile's own 401, whose challenge names Basic.
            auth = replace(auth, basic=self.basic, no_auth=auth.no_auth if self.basic else None)
        if self.slots is not None:
            auth = replace(auth, sessions=replace(auth.sessions, max=self.slots, timeout_s=IDLE_S))
            ipmi = replace(ipmi, sessions=self.slots)
        if self.role is not None:
            first, *others = auth.accounts
            auth = replace(auth, accounts=(replace(first, role=self.role), *others))
        if self.failures is not None:
            lockout = Lockout(by="account", failures=self.failures, window_s=600.0, penalty_s=600.0)
            auth = replace(auth, lockout=lockout)
        return replace(profile, auth=auth, ipmi=ipmi)
