"""FenceAgentAPI: parameters as `name=value` lines on standard input, as Pacemaker does it; exit 0, 1, 2."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Final, Self

from conformance.adapters.base import Adapter, Invocation
from conformance.adapters.placeholders import Item, fill_all, fill_map, parts, placeholders
from conformance.adapters.process import run
from conformance.adapters.program_call import ProgramCall
from conformance.adapters.programs import StandIns, find, lack
from conformance.adapters.section import Section, present
from conformance.outcome import FencerOutcome
from conformance.vocabulary import ASKED_OF_FENCERS, Ask, Claim, Convention

OFF_EXIT = 2
DONE: dict[Ask, Claim] = {
    **dict.fromkeys(Ask, Claim.OK),
    Ask.OFF: Claim.OFF,
    Ask.ON: Claim.ON,
    Ask.REBOOT: Claim.REBOOTED,
    Ask.STATUS: Claim.ON,
}
PASSWORD: Final = "bmc.password"
PASSWORD_VARIABLE: Final = "FENCELAB_PASSWORD"
PASSWORD_SCRIPT_FILE: Final = "password-script"
PASSWORD_SCRIPT: Final = f"""#!/bin/sh
printf '%s\\n' "${PASSWORD_VARIABLE}"
"""
"""Prints the password for `--password-script`. The file does not hold it."""


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
    """Adapter `fence-agent`. `recorders` name parameters that take the path of a recording stand-in; `switches` those that stand
    on a command line without a value."""

    name: ClassVar[str] = "fence-agent"
    form: ClassVar[str] = "conformance.fencer_forms.agent:AGENT"
    conventions: ClassVar[frozenset[Convention]] = frozenset({Convention.FENCE_AGENT_API})

    command: tuple[Item, ...]
    params: Mapping[str, str] = field(default_factory=dict)
    recorders: Mapping[str, str] = field(default_factory=dict)
    switches: frozenset[str] = frozenset()

    @classmethod
    def read(cls, section: Section, base: Self | None) -> Self:
        return cls(
            folder=section.folder,
            built_in=section.built_in,
            command=section.words("command") or (base.command if base is not None else ()),
            params=present({**(base.params if base is not None else {}), **section.texts("params")}),
            recorders=base.recorders if base is not None else present(section.texts("recorders")),
            switches=base.switches if base is not None else frozenset(parts(section.words("switches"))),
        )

    @property
    def asks(self) -> frozenset[Ask]:
        return ASKED_OF_FENCERS

    def texts(self) -> Iterator[str]:
        yield from parts(self.command)
        yield from self.params.values()

    def missing(self) -> str | None:
        program = self.command[0]
        return lack(program, self.folder) if isinstance(program, str) else None

    def call(self, invocation: Invocation, recorders: Mapping[str, str] | None = None) -> ProgramCall:
        """What is to be started for this ask; `recorders` are parameters that take the path of a stand-in."""
        params = {**fill_map(self.params, invocation.bmc), **(recorders or {})}
        wanted = invocation.input
        action = wanted.action or invocation.ask.value
        line = fill_all(self.command, invocation.bmc)
        if not wanted.as_options:
            lines = [f"action={action}", *(f"{name}={value}" for name, value in params.items())]
            return ProgramCall(line=line, stdin="".join(f"{each}\n" for each in (*wanted.before, *lines, *wanted.after)))
        script = invocation.watch / PASSWORD_SCRIPT_FILE
        script.write_text(PASSWORD_SCRIPT)
        script.chmod(0o700)
        secret = {name for name, text in self.params.items() if PASSWORD in placeholders(text)}
        options = [f"--action={action}", f"--password-script={script}"]
        for name, value in params.items():
            if name not in secret:
                option = f"--{name.replace('_', '-')}"
                options.append(option if name in self.switches else f"{option}={value}")
        return ProgramCall(line=(*line, *options), env={PASSWORD_VARIABLE: invocation.bmc[PASSWORD]})

    def run(self, invocation: Invocation) -> FencerOutcome:
        stand_ins = StandIns(invocation.watch)
        paths = {name: stand_ins.of(tool) for name, tool in self.recorders.items()}
        call = self.call(invocation, present(paths))
        ended = run(
            (find(call.line[0], self.folder) or call.line[0], *call.line[1:]),
            invocation,
            stand_ins,
            stdin=call.stdin,
            env=call.env,
            cwd=self.working_directory(invocation),
        )
        return ended.outcome(invocation, claim_of(invocation.ask, ended.exit))
