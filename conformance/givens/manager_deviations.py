"""What goes otherwise while a manager watches: faults and answers of agents that are counted from the failure of its host on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.givens.given import TARGET, FaultFacts, Given
from conformance.givens.inject import Inject
from conformance.site import AgentRequest, AgentWord
from conformance.timeline import text
from conformance.workloads import ASKED

if TYPE_CHECKING:
    from conformance.site import Agents
    from emulator import Emulator

SENTENCES = {
    "silent": "does not answer",
    "late": "answers late",
    "error": "answers with 503",
    "alive": "reports the host and its workloads as they were before the failure",
    "empty": "reports that no workload runs there",
    "returns": "is reached again",
    "refused": "refuses; nothing was started",
    "lost-request": "loses the request",
    "lost-answer": "does what it is asked, and its answer is lost",
}
NTH = ("first", "second", "third")


@dataclass(frozen=True, slots=True)
class FaultWhileWatched(Inject):
    """A fault that is armed on a BMC when the manager has taken up all hosts, before one of them fails."""

    yaml_word = "fault-while-watched"

    def arrange(self, emulator: Emulator) -> None:
        pass

    def watched(self, emulator: Emulator, agents: Agents) -> None:
        emulator.arm(self.bmc, self.armed)


@dataclass(frozen=True, slots=True)
class AgentsObserved(Given):
    """Requests to agents are counted from the failure on. An agent that is not reached takes connections and closes them."""

    @property
    def sentence(self) -> str:
        return "agents that are not reached take connections and close them without an answer"

    def watched(self, emulator: Emulator, agents: Agents) -> None:
        agents.observe()


@dataclass(frozen=True, slots=True)
class AgentDeviates(Given):
    """The `nth` request of one kind to the agent of a host is answered otherwise, counted from the failure on.

    `silent`: no answer. `late`: it comes after `seconds`. `error`: 503. `alive`: as before the failure, whatever became of the
    host. `empty`: no workload is reported. `returns`: a host that was not reached is reached from now on. Of a start: `refused`,
    `lost-request` (nothing is started), `lost-answer` (it is started).
    """

    host: str
    word: AgentWord
    nth: int = 1
    request: AgentRequest = "health"
    seconds: float = 2.0

    @property
    def sentence(self) -> str:
        which = NTH[self.nth - 1] if self.nth <= len(NTH) else f"{self.nth}th"
        return f"at the {which} {self.request} request after the failure the agent of {self.host} {SENTENCES[self.word]}"

    def watched(self, emulator: Emulator, agents: Agents) -> None:
        agents.deviate(self.host, self.request, self.nth, self.word, self.seconds)

    def faults(self, emulator: Emulator) -> tuple[FaultFacts, ...]:
        fired = sum(
            event.bmc == self.host
            and text(event, "what") == ASKED
            and (text(event, "request"), text(event, "nth")) == (self.request, str(self.nth))
            and text(event, "deviation") == self.word
            for event in emulator.events()
        )
        return (FaultFacts(sentence=self.sentence, bmc=TARGET, must_fire=True, fired=fired),)
