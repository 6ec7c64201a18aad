"""A run on several machines: hands cells to a scheduler of dask.distributed, and collects results.

Rules
  1. Everything that a cluster needs is dask's: which worker gets a cell, what happens to cells of a worker that is lost (others
     play them again; a cell that loses four workers is an ERROR), how many a worker plays at a time (its threads).
  2. A worker plays a cell exactly as `runner.run` does here, and judges it there. Waivers and reports stay here.
  3. A worker needs this version of fencelab and, under the same path, what the fencer's file names: programs and modules. Where
     a program is missing, the cell is SKIP, as on this machine.

The main thread of the command calls `reach`, then `run`. dask.distributed is an extra (`fencelab[cluster]`) and is imported when
a cluster is asked for.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final

from conformance import runner
from conformance.result import Result
from conformance.runner import MatrixCell, RunInterrupted, RunOptions
from conformance.running_order import longest_first
from conformance.versions import our_version

if TYPE_CHECKING:
    from distributed import Client, Future

CONNECT_S: Final = 10.0
"""How long a scheduler may take to answer, and its first worker to be there."""
TICK_S: Final = 0.5


class NoCluster(Exception):
    """There is no cluster to use; the text is one sentence."""


@dataclass(frozen=True, slots=True)
class DaskCluster:
    """A scheduler that has been reached; `threads` is how many cells its workers play at a time."""

    client: Client
    address: str
    threads: int


def reach(address: str) -> DaskCluster:
    """Connects to a scheduler and looks whether its workers are fit. Raises NoCluster."""
    try:
        from distributed import Client
    except ImportError:
        raise NoCluster("--cluster needs dask.distributed, which is not installed: pip install 'fencelab[cluster]'") from None
    _quiet()
    try:
        client = Client(address, timeout=CONNECT_S, set_as_default=False)
    except (OSError, TimeoutError, ValueError, RuntimeError) as error:
        raise NoCluster(f"no scheduler of dask.distributed answers at {address}: {_said(error)}") from None
    try:
        client.wait_for_workers(1, timeout=CONNECT_S)
    except TimeoutError:
        client.close()
        raise NoCluster(f"the scheduler at {address} has no workers: start some with `dask worker {address}`") from None
    try:
        versions: dict[str, str] = client.run(our_version)
    except Exception as error:  # noqa: BLE001 - whatever a worker raises: it cannot load our packages
        client.close()
        raise NoCluster(f"the workers of {address} cannot load fencelab: {_said(error)}") from None
    others = {worker: there for worker, there in versions.items() if there != our_version()}
    if others:
        client.close()
        worker, there = next(iter(others.items()))
        raise NoCluster(f"the worker {worker} has fencelab {there}, this machine has {our_version()}: install the same on all")
    return DaskCluster(client, address, max(1, sum(client.nthreads().values())))


def run(
    cluster: DaskCluster,
    cells: Sequence[MatrixCell],
    *,
    options: RunOptions,
    on_result: Callable[[Result], None],
    on_tick: Callable[[], None],
) -> tuple[Result, ...]:
    """Every cell, the longest first; results in the order of the cells. As `runner.run`, but on Ctrl-C what workers have begun
    goes on there until it ends. Raises RunInterrupted, and NoCluster where the scheduler is lost.
    """
    client = cluster.client
    done: dict[int, Result] = {}
    waiting: dict[Future[Result], int] = {}
    ended: SimpleQueue[Future[Result]] = SimpleQueue()
    try:
        mark = uuid.uuid4().hex  # the scheduler knows its tasks by their names, and others may use it
        for place, number in enumerate(longest_first([cell.scenario for cell in cells])):
            key = f"fencelab-{mark}-{number}"
            future = client.submit(play, cells[number], options, key=key, pure=False, priority=-place)
            waiting[future] = number
            future.add_done_callback(ended.put)
        while waiting:
            try:
                future = ended.get(timeout=TICK_S)
            except Empty:
                if client.status != "running":
                    raise NoCluster(f"the scheduler at {cluster.address} was lost with {len(waiting)} cells to go") from None
            else:
                number = waiting.pop(future)
                done[number] = _outcome_of(future, cells[number], options)
                on_result(done[number])
            on_tick()
    except KeyboardInterrupt:
        not_run = tuple(cell for n, cell in enumerate(cells) if n not in done)
        raise RunInterrupted(tuple(done[n] for n in sorted(done)), not_run) from None
    finally:
        with suppress(Exception):  # it may be gone; there is nothing more to lose
            client.cancel(list(waiting))
            client.close()
    return tuple(done[number] for number in sorted(done))


def _outcome_of(future: Future[Result], cell: MatrixCell, options: RunOptions) -> Result:
    try:
        result: Result = future.result()
    except Exception as error:  # noqa: BLE001 - raised by a worker or about one, such as KilledWorker
        return runner.failed(cell, error, options)
    return result


def play(cell: MatrixCell, options: RunOptions) -> Result:
    """A cell on a worker, in one of its threads."""
    return runner.run_cell(cell, threading.Event(), options)


def _said(error: BaseException) -> str:
    """The error in one line."""
    return " ".join(str(error).split()) or type(error).__name__


def _quiet() -> None:
    """What dask logs of connections that it tries again is no matter of a user's; what it means is said in one sentence."""
    for name in ("distributed", "tornado"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
