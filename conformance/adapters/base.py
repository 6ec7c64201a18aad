"""What the runner knows of an adapter."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol as Interface

from conformance.outcome import FencerOutcome
from conformance.vocabulary import Ask, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """One ask. `bmc` holds the values of all placeholders ("bmc.host"), empty where the scenario gives none.

    `scratch` is a directory of this ask alone, for the fencer; `watch` one for what the suite writes about it. `on_end` must be
    called in the moment in which the answer is final, before anything else is looked at: it stamps the claim into the journal.
    `stop` is set when the user wants out.
    """

    ask: Ask
    protocol: Protocol
    bmc: Mapping[str, str]
    cap: float
    scratch: Path
    watch: Path
    stop: threading.Event
    on_end: Callable[[], None]


class Adapter(Interface):
    """How one kind of fencer is invoked."""

    def missing(self) -> str | None:
        """What this machine lacks to run it, as a sentence; None where it can run."""

    def run(self, invocation: Invocation) -> FencerOutcome:
        """Asks once and waits for the end, at most for the cap. Raises Interrupted and CannotStart."""


class Interrupted(Exception):
    """The user wants out; the fencer has been ended."""


class CannotStart(Exception):
    """There is a fencer, and it cannot be run on this machine; the text says why."""
