"""Any program: a command line per action, and signs by which its end is read."""

from __future__ import annotations

from conformance.adapters.base import Invocation
from conformance.adapters.definition import Definition, fill, fill_all, fill_map
from conformance.adapters.process import StandIns, find, run
from conformance.outcome import Outcome
from conformance.vocabulary import Claim


class CommandAdapter:
    """Adapter `exec`."""

    def __init__(self, definition: Definition) -> None:
        self._definition = definition

    def missing(self) -> str | None:
        for way in self._definition.ways.values():
            for action in way.actions.values():
                program = action.argv[0]
                if isinstance(program, str) and find(program, self._definition.folder) is None:
                    return f"{program} is not installed"
        return None

    def run(self, invocation: Invocation) -> Outcome:
        action = self._definition.ways[invocation.protocol].actions[invocation.ask]
        line = fill_all(action.argv, invocation.bmc)
        beside = self._definition.folder
        ended = run(
            (find(line[0], beside) or line[0], *line[1:]),
            stdin=fill(action.stdin, invocation.bmc) or "",
            env=fill_map(action.env, invocation.bmc),
            cwd=invocation.scratch if self._definition.built_in else beside,
            scratch=invocation.scratch,
            stand_ins=StandIns(invocation.scratch),
            cap=invocation.cap,
            stop=invocation.stop,
            on_end=invocation.on_end,
        )
        claim = Claim.NONE
        if ended.exit is not None:
            fitting = (c for c, sign in action.signs if sign.fits(ended.exit, ended.stdout, ended.stderr))
            claim = next(fitting, Claim.FAILED)
        return Outcome(
            ask=invocation.ask,
            claim=claim,
            exit=ended.exit,
            stdout=ended.stdout,
            stderr=ended.stderr,
            duration=ended.duration,
            timed_out=ended.exit is None,
            leftover=ended.leftover,
            argv=ended.argv,
        )
