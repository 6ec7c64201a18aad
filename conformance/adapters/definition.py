"""A fencer as its file describes it: how it is asked, what it promises, what it can do. `reading` makes it from YAML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from conformance.adapters.base import Adapter
from conformance.capabilities import DUAL, PDU
from conformance.catalogues import Catalogue
from conformance.cause_patterns import Patterns
from conformance.vocabulary import Ask, Convention, Protocol

LEAST_GRACE_S: Final = 5.0
"""For how long a fencer may run on after its deadline, at least; with a long deadline it is a quarter of that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A fencer. `ways` say how it is asked over each protocol that it speaks. `deadline` in seconds, as the fencer promises it.

    `both` is how it is asked where both protocols are needed (`over: dual`), `pdu` where the outlets of a host are switched
    (`over: pdu`); None: as ever.
    `asks` is what it can be asked for, `conventions` those that its adapter follows. `limits` are in seconds.
    `catalogue` is the one that its file pins; None: the newest. `needs` says what has to be installed for it, for people.
    """

    name: str
    file: Path
    ways: Mapping[Protocol, Adapter]
    asks: frozenset[Ask]
    conventions: frozenset[Convention]
    capabilities: frozenset[str] | None
    deadline: float
    limits: Mapping[str, float]
    causes: Patterns | None
    digest: str
    built_in: bool = False
    catalogue: Catalogue | None = None
    needs: str = ""
    both: Adapter | None = None
    pdu: Adapter | None = None

    def meeting(self, needs: frozenset[str]) -> Definition:
        """The fencer as it is asked in a scenario with these needs."""
        way = self.pdu if PDU in needs else self.both if DUAL in needs else None
        return self if way is None else replace(self, ways=dict.fromkeys(self.ways, way))

    @property
    def label(self) -> str:
        """What a user types to name it again."""
        return self.name if self.built_in else str(self.file)

    def lack(self, protocol: Protocol) -> str | None:
        """What this machine lacks to ask it over this protocol, as a sentence; None where it can be asked."""
        lack = self.ways[protocol].missing()
        return None if lack is None else self.advised(lack)

    def advised(self, lack: str) -> str:
        """A sentence about what is missing, and what the file says has to be installed."""
        return f"{lack}; {self.name} needs {self.needs}" if self.needs else lack

    @property
    def folder(self) -> Path:
        """Where its file lies; absolute."""
        return self.file.absolute().parent

    @property
    def cap(self) -> float:
        """When the suite ends it, in seconds (ruling 13)."""
        return self.deadline + max(LEAST_GRACE_S, self.deadline / 4)
