"""Forks a process for each command that tests start. Only the server imports our packages, which takes most of a second.

`tests.commands.quick_command` starts one server in each process of pytest; `start.py` asks it. A forked command has its own
arguments, environment, working directory, standard streams, session, signals and exit code. Two things differ from a command that
a shell starts: what /proc shows as its arguments, and that `fencelab_guard` does not look where the packages come from. Tests of
these start the command itself (`tests.commands.command`); tests/packaging starts every installed command.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import random
import selectors
import signal
import socket
import sys
import tempfile
from dataclasses import dataclass

ENTRIES = {
    "bmc-emulator": ("emulator.cli", "main"),
    "fence-conformance": ("conformance.cli", "main"),
    "pytest": ("pytest", "main"),
}
MORE_IMPORTS = ("emulator.assembly", "conformance.runner", "conformance.pytest_items", "_pytest.terminal")
MOST_BYTES = 1 << 18


@dataclass(frozen=True)
class Order:
    """A command to be: what was asked of the server."""

    directory: str
    words: tuple[str, ...]
    environment: dict[str, str]
    streams: tuple[int, ...]

    @classmethod
    def received(cls, data: bytes, streams: list[int]) -> Order:
        directory, count, *rest = map(os.fsdecode, data.split(b"\0"))
        words, variables = rest[: int(count)], rest[int(count) :]
        return cls(directory, tuple(words), dict(each.split("=", 1) for each in variables), tuple(streams))


class Server:
    """One thread. Reads from `owner` end when the process that started the server ends."""

    def __init__(self, listener: socket.socket, owner: int) -> None:
        self._selector = selectors.DefaultSelector()
        self._selector.register(owner, selectors.EVENT_READ, self._owner_ended)
        self._selector.register(listener, selectors.EVENT_READ, self._accept)
        self._listener = listener
        self._running: dict[int, tuple[int, socket.socket]] = {}
        """By a descriptor of the process: its id, and who asked for it."""

    def serve(self) -> Order | None:
        """Returns an order in the process that was forked for it, and None in the server when its owner has ended."""
        while True:
            for key, _ in self._selector.select():
                if key.data == self._owner_ended:
                    self._owner_ended()
                    return None
                if key.data == self._accept:
                    if order := self._accept():
                        return order
                else:
                    key.data(key.fd)

    def _owner_ended(self) -> None:
        for pid, _ in self._running.values():
            os.kill(pid, signal.SIGKILL)

    def _accept(self) -> Order | None:
        asking, _ = self._listener.accept()
        data, streams, _, _ = socket.recv_fds(asking, MOST_BYTES, 3)
        if not data:
            asking.close()
            return None
        pid = os.fork()
        if pid == 0:
            self._let_go(asking)
            return Order.received(data, streams)
        for stream in streams:
            os.close(stream)
        process = os.pidfd_open(pid)
        self._running[process] = pid, asking
        self._selector.register(process, selectors.EVENT_READ, self._ended)
        self._selector.register(asking, selectors.EVENT_READ, lambda _: self._gone(pid, asking))
        asking.send(str(pid).encode())
        return None

    def _let_go(self, asking: socket.socket) -> None:
        """In the forked process: what belongs to the server is closed."""
        self._selector.close()
        self._listener.close()
        asking.close()
        for process, (_, other) in self._running.items():
            os.close(process)
            other.close()

    def _ended(self, process: int) -> None:
        pid, asking = self._running.pop(process)
        self._selector.unregister(process)
        os.close(process)
        _, status = os.waitpid(pid, 0)
        with contextlib.suppress(KeyError):
            self._selector.unregister(asking)
        with contextlib.suppress(BrokenPipeError):  # `start.py` was killed
            asking.send(str(status).encode())
        asking.close()

    def _gone(self, pid: int, asking: socket.socket) -> None:
        """`start.py` was killed, so the command is."""
        self._selector.unregister(asking)
        os.kill(pid, signal.SIGKILL)


def become(order: Order) -> None:
    """Runs the command in this process. Raises SystemExit as it does."""
    os.setsid()
    for number, stream in enumerate(order.streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(order.directory)
    os.environ.clear()
    os.environ.update(order.environment)
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)
    name, *sys.argv[1:] = order.words
    sys.argv[0] = name
    paths = [path for path in order.environment.get("PYTHONPATH", "").split(os.pathsep) if path and path not in sys.path]
    sys.path[:0] = paths
    importlib.invalidate_caches()
    tempfile.tempdir = None
    random.seed()
    module, function = ENTRIES[name]
    sys.exit(getattr(sys.modules[module], function)())


def main() -> None:
    for module in (*(module for module, _ in ENTRIES.values()), *MORE_IMPORTS):
        importlib.import_module(module)
    gc.freeze()
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(sys.argv[1])
        listener.listen(64)
        os.write(1, b"ready\n")
        order = Server(listener, owner=0).serve()
    if order is not None:
        become(order)


if __name__ == "__main__":
    main()
