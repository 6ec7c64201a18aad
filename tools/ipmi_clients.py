"""Real IPMI clients against emulated BMCs: `python -m tools.ipmi_clients` runs them all and writes docs/ipmi-clients.md.

`tools.ipmi_client_table` says what is run, tests/peers/test_ipmi_clients.py runs the same. Many clients know no other port than
623, so the BMCs are at 127.94.0.0/20, port 623; that takes root, or `sysctl net.ipv4.ip_unprivileged_port_start=0`.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import ipaddress
import os
import pty
import re
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from emulator.assembly import Emulator
from emulator.core.rack import HostSpec, UnitSpec
from emulator.fleet import Fleet
from emulator.frontends import Place
from profiles import load
from profiles.model import Profile, Span
from tools.ipmi_client_cell import AND, LIMIT, ClientCell
from tools.ipmi_client_table import CELLS

NETWORK = "127.94.0.0/20"
PORT = 623
PROFILE = "dell-idrac9"
DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "ipmi-clients.md"
ROOT = DOCUMENT.parents[1]
RAIL_PATIENCE = 5.0
PACKAGES = {
    "ipmitool": "ipmitool",
    "freeipmi": "freeipmi-tools",
    "ipmiutil": "ipmiutil",
    "openipmi": "openipmi",
    "fence": "fence-agents",
}
PYTHON_PACKAGES = ("pyghmi", "python-ipmi")


@dataclass(frozen=True)
class Console:
    """What a console client says once it stands, and what ends it."""

    stands: str
    escape: bytes


CONSOLES = {"terminal": Console("operational", b"\r~."), "ipmiconsole": Console("SOL established", b"&.")}
"""What a cell's `typed` says, where it is no text."""


@dataclass(frozen=True)
class ClientOutcome:
    works: bool
    why: str
    seconds: float


def quick(profile: Profile) -> Profile:
    """Every effect at once: this is about clients, and clients wait in real time. Nobody is locked out either."""
    now = Span(0, 0)

    def when(effect: str, real: str | None) -> Span:
        return Span(0.1, 0.1) if "cycle" in effect and real == "On" else now

    effects = {
        name: tuple(replace(step, at=when(name, step.real)) for step in steps) for name, steps in profile.power.effects.items()
    }
    return replace(
        profile,
        power=replace(
            profile.power, effects=effects, on_os_down=tuple(replace(step, at=now) for step in profile.power.on_os_down)
        ),
        timing=replace(profile.timing, os_shutdown_s=now),
        auth=replace(profile.auth, lockout=replace(profile.auth.lockout, failures=0)),
    )


@contextlib.contextmanager
def bed(cells: Sequence[ClientCell], network: str = NETWORK) -> Iterator[Bed]:
    """A fresh BMC for every cell. Raises CannotBind."""
    plain = quick(load(PROFILE))
    units = [
        UnitSpec(name=str(n), profile=replace(plain, ipmi=replace(plain.ipmi, **cell.ipmi)), hosts=(HostSpec(power=cell.power),))
        for n, cell in enumerate(cells)
    ]
    # A socket for each, not one for all: two beds may stand side by side, on two networks.
    addresses = Fleet(ipaddress.IPv4Network(network))
    places = {unit.name: Place(listen=addresses.address(n), ipmi_port=PORT) for n, unit in enumerate(units)}
    with Emulator(units, places=places, tls=False) as emulator, tempfile.TemporaryDirectory() as home:
        yield Bed(emulator, {cell.id: str(n) for n, cell in enumerate(cells)}, home)


class Bed:
    """BMCs, and clients that are told where they are."""

    def __init__(self, emulator: Emulator, names: dict[str, str], home: str) -> None:
        self._emulator = emulator
        self._names = names
        self._environment = {**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin", "HOME": home, "LC_ALL": "C.UTF-8"}

    def run(self, cell: ClientCell) -> ClientOutcome:
        name = self._names[cell.id]
        began = time.monotonic()
        try:
            code, said = self._talk(cell, name, began + cell.within)
        except subprocess.TimeoutExpired:
            return ClientOutcome(False, f"no end after {cell.within:.0f} s", time.monotonic() - began)
        except subprocess.CalledProcessError as error:
            said = f"{error.stdout or b''!r} {error.stderr or b''!r}"
            return ClientOutcome(False, f"{error.cmd}: exit status {error.returncode}: {said[-200:]}", time.monotonic() - began)
        seconds = time.monotonic() - began
        if cell.code is not None and code != cell.code:
            return ClientOutcome(False, f"exit status {code}: {said[-300:]}", seconds)
        if not re.search(cell.says, said, re.MULTILINE):
            return ClientOutcome(False, f"said: {said[-300:]}", seconds)
        if cell.rail is not None and not self._host_becomes(name, cell.rail, restarted=cell.restarts):
            return ClientOutcome(False, f"the host is {self._emulator.host(name)}", seconds)
        return ClientOutcome(True, "", seconds)

    def _talk(self, cell: ClientCell, name: str, until: float) -> tuple[int, str]:
        end = self._emulator.endpoints[name]
        facts = {"{h}": end.ipmi_host, "{u}": end.username, "{p}": end.password, "{python}": sys.executable}

        def fill(text: str) -> str:
            for word, value in facts.items():
                text = text.replace(word, value)
            return text

        commands: list[list[str]] = [[]]
        for word in cell.argv:
            if word == AND:
                commands.append([])
            else:
                commands[-1].append(fill(word))
        *first, last = commands
        for command in first:
            subprocess.run(
                command, capture_output=True, check=True, env=self._environment, cwd=ROOT, timeout=until - time.monotonic()
            )
        if cell.typed in CONSOLES:
            return self._at_a_terminal(last, CONSOLES[cell.typed], fill, cell.says, until)
        if cell.typed is not None:
            return self._typed(last, fill(cell.typed), cell.says, until)
        run = subprocess.run(
            last, capture_output=True, text=True, env=self._environment, cwd=ROOT, timeout=until - time.monotonic(), check=False
        )
        return run.returncode, run.stdout + run.stderr

    def _typed(self, command: list[str], text: str, says: str, until: float) -> tuple[int, str]:
        """Types into a pipe and reads until it has said what it should."""
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=self._environment
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(text.encode())
            process.stdin.flush()
            said = _read_until(process.stdout.fileno(), says, until)
            process.kill()
        return 0, said

    def _at_a_terminal(
        self, command: list[str], console: Console, fill: Callable[[str], str], says: str, until: float
    ) -> tuple[int, str]:
        """A console: once it stands the host is reset, and the escape sequence ends it."""
        ours, theirs = pty.openpty()
        reset = fill("ipmitool -I lanplus -H {h} -U {u} -P {p} chassis power reset").split()
        with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=self._environment) as process:
            os.close(theirs)
            try:
                said = _read_until(ours, console.stands, until)
                subprocess.run(reset, capture_output=True, check=True, env=self._environment, timeout=LIMIT)
                said += _read_until(ours, says, until)
                os.write(ours, console.escape)
                code = process.wait(timeout=5)
            finally:
                process.kill()
                os.close(ours)
        return code, said

    def _host_becomes(self, name: str, rail: str, *, restarted: bool) -> bool:
        until = time.monotonic() + RAIL_PATIENCE
        while time.monotonic() < until:
            host = self._emulator.host(name)
            if host.rail == rail and (host.incarnation > 1 or not restarted):
                return True
            time.sleep(0.02)
        return False


def _read_until(descriptor: int, says: str, until: float) -> str:
    said = b""
    ready = select.poll()  # not select(): with hundreds of BMCs in the process the number of a descriptor is above 1023
    ready.register(descriptor, select.POLLIN)
    while time.monotonic() < until and not re.search(says, said.decode(errors="replace"), re.MULTILINE):
        if ready.poll(200):
            try:
                got = os.read(descriptor, 65536)
            except OSError:  # the other end of a terminal is gone
                break
            if not got:
                break
            said += got
    return said.decode(errors="replace")


# -- the document ------------------------------------------------------------------------------------------------------


def versions() -> list[str]:
    """ "package version" of everything that is run, as the package manager knows it."""
    found = []
    for package in PACKAGES.values():
        query = ["dpkg-query", "-W", "-f", "${Version}", package]
        answer = subprocess.run(query, capture_output=True, text=True, check=False)
        found.append(f"{package} {answer.stdout if answer.returncode == 0 else '(not installed)'}")
    return [*found, *(f"{package} {importlib.metadata.version(package)}" for package in PYTHON_PACKAGES)]


def text(outcomes: dict[str, ClientOutcome], found: Sequence[str]) -> str:
    works = sum(outcome.works for outcome in outcomes.values())
    lines = [
        "# IPMI clients",
        "",
        "Written by `python -m tools.ipmi_clients`; do not edit. Every line is a real client against a fresh BMC of its own",
        f"(profile `{PROFILE}`, port {PORT}). *y*: it did what it was told, said so, and where power is concerned the host's",
        "rail was then what it should be. A refusal that must come is a line like any other. *own*: the client cannot do it, on",
        "any BMC, and the reason stands below its table.",
        "",
        f"{works} of {len(outcomes)} work. Versions: {', '.join(found)}.",
    ]
    clients = dict.fromkeys(cell.client for cell in CELLS)
    for client in clients:
        cells = [cell for cell in CELLS if cell.client == client]
        ways = list(dict.fromkeys(cell.way for cell in cells))
        lines += ["", f"## {client}", "", f"| what | {' | '.join(ways)} |", f"| --- |{' --- |' * len(ways)}"]
        for what in dict.fromkeys(cell.what for cell in cells):
            marks = []
            for way in ways:
                cell = next((c for c in cells if (c.what, c.way) == (what, way)), None)
                outcome = outcomes[cell.id] if cell is not None else None
                works_as = "own" if cell is not None and cell.theirs else "y"
                why = f"**n**: {' '.join(outcome.why.split())[:120]}" if outcome is not None else ""
                marks.append("" if outcome is None else works_as if outcome.works else why)
            lines.append(f"| {what} | {' | '.join(mark.replace('|', '/') for mark in marks)} |")
        theirs = dict.fromkeys(f"- {cell.what}: {cell.theirs}" for cell in cells if cell.theirs)
        lines += ["", *theirs] if theirs else []
    return "\n".join(lines) + "\n"


def main() -> int:
    outcomes: dict[str, ClientOutcome] = {}
    with bed(CELLS) as laid:
        for cell in CELLS:
            outcomes[cell.id] = outcome = laid.run(cell)
            print(f"{'y' if outcome.works else 'N'} {outcome.seconds:5.1f} s  {cell.id}  {outcome.why}", flush=True)
    DOCUMENT.write_text(text(outcomes, versions()), encoding="utf-8")
    return 0 if all(outcome.works for outcome in outcomes.values()) else 1


if __name__ == "__main__":
    raise SystemExit(main())
