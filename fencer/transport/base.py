"""The interface between the fence procedure and a protocol (Redfish or IPMI).

`fencer.run` calls a transport from one thread. Every call returns within its `timeout` (seconds), whatever the BMC does.
A transport classifies answers; it never decides whether a host is off.
"""

from __future__ import annotations

from typing import Protocol

from fencer.events_effects import AllowedCommands, CommandAnswered, TaskStatus
from fencer.outcome import Failure, Member, PowerCommand, Reading


class CallFailed(Exception):
    """A call returned no usable answer.

    `retry_after` is the time in seconds until another try makes sense (Redfish: Retry-After). `final`: another try cannot
    succeed, for example because the settings are wrong. `contradicts`: there was an answer, and it was about something else
    than what was asked for, or said two things. `sent`: the request may have reached the BMC.
    """

    def __init__(
        self,
        failure: Failure,
        retry_after: float | None = None,
        *,
        final: bool = False,
        contradicts: bool = False,
        sent: bool = False,
    ) -> None:
        super().__init__(failure.text)
        self.failure = failure
        self.retry_after = retry_after
        self.final = final
        self.contradicts = contradicts
        self.sent = sent


class Transport(Protocol):
    """One host behind one BMC."""

    @property
    def logged_in(self) -> bool:
        """Whether there is a session to close. Some time before the deadline is kept for that."""

    def read(self, timeout: float) -> Reading:
        """Reads the power state, live. Raises CallFailed."""

    def allowed_commands(self, timeout: float) -> AllowedCommands:
        """Returns the power commands that the BMC says it allows. Call it after `read`."""

    def command(self, command: PowerCommand, timeout: float) -> CommandAnswered:
        """Sends one power command, exactly once."""

    def read_task(self, task: str, timeout: float) -> TaskStatus:
        """Reads the state of one task, once. `task` is its URI."""

    def members(self, timeout: float) -> tuple[Member, ...]:
        """Lists the hosts behind this BMC, or the selected one. Raises CallFailed."""

    def close(self, timeout: float) -> None:
        """Logs out within `timeout` seconds, or not at all. Raises nothing that a BMC can cause."""
