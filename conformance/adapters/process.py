"""A program under observation: started alone, watched, and never left behind. Called by the adapters, in the cell's thread.

Rules
  1. Its own session, a clean environment, limits, and a PID namespace where the kernel allows one. At the cap everything that it
     has started is killed. What this machine cannot give is said in `Ended.unprotected`.
  2. The end is seen at once (a line from the subreaper, not a poll): the stamp in the journal says when the claim was made.
  3. Command lines are recorded by stand-ins that come first in PATH and then become the real program, and by the kernel's process
     events. The process table is sampled as well: alone it misses short-lived programs half of the time.
  4. Whatever the fencer does to its watchers, to its HOME or to the machine is a sentence in `Ended.conduct`, never an exception.
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
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from conformance.adapters import process_table, subreaper
from conformance.adapters.base import CannotStart, Interrupted, Invocation
from conformance.adapters.programs import StandIns
from conformance.adapters.subreaper import CONFINED, FILE_BYTES, ISOLATED, OPEN, PROCESSES
from conformance.adapters.watcher_report import WatcherReport
from conformance.outcome import FencerOutcome
from conformance.run_directory import used_bytes
from conformance.vocabulary import Claim

SUBREAPER: Final = Path(subreaper.__file__).resolve()
START: Final = "import sys; sys.path.append(sys.argv.pop(1)); import subreaper; subreaper.start()"
"""As a module it is compiled once; as a script it would be at every start."""
SWITCH: Final = "FENCELAB_UNCONFINED"
"""Set in the environment, it runs fencers without namespace and Landlock: for those that need sudo."""
TICK_S: Final = 0.05
LEFTOVER_GRACE_S: Final = 0.5
KILL_S: Final = 5.0
DRAIN_S: Final = 2.0
KEPT_BYTES: Final = 256_000
OUTPUT_BYTES: Final = 64 << 20
DISK_BYTES: Final = 512 << 20
DISK_EVERY: Final = 10  # ticks
HINTS: Final = {
    errno.ENOEXEC: " (a script begins with #! and its interpreter)",
    errno.ENOENT: " (is the interpreter after #! there?)",
}
PASSED_ON: Final = ("PYTHONPATH", "COVERAGE_PROCESS_START")
TOO_LARGE: Final = (-signal.SIGXFSZ, 128 + signal.SIGXFSZ)
"""How a program ends that wrote a file beyond the limit, and the shell that it was started from."""
UNPROTECTED: Final[Mapping[str, str]] = {
    "pid-namespace": "no PID namespace: what a fencer leaves behind is searched for, and a fork bomb is ended late",
    "signal-scope": "no limit to signals: a fencer can kill every process of this user, the suite included",
    "exec-events": "process events are incomplete: command lines of short-lived programs that have no stand-in may be missed",
}


@dataclass(slots=True)
class _Refusal:
    """Why this machine gives no PID namespace, once that is known; empty before."""

    reason: str = ""


_refusal: Final = _Refusal()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """`exit` is None where it was killed at the cap, negative where a signal ended it."""

    exit: int | None
    stdout: str
    stderr: str
    duration: float
    leftover: tuple[str, ...]
    argv: tuple[tuple[str, ...], ...]
    conduct: tuple[str, ...] = ()
    unprotected: tuple[str, ...] = ()
    sigterm_at: float | None = None
    answered: bool = True  # False: the suite ended it before the cap, or its end was not seen

    def outcome(self, invocation: Invocation, claim: Claim) -> FencerOutcome:
        return FencerOutcome(
            ask=invocation.ask,
            claim=claim if self.answered or self.exit is None else Claim.FAILED,
            exit=self.exit,
            stdout=self.stdout,
            stderr=self.stderr,
            duration=self.duration,
            timed_out=self.exit is None,
            leftover=self.leftover,
            argv=self.argv,
            conduct=self.conduct,
            sigterm_at=self.sigterm_at,
            unprotected=self.unprotected,
        )


@dataclass(slots=True)
class _Drain:
    """Reads a pipe to its end and keeps the beginning. A pipe that a leftover holds open is given up on."""

    pipe: IO[bytes]
    kept: bytearray = field(default_factory=bytearray)
    seen: int = 0  # bytes
    thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self) -> None:
        while chunk := os.read(self.pipe.fileno(), 65536):
            self.kept += chunk[: max(0, KEPT_BYTES - len(self.kept))]
            self.seen += len(chunk)

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
    mode: str | None = None,
) -> Ended:
    """Runs a program (its path first) to its end or to the cap. Raises Interrupted when the user wants out, CannotStart.

    `mode` is one of the subreaper's; None: the strictest that this machine gives.
    """
    passed = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    scratch = str(invocation.scratch)
    clean = {"HOME": scratch, "TMPDIR": scratch, "LANG": "C.UTF-8", **passed, **stand_ins.environment(), **(env or {})}
    if mode is None:
        mode = OPEN if os.environ.get(SWITCH) else CONFINED if _refusal.reason else ISOLATED
    try:
        return _Run(argv, invocation, stand_ins, cwd, stdin, clean, mode).play()
    except _NoNamespace as refusal:
        _refusal.reason = str(refusal)
    return _Run(argv, invocation, stand_ins, cwd, stdin, clean, CONFINED).play()


class _NoNamespace(Exception):
    """This machine gives none; nothing has been started. The text is the kernel's reason."""


class _Run:
    """One run of a program. A new instance per run."""

    def __init__(
        self,
        argv: Sequence[str],
        invocation: Invocation,
        stand_ins: StandIns,
        cwd: Path,
        stdin: str,
        env: Mapping[str, str],
        mode: str,
    ) -> None:
        self._argv, self._invocation, self._stand_ins, self._mode = tuple(argv), invocation, stand_ins, mode
        self._conduct: dict[str, None] = {}
        self._seen: dict[tuple[str, ...], None] = {self._argv: None}
        self._started = time.monotonic()
        self._sigterm_at: float | None = None
        self._lost = False  # its watchers ended and nobody saw its end
        descriptor, writer = os.pipe()
        os.set_blocking(descriptor, False)
        self.report = WatcherReport(descriptor)
        python = (sys.executable, "-I", "-S", "-c", START, str(SUBREAPER.parent))
        try:
            self._process = subprocess.Popen(
                (*python, str(writer), mode, str(stand_ins.executed), *argv),
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, cwd=cwd, start_new_session=True,
                pass_fds=(writer,),
            )  # fmt: skip
        except OSError as error:
            os.close(descriptor)
            raise CannotStart(f"{argv[0]} cannot be started: {error.strerror}") from None
        finally:
            os.close(writer)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._drains = [_Drain(self._process.stdout), _Drain(self._process.stderr)]
        self._speaker = threading.Thread(target=_say, args=(self._process.stdin, stdin), daemon=True)
        self._speaker.start()  # a fencer that does not read must not stop the clock

    def play(self) -> Ended:
        """To the end. Raises _NoNamespace, CannotStart, Interrupted."""
        leftover: tuple[str, ...] = ()
        try:
            capped = self._wait()
            answer = self.report.exit  # what comes later comes of being ended by the suite
            attacked = self.report.inner_ended or self._lost
            if not self.report.refused:
                self._invocation.on_end()
            duration = time.monotonic() - self._started
            if answer is not None:
                leftover = self._leftovers()
        finally:  # here with a KeyboardInterrupt where the caller is the main thread, as under pytest
            self._kill_all()
            self.report.close()
            self._speaker.join(timeout=DRAIN_S)
            stdout, stderr = (drain.text() for drain in self._drains)
        if self.report.refused:
            raise _NoNamespace(self.report.refused)
        if (number := self.report.errno) is not None:
            raise CannotStart(f"{self._argv[0]} cannot be started: {os.strerror(number)}{HINTS.get(number, '')}")
        for recorded in self._stand_ins.recorded():
            self._seen[recorded] = None
        self._judge_report()
        if attacked:
            self._conduct["killed the process that watches it"] = None
        return Ended(
            exit=answer if answer is not None or capped else -signal.SIGKILL,
            stdout=stdout,
            stderr=stderr,
            duration=duration,
            leftover=leftover,
            argv=tuple(self._seen),
            conduct=tuple(self._conduct),
            sigterm_at=self._sigterm_at,
            unprotected=self._unprotected(),
            answered=answer is not None,
        )

    def _wait(self) -> bool:
        """Until the fencer ends, is lost, or goes beyond a limit; True at the cap. Raises Interrupted."""
        poller = select.poll()
        poller.register(self.report.descriptor, select.POLLIN)
        until, tick = self._started + self._invocation.cap, 0
        while (left := until - time.monotonic()) > 0:
            if poller.poll(min(TICK_S, left) * 1000):
                self.report.read()
            if self.report.is_final:
                self._lost = self.report.is_closed and self.report.exit is None and not self.report.refused
                return False
            if self._invocation.stop.is_set():
                raise Interrupted
            if self._sigterm_at is None and self._invocation.sigterm.is_set() and self.report.has_fencer:
                self._sigterm_at = time.monotonic() - self._started
                for pid in self._below()[:1]:  # the fencer: the first that was started
                    _signal(pid, signal.SIGTERM)
            tick += 1
            if (beyond := self._look(with_disk=tick % DISK_EVERY == 0)) is not None:
                self._conduct[f"{beyond}; the suite ended it"] = None
                return False
        if any(process_table.is_stopped(pid) for pid in self._below()):
            self._conduct["had been stopped by a signal (SIGSTOP) when its time was over"] = None
        return True

    def _look(self, *, with_disk: bool) -> str | None:
        """Samples the process table. The limit that is exceeded, if any."""
        own = process_table.command_line(self._process.pid)
        below = self._below()
        for pid in below[:PROCESSES]:
            if (line := process_table.command_line(pid)) and line != own:
                self._seen[self._stand_ins.as_called(line)] = None
        if len(below) > PROCESSES:
            return f"had more than {PROCESSES} processes at once"
        if any(drain.seen > OUTPUT_BYTES for drain in self._drains):
            return f"wrote more than {OUTPUT_BYTES >> 20} MiB to its output"
        if with_disk and used_bytes(self._invocation.scratch) > DISK_BYTES:
            return f"filled its HOME with more than {DISK_BYTES >> 20} MiB"
        return None

    def _below(self) -> tuple[int, ...]:
        """The fencer and what it has started."""
        return tuple(pid for pid in process_table.descendants(self._process.pid) if pid != self.report.inner)

    def _leftovers(self) -> tuple[str, ...]:
        """Names of descendants that are still there after a moment's grace."""
        if self._ends_within(LEFTOVER_GRACE_S):
            return ()
        self.report.read()
        return tuple(sorted(filter(None, (process_table.name(pid) for pid in self._below()[:PROCESSES]))))

    def _ends_within(self, seconds: float) -> bool:
        """Whether the subreaper ends in that time; told at once, where `Popen.wait` looks from time to time."""
        if self._process.poll() is None:
            descriptor = os.pidfd_open(self._process.pid)
            try:
                poller = select.poll()
                poller.register(descriptor, select.POLLIN)
                poller.poll(seconds * 1000)
            finally:
                os.close(descriptor)
        return self._process.poll() is not None

    def _kill_all(self) -> None:
        """Ends everything below the subreaper, which ends by that; what belongs to another user is left after a while."""
        until = time.monotonic() + KILL_S
        self.report.read()
        while self._process.poll() is None and time.monotonic() < until:
            if self._mode == ISOLATED and self.report.inner is not None:
                _signal(self.report.inner, signal.SIGKILL)  # the kernel ends its namespace with it
            else:
                for pid in process_table.descendants(self._process.pid):
                    _signal(pid, signal.SIGKILL)
                _signal(self._process.pid, signal.SIGCONT)  # a fencer may have stopped it
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(TICK_S / 10)
            self.report.read()
        self._process.kill()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(KILL_S)
        if self._lost:
            self._kill_without_watchers()

    def _kill_without_watchers(self) -> None:
        """Ends what the fencer has started and can be told by its environment; waits until it is gone, as long as KILL_S."""
        until = time.monotonic() + KILL_S
        while (left := process_table.with_environment(str(self._stand_ins.directory))) and time.monotonic() < until:
            for pid in left:
                _signal(pid, signal.SIGKILL)
            time.sleep(TICK_S / 10)

    def _judge_report(self) -> None:
        """Puts into words what the subreaper has seen."""
        for number in self.report.signals:
            self._conduct[f"sent {signal.Signals(number).name} to the process that watches it"] = None
        if self.report.nonsense:
            self._conduct["wrote into the pipe of the process that watches it"] = None
        if self.report.exit in TOO_LARGE:
            self._conduct[f"wrote a file of more than {FILE_BYTES >> 20} MiB"] = None

    def _unprotected(self) -> tuple[str, ...]:
        lacks = dict(self.report.lacks)
        if self._mode != ISOLATED:
            lacks["pid-namespace"] = "switched off" if self._mode == OPEN else _refusal.reason or "not asked for"
        return tuple(f"{UNPROTECTED[word]} ({reason})" for word, reason in sorted(lacks.items()))


def _signal(pid: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _say(pipe: IO[bytes], text: str) -> None:
    with suppress(BrokenPipeError), pipe:  # it may end without listening, which is its own affair
        pipe.write(text.encode())
