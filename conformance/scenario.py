"""A scenario: a requirement, a plan, and what must hold. Data only; `play_scenario` plays it, `judge` judges it.

Rules
  1. Everything that makes a host fall waits for the fencer to look (a gate), never for a clock, except where time is the subject.
  2. What is given is in `conformance.givens`, what is expected in `conformance.expectations`: one file per kind. This module
     knows none of them.
  3. A fault that must fire and did not makes the run void, never green (ruling 6).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from conformance.agent_input import PLAIN, AgentInput
from conformance.expectations.expectation import Expectation
from conformance.givens.given import TARGET, Given
from conformance.happenings import Happening
from conformance.requirement import Requirement
from conformance.vocabulary import Ask, Convention, Protocol

SCENARIO_ID: Final = re.compile(r"[A-Z][A-Z0-9]*-[0-9]+")


@dataclass(frozen=True, slots=True)
class AskStep:
    """One ask of one BMC, and what must hold for it.

    `before` happens when the ask before it has ended. With `sigterm_after` the fencer gets SIGTERM when it has been told the
    power state so often after its first power command; where that never comes the run is void.
    `told` are preconditions about what the fencer is told, for this ask alone. The step is left out where the fencer does not
    declare its `needs`, or cannot be told what is in `told`; a scenario without a step left is N/A.

    Steps in a row with the same number in `together` are asked at once, each by a process of its own; 0: one after the other.
    Nobody can tell then which of those that ask the same BMC has sent a request. `input` is for fence agents.
    """

    ask: Ask
    expect: tuple[Expectation, ...]
    bmc: str = TARGET
    optional: bool = False  # left out where the fencer has no such action; else the scenario is N/A for it
    before: Happening | None = None
    sigterm_after: int | None = None
    told: tuple[Given, ...] = ()
    needs: frozenset[str] = field(default=frozenset())
    together: int = 0
    input: AgentInput = PLAIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """`id` is GROUP-NUMBER. `protocol` None: either will do, Redfish first.

    `convention` None: about every fencer; else only about those whose adapter follows it. `needs` are capabilities that the
    fencer must declare, besides those that the steps ask for. `about_process` says what of the fencer's process the scenario is
    about ("its command line", "signals to it"), if it is about that: a fencer without a process of its own cannot be tried.
    `file` is the user's own file that it was read from.
    """

    id: str
    tier: int
    title: str
    requirement: Requirement
    source: str
    given: tuple[Given, ...]
    steps: tuple[AskStep, ...]
    protocol: Protocol | None = None
    convention: Convention | None = None
    needs: frozenset[str] = field(default=frozenset())
    about_process: str = ""
    file: str | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if not SCENARIO_ID.fullmatch(self.id):
            raise ValueError(f"a scenario is called GROUP-NUMBER, like STATE-001, not {self.id!r}")

    @property
    def needs_sockets(self) -> str | None:
        """What of this scenario is not there for a fencer that is handed a transport; None where it can be tried."""
        if self.about_process:
            return self.about_process
        if any(step.sigterm_after is not None for step in self.steps):
            return "signals to its process"
        at_once = [(step.together, step.bmc) for step in self.steps if step.together]
        if len(set(at_once)) < len(at_once):  # BMCs of their own can be asked one after the other
            return "several of its processes at the same time"
        told = (given for step in self.steps for given in step.told)
        return next((given.sentence for given in (*self.given, *told) if given.on_sockets), None)

    @property
    def group(self) -> str:
        return self.id.partition("-")[0]


def off(*expect: Expectation) -> tuple[AskStep, ...]:
    """The plain case: ask for off once."""
    return (AskStep(Ask.OFF, expect),)


def off_each(bmcs: tuple[str, ...], *expect: Expectation) -> tuple[AskStep, ...]:
    """Ask for off of each of these BMCs, which differ in what is the matter with them."""
    return tuple(AskStep(Ask.OFF, expect, bmc) for bmc in bmcs)
