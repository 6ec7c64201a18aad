"""A Python function that is handed a `transport` and a `clock`, and so runs on virtual time without sockets (ruling 37).

It is called as `function(action, bmc, transport=..., clock=..., **params)`; everything else is as for the adapter `python`
(`python_child`). A manager gets a `site` too (`watch_on_transport`). `conformance.in_process` plays its scenarios; `run` is
called there, in the process of the emulated BMCs.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final, Self

from conformance.adapters import python_child
from conformance.adapters.agent import claim_of
from conformance.adapters.base import CannotStart, Invocation
from conformance.adapters.placeholders import fill_map
from conformance.adapters.process import PASSED_ON
from conformance.adapters.python import PythonAdapter
from conformance.adapters.section import Section
from conformance.adapters.watch_on_transport import SiteTransport, WatchedOnTransport, limit_s
from conformance.outcome import FencerOutcome
from conformance.vocabulary import Ask, Claim
from emulator import OutOfTime

if TYPE_CHECKING:
    from emulator import SocketlessEmulator

KEPT_BYTES: Final = 256_000


@dataclass(frozen=True, kw_only=True)
class PythonTransportAdapter(PythonAdapter):
    """Adapter `python-transport`. `stage` gives the BMCs of a run, there only where they are in this process.

    With `keeps_nothing` the function may be called many times in one process.
    """

    name: ClassVar[str] = "python-transport"
    form: ClassVar[str] = "conformance.fencer_forms.python:PYTHON_TRANSPORT"
    on_virtual_time: ClassVar[bool] = True
    asks_if_declared: ClassVar[frozenset[Ask]] = frozenset({Ask.WATCH})

    keeps_nothing: bool = False
    stage: Callable[[], SocketlessEmulator] | None = None

    @classmethod
    def read(cls, section: Section, base: Self | None) -> Self:
        kept = section.raw("keeps") or ("nothing" if base is not None and base.keeps_nothing else "")
        return replace(super().read(section, base), keeps_nothing=kept == "nothing")

    def run(self, invocation: Invocation) -> FencerOutcome:
        """Asks once. `duration` is in virtual seconds, and the cap counts on the virtual clock."""
        if self.stage is None:
            raise CannotStart("a fencer with a transport runs in the process of its BMCs only")
        bmcs, port = self.stage(), int(invocation.bmc["bmc.ipmi_port"])
        name = next(name for name, at in bmcs.endpoints.items() if at.ipmi_port == port)  # each has its own
        limit = invocation.cap if invocation.site is None else limit_s(invocation)
        transport, clock = bmcs.client(name, limit_s=limit)
        handed: dict[str, object] = {"transport": transport, "clock": clock}
        watched: WatchedOnTransport | None = None
        if invocation.agents is not None:
            watched = WatchedOnTransport(invocation, clock)
            handed = {"transport": SiteTransport(invocation.agents, transport, clock), "clock": clock, "site": watched}
        began = bmcs.now()
        names = {key.removeprefix("bmc."): value for key, value in invocation.bmc.items()}
        message = {
            "path": str(self.folder),
            "action": invocation.ask.value,
            "bmc": {**names, "protocol": invocation.protocol.value},
            "params": {**fill_map(self.params, invocation.bmc), **handed},
        }
        code: int | None = None
        with _surroundings(invocation.scratch), _output() as said:
            try:
                code = python_child.call(self.functions.get(invocation.ask) or self.function, message)
            except OutOfTime:
                pass
            except SystemExit as end:
                code = _exit_code(end)
            except BaseException as error:  # noqa: BLE001 - a stranger's KeyboardInterrupt is its failure
                print(f"{type(error).__name__}: {error}", file=sys.stderr)
                code = python_child.FAILED
        if code == python_child.NO_FUNCTION:
            raise CannotStart(f"nothing to call: {said[1].strip()}")
        if clock.is_over:
            code = None  # whatever it has made of that
        if watched is not None:
            watched.end()
            return FencerOutcome(
                ask=invocation.ask,
                claim=watched.claim if code == python_child.DONE or watched.claim is Claim.OFF else Claim.FAILED,
                exit=code,
                stdout=said[0],
                stderr=said[1],
                duration=watched.claim_after,
                timed_out=code is None,
            )
        invocation.on_end()
        return FencerOutcome(
            ask=invocation.ask,
            claim=claim_of(invocation.ask, code) if code is not None else Claim.NONE,
            exit=code,
            stdout=said[0],
            stderr=said[1],
            duration=bmcs.now() - began,
            timed_out=code is None,
        )


def _exit_code(end: SystemExit) -> int:
    """What the process of a program would end with."""
    if end.code is None or isinstance(end.code, int):
        return (end.code or 0) & 0xFF
    print(end.code, file=sys.stderr)
    return python_child.FAILED


@contextmanager
def _surroundings(scratch: Path) -> Iterator[None]:
    """The clean environment that a program would get, for as long as the function runs."""
    before, directory = dict(os.environ), os.getcwd()
    clean = {name: value for name, value in before.items() if name in PASSED_ON}
    os.environ.clear()
    os.environ.update({"HOME": str(scratch), "TMPDIR": str(scratch), "LANG": "C.UTF-8", **clean})
    os.chdir(scratch)
    try:
        yield
    finally:
        os.chdir(directory)
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def _output() -> Iterator[list[str]]:
    """Collects what is written to the descriptors 1 and 2, by whatever means; the list is filled at the end."""
    said: list[str] = []
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        saved = os.dup(1), os.dup(2)
        sys.stdout.flush()
        sys.stderr.flush()
        os.dup2(out.fileno(), 1)
        os.dup2(err.fileno(), 2)
        try:
            yield said
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for number, descriptor in enumerate(saved, start=1):
                os.dup2(descriptor, number)
                os.close(descriptor)
            for file in (out, err):
                file.seek(0)
                said.append(file.read(KEPT_BYTES).decode(errors="replace"))
