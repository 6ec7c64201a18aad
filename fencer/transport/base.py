"""The interface between the fence procedure and a protocol (Redfish or IPMI).

`fencer.run` calls a transport from one thread. Every call returns within its `timeout` (seconds), whatever the BMC does.
A transport classifies answers; it never decides whether a host is off.
"""

from __future__ import annotations

from typing import Protocol

from fencer.events_effects import AllowedCommands, CommandAnswered, TaskStatus
from fencer.outcome import Failure, PowerCommand, Reading


class CallFailed(Exception):
    """A call returned no usable answer. `retry_after` is the BMC's Retry-After, in seconds."""

    def __init__(self, failure: Failure, retry_after: float | None = None) -> None:
        super().__init__(failure.text)
        self.failure = failure
        self.retry_after = retry_after


class Transport(Protocol):
    """One host behind one BMC."""

    def read(self, timeout: float) -> Reading:
        """Reads the power state, live. Raises CallFailed."""

    def allowed_commands(self, timeout: float) -> AllowedCommands:
        """Returns the power commands that the BMC says it allows. Call it after `read`."""

    def command(self, command: PowerCommand, timeout: float) -> CommandAnswered:
        """Sends one power command, exactly once."""

    def read_task(self, task: str, timeout: float) -> TaskStatus:
        """Reads the state of one task, once. `task` is its URI."""

    def members(self, timeout: float) -> tuple[str, ...]:
        """Lists the hosts behind this BMC. Raises CallFailed."""

    def close(self) -> None:
        """Logs out within two seconds. Raises nothing that a BMC can cause."""
