"""Plays scenarios of in-process fencers: hands each run to a worker process, and puts together what comes back.

The runner calls `play` in the thread of the cell, in several threads at once. A worker serves one fencer, one run at
a time, and is kept for the next one; all end with the suite.
"""

from __future__ import annotations

import atexit
import fcntl
import json
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Hashable
from contextlib import suppress
from dataclasses import replace
from typing import Final

from conformance.adapters.base import CannotStart, Interrupted
from conformance.adapters.python import PythonAdapter
from conformance.in_process.messages import RunReport, packed
from conformance.outcome import FencerOutcome
from conformance.play_scenario import Play, Played
from conformance.vocabulary import Claim
from emulator import Event, EventKind

TICK_S: Final = 0.1
PATIENCE_S: Final = 60.0
"""Wall-clock seconds that a worker has besides the caps of the asks: it ends a run long before that."""
PIPE_BYTES: Final = 1 << 20
"""What a pipe shall hold, where the machine lets it: nobody then waits for the other in the middle of a run."""
IN_WORKER: Final = "FENCELAB_IN_WORKER"
"""Set in the environment of a worker: a fencer's module that runs the suite when it is imported would start one after another."""
START: Final = """
import json, sys
requests, reports, ended, path = json.loads(sys.argv[1])
sys.path[:] = path
from conformance.in_process.worker import main
main(requests, reports, ended)
"""


class CannotPlay(OSError):
    """The suite or this machine could not play it; the text says why."""


class Worker:
    """One process and the pipes to it. The end of a run is told apart, so that nobody wakes up for each line of it."""

    def __init__(self) -> None:
        if IN_WORKER in os.environ:
            raise CannotPlay("the module of an in-process fencer runs the suite when it is imported")
        requests, self._requests = os.pipe()
        self._reports, reports = os.pipe()
        self._ended, ended = os.pipe()
        for descriptor in (self._requests, self._reports):
            os.set_blocking(descriptor, False)
            with suppress(OSError):
                fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        try:
            self._process = subprocess.Popen(
                (sys.executable, "-P", "-c", START, json.dumps([requests, reports, ended, sys.path])),
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=None,
                pass_fds=(requests, reports, ended), start_new_session=True, env={**os.environ, IN_WORKER: "1"},
            )  # fmt: skip
        finally:
            os.close(requests)
            os.close(reports)
            os.close(ended)
        self._rest = b""

    def play(self, data: bytes, stop: threading.Event, patience_s: float) -> RunReport:
        """Everything that is said of one run. Raises Interrupted, CannotPlay; a worker that raises is of no use any more."""
        unsent = memoryview(data)
        report = RunReport()
        poller = select.poll()
        poller.register(self._ended, select.POLLIN)
        is_gone = False
        until = time.monotonic() + patience_s
        while report.status is None:
            if stop.is_set():
                raise Interrupted
            if time.monotonic() > until:
                raise CannotPlay("the process that plays it does not answer: does the fencer's module end when it is imported?")
            if unsent:
                poller.register(self._requests, select.POLLOUT)
                if not (unsent := unsent[self._send(unsent) :]):
                    poller.unregister(self._requests)
            ready = [number for number, _ in poller.poll(TICK_S * 1000)]
            if self._ended in ready and not os.read(self._ended, 1):
                is_gone = True  # what its child has said may still come
                poller.unregister(self._ended)
                poller.register(self._reports, select.POLLIN)
            try:
                if not self._read(report) and is_gone:
                    break
            except ValueError:
                report.is_nonsense, report.status = True, None
                return report
        return report

    def _read(self, report: RunReport) -> bool:
        """Takes in what has been said until now; whether more can come. Raises ValueError."""
        while True:
            try:
                data = os.read(self._reports, PIPE_BYTES)
            except BlockingIOError:
                return True
            if not data:
                return False
            *lines, self._rest = (self._rest + data).split(b"\n")
            for line in lines:
                report.take(line.decode(errors="replace"))

    def _send(self, data: memoryview) -> int:
        """How many bytes have been handed over. All where it has ended, which shows at the other pipes."""
        try:
            return os.write(self._requests, data)
        except BlockingIOError:
            return 0
        except OSError:
            return len(data)

    def close(self) -> None:
        """Ends it, and what it runs."""
        os.close(self._requests)
        os.close(self._reports)
        os.close(self._ended)
        try:
            self._process.wait(1.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class WorkerPool:
    """Those that are idle, by the fencer that they serve. Any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._free = threading.Semaphore(len(os.sched_getaffinity(0)))  # more would only wait for one another
        self._idle: dict[Hashable, list[Worker]] = {}

    def play(self, what: Play, stop: threading.Event) -> RunReport:
        """Raises Interrupted, OSError, ValueError for what cannot be handed over or understood."""
        data, fencer = packed(what), _fencer(what)
        while not self._free.acquire(timeout=TICK_S):
            if stop.is_set():
                raise Interrupted
        try:
            return self._play(what, data, fencer, stop)
        finally:
            self._free.release()

    def _play(self, what: Play, data: bytes, fencer: Hashable, stop: threading.Event) -> RunReport:
        with self._lock:
            idle = self._idle.get(fencer)
            worker = idle.pop() if idle else None
        worker = worker or Worker()
        try:
            report = worker.play(data, stop, PATIENCE_S + len(what.steps) * what.definition.cap)
        except BaseException:
            worker.close()
            raise
        if report.status is None:
            worker.close()
        else:
            with self._lock:
                self._idle.setdefault(fencer, []).append(worker)
        return report

    def close(self) -> None:
        """Ends all of them."""
        with self._lock:
            idle = [worker for each in self._idle.values() for worker in each]
            self._idle.clear()
        for worker in idle:
            worker.close()


def _fencer(what: Play) -> Hashable:
    """What is imported: fencers of the same modules may follow one another in one worker."""
    way = what.definition.ways[what.protocol]
    if not isinstance(way, PythonAdapter):
        return way.folder
    return way.folder, frozenset(target.partition(":")[0] for target in (way.function, *way.functions.values()))


WORKERS: Final = WorkerPool()
atexit.register(WORKERS.close)


def play(what: Play, stop: threading.Event) -> Played:
    """Plays it on virtual time. Raises Interrupted, CannotStart; CannotPlay where the suite could not play it."""
    try:
        return played(what, WORKERS.play(what, stop))
    except ValueError as error:
        raise CannotPlay(str(error)) from None


def played(what: Play, report: RunReport) -> Played:
    """What a worker's report says of a run. Raises CannotStart, CannotPlay."""
    if report.trouble is not None:
        kind, text = report.trouble
        raise CannotStart(text) if kind == "start" else CannotPlay(text)
    complete = Played(
        steps=what.steps,
        outcomes=tuple(report.outcomes),
        events=tuple(report.events),
        secrets=report.secrets,
        faults=report.faults,
    )
    if report.is_complete and not report.is_nonsense:
        complete = replace(complete, on_virtual_time=True)
        return complete if not report.leftover else replace(complete, outcomes=_left(complete.outcomes, report.leftover))
    if not report.events:
        raise CannotPlay("the process that plays it ended before it began")
    return _cut_short(what, complete, report)


def _left(outcomes: tuple[FencerOutcome, ...], leftover: tuple[str, ...]) -> tuple[FencerOutcome, ...]:
    return (*outcomes[:-1], replace(outcomes[-1], leftover=leftover))


def _cut_short(what: Play, complete: Played, report: RunReport) -> Played:
    """The run of a fencer that did not come to its end by the cap, or that has killed the process that plays it.

    Nobody has stamped that end into the journal, so it is added here.
    """
    last, number = complete.events[-1], len(complete.outcomes)
    if number == len(what.steps):
        raise CannotPlay("the process that plays it ended after the fencer had ended")
    step, cap = what.steps[number], what.definition.cap
    began = max((event.t for event in complete.events if event.data.get("what") == "start"), default=last.t)
    end_t = max(last.t, began + cap)
    attacked = "wrote into the pipe of" if report.is_nonsense else "killed" if report.status is None else ""
    outcome = FencerOutcome(
        ask=step.ask,
        claim=Claim.NONE,
        duration=cap,
        timed_out=True,
        leftover=report.leftover,
        conduct=(f"{attacked} the process that watches it",) if attacked else (),
    )
    added = (
        Event(last.seq + 1, end_t, step.bmc, EventKind.FENCER, None, {"what": "claim", "ask": number}),
        Event(
            last.seq + 2, end_t, step.bmc, EventKind.FENCER, None,
            {"what": "end", "ask": number, "claim": Claim.NONE.value, "exit": None},
        ),
    )  # fmt: skip
    return replace(
        complete, steps=what.steps[: number + 1], outcomes=(*complete.outcomes, outcome), events=(*complete.events, *added)
    )
