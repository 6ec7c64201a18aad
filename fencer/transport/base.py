"""What the fence procedure needs of a wire.

Every call ends within its `timeout`, whatever the BMC does. A transport classifies; it never decides what a host is.
"""

from __future__ import annotations

from typing import Protocol

from fencer.events_effects import CommandAnswered, Offers, TaskSaid
from fencer.outcome import Failure, PowerCommand, Reading


class Unread(Exception):
    """A call that brought no usable answer. `retry_after` is the BMC's own wish, in seconds."""

    def __init__(self, failure: Failure, retry_after: float | None = None) -> None:
        super().__init__(failure.text)
        self.failure = failure
        self.retry_after = retry_after


class Transport(Protocol):
    """One host behind one BMC."""

    def read(self, timeout: float) -> Reading:
        """A live read of the power state. Raises Unread."""

    def offers(self, timeout: float) -> Offers:
        """What the BMC allows, as far as it says; to be asked after a read."""

    def command(self, command: PowerCommand, timeout: float) -> CommandAnswered:
        """Sends one power command, once."""

    def follow(self, task: str, timeout: float) -> TaskSaid:
        """Looks at a task once."""

    def members(self, timeout: float) -> tuple[str, ...]:
        """The hosts behind this BMC. Raises Unread."""

    def close(self) -> None:
        """Logs out, in at most two seconds; never raises for what a BMC does."""
