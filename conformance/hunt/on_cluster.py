"""Runs of a hunt on several machines: a scheduler of dask.distributed hands each to a worker, which plays and judges it there.

Rules
  1. The search stays here. A worker gets one run at a time for each of its threads, and plays it as `trial_run` does here.
  2. What becomes of runs of a worker that is lost is dask's: others play them again. One that loses four workers is an ERROR.

`play_on` is called in the threads of `hunting`, one for each thread of the workers; all they do is wait.
"""

from __future__ import annotations

import threading
import uuid
from typing import TYPE_CHECKING, Final

from conformance.adapters.base import CannotStart, Interrupted
from conformance.cluster import DaskCluster, NoCluster
from conformance.hunt.hunting import TryTrace
from conformance.hunt.trace import Trace
from conformance.hunt.trial_run import Hunted, try_trace
from conformance.hunt.verdict import HuntedRun
from conformance.vocabulary import Verdict

if TYPE_CHECKING:
    from distributed import Future

TICK_S: Final = 0.5


def play_on(cluster: DaskCluster, hunted: Hunted) -> TryTrace:
    """What plays a run on the cluster. It raises NoCluster where the scheduler is lost."""

    def play(trace: Trace, stop: threading.Event) -> HuntedRun:
        key = f"fencelab-{uuid.uuid4().hex}"  # the scheduler knows its tasks by their names, and others may use it
        future: Future[HuntedRun] = cluster.client.submit(play_there, hunted, trace, key=key, pure=False)
        ended = threading.Event()
        future.add_done_callback(lambda _: ended.set())
        while not ended.wait(TICK_S):
            if stop.is_set():
                future.cancel()
                raise Interrupted
            if cluster.client.status != "running":
                raise NoCluster(f"the scheduler at {cluster.address} was lost while runs were played")
        return _result_of(future, trace)

    return play


def _result_of(future: Future[HuntedRun], trace: Trace) -> HuntedRun:
    try:
        run: HuntedRun = future.result()
    except CannotStart:
        raise
    except Exception as error:  # noqa: BLE001 - raised by a worker or about one, such as KilledWorker
        why = f"{type(error).__name__}: {error}"
        return HuntedRun(trace=trace, steps=(), end="", key="", verdict=Verdict.ERROR, why=why)
    return run


def play_there(hunted: Hunted, trace: Trace) -> HuntedRun:
    """One run on a worker, in one of its threads."""
    return try_trace(hunted, trace, threading.Event())
