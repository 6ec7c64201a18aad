"""A program under observation: started alone, watched, and never left behind.

Rules
  1. Its own session, a clean environment, nothing inherited. At the cap the whole group is killed.
  2. The end is seen at once (a process descriptor, not a poll), so that the stamp in the journal says when the claim was made.
  3. Command lines are recorded by stand-ins that come first in PATH and then become the real program: sampling the process table
     misses short-lived ones half of the time. The table is sampled as well, for tools that nobody thought of.
  4. Every descendant carries a mark in its environment, so that one that left the session is found too.
"""

from __future__ import annotations

import os
import secrets
import select
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from conformance.adapters.base import Interrupted

MARK: Final = "FENCELAB_RUN"
ARGV_LOG: Final = "FENCELAB_ARGV"
TICK_S: Final = 0.05
LEFTOVER_GRACE_S: Final = 0.5
DRAIN_S: Final = 2.0
KEPT_BYTES: Final = 256_000
RECORDED_TOOLS: Final = (
    "ipmitool", "ipmipower", "ipmi-power", "ipmi-chassis", "redfishtool", "rf_power_reset", "racadm", "ilorest", "curl", "wget",
    "openssl", "ssh",
)  # fmt: skip
STAND_IN: Final = """#!/bin/sh
{{ printf '%s\\0' {name} "$@"; printf '\\036'; }} >> "${log}"
exec {path} "$@"
"""
PASSED_ON: Final = ("PYTHONPATH", "COVERAGE_PROCESS_START")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """`exit` is None where it was killed at the cap."""

    exit: int | None
    stdout: str
    stderr: str
    duration: float
    leftover: tuple[str, ...]
    argv: tuple[tuple[str, ...], ...]


def search_path() -> str:
    """Where programs are looked for: beside our Python, as the user says, and where fence agents live."""
    places = [str(Path(sys.executable).parent), *os.environ.get("PATH", os.defpath).split(os.pathsep), "/usr/sbin", "/sbin"]
    return os.pathsep.join(dict.fromkeys(place for place in places if place))


def find(program: str, beside: Path) -> str | None:
    """The program's path; a relative one with a slash is meant from the fencer's file."""
    if "/" in program:
        path = Path(program) if Path(program).is_absolute() else beside / program
        return str(path) if os.access(path, os.X_OK) and path.is_file() else None
    return shutil.which(program, path=search_path())


class StandIns:
    """Recording stand-ins for the programs that fencers start."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory / "bin"
        self.directory.mkdir()
        self._log = directory / "argv"
        for name in RECORDED_TOOLS:
            if (path := shutil.which(name, path=search_path())) is not None:
                script = self.directory / name
                script.write_text(STAND_IN.format(name=name, log=ARGV_LOG, path=path))
                script.chmod(0o700)

    def of(self, tool: str) -> str | None:
        """The path of a tool's stand-in; None where the machine has no such tool."""
        script = self.directory / tool
        return str(script) if script.exists() else None

    def environment(self) -> dict[str, str]:
        return {ARGV_LOG: str(self._log), "PATH": f"{self.directory}{os.pathsep}{search_path()}"}

    def recorded(self) -> tuple[tuple[str, ...], ...]:
        if not self._log.exists():
            return ()
        records = self._log.read_text(errors="replace").split("\x1e")
        return tuple(tuple(record.split("\0")[:-1]) for record in records if record)


@dataclass(slots=True)
class _Drain:
    """Reads a pipe to its end and keeps the beginning. A pipe that a leftover holds open is given up on."""

    pipe: IO[bytes]
    kept: bytearray = field(default_factory=bytearray)
    thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self) -> None:
        while chunk := os.read(self.pipe.fileno(), 65536):
            self.kept += chunk[: max(0, KEPT_BYTES - len(self.kept))]

    def text(self) -> str:
        self.thread.join(timeout=DRAIN_S)
        if not self.thread.is_alive():
            self.pipe.close()
        return self.kept.decode(errors="replace")


def run(
    argv: Sequence[str],
    *,
    stdin: str,
    env: Mapping[str, str],
    cwd: Path,
    scratch: Path,
    stand_ins: StandIns,
    cap: float,
    stop: threading.Event,
    on_end: Callable[[], None],
) -> Ended:
    """Runs a program to its end or to the cap (seconds). Raises Interrupted when `stop` is set, OSError if it cannot start."""
    mark = secrets.token_hex(8)
    passed = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    clean = {
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        "LANG": "C.UTF-8",
        **passed,
        **stand_ins.environment(),
        **env,
        MARK: mark,
    }
    started = time.monotonic()
    process = subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=clean, cwd=cwd, start_new_session=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    drains = [_Drain(process.stdout), _Drain(process.stderr)]
    speaker = threading.Thread(target=_say, args=(process.stdin, stdin), daemon=True)
    speaker.start()  # a fencer that does not read must not stop the clock
    seen: dict[tuple[str, ...], None] = {tuple(argv): None}
    try:
        interrupted = not _wait(process, started + cap, stop, seen)
    except KeyboardInterrupt:  # here only where the caller is the main thread, as under pytest
        _kill_all(process, mark)
        raise
    ended = interrupted or process.returncode is not None
    on_end()
    duration = time.monotonic() - started
    leftover = () if not ended or interrupted else _leftovers(mark)
    _kill_all(process, mark)
    speaker.join(timeout=DRAIN_S)
    stdout, stderr = (drain.text() for drain in drains)
    if interrupted:
        raise Interrupted
    for line in stand_ins.recorded():
        seen[line] = None
    return Ended(
        exit=process.returncode if ended else None,
        stdout=stdout,
        stderr=stderr,
        duration=duration,
        leftover=leftover,
        argv=tuple(seen),
    )


def _say(pipe: IO[bytes], text: str) -> None:
    with suppress(BrokenPipeError), pipe:  # it may end without listening, which is its own affair
        pipe.write(text.encode())


def _wait(process: subprocess.Popen[bytes], until: float, stop: threading.Event, seen: dict[tuple[str, ...], None]) -> bool:
    """Waits for the end or the instant `until`; False if the user wants out. Sets `returncode` if it has ended."""
    descriptor = os.pidfd_open(process.pid)
    try:
        poller = select.poll()
        poller.register(descriptor, select.POLLIN)
        while (left := until - time.monotonic()) > 0:
            if poller.poll(min(TICK_S, left) * 1000):
                process.wait()
                return True
            if stop.is_set():
                return False
            for pid in _descendants(process.pid):
                if line := _command_line(pid):
                    seen[line] = None
    finally:
        os.close(descriptor)
    return True


def _descendants(pid: int) -> Iterator[int]:
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in _read(children).split():
            yield int(child)
            yield from _descendants(int(child))


def _command_line(pid: int) -> tuple[str, ...]:
    return tuple(_read(Path(f"/proc/{pid}/cmdline")).split("\0")[:-1])


def _read(path: Path) -> str:
    """A file below /proc; empty where the process has gone."""
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def _marked(mark: str) -> dict[int, str]:
    """Every living process that carries the mark, by id, with its name."""
    needle = f"{MARK}={mark}"
    found: dict[int, str] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and needle in _read(entry / "environ").split("\0"):
            found[int(entry.name)] = _read(entry / "comm").strip() or "?"
    return found


def _leftovers(mark: str) -> tuple[str, ...]:
    """Names of descendants that are still there after a moment's grace."""
    until = time.monotonic() + LEFTOVER_GRACE_S
    while (left := _marked(mark)) and time.monotonic() < until:
        time.sleep(TICK_S)
    return tuple(sorted(left.values()))


def _kill_all(process: subprocess.Popen[bytes], mark: str) -> None:
    if process.returncode is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    while marked := _marked(mark):
        for pid in marked:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(TICK_S / 10)
