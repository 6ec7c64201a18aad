"""What the suite and a worker say to each other.

The suite sends a `Play` as a pickle: it trusts itself. A worker answers in lines of JSON, each behind a letter: a stranger's code
has run in the process that writes most of them. Nothing in them is executed; a line that makes no sense is a ValueError.

    E event      one event of the journal, as it happens
    O outcome    one ask has ended
    R rest       the run has ended: secrets, faults, and all outcomes again, with what was found when the files were searched
    X kind text  it could not be played: "start" for CannotStart, "suite" for everything else
    D status     the process of the run has ended: its exit code, negative for a signal; what it left running
"""

from __future__ import annotations

import copyreg
import io
import json
import pickle
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Final, TypeVar

from conformance.givens.given import FaultFacts
from conformance.outcome import FencerOutcome
from conformance.play_scenario import Play, Played
from conformance.vocabulary import Ask, Claim
from emulator import Event, event_from_json
from profiles.model import Profile

Proxy = MappingProxyType[object, object]
T = TypeVar("T")
SIZE_BYTES: Final = 8
MOST_PROFILES: Final = 64
_PACKED: Final[dict[str, tuple[Profile, bytes]]] = {}
_UNPACKED: Final[dict[str, Profile]] = {}
"""Profiles by their digest, in the suite and in a worker."""


class _Packer(pickle.Pickler):
    """Writes a profile as bytes that are made once: it is most of a play, and the same in thousands of them."""

    dispatch_table = copyreg.dispatch_table | {MappingProxyType: lambda proxy: _reduce_proxy(proxy)}

    def persistent_id(self, part: object) -> tuple[str, bytes] | None:
        if not isinstance(part, Profile):
            return None
        known, data = _PACKED.get(part.digest, (None, b""))
        if known is not part:
            stream = io.BytesIO()
            _PlainPacker(stream).dump(part)
            data = stream.getvalue()
            _keep(_PACKED, part.digest, (part, data))
        return part.digest, data


class _PlainPacker(pickle.Pickler):
    dispatch_table = _Packer.dispatch_table


class _Unpacker(pickle.Unpickler):
    def persistent_load(self, told: tuple[str, bytes]) -> Profile:
        digest, data = told
        if digest not in _UNPACKED:
            _keep(_UNPACKED, digest, pickle.loads(data))
        return _UNPACKED[digest]


def _keep(kept: dict[str, T], digest: str, part: T) -> None:
    if len(kept) >= MOST_PROFILES:
        kept.clear()
    kept[digest] = part


def packed(what: Play) -> bytes:
    """A play as it goes to a worker. Raises ValueError, with a sentence, where a part of it cannot be handed over."""
    stream = io.BytesIO()
    try:
        _Packer(stream).dump(what)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise ValueError(f"{what.scenario.id} cannot be handed to another process: {error}") from None
    data = stream.getvalue()
    return len(data).to_bytes(SIZE_BYTES) + data


def unpacked(data: bytes) -> Play:
    """The inverse of `packed`, without the size. A profile that has come before is the same object."""
    what: Play = _Unpacker(io.BytesIO(data)).load()
    return what


def _reduce_proxy(proxy: Proxy) -> tuple[Callable[[dict[object, object]], Proxy], tuple[dict[object, object]]]:
    return proxy_of, (dict(proxy),)


def proxy_of(content: dict[object, object]) -> Proxy:
    """Pickle finds this by its name; the type itself has none."""
    return MappingProxyType(content)


def outcome_line(outcome: FencerOutcome) -> str:
    return f"O {json.dumps(asdict(outcome))}"


def rest_line(played: Played) -> str:
    faults, outcomes = [asdict(fault) for fault in played.faults], [asdict(outcome) for outcome in played.outcomes]
    return f"R {json.dumps({'secrets': played.secrets, 'faults': faults, 'outcomes': outcomes})}"


@dataclass(slots=True)
class RunReport:
    """What a worker has said of one run, line by line."""

    events: list[Event] = field(default_factory=list)
    outcomes: list[FencerOutcome] = field(default_factory=list)
    secrets: tuple[str, ...] = ()
    faults: tuple[FaultFacts, ...] = ()
    is_complete: bool = False
    trouble: tuple[str, str] | None = None
    status: int | None = None
    is_nonsense: bool = False
    """A line was not a worker's: what comes after it counts for nothing."""
    leftover: tuple[str, ...] = ()

    def take(self, line: str) -> None:
        """Raises ValueError for a line that makes no sense."""
        letter, _, rest = line.partition(" ")
        try:
            self._take(letter, rest)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{line[:80]!r}: {error}") from None

    def _take(self, letter: str, rest: str) -> None:
        match letter:
            case "E":
                self.events.append(event_from_json(rest))
            case "O":
                self.outcomes.append(_outcome(json.loads(rest)))
            case "R":
                told = json.loads(rest)
                self.secrets = tuple(told["secrets"])
                self.faults = tuple(FaultFacts(**fault) for fault in told["faults"])
                self.outcomes = [_outcome(outcome) for outcome in told["outcomes"]]
                self.is_complete = True
            case "X":
                kind, _, text = rest.partition(" ")
                self.trouble = kind, text
            case "D":
                told = json.loads(rest)
                self.leftover = tuple(map(str, told["leftover"]))
                self.status = int(told["status"])
            case _:
                raise ValueError(f"no line begins with {letter[:10]!r}")


def _outcome(raw: dict[str, object]) -> FencerOutcome:
    tuples = {name: _tuple(value) for name, value in raw.items() if isinstance(value, list)}
    return FencerOutcome(**{**raw, **tuples, "ask": Ask(raw["ask"]), "claim": Claim(raw["claim"])})  # type: ignore[arg-type]


def _tuple(value: object) -> object:
    return tuple(_tuple(item) for item in value) if isinstance(value, list) else value
