"""Shell scripts as fencers, run under observation as an adapter does it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from conformance.adapters import process_table, subreaper
from conformance.adapters.base import Invocation
from conformance.adapters.process import Ended, run
from conformance.adapters.programs import RECORDED_TOOLS, StandIns
from conformance.run_directory import RunDirectory
from conformance.vocabulary import Ask, Protocol

MODES = (subreaper.ISOLATED, subreaper.CONFINED, subreaper.OPEN)
"""What the suite does where a machine allows everything, and what it falls back to."""
Runner = Callable[..., Ended]


def runner_in(directory: Path, monkeypatch: pytest.MonkeyPatch) -> Runner:
    """A function that runs a shell script as a fencer, in a HOME of its own each time. A recorded tool is there."""
    tools = directory / "tools"
    tools.mkdir()
    tool = tools / RECORDED_TOOLS[0]
    tool.write_text('#!/bin/sh\necho "tool ran: $*"\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:/usr/bin:/bin")
    numbers = count()
    BEFORE.clear()
    BEFORE.update(process_table.descendants(os.getpid()))

    def play(script: str, *, cap: float = 20.0, stop: threading.Event | None = None, **more: object) -> Ended:
        places = RunDirectory(directory / f"run-{next(numbers)}")
        places.home.mkdir(parents=True)
        places.watch.mkdir()
        invocation = Invocation(
            ask=Ask.OFF,
            protocol=Protocol.REDFISH,
            bmc={},
            cap=cap,
            scratch=places.home,
            watch=places.watch,
            stop=stop or threading.Event(),
            on_end=more.get("on_end", lambda: None),  # type: ignore[arg-type]
            sigterm=more.get("sigterm", threading.Event()),  # type: ignore[arg-type]
        )
        argv = more.get("argv", ("/bin/sh", "-c", script))
        mode = more.get("mode")
        assert isinstance(argv, tuple)
        assert mode is None or isinstance(mode, str)
        env = {"GIVEN": "yes"}
        stdin = str(more.get("stdin", ""))
        return run(argv, invocation, StandIns(places.watch), stdin=stdin, env=env, cwd=directory, mode=mode)

    return play


BEFORE: set[int] = set()
"""Processes below this one that ran before the test: workers that the suite keeps for fencers in its own process."""


def left_over() -> tuple[int, ...]:
    """Processes below this one that the test has left running."""
    below = process_table.descendants(os.getpid())
    return tuple(pid for pid in below if pid not in BEFORE and process_table.command_line(pid))
