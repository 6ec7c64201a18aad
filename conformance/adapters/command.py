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
from fencelab_yaml.errors import listed
from fencelab_yaml.source import YamlList, YamlNode, YamlScalar

ACTION_KEYS: Final = ("argv", "stdin", "env", "claim", "claims")
SIGN_KEYS: Final = ("exit", "stdout", "stderr")
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
    keys: ClassVar[tuple[str, ...]] = ("actions",)
    over_keys: ClassVar[tuple[str, ...]] = ("actions",)

    actions: Mapping[Ask, ProgramAction]

    @classmethod
    def read(cls, section: Section, base: Self | None) -> Self:
        actions = {ask: _action(section, node, path, ask) for ask, node, path in section.per_ask("actions")}
        understood = {ask: action for ask, action in actions.items() if action is not None}
        if base is None and not understood:
            section.lacks("actions", f"missing: the adapter {cls.name} needs it")
        inherited = base.actions if base is not None else {}
        return cls(folder=section.folder, built_in=section.built_in, actions={**inherited, **understood})

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


def _action(section: Section, node: YamlNode, path: str, ask: Ask) -> ProgramAction | None:
    inside = section.child(node, path, "must be a map with argv")
    if inside is None:
        return None
    inside.only(ACTION_KEYS)
    argv = inside.get("argv")
    if argv is None:
        inside.lacks("argv", "missing")
        return None
    stdin = inside.get("stdin")
    return ProgramAction(
        argv=inside.line(argv, inside.at("argv")),
        stdin="" if stdin is None else inside.text(stdin, inside.at("stdin")) or "",
        env=present(inside.texts("env")),
        signs=_signs(inside, ask),
    )


def _signs(action: Section, ask: Ask) -> tuple[tuple[Claim, Sign], ...]:
    signs: list[tuple[Claim, Sign]] = []
    if (claim := action.get("claim")) is not None:
        if ask is Ask.STATUS:
            action.bad(claim, action.at("claim"), "status has two answers: use claims: {on: ..., off: ...}")
        else:
            signs.append((PLAIN_CLAIM[ask], _sign(action, claim, action.at("claim"))))
    for name, value, path in action.entries("claims"):
        if name not in list(Claim):
            action.bad(value, path, f"no such claim; there are: {listed(Claim)}")
        else:
            signs.append((Claim(name), _sign(action, value, path)))
    if not signs and ask is Ask.STATUS:
        action.lacks("claims", "missing: by what are on and off told apart?")
    return tuple(signs) or ((PLAIN_CLAIM.get(ask, Claim.FAILED), Sign(exits=(0,))),)


def _sign(action: Section, node: YamlNode, path: str) -> Sign:
    inside = action.child(node, path, "must be a map of exit, stdout, stderr")
    if inside is None:
        return Sign()
    inside.only(SIGN_KEYS)
    exits = inside.get("exit")
    values = exits.items if isinstance(exits, YamlList) else () if exits is None else (exits,)
    numbers: list[int] = []
    for value in values:
        if isinstance(value, YamlScalar) and type(value.value) is int:
            numbers.append(value.value)
        else:
            inside.bad(value, inside.at("exit"), "must be a number or a list of numbers")
    return Sign(
        exits=tuple(numbers),
        stdout=inside.pattern(inside.get("stdout"), inside.at("stdout")),
        stderr=inside.pattern(inside.get("stderr"), inside.at("stderr")),
    )
