"""A BMC with its hosts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Final

from conformance.givens.given import TARGET, Given, PlannedRack
from emulator import HostSpec, UnitSpec
from profiles.model import Profile, Span

ON = HostSpec(power="on")
OFF = HostSpec(power="off")
HUNG = HostSpec(power="on", hung=True)

LONGEST_WINDOW_S: Final = 5.0
"""A profile may say that a BMC refuses a request for a minute after another one. Here it refuses it no longer than this: a fencer
has 15 s for all that it does, as the times of effects are replaced by gates."""


def in_time(profile: Profile) -> Profile:
    """The profile with windows that a fencer can wait for."""
    windows = tuple(
        replace(window, for_s=Span(min(window.for_s.low, LONGEST_WINDOW_S), min(window.for_s.high, LONGEST_WINDOW_S)))
        for window in profile.power.windows
    )
    return replace(profile, power=replace(profile.power, windows=windows)) if windows else profile


@dataclass(frozen=True, slots=True)
class BmcGiven(Given):
    """A BMC and its hosts. The first host is the one that is meant; the others must stay as they are.

    A healthy operating system goes down after `os_shutdown_s` seconds; 0 leaves it to the gates when a host falls.
    """

    yaml_word: ClassVar[str] = "bmc"
    name: str
    hosts: tuple[HostSpec, ...]
    listens: bool = True
    os_shutdown_s: float = 0.0

    @property
    def sentence(self) -> str:
        hosts = ", ".join(("hung" if h.hung else "on") if h.power == "on" else "off" for h in self.hosts)
        several = f"{len(self.hosts)} systems: {hosts}" if len(self.hosts) > 1 else f"host {hosts}"
        return f"{self.name}: {several}" + ("" if self.listens else "; nothing listens at its address")

    def shape(self, rack: PlannedRack) -> PlannedRack:
        unit = UnitSpec(
            name=self.name,
            profile=in_time(rack.profile),
            hosts=self.hosts,
            password=rack.password,
            os_shutdown_s=self.os_shutdown_s,
        )
        silent = rack.silent if self.listens else rack.silent | {self.name}
        return replace(rack, units=(*rack.units, unit), silent=silent)


def host(*hosts: HostSpec, name: str = TARGET, listens: bool = True) -> BmcGiven:
    return BmcGiven(name, hosts, listens)
