"""FenceAgentAPI: parameters as `name=value` lines on standard input, as Pacemaker does it; exit 0, 1, 2."""

from __future__ import annotations

from conformance.adapters.base import Invocation
from conformance.adapters.definition import Definition, fill_all, fill_map
from conformance.adapters.process import run
from conformance.adapters.programs import StandIns, find, lack
from conformance.outcome import FencerOutcome
from conformance.vocabulary import Ask, Claim

OFF_EXIT = 2
DONE: dict[Ask, Claim] = {
    Ask.OFF: Claim.OFF,
    Ask.ON: Claim.ON,
    Ask.REBOOT: Claim.REBOOTED,
    Ask.STATUS: Claim.ON,
    Ask.MONITOR: Claim.OK,
    Ask.METADATA: Claim.OK,
}


def claim_of(ask: Ask, code: int | None) -> Claim:
    """What an exit code of a fence agent says. 2 is an answer only where a status was asked for."""
    if code is None:
        return Claim.NONE
    if code == 0:
        return DONE[ask]
    if code == OFF_EXIT and ask in (Ask.STATUS, Ask.MONITOR):
        return Claim.OFF if ask is Ask.STATUS else Claim.OK
    return Claim.FAILED


class AgentAdapter:
    """A fence agent. `recorders` of its definition name parameters that take the path of a tool."""

    def __init__(self, definition: Definition) -> None:
        self._definition = definition

    def missing(self) -> str | None:
        programs = (way.command[0] for way in self._definition.ways.values())
        lacks = (lack(program, self._definition.folder) for program in programs if isinstance(program, str))
        return next((sentence for sentence in lacks if sentence is not None), None)

    def run(self, invocation: Invocation) -> FencerOutcome:
        way = self._definition.ways[invocation.protocol]
        command = fill_all(way.command, invocation.bmc)
        stand_ins = StandIns(invocation.watch)
        params = fill_map(way.params, invocation.bmc)
        for name, tool in self._definition.recorders.items():
            if (path := stand_ins.of(tool)) is not None:
                params[name] = path
        lines = [f"action={invocation.ask}", *(f"{name}={value}" for name, value in params.items())]
        ended = run(
            (find(command[0], self._definition.folder) or command[0], *command[1:]),
            invocation,
            stand_ins,
            stdin="".join(f"{line}\n" for line in lines),
            cwd=invocation.scratch if self._definition.built_in else self._definition.folder,
        )
        return ended.outcome(invocation, claim_of(invocation.ask, ended.exit))
