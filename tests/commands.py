"""Our commands as a user starts them: processes of their own, read line by line."""

from __future__ import annotations

import atexit
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from types import TracebackType

from emulator.core.journal import Event, event_from_json

ROOT = Path(__file__).resolve().parent.parent
MODULE_OF = {
    "bmc-emulator": "emulator",
    "fence-conformance": "conformance.cli",
    "fence_bmc": "fencer.agent",
    "fence-ha": "fencer.ha.cli",
}
PATIENCE = 60
"""Seconds for anything that a busy machine may delay; nothing here takes a tenth of it."""


def command(name: str) -> list[str]:
    """The installed command of this environment, else its module."""
    script = Path(sys.executable).with_name(name)
    return [str(script)] if script.exists() else [sys.executable, "-m", MODULE_OF[name]]


def quick_command(name: str) -> list[str]:
    """The same as a process forked from one that has imported our packages: see `tests.forked.server`. "pytest" is known too."""
    return [sys.executable, "-I", "-S", str(ROOT / "tests" / "forked" / "start.py"), _server(), name]


@cache
def _server() -> str:
    """Starts the server of this process; the path of its socket."""
    folder = tempfile.TemporaryDirectory(prefix="fencelab-forked-")
    path = os.path.join(folder.name, "socket")
    line = [sys.executable, "-m", "tests.forked.server", path]
    server = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, env=environment())
    owner, ready = server.stdin, server.stdout
    assert owner is not None
    assert ready is not None
    with ready:
        assert ready.readline() == b"ready\n"

    def end() -> None:
        owner.close()
        server.wait(PATIENCE)
        folder.cleanup()

    atexit.register(end)
    return path


def environment(**more: str) -> dict[str, str]:
    """Ours, with this checkout first and without what would change the commands' behaviour."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("FENCELAB_", "FENCE_", "COVERAGE_"))}
    return inherited | {"PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"} | more


def run(
    name: str,
    *arguments: str,
    stdin: str = "",
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    started_as: Callable[[str], list[str]] = command,
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*started_as(name), *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        cwd=cwd,
        env=environment(**(env or {})),
        check=False,
    )


class Serving:
    """A running `bmc-emulator run ... --json`; entering waits for its READY lines, leaving ends it with SIGTERM."""

    def __init__(
        self,
        directory: Path,
        *arguments: str,
        count: int = 1,
        env: Mapping[str, str] | None = None,
        started_as: Callable[[str], list[str]] = command,
    ) -> None:
        self.journal = directory / "journal.jsonl"
        self.errors = directory / "stderr"
        self.arguments = [*started_as("bmc-emulator"), "run", "--json", "--journal", str(self.journal), *arguments]
        self._count = count
        self._env = environment(**(env or {}))
        self.lines: list[str] = []

    def __enter__(self) -> Serving:
        with self.errors.open("w") as errors:
            self.process = subprocess.Popen(self.arguments, stdout=subprocess.PIPE, stderr=errors, text=True, env=self._env)
        assert self.process.stdout is not None
        for _ in range(self._count):
            line = self.process.stdout.readline()
            if not line:
                self.process.wait(PATIENCE)
                self.process.stdout.close()
                raise AssertionError(f"bmc-emulator ended: {self.errors.read_text()}")
            self.lines.append(line)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.process.poll() is None:
            self.end(signal.SIGTERM)

    def end(self, number: int) -> tuple[int, str]:
        """Sends a signal; the exit code and what was printed after READY."""
        self.process.send_signal(number)
        try:
            rest, _ = self.process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            raise
        return self.process.returncode, rest

    @property
    def ready(self) -> list[dict[str, str | int]]:
        return [json.loads(line) for line in self.lines]

    def events(self) -> list[Event]:
        """The journal so far, as a reader of the file gets it."""
        return [event_from_json(line) for line in self.journal.read_text().splitlines()]
