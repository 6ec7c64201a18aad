"""A fence agent (FenceAgentAPI) as a device of a host: any program of ClusterLabs, or one that behaves like them.

`BmcCalls` calls it in the worker threads of the pools "bmc" and "check". Timeouts are seconds.

Rules
  1. Parameters and password go to standard input, one `name=value` a line. Nothing of them is in the argument list.
  2. Off is a `status` that ended with 2 and wrote "Status: OFF". What `off` ended with proves nothing.
  3. `off` is sent after a `status` of this call that says ON. A status that failed says nothing, and nothing is sent.
  4. No run outlives its time, also if this program stands still: `timeout` of coreutils ends it, with everything that it started.
     So an `off` ends before the lease does, as any other request.
"""

from __future__ import annotations

import os
import re
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from fencer.device_check import DeviceCheck
from fencer.ha.bmc import BmcReadFailed, CommandAnswer, CommandPermit
from fencer.ha.config_checks import RUN_LIMIT
from fencer.ha.observations import CommandResult
from fencer.outcome import MIXED_WORD, Cause, Failure, Power, Reading
from fencer.redact import Redactor

MOST_OUTPUT = 65536
"""Bytes of an agent's output that are kept, of each stream; the rest is thrown away."""
STATUS = re.compile(r"^\s*status:\s*(on|off)\s*$", re.IGNORECASE | re.MULTILINE)
LOGIN_REFUSED = re.compile(
    r"\b401\b|unauthori[sz]ed|authentication|invalid (user|password|credentials)|permission denied|RAKP 2|login failed",
    re.IGNORECASE,
)
"""Words of an agent that cannot log in. Each such try may count towards an account lockout."""
MOST_TEXT = 300


@dataclass(frozen=True, slots=True)
class AgentEnd:
    """How one run of an agent ended. `code` None: it did not end in its time."""

    code: int | None
    out: str
    err: str


@dataclass(slots=True, kw_only=True)
class FenceAgent:
    """One host behind one agent. `plugs`: all of them are the host's; without any the agent switches one host only."""

    command: str
    options: Mapping[str, str]
    password: str = field(repr=False)
    plugs: tuple[str, ...]
    cwd: Path

    def read(self, timeout: float) -> Reading:
        """Runs `status` for each plug. Raises BmcReadFailed."""
        at, words = time.monotonic(), []
        for plug in self._each_plug:
            words.append(self._status(plug, timeout / len(self._each_plug)))
        word = words[0] if len(set(words)) == 1 else MIXED_WORD
        power = {"On": Power.ON, "Off": Power.OFF, MIXED_WORD: Power.MIXED}[word]
        return Reading(power=power, word=word, at=at, path="agent", source=self._name(", ".join(self.plugs)))

    def off(self, timeout: float, permit: CommandPermit) -> CommandAnswer:
        try:
            reading = self.read(timeout)
        except BmcReadFailed as failed:
            return CommandAnswer(result=CommandResult.FAILED, failure=failed.failure)
        if reading.power is Power.OFF or not permit():
            return CommandAnswer(result=CommandResult.NOT_SENT)
        ended = [(plug, self._run("off", plug, timeout / len(self._each_plug))) for plug in self._each_plug]
        unsure = next(((plug, end) for plug, end in ended if end.code != 0), None)
        if unsure is None:
            return CommandAnswer(result=CommandResult.ACCEPTED)
        return CommandAnswer(result=CommandResult.AMBIGUOUS, failure=self._failure("off", *unsure))

    def reset(self, timeout: float, permit: CommandPermit) -> CommandAnswer:
        failure = Failure(cause=Cause.UNSUPPORTED, text=f"{self.command} is asked for status and off only")
        return CommandAnswer(result=CommandResult.FAILED, failure=failure)

    def check(self, timeout: float) -> DeviceCheck:
        try:
            self.read(timeout)
        except BmcReadFailed as failed:
            return DeviceCheck(outcome=None, failure=failed.failure)
        return DeviceCheck(outcome=None, failure=None)

    @property
    def _each_plug(self) -> tuple[str, ...]:
        return self.plugs or ("",)

    def _status(self, plug: str, timeout: float) -> str:
        end = self._run("status", plug, timeout)
        said = {found.capitalize() for found in STATUS.findall(end.out)}
        if end.code == 2 and said == {"Off"}:
            return "Off"
        if end.code == 0 and said <= {"On"}:
            return "On"
        raise BmcReadFailed(self._failure("status", plug, end))

    def _name(self, plug: str) -> str:
        return f"{Path(self.command).name}{f' plug {plug}' if plug else ''}"

    def _failure(self, action: str, plug: str, end: AgentEnd) -> Failure:
        what = f"{action} of {self._name(plug)}"
        if end.code is None:
            return Failure(cause=Cause.TIMEOUT, text=f"{what} did not end in its time")
        lines = [line.strip() for line in (end.err + "\n" + end.out).splitlines() if line.strip()]
        said = Redactor([self.password])(lines[-1] if lines else "nothing")[:MOST_TEXT]
        refused = LOGIN_REFUSED.search(end.err) is not None
        text = f"{what} ended with {end.code} and said {said!r}"
        if action == "status" and end.code == 2:
            text += "; Off is believed if it ends with 2 and says 'Status: OFF'"
        return Failure(cause=Cause.AUTH if refused else Cause.UNREACHABLE, text=text, code=f"exit {end.code}")

    def _run(self, action: str, plug: str, timeout: float) -> AgentEnd:
        """Runs the agent once. Never raises: a program that cannot be run has ended with 127, as in a shell."""
        given = {**self.options, "action": action}
        if self.password:
            given["password"] = self.password
        if plug:
            given["plug"] = plug
        text = "".join(f"{name}={value}\n" for name, value in given.items()).encode("utf-8", "surrogateescape")
        words = [RUN_LIMIT, "-s", "KILL", f"{timeout:.3f}", self.command]
        try:
            process = subprocess.Popen(
                words, cwd=self.cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            return AgentEnd(127, "", f"{RUN_LIMIT}: {error.strerror}")
        try:
            return _followed(process, text, timeout)
        finally:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream is not None:
                    with suppress(OSError):
                        stream.close()


def _followed(process: subprocess.Popen[bytes], text: bytes, timeout: float) -> AgentEnd:
    """Gives the process its input and follows its output until it ends, or for `timeout` seconds."""
    if process.stdin is None or process.stdout is None or process.stderr is None:
        raise ValueError("the process has no pipes")
    until = time.monotonic() + timeout
    with suppress(BrokenPipeError):
        os.set_blocking(process.stdin.fileno(), False)  # an agent that reads nothing must hold nobody
        with suppress(BlockingIOError):
            process.stdin.write(text)
            process.stdin.flush()
    with suppress(OSError):
        process.stdin.close()
    kept = {process.stdout.fileno(): b"", process.stderr.fileno(): b""}
    died = os.pidfd_open(process.pid)
    try:
        with selectors.DefaultSelector() as selector:
            for descriptor in (*kept, died):
                selector.register(descriptor, selectors.EVENT_READ)
            ended = False
            while not ended and (left := until - time.monotonic()) > 0:
                ready = [key.fd for key, _ in selector.select(left)]
                for descriptor in ready:
                    if descriptor != died and not _kept_more(kept, descriptor):
                        selector.unregister(descriptor)
                ended = died in ready
            for descriptor in kept if ended else ():
                os.set_blocking(descriptor, False)
                with suppress(BlockingIOError):
                    _kept_more(kept, descriptor)
    finally:
        os.close(died)
    out, err = (data.decode("utf-8", "replace") for data in kept.values())
    code = process.wait() if ended else None
    return AgentEnd(None if code in (-signal.SIGKILL, 128 + signal.SIGKILL) else code, out, err)


def _kept_more(kept: dict[int, bytes], descriptor: int) -> bool:
    """Reads what there is, and keeps it up to a limit. False: the other end is closed."""
    more = os.read(descriptor, MOST_OUTPUT)
    kept[descriptor] = (kept[descriptor] + more)[:MOST_OUTPUT]
    return bool(more)
