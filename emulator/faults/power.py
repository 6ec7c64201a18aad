"""Seam power: the command is answered as usual, and the host does something else."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from emulator.core.faults.fault import Seam
from emulator.faults.registry import fault
from profiles.model import EffectStep, Span


@fault("power.ignore")
@dataclass(frozen=True, slots=True)
class Ignore:
    """Accepts the command and does nothing (TRUTH-001, IPMI-003)."""

    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.POWER
    gate: int | None = None

    def shape(self, steps: tuple[EffectStep, ...]) -> tuple[EffectStep, ...]:
        return ()


@fault("power.gate")
@dataclass(frozen=True, slots=True)
class Gated:
    """The rail moves only after the fencer has looked `gate` times, or 10 s after its second look (ruling 8, ASYNC-004)."""

    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.POWER
    gate: int | None = 3

    def shape(self, steps: tuple[EffectStep, ...]) -> tuple[EffectStep, ...]:
        return steps


@fault("power.late")
@dataclass(frozen=True, slots=True)
class Late:
    """Everything happens `seconds` later than the profile says (ASYNC-005)."""

    seconds: float
    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.POWER
    gate: int | None = None

    def shape(self, steps: tuple[EffectStep, ...]) -> tuple[EffectStep, ...]:
        return tuple(replace(s, at=Span(s.at.low + self.seconds, s.at.high + self.seconds)) for s in steps)
