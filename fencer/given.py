"""What the user gave to fence_bmc: values by the names of `fencer.parameters`, and how the user spelled these names.

`fencer.agent` and `fencer.agent_options` make it from standard input or the command line; `fencer.settings` reads it.
"""

from __future__ import annotations

from collections.abc import Mapping

from fencer.target import MAX_SECONDS

AGENT = "fence_bmc"

TRUE = frozenset({"1", "yes", "on", "true"})
FALSE = frozenset({"0", "no", "off", "false", ""})


class BadSettings(Exception):
    """The user's configuration is wrong; nothing was sent."""


class GivenValues(dict[str, str]):
    """Values by canonical name. `program` is the name by which the agent was called."""

    def __init__(
        self, values: Mapping[str, str] | None = None, names: Mapping[str, str] | None = None, program: str = AGENT
    ) -> None:
        super().__init__(values or {})
        self.names = dict(names or {})
        self.program = program

    def spelled(self, name: str) -> str:
        """Returns the name as the user wrote it ("ipaddr", "--ip"), for messages."""
        return self.names.get(name, name)

    def flag(self, name: str) -> bool:
        """Returns a boolean parameter; missing or empty is False. A number above 0 is True. Raises BadSettings."""
        word = self.get(name, "").lower()
        if word in TRUE or (word.isascii() and word.isdigit() and word.strip("0")):
            return True
        if word in FALSE:
            return False
        raise BadSettings(f"{self.spelled(name)} is {word[:40]!r}; it must be 1 or 0")

    def seconds(self, name: str, default: str) -> float:
        """Returns a time; empty means the default, as in fence-agents. Raises BadSettings."""
        text = self.get(name) or default
        if not text.isascii() or "_" in text:
            raise BadSettings(f"{self.spelled(name)} is {text[:40]!r}, not a number of seconds")
        try:
            value = float(text.removesuffix("s"))
        except ValueError as error:
            raise BadSettings(f"{self.spelled(name)} is {text[:40]!r}, not a number of seconds") from error
        if not 0 <= value <= MAX_SECONDS:
            raise BadSettings(f"{self.spelled(name)} is {text[:40]!r}; it must be 0 to {MAX_SECONDS} seconds")
        return value

    def integer(self, name: str) -> int | None:
        """Returns a whole number, or None if nothing is given. Raises BadSettings."""
        return whole_number(self.spelled(name), self[name]) if self.get(name) else None


def whole_number(what: str, text: str) -> int:
    """Raises BadSettings if `text` is not a number of up to nine ASCII digits."""
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise BadSettings(f"{what} is {text[:40]!r}, not a whole number")
    return int(text)
