"""`--cluster` of `run` and `hunt`: the address of a scheduler of dask.distributed."""

from __future__ import annotations

from typing import Final

from conformance.report_options import OneSentence

METAVAR: Final = "tcp://HOST:PORT"
SCHEMES: Final = ("tcp://", "tls://", "ws://", "wss://")


def check(scheduler: str | None, jobs: int | None) -> None:
    """Raises OneSentence where it is no address, or `--jobs` was named as well."""
    if scheduler is None:
        return
    if jobs is not None:
        raise OneSentence("--jobs has no part in a run with --cluster: each worker has the threads that it was started with")
    if not scheduler.startswith(SCHEMES):
        raise OneSentence(f"--cluster: {scheduler!r} is no address of a scheduler; one looks like tcp://HOST:8786")
