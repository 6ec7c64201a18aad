"""Which ResetTypes a BMC has, and where it lists them: instead of those of the profile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

from conformance.givens.given import TARGET, Given, PlannedRack
from profiles.model import PowerCell, PowerRules

BUTTON: Final = "PushPowerButton"
LIKE: Final[Mapping[str, str]] = {"Off": "On", "On": "GracefulShutdown"}
"""What the button does, by the state of the host: what this ResetType does there."""


@dataclass(frozen=True, slots=True)
class ResetTypes(Given):
    """`without`: the BMC has not got these and refuses them. `button_only`: PushPowerButton is all that there is, and it switches
    a host that is off on. `listed`: AllowableValues in the action, in its ActionInfo, or nowhere; None as the profile has it.
    """

    words: str
    without: frozenset[str] = frozenset()
    button_only: bool = False
    listed: Literal["inline", "action_info", "none"] | None = None
    bmc: str = TARGET

    @property
    def sentence(self) -> str:
        return self.words

    def shape(self, rack: PlannedRack) -> PlannedRack:
        return rack.with_unit(
            self.bmc, lambda unit: replace(unit, profile=replace(unit.profile, power=self._changed(unit.profile.power)))
        )

    def _changed(self, power: PowerRules) -> PowerRules:
        if self.listed is not None:
            power = replace(power, advertise=self.listed)
        if self.button_only:
            return replace(power, reset_types=(BUTTON,), table={row: _button(cells, row) for row, cells in power.table.items()})
        if self.without:
            kept = tuple(word for word in power.reset_types if word not in self.without)
            table = {row: {w: cell for w, cell in cells.items() if w not in self.without} for row, cells in power.table.items()}
            return replace(power, reset_types=kept, table=table)
        return power


def _button(cells: Mapping[str, PowerCell], row: str) -> Mapping[str, PowerCell]:
    return {BUTTON: cells[LIKE[row]]} if LIKE[row] in cells else {}
