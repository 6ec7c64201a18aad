"""Decides, in the moment before its bytes leave, whether a power command may still be sent.

`Manager` opens and withdraws in its loop's thread; the worker thread of a command asks `leave`. One lock makes the order of
the two certain.

Rules
  1. A command leaves only while it is open; at most once for each device of its level.
  2. `withdraw` says whether the command can still reach the BMC: after True it never leaves.
"""

from __future__ import annotations

import threading


class CommandGate:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[str, str] = {}  # host: request id
        self._left: dict[str, str] = {}

    def open(self, host: str, request: str) -> None:
        with self._lock:
            self._open[host] = request

    def is_open(self, host: str, request: str) -> bool:
        with self._lock:
            return self._open.get(host) == request

    def leave(self, host: str, request: str) -> bool:
        """True if the command may leave now, for one device. Afterwards this cannot be withdrawn any more."""
        with self._lock:
            if self._open.get(host) != request:
                return False
            self._left[host] = request
            return True

    def withdraw(self, host: str) -> bool:
        """True if no command to this host is leaving; one that was open never will, also not for the devices that are left."""
        with self._lock:
            self._open.pop(host, None)
            return host not in self._left

    def ended(self, host: str, request: str) -> None:
        """The call has returned: nothing of this request is on its way any more."""
        with self._lock:
            for requests in (self._open, self._left):
                if requests.get(host) == request:
                    del requests[host]
