"""FenceAgentAPI: parameters as `name=value` lines on standard input, as Pacemaker does it; exit 0, 1, 2."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Self

from conformance.adapters.base import Adapter, Invocation
from conformance.adapters.placeholders import Item, fill_all, fill_map, parts
from conformance.adapters.process import run
from conformance.adapters.programs import StandIns, find, lack
from conformance.adapters.section import Section, present
from conformance.outcome import FencerOutcome
from conformance.vocabulary import Ask, Claim, Convention

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


@dataclass(frozen=True, kw_only=True)
class AgentAdapter(Adapter):
    """Adapter `fence-agent`. `recorders` name parameters that take the path of a recording stand-in."""

    name: ClassVar[str] = "fence-agent"
    keys: ClassVar[tuple[str, ...]] = ("command", "params", "recorders")
    over_keys: ClassVar[tuple[str, ...]] = ("command", "params")
    conventions: ClassVar[frozenset[Convention]] = frozenset({Convention.FENCE_AGENT_API})

    command: tuple[Item, ...]
    params: Mapping[str, str] = field(default_factory=dict)
    recorders: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, section: Section, base: Self | None) -> Self:
        node = section.get("command")
        command = base.command if base is not None else ()
        if node is not None:
            command = section.line(node, section.at("command"))
        if base is None and not command:
            section.lacks("command", f"missing: the adapter {cls.name} needs it")
        return cls(
            folder=section.folder,
            built_in=section.built_in,
            command=command,
            params=present({**(base.params if base is not None else {}), **section.texts("params")}),
            recorders=base.recorders if base is not None else present(section.texts("recorders")),
        )

    @property
    def asks(self) -> frozenset[Ask]:
        return frozenset(Ask)

    def texts(self) -> Iterator[str]:
        yield from parts(self.command)
        yield from self.params.values()

    def missing(self) -> str | None:
        program = self.command[0]
        return lack(program, self.folder) if isinstance(program, str) else None

    def run(self, invocation: Invocation) -> FencerOutcome:
        command = fill_all(self.command, invocation.bmc)
        stand_ins = StandIns(invocation.watch)
        params = fill_map(self.params, invocation.bmc)
        for name, tool in self.recorders.items():
            if (path := stand_ins.of(tool)) is not None:
                params[name] = path
        lines = [f"action={invocation.ask}", *(f"{name}={value}" for name, value in params.items())]
        ended = run(
            (find(command[0], self.folder) or command[0], *command[1:]),
            invocation,
            stand_ins,
            stdin="".join(f"{line}\n" for line in lines),
            cwd=self.working_directory(invocation),
        )
        return ended.outcome(invocation, claim_of(invocation.ask, ended.exit))
