"""What an agent on a watched host may do otherwise at one request of a manager, as a table. Pure data; `deviation` asks it too.

Each costs one. Of /health of one host the first PROBES since the failure are offered: what comes later looks the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from conformance.hunt.observation import ObservedStep
from conformance.hunt.trace import PlacedDeviation
from conformance.site import AgentRequest, AgentWord

AGENT: Final = "agent"
"""In place of a protocol, of a step that was a request to an agent."""
COST: Final = 1
PROBES: Final = 4
REACHED: Final = frozenset({"reached"})
NOT_REACHED: Final = frozenset({"silent", "off"})
REPORTS: Final = frozenset[AgentRequest]({"health"})
STARTS: Final = frozenset[AgentRequest]({"start"})


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentDeviation:
    """`sentence` completes "the agent of second ...". `how` is what its stand-in is told; `states` those of the host."""

    word: str
    how: AgentWord
    sentence: str
    requests: frozenset[AgentRequest]
    states: frozenset[str]


DEVIATIONS: Final[tuple[AgentDeviation, ...]] = (
    AgentDeviation(
        word="agent-silent", how="silent", sentence="does not answer once", requests=REPORTS, states=REACHED
    ),
    AgentDeviation(word="agent-late", how="late", sentence="answers too late", requests=REPORTS, states=REACHED),
    AgentDeviation(word="agent-error", how="error", sentence="answers with 503", requests=REPORTS, states=REACHED),
    AgentDeviation(
        word="agent-empty", how="empty", sentence="reports that no VM runs there", requests=REPORTS, states=REACHED
    ),
    AgentDeviation(
        word="agent-alive", how="alive", sentence="reports all as before the failure", requests=REPORTS, states=NOT_REACHED
    ),
    AgentDeviation(
        word="agent-returns", how="returns", sentence="is reached again", requests=REPORTS, states=frozenset({"silent"})
    ),
    AgentDeviation(
        word="start-refused", how="refused", sentence="refuses to start a VM", requests=STARTS, states=REACHED
    ),
    AgentDeviation(
        word="start-lost", how="lost-request", sentence="loses the request to start a VM", requests=STARTS, states=REACHED
    ),
    AgentDeviation(
        word="start-answer-lost", how="lost-answer", sentence="starts a VM, its answer is lost", requests=STARTS, states=REACHED
    ),
)  # fmt: skip
BY_WORD: Final = {deviation.word: deviation for deviation in DEVIATIONS}
MISSED: Final = frozenset({"agent-silent", "agent-late", "agent-error"})
"""After one of these a manager has missed an answer of a host that runs."""


def choices(step: ObservedStep, at: int, budget: int) -> Iterator[PlacedDeviation]:
    """The deviations that may come at this request to an agent; `word` of such a step is the state of its host."""
    for deviation in DEVIATIONS if budget >= COST else ():
        if step.intent in deviation.requests and step.word in deviation.states:
            yield PlacedDeviation(at, deviation.word, step.sent, step.what)
