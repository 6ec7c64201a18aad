"""The ground truth, in order.

Rules
  1. Append only. One thread writes, so `seq` is a total order over everything that happened in a rack.
  2. `cause` names the event that led to this one; a report walks it backwards.
  3. No password, token or ephemeral port ever enters (ruling 9): a journal can be mailed to anybody.
  4. The ring is bounded. With a `spill` every event goes out as a line of JSON before the ring may forget it.

Same seed and a virtual clock give the same bytes.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from emulator.core.clock import Clock, Instant

JournalScalar: TypeAlias = str | int | float | bool | None
Datum: TypeAlias = JournalScalar | list[JournalScalar] | Mapping[str, JournalScalar]


class EventKind(StrEnum):
    RACK = "rack"  # what was put together: always first
    WIRE = "wire"  # connections, and what a wire fault did to them
    REQUEST = "request"  # protocol, method, path, intent; system and reset where there are any (`trigger.ClientRequest.facts`)
    RESPONSE = "response"
    AUTH = "auth"
    SESSION = "session"
    COMMAND = "command"  # a power command that a BMC has taken in, refused ones too
    FAULT = "fault"  # a fault fired
    LOOK = "look"  # a client was told a power word: system, view, word; its cause is the request
    GATE = "gate"
    TASK = "task"  # a task of a BMC has begun, runs, has ended or was removed
    NOTICE = "notice"  # subscriptions, and what became of an event that a BMC sent out
    RAIL = "rail"  # truth
    OS = "os"  # truth
    REPORT = "report"  # what the BMC says has changed
    BMC = "bmc"  # resets of the BMC itself, input power lost and back
    WATCHDOG = "watchdog"
    ACCOUNT = "account"  # users created, changed, deleted; never their passwords
    SETTING = "setting"  # boot override, identify LED, asset tag, host name, restore policy, log cleared
    WRITE = "write"  # writes of a host to shared storage, where somebody collected them
    FENCER = "fencer"  # stamped by the suite: start, claim, end
    MANAGER = "manager"  # what an HA manager said


class Event(NamedTuple):
    """What happened. A tuple, since there is nothing that a busy rack makes more of."""

    seq: int
    t: Instant
    bmc: str
    kind: EventKind
    cause: int | None
    data: Mapping[str, Datum]

    def to_json(self) -> str:
        """One line; keys in a fixed order, times to the microsecond."""
        head = {"seq": self.seq, "t": round(self.t, 6), "bmc": self.bmc, "kind": self.kind.value, "cause": self.cause}
        return json.dumps({**head, **self.data}, ensure_ascii=False)


HEAD_KEYS = frozenset({"seq", "t", "bmc", "kind", "cause"})


def event_from_json(line: str) -> Event:
    """The inverse of `Event.to_json`. Raises ValueError with a sentence for anything else."""
    try:
        raw = json.loads(line)
        data = {key: value for key, value in raw.items() if key not in HEAD_KEYS}
        return Event(int(raw["seq"]), float(raw["t"]), str(raw["bmc"]), EventKind(raw["kind"]), raw["cause"], data)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"not a journal line: {line[:80]!r} ({error})") from error


class Journal:
    """Bounded, ordered, and the only thing that the judge believes."""

    def __init__(self, clock: Clock, capacity: int = 200_000, spill: Callable[[str], None] | None = None) -> None:
        self._clock = clock
        self._ring: deque[Event] = deque(maxlen=capacity)
        self._spill = spill
        self._next = 1

    def record(self, bmc: str, kind: EventKind, cause: int | None = None, **data: Datum) -> int:
        """Appends and returns the new event's `seq`."""
        return self.append(bmc, kind, cause, data)

    def append(self, bmc: str, kind: EventKind, cause: int | None, data: Mapping[str, Datum]) -> int:
        """`record` with a mapping, which the caller leaves alone from then on."""
        if not HEAD_KEYS.isdisjoint(data):
            raise ValueError(f"the journal names these itself: {sorted(HEAD_KEYS & data.keys())}")
        seq = self._next
        self._next = seq + 1
        event = Event(seq, self._clock.now(), bmc, kind, cause, data)
        self._ring.append(event)
        if self._spill is not None:
            self._spill(event.to_json())
        return seq

    def __iter__(self) -> Iterator[Event]:
        return iter(tuple(self._ring))

    def __len__(self) -> int:
        return len(self._ring)

    @property
    def forgotten(self) -> int:
        """How many of the oldest events the ring no longer holds."""
        return self._next - 1 - len(self._ring)

    def to_jsonl(self) -> str:
        return "".join(f"{event.to_json()}\n" for event in self._ring)


def chain(events: Mapping[int, Event], seq: int) -> tuple[Event, ...]:
    """The causal chain that ends in `seq`, oldest first; stops where the ring has forgotten."""
    links: list[Event] = []
    at: int | None = seq
    while at is not None and (event := events.get(at)) is not None:
        links.append(event)
        at = event.cause
    return tuple(reversed(links))
