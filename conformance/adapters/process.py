"""A program under observation: started alone, watched, and never left behind.

Rules
  1. Its own session, a clean environment, nothing inherited. At the cap everything that it has started is killed.
  2. The end is seen at once (a line from the warden, not a poll), so that the stamp in the journal says when the claim was made.
  3. Command lines are recorded by stand-ins that come first in PATH and then become the real program: sampling the process table
     misses short-lived ones half of the time. The table is sampled as well, for tools that nobody thought of.
  4. Every descendant stays one of the `warden`, whatever it does to its session, its parents and its environment.
"""

from __future__ import annotations

import errno
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from conformance.adapters import subreaper as warden
from conformance.adapters.base import CannotStart, Interrupted, Invocation
from conformance.adapters.programs import StandIns
from conformance.outcome import FencerOutcome
from conformance.vocabulary import Claim

WARDEN: Final = str(Path(warden.__file__).resolve())
TICK_S: Final = 0.05
LEFTOVER_GRACE_S: Final = 0.5
KILL_S: Final = 5.0
DRAIN_S: Final = 2.0
KEPT_BYTES: Final = 256_000
HINTS: Final = {
    errno.ENOEXEC: " (a script begins with #! and its interpreter)",
    errno.ENOENT: " (is the interpreter after #! there?)",
}
PASSED_ON: Final = ("PYTHONPATH", "COVERAGE_PROCESS_START")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """`exit` is None where it was killed at the cap, negative where a signal ended it."""

    exit: int | None
    stdout: str
    stderr: str
    duration: float
    leftover: tuple[str, ...]
    argv: tuple[tuple[str, ...], ...]

    def outcome(self, invocation: Invocation, claim: Claim) -> FencerOutcome:
        return FencerOutcome(
            ask=invocation.ask,
            claim=claim,
            exit=self.exit,
            stdout=self.stdout,
            stderr=self.stderr,
            duration=self.duration,
            timed_out=self.exit is None,
            leftover=self.leftover,
            argv=self.argv,
        )


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
    invocation: Invocation,
    stand_ins: StandIns,
    *,
    cwd: Path,
    stdin: str = "",
    env: Mapping[str, str] | None = None,
) -> Ended:
    """Runs a program (its path first) to its end or to the cap. Raises Interrupted when the user wants out, CannotStart."""
    passed = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    scratch = str(invocation.scratch)
    clean = {"HOME": scratch, "TMPDIR": scratch, "LANG": "C.UTF-8", **passed, **stand_ins.environment(), **(env or {})}
    started = time.monotonic()
    watched, report = os.pipe()
    try:
        process = subprocess.Popen(
            (sys.executable, "-I", "-S", WARDEN, str(report), *argv),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=clean, cwd=cwd, start_new_session=True,
            pass_fds=(report,),
        )  # fmt: skip
    except OSError as error:
        os.close(watched)
        raise CannotStart(f"{argv[0]} cannot be started: {error.strerror}") from None
    finally:
        os.close(report)
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    drains = [_Drain(process.stdout), _Drain(process.stderr)]
    speaker = threading.Thread(target=_say, args=(process.stdin, stdin), daemon=True)
    speaker.start()  # a fencer that does not read must not stop the clock
    seen: dict[tuple[str, ...], None] = {tuple(argv): None}
    leftover: tuple[str, ...] = ()
    try:
        line = _wait(watched, process.pid, started + invocation.cap, invocation.stop, seen)
        invocation.on_end()
        duration = time.monotonic() - started
        if line.startswith("exit"):
            leftover = _leftovers(process)
    finally:  # here with a KeyboardInterrupt where the caller is the main thread, as under pytest
        _kill_all(process)
        os.close(watched)
        speaker.join(timeout=DRAIN_S)
        stdout, stderr = (drain.text() for drain in drains)
    word, _, number = line.partition(" ")
    if word == "errno":
        raise CannotStart(f"{argv[0]} cannot be started: {os.strerror(int(number))}{HINTS.get(int(number), '')}")
    for recorded in stand_ins.recorded():
        seen[recorded] = None
    return Ended(
        exit=int(number) if word == "exit" else None,
        stdout=stdout,
        stderr=stderr,
        duration=duration,
        leftover=leftover,
        argv=tuple(seen),
    )


def _say(pipe: IO[bytes], text: str) -> None:
    with suppress(BrokenPipeError), pipe:  # it may end without listening, which is its own affair
        pipe.write(text.encode())


def _wait(report: int, pid: int, until: float, stop: threading.Event, seen: dict[tuple[str, ...], None]) -> str:
    """What the warden says of the fencer's end; empty at the instant `until`. Raises Interrupted."""
    poller = select.poll()
    poller.register(report, select.POLLIN)
    own = _command_line(pid)
    while (left := until - time.monotonic()) > 0:
        if poller.poll(min(TICK_S, left) * 1000):
            said = os.read(report, 64).decode()
            if not said:
                raise OSError("the fencer killed the process that watches it")
            return said.splitlines()[0]
        if stop.is_set():
            raise Interrupted
        for child in _descendants(pid):
            if (line_of := _command_line(child)) and line_of != own:
                seen[line_of] = None
    return ""


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


def _leftovers(process: subprocess.Popen[bytes]) -> tuple[str, ...]:
    """Names of descendants that are still there after a moment's grace."""
    try:
        process.wait(LEFTOVER_GRACE_S)
    except subprocess.TimeoutExpired:
        names = [_read(Path(f"/proc/{pid}/comm")).strip() for pid in _descendants(process.pid)]
        return tuple(sorted(name for name in names if name))
    return ()


def _kill_all(process: subprocess.Popen[bytes]) -> None:
    """Ends everything below the warden, which ends by that; what belongs to another user is left after a while."""
    until = time.monotonic() + KILL_S
    while process.poll() is None and time.monotonic() < until:
        for pid in tuple(_descendants(process.pid)):
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            process.wait(TICK_S / 10)
    process.kill()
    process.wait()
