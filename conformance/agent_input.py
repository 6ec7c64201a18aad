"""How the parameters of a fence agent are written for one ask, where a scenario is about that (FenceAgentAPI). Pure data.

`AskStep` holds it and the adapter `fence-agent` carries it out; the other adapters have no such input and ignore it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentInput:
    """`action` stands instead of the word of the ask. `before` and `after` are lines around those of the fencer's parameters.

    With `as_options` the parameters are options of the command line instead of lines on standard input; the password comes from a
    script, since a command line is no place for it.
    """

    action: str | None = None
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    as_options: bool = False

    @property
    def sentence(self) -> str:
        """What is unusual about it, for people; empty where nothing is."""
        parts = [
            *([f"the action {self.action}"] if self.action is not None else []),
            *(f"the line {line!r}" for line in (*self.before, *self.after)),
            *(["options of the command line"] if self.as_options else []),
        ]
        return f"with {', '.join(parts)}" if parts else ""


PLAIN: Final = AgentInput()
"""As Pacemaker does it: `name=value` lines on standard input, the action first."""
