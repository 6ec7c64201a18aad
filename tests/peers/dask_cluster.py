"""A scheduler of dask.distributed and its workers, as processes. Tests that need it are left out without the extra, but in CI."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands import PATIENCE, ROOT, environment

if "CI" in os.environ:
    from distributed.protocol import pickle  # CI must run these tests
else:
    pickle = pytest.importorskip("distributed.protocol.pickle", reason="belongs to the peers: make peers")

__all__ = ["DaskCluster", "pickle"]


class DaskCluster:
    """A scheduler and its workers, each a process of its own. The scheduler says in lines what happens to it."""

    def __init__(self, folder: Path) -> None:
        self._contact = str(folder / "scheduler.json")
        self._workers: list[subprocess.Popen[bytes]] = []
        line = [sys.executable, "-m", "dask", "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
        self._scheduler = subprocess.Popen(
            [*line, "--scheduler-file", self._contact], stderr=subprocess.PIPE, text=True, env=environment(), cwd=ROOT
        )
        self.address = self.wait_for("Scheduler at:").split()[-1]

    def wait_for(self, words: str) -> str:
        """The next line of the scheduler that holds these words."""
        assert self._scheduler.stderr is not None
        return next(line for line in self._scheduler.stderr if words in line)

    def worker(self, name: str) -> subprocess.Popen[bytes]:
        line = [sys.executable, "-m", "dask", "worker", "--nthreads", "2", "--no-nanny", "--no-dashboard", "--name", name]
        quiet = subprocess.DEVNULL
        self._workers.append(
            subprocess.Popen([*line, "--scheduler-file", self._contact], stdout=quiet, stderr=quiet, env=environment(), cwd=ROOT)
        )
        return self._workers[-1]

    def close(self) -> None:
        for process in (*self._workers, self._scheduler):
            if process.poll() is None:
                process.kill()
            process.wait(PATIENCE)
        if self._scheduler.stderr is not None:
            self._scheduler.stderr.close()
