"""Any program: a command line per action, and signs by which its end is read."""

from __future__ import annotations

from conformance.adapters.base import Invocation
from conformance.adapters.definition import Definition, fill, fill_all, fill_map
from conformance.adapters.process import run
from conformance.adapters.programs import StandIns, find, lack
from conformance.outcome import FencerOutcome
from conformance.vocabulary import Claim


class CommandAdapter:
    """Adapter `exec`."""

    def __init__(self, definition: Definition) -> None:
        self._definition = definition

    def missing(self) -> str | None:
        programs = (action.argv[0] for way in self._definition.ways.values() for action in way.actions.values())
        lacks = (lack(program, self._definition.folder) for program in programs if isinstance(program, str))
        return next((sentence for sentence in lacks if sentence is not None), None)

    def run(self, invocation: Invocation) -> FencerOutcome:
        action = self._definition.ways[invocation.protocol].actions[invocation.ask]
        line = fill_all(action.argv, invocation.bmc)
        ended = run(
            (find(line[0], self._definition.folder) or line[0], *line[1:]),
            invocation,
            StandIns(invocation.watch),
            stdin=fill(action.stdin, invocation.bmc) or "",
            env=fill_map(action.env, invocation.bmc),
            cwd=invocation.scratch if self._definition.built_in else self._definition.folder,
        )
        claim = Claim.NONE
        if ended.exit is not None:
            fitting = (c for c, sign in action.signs if sign.fits(ended.exit, ended.stdout, ended.stderr))
            claim = next(fitting, Claim.FAILED)
        return ended.outcome(invocation, claim)
