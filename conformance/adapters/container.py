"""A fencer in a container: what the adapters `fence-agent` and `exec` would start is started by a container engine.

The suite observes the command of the engine. Everybody on the machine can read its command line, so the values of `env` are
handed over by name (`--env NAME`), and a password in `argv` is a mistake of the fencer file. Of the container the suite sees
output, exit code and requests. It does not see its files, processes and command lines.
"""

from __future__ import annotations

import os
import subprocess
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import ClassVar, Final, Self

from conformance.adapters.agent import PASSWORD_SCRIPT_FILE, AgentAdapter, claim_of
from conformance.adapters.base import Adapter, CannotStart, Invocation
from conformance.adapters.command import CommandAdapter
from conformance.adapters.process import Ended, run
from conformance.adapters.program_call import ProgramCall
from conformance.adapters.programs import StandIns, find
from conformance.adapters.section import Section, present
from conformance.outcome import FencerOutcome
from conformance.vocabulary import Ask

ENGINE: Final = "docker"
HOST_NETWORK: Final = "host"
FILES: Final = ("bmc.password_file", "bmc.password_script", "bmc.ca_file")
"""Placeholders that are paths of this machine: the container sees these files under the same paths."""
ENGINE_SETTINGS: Final = (
    "DOCKER_HOST",
    "DOCKER_CONTEXT",
    "DOCKER_CERT_PATH",
    "DOCKER_TLS_VERIFY",
    "CONTAINER_HOST",
    "XDG_RUNTIME_DIR",
)
"""What an engine's command reads in the user's environment to find the engine."""
ENGINE_PATIENCE_S: Final = 20.0
RUN: Final = ("run", "--rm", "--interactive", "--pull", "never")
NOT_STARTED: Final = (125, 126, 127)
"""How `docker run` exits where the engine, not the program, says no."""


@dataclass(frozen=True, kw_only=True)
class ContainerAdapter(Adapter):
    """Adapter `container`. `inside` is how the program in the image is asked.

    `mounts` map paths of this machine, as meant from the fencer file, to paths in the container, read-only. `network` is one
    that the engine knows. The BMCs listen on loopback, which only the network of the host reaches.
    """

    name: ClassVar[str] = "container"
    form: ClassVar[str] = "conformance.fencer_forms.container:CONTAINER"

    inside: AgentAdapter | CommandAdapter
    image: str = ""
    engine: str = ENGINE
    network: str = HOST_NETWORK
    mounts: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, section: Section, base: Self | None) -> Self:
        inside = _inside(section, base.inside if base is not None else None)
        if base is not None:
            return replace(base, inside=inside)
        return cls(
            folder=section.folder,
            built_in=section.built_in,
            inside=inside,
            image=section.raw("image"),
            engine=section.raw("engine") or ENGINE,
            network=section.raw("network") or HOST_NETWORK,
            mounts=present(section.texts("mounts")),
        )

    @property
    def asks(self) -> frozenset[Ask]:
        return self.inside.asks

    def texts(self) -> Iterator[str]:
        return self.inside.texts()

    def missing(self) -> str | None:
        path = find(self.engine, self.folder)
        return f"{self.engine} is not installed" if path is None else _lack(path, self.engine, self.image)

    def run(self, invocation: Invocation) -> FencerOutcome:
        call = self.inside.call(invocation)
        name = f"fencelab-{uuid.uuid4().hex[:16]}"
        engine = find(self.engine, self.folder) or self.engine
        ended: Ended | None = None
        try:
            ended = run(
                (engine, *RUN, "--name", name, *self._options(invocation, call), *call.line),
                invocation,
                StandIns(invocation.watch),
                stdin=call.stdin,
                env={**_settings(), **call.env},
                cwd=self.working_directory(invocation),
            )
        finally:
            if ended is None or ended.exit is None or ended.exit < 0:
                _refusal(engine, "rm", "--force", name)  # killed, the engine's command leaves the container running
        if ended.exit in NOT_STARTED and f"{Path(engine).name}: " in ended.stderr:
            raise CannotStart(f"{self.engine} cannot start {self.image}: {_first_line(ended.stderr)}")
        if isinstance(self.inside, CommandAdapter):
            return ended.outcome(invocation, self.inside.claim(invocation.ask, ended))
        return ended.outcome(invocation, claim_of(invocation.ask, ended.exit))

    def _options(self, invocation: Invocation, call: ProgramCall) -> Iterator[str]:
        """Options of `run`, and the image behind them."""
        yield from ("--network", self.network)
        for source, to in self.mounts.items():
            yield from ("--volume", f"{(self.folder / source).resolve()}:{to}:ro")
        told = (Path(invocation.bmc[word]) for word in FILES if invocation.bmc[word] and self.is_told(word))
        for file in (*told, invocation.watch / PASSWORD_SCRIPT_FILE):
            if file.is_file():
                yield from ("--volume", f"{file}:{file}:ro")
        for variable in call.env:
            yield from ("--env", variable)
        yield self.image


def _inside(section: Section, base: AgentAdapter | CommandAdapter | None) -> AgentAdapter | CommandAdapter:
    """`actions` as for exec, or `command` and `params` as for fence-agent."""
    if isinstance(base, CommandAdapter):
        return CommandAdapter.read(section, base)
    if isinstance(base, AgentAdapter):
        return AgentAdapter.read(section, base)
    return (AgentAdapter if section.get("actions") is None else CommandAdapter).read(section, None)


@cache
def _lack(path: str, engine: str, image: str) -> str | None:
    """What is missing to run the image, asked once per process; None where nothing is."""
    if (why := _refusal(path, "version", "--format", "{{.Server.Version}}")) is not None:
        return f"no container engine answers to {engine}: {why}"
    if _refusal(path, "image", "inspect", image) is not None:
        return f"the image {image} is not here: {engine} pull {image}, or build it"
    return None


def _refusal(*line: str) -> str | None:
    """Why the engine's command fails, in its last line; None where it does not."""
    try:
        done = subprocess.run(line, capture_output=True, text=True, errors="replace", timeout=ENGINE_PATIENCE_S, check=False)
    except subprocess.TimeoutExpired:
        return f"no answer within {ENGINE_PATIENCE_S:g} s"
    except OSError as error:
        return error.strerror or str(error)
    said = done.stderr.strip().splitlines()
    return None if done.returncode == 0 else said[-1] if said else f"exit {done.returncode}"


def _settings() -> dict[str, str]:
    """What the engine's command needs of the user's environment; its own HOME is a scratch directory."""
    found = {word: os.environ[word] for word in ENGINE_SETTINGS if word in os.environ}
    own = os.environ.get("DOCKER_CONFIG") or str(Path.home() / ".docker")
    return {**found, **({"DOCKER_CONFIG": own} if os.path.isdir(own) else {})}


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "it says nothing")
