"""Any program: a command line per action, and signs by which its end is read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Final, Self

from conformance.adapters.base import Adapter, Invocation
from conformance.adapters.placeholders import Item, fill, fill_all, fill_map, parts
from conformance.adapters.process import Ended, run
from conformance.adapters.program_call import ProgramCall
from conformance.adapters.programs import StandIns, find, lack
from conformance.adapters.section import Section, present
from conformance.outcome import FencerOutcome
from conformance.vocabulary import Ask, Claim

PLAIN_CLAIM: Final[Mapping[Ask, Claim]] = {
    **{ask: Claim.OK for ask in Ask if ask is not Ask.STATUS}, Ask.OFF: Claim.OFF, Ask.ON: Claim.ON, Ask.REBOOT: Claim.REBOOTED,
}  # fmt: skip
"""What success means where there is only one answer; status has two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """By what a program's end is recognised. What is not named is not looked at."""

    exits: tuple[int, ...] = ()
    stdout: re.Pattern[str] | None = None
    stderr: re.Pattern[str] | None = None

    def fits(self, exit: int, stdout: str, stderr: str) -> bool:
        return (
            (not self.exits or exit in self.exits)
            and (self.stdout is None or self.stdout.search(stdout) is not None)
            and (self.stderr is None or self.stderr.search(stderr) is not None)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramAction:
    """How a program is asked for one thing. `signs` are tried in order; none fits: it failed."""

    argv: tuple[Item, ...]
    stdin: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    signs: tuple[tuple[Claim, Sign], ...]


@dataclass(frozen=True, kw_only=True)
class CommandAdapter(Adapter):
    """Adapter `exec`."""

    name: ClassVar[str] = "exec"
    form: ClassVar[str] = "conformance.fencer_forms.program:PROGRAM"

    actions: Mapping[Ask, ProgramAction]

    @classmethod
    def read(cls, section: Section, base: Self | None) -> Self:
        found = ((ask, section.child(node, path)) for ask, node, path in section.per_ask("actions"))
        actions = {ask: _action(part, ask) for ask, part in found if part is not None}
        inherited = base.actions if base is not None else {}
        return cls(folder=section.folder, built_in=section.built_in, actions={**inherited, **actions})

    @property
    def asks(self) -> frozenset[Ask]:
        return frozenset(self.actions)

    def texts(self) -> Iterator[str]:
        for action in self.actions.values():
            yield from parts(action.argv)
            yield action.stdin
            yield from action.env.values()

    def missing(self) -> str | None:
        programs = (action.argv[0] for action in self.actions.values())
        lacks = (lack(program, self.folder) for program in programs if isinstance(program, str))
        return next((sentence for sentence in lacks if sentence is not None), None)

    def call(self, invocation: Invocation) -> ProgramCall:
        """What is to be started for this ask."""
        action = self.actions[invocation.ask]
        return ProgramCall(
            line=fill_all(action.argv, invocation.bmc),
            stdin=fill(action.stdin, invocation.bmc) or "",
            env=fill_map(action.env, invocation.bmc),
        )

    def claim(self, ask: Ask, ended: Ended) -> Claim:
        """What the end of the program says."""
        if ended.exit is None:
            return Claim.NONE
        signs = self.actions[ask].signs
        return next((claim for claim, sign in signs if sign.fits(ended.exit, ended.stdout, ended.stderr)), Claim.FAILED)

    def run(self, invocation: Invocation) -> FencerOutcome:
        call = self.call(invocation)
        ended = run(
            (find(call.line[0], self.folder) or call.line[0], *call.line[1:]),
            invocation,
            StandIns(invocation.watch),
            stdin=call.stdin,
            env=call.env,
            cwd=self.working_directory(invocation),
        )
        return ended.outcome(invocation, self.claim(invocation.ask, ended))


# -- the fencer file -------------------------------------------------------------------------------------------------------


def _action(action: Section, ask: Ask) -> ProgramAction:
    return ProgramAction(
        argv=action.words("argv"), stdin=action.raw("stdin"), env=present(action.texts("env")), signs=_signs(action, ask)
    )


def _signs(action: Section, ask: Ask) -> tuple[tuple[Claim, Sign], ...]:
    signs: list[tuple[Claim, Sign]] = []
    if (claim := action.part("claim")) is not None:
        signs.append((PLAIN_CLAIM[ask], _sign(claim)))
    if (claims := action.part("claims")) is not None:
        signs += [(Claim(name), _sign(part)) for name in claims.node.entries if (part := claims.part(name)) is not None]
    return tuple(signs) or ((PLAIN_CLAIM.get(ask, Claim.FAILED), Sign(exits=(0,))),)


def _sign(sign: Section) -> Sign:
    return Sign(
        exits=tuple(map(int, sign.numbers("exit"))),
        stdout=sign.pattern(sign.get("stdout"), sign.at("stdout")),
        stderr=sign.pattern(sign.get("stderr"), sign.at("stderr")),
    )
