"""The journal: everything that happened in a rack, in one order. The conformance suite judges fencers by it.

The core and the front ends write events, all in the emulator's one thread. The suite reads them after a run.

Rules
  1. Events are only appended. One thread writes, so `seq` is a total order over everything that happened in a rack.
  2. `cause` is the `seq` of the event that led to this one. Reports follow it backwards.
  3. No password, token or ephemeral port is ever written (ruling 9), so a journal can be given to anybody.
  4. The journal keeps the newest `capacity` events in memory. With a `spill` every event is also written out as one line of JSON.

The same seed and a virtual clock give the same bytes.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from itertools import islice
from typing import NamedTuple, TypeAlias

from emulator.core.clock import Clock, Instant

JournalScalar: TypeAlias = str | int | float | bool | None
Datum: TypeAlias = JournalScalar | list[JournalScalar] | Mapping[str, JournalScalar]


class EventKind(StrEnum):
    RACK = "rack"  # seed and profiles of the rack: always the first event
    WIRE = "wire"  # connections, and what a wire fault did to them
    REQUEST = "request"  # protocol, method, path, intent; system and reset where there are any (`trigger.ClientRequest.facts`)
    RESPONSE = "response"
    AUTH = "auth"
    SESSION = "session"
    COMMAND = "command"  # a power command that a BMC has received, whether it accepted or refused it
    FAULT = "fault"  # a fault fired
    ARM = "arm"  # a fault was armed or disarmed
    CLOCK = "clock"  # somebody has changed how the emulator's time runs: rate, paused, stepped_s
    UNIT = "unit"  # a BMC was added or removed while the rack ran
    LOOK = "look"  # a client was told a power word: system, view, word; its cause is the request
    GATE = "gate"  # a gate opened: the effect that it held back happens now
    TASK = "task"  # a task of a BMC has begun, runs, has ended or was removed
    NOTICE = "notice"  # subscriptions, and whether an event that a BMC sent was delivered
    INCIDENT = "incident"  # a host lost or got power without any command: system, what
    RAIL = "rail"  # truth: the rail of a host changed
    OUTLET = "outlet"  # truth: an outlet of a PDU went on or off: system (the outlet), rail
    OS = "os"  # truth: the operating system of a host changed
    REPORT = "report"  # what the BMC says about a system's power has changed
    BMC = "bmc"  # resets of the BMC itself; input power lost and restored
    WATCHDOG = "watchdog"
    ACCOUNT = "account"  # users created, changed, deleted; never their passwords
    SETTING = "setting"  # boot override, identify LED, asset tag, host name, restore policy, log cleared
    WRITE = "write"  # writes of a host to shared storage, where the suite collected them
    FENCER = "fencer"  # written by the suite: start, claim and end of a fencer
    MANAGER = "manager"  # messages of an HA manager


class Event(NamedTuple):
    """One journal event. `t` is in seconds since the rack was made. A tuple, because a busy rack makes very many of them."""

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
    """The inverse of `Event.to_json`. Raises ValueError, with a sentence, for a line that is not an event."""
    try:
        raw = json.loads(line)
        data = {key: value for key, value in raw.items() if key not in HEAD_KEYS}
        return Event(int(raw["seq"]), float(raw["t"]), str(raw["bmc"]), EventKind(raw["kind"]), raw["cause"], data)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"not a journal line: {line[:80]!r} ({error})") from error


class Journal:
    """The newest `capacity` events, in order. The judge reads nothing else about what happened."""

    def __init__(self, clock: Clock, capacity: int = 200_000, spill: Callable[[str], None] | None = None) -> None:
        self._clock = clock
        self._ring: deque[Event] = deque(maxlen=capacity)
        self._spill = spill
        self._next = 1
        self._subscribers: tuple[Callable[[Event], object], ...] = ()

    def record(self, bmc: str, kind: EventKind, cause: int | None = None, **data: Datum) -> int:
        """Appends an event and returns its `seq`."""
        return self.append(bmc, kind, cause, data)

    def append(self, bmc: str, kind: EventKind, cause: int | None, data: Mapping[str, Datum], *, at_once: bool = False) -> int:
        """Like `record`, with a mapping that the caller must not change afterwards.

        `at_once`: it belongs to the event before it, and has its time.

        Raises ValueError where `data` uses one of HEAD_KEYS.
        """
        if not HEAD_KEYS.isdisjoint(data):
            raise ValueError(f"the journal names these itself: {sorted(HEAD_KEYS & data.keys())}")
        seq = self._next
        self._next = seq + 1
        event = Event(seq, self._ring[-1].t if at_once else self._clock.now(), bmc, kind, cause, data)
        self._ring.append(event)
        if self._spill is not None:
            self._spill(event.to_json())
        for subscriber in self._subscribers:
            self._tell(subscriber, event)
        return seq

    def subscribe(self, callback: Callable[[Event], object]) -> Callable[[], None]:
        """Calls `callback(event)` for every event from now on, in order, in the thread that records; what is returned ends that.

        Nothing is queued: the callback must be quick, and must record nothing itself. One that raises is dropped, and the journal
        says so once.
        """
        self._subscribers += (callback,)
        return lambda: self._unsubscribe(callback)

    def _unsubscribe(self, callback: Callable[[Event], object]) -> None:
        self._subscribers = tuple(each for each in self._subscribers if each is not callback)

    def _tell(self, subscriber: Callable[[Event], object], event: Event) -> None:
        try:
            subscriber(event)
        except Exception as error:  # noqa: BLE001  a reader of the journal must not stop its writer
            self._unsubscribe(subscriber)
            self.append(
                "",
                EventKind.NOTICE,
                event.seq,
                {"what": "a subscriber of the journal was dropped", "error": type(error).__name__},
            )

    def __iter__(self) -> Iterator[Event]:
        return iter(tuple(self._ring))

    def __len__(self) -> int:
        return len(self._ring)

    def after(self, seq: int, limit: int) -> tuple[Event, ...]:
        """At most `limit` events, the first ones behind `seq` that are still in memory."""
        start = max(0, seq - self.forgotten)
        return tuple(islice(self._ring, start, start + limit))

    @property
    def last_seq(self) -> int:
        """The `seq` of the newest event; 0: there is none."""
        return self._next - 1

    @property
    def forgotten(self) -> int:
        """How many of the oldest events are no longer in memory."""
        return self._next - 1 - len(self._ring)

    def to_jsonl(self) -> str:
        return "".join(f"{event.to_json()}\n" for event in self._ring)


def chain(events: Mapping[int, Event], seq: int) -> tuple[Event, ...]:
    """The causal chain that ends in `seq`, oldest first. It starts at the oldest cause that `events` still has."""
    links: list[Event] = []
    at: int | None = seq
    while at is not None and (event := events.get(at)) is not None:
        links.append(event)
        at = event.cause
    return tuple(reversed(links))
