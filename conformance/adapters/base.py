"""What every adapter offers, and what it is handed for one ask.

To add an adapter, write a module in this package with a subclass of `Adapter`; `registry` finds it there. Another distribution
may name such a module under the entry point `fencelab.adapters`.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

from conformance.adapters.placeholders import placeholders
from conformance.adapters.section import Section
from conformance.agent_input import PLAIN, AgentInput
from conformance.outcome import FencerOutcome
from conformance.site import ManagedSite
from conformance.vocabulary import Ask, Convention, Protocol

if TYPE_CHECKING:
    from conformance.agents_on_virtual_time import SocketlessAgents


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """One ask. `bmc` holds the values of all placeholders ("bmc.host"), empty where the scenario gives none.

    `scratch` is a directory of this ask alone, for the fencer; `watch` one for what the suite writes about it. `cap` is in
    seconds. `on_end` must be called in the moment in which the answer is final, before anything else is looked at: it stamps the
    claim into the journal. `stop` is set when the user wants out; when `sigterm` is set the program gets SIGTERM, once.
    `input` is how a fence agent is told its parameters.

    Managers are asked to watch a `site`. `on_watching` must be called when the manager has taken up all hosts: then they fail;
    `on_down` right after `on_end`, where the answer is that the target is down. On virtual time `agents` are how it reaches them.
    """

    ask: Ask
    protocol: Protocol
    bmc: Mapping[str, str]
    cap: float
    scratch: Path
    watch: Path
    stop: threading.Event
    on_end: Callable[[], None]
    input: AgentInput = PLAIN
    sigterm: threading.Event = field(default_factory=threading.Event)
    site: ManagedSite | None = None
    on_watching: Callable[[], None] = lambda: None
    on_down: Callable[[], None] = lambda: None
    agents: SocketlessAgents | None = None


@dataclass(frozen=True, kw_only=True)
class Adapter(ABC):
    """How one fencer is asked over one protocol: what its file says of it, and how to run it.

    `name` is the word behind `adapter:` in a fencer file. `form` says where the `AdapterForm` is that describes its own keys
    there, as `module:NAME`: it is imported when a file is checked, since it loads pydantic. An adapter without one names its
    `keys`, and with `over_keys` those of them that may differ below `over: {ipmi: ...}`, and checks their values when it reads
    them. `conventions` is what scenarios about a certain way of calling fencers ask for. `default_protocols` is what a fencer
    speaks whose file does not say so.

    `folder` is where the fencer's file lies, absolute, since programs start with another working directory. Runs of several asks
    may be in several threads at once.
    """

    on_virtual_time: ClassVar[bool] = False
    """Whether the fencer is no process of its own: `conformance.in_process` plays its scenarios, without sockets."""

    name: ClassVar[str]
    form: ClassVar[str] = ""
    keys: ClassVar[tuple[str, ...]] = ()
    over_keys: ClassVar[tuple[str, ...]] = ()
    conventions: ClassVar[frozenset[Convention]] = frozenset()
    default_protocols: ClassVar[frozenset[Protocol]] = frozenset()

    asks_if_declared: ClassVar[frozenset[Ask]] = frozenset()
    """What it can be asked for besides `asks`, where its file declares that as a capability."""

    folder: Path
    built_in: bool

    @classmethod
    @abstractmethod
    def read(cls, section: Section, base: Self | None) -> Self:
        """Reads its keys in a fencer file, or below `over`, where `base` is what the file says outside of it.

        The form has been checked where there is one. Puts every other mistake into `section.problems` and returns something all
        the same, so that all mistakes come at once.
        """

    @property
    @abstractmethod
    def asks(self) -> frozenset[Ask]:
        """What the fencer can be asked for, as far as its file shows it."""

    @abstractmethod
    def texts(self) -> Iterator[str]:
        """Every text of the file in which placeholders may stand."""

    @abstractmethod
    def missing(self) -> str | None:
        """What this machine lacks to run it, as a sentence; None where it can run."""

    @abstractmethod
    def run(self, invocation: Invocation) -> FencerOutcome:
        """Asks once and waits for the end, at most for the cap. Raises Interrupted and CannotStart."""

    def placeholders(self) -> frozenset[str]:
        return frozenset().union(*(placeholders(text) for text in self.texts()))

    def is_told(self, name: str) -> bool:
        """Whether the fencer gets the value of this placeholder ("bmc.uuid")."""
        return name in self.placeholders()

    def working_directory(self, invocation: Invocation) -> Path:
        """Where a program starts: beside its file; nothing is written into our own package."""
        return invocation.scratch if self.built_in else self.folder


class Interrupted(Exception):
    """The user wants out; the fencer has been ended."""


class CannotStart(Exception):
    """There is a fencer, and it cannot be run on this machine; the text says why."""
