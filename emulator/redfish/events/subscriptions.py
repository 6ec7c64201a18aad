"""Who wants to hear what: subscriptions, open event streams, and deliveries with retry.

Rules
  1. An event goes to every subscription whose filters it passes, in the order of the subscriptions; ids never repeat.
  2. Nothing here connects to anything. A courier does, from threads of its own, and only to hosts that it allows; what happened
     comes back in the rack's thread and is journaled. Another host is accepted as a destination and never connected to.
  3. A stream's subscription lives as long as the stream, and the other way round.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, Protocol
from urllib.parse import urlsplit

from emulator.core.clock import Instant
from emulator.core.power.system import Look
from emulator.redfish.service.shapes import EventStream, Json

EVENT_TYPE: Final = "#Event.v1_9_0.Event"
SSE: Final = "SSE"
TERMINATE, SUSPEND, FOREVER = "TerminateAfterRetries", "SuspendRetries", "RetryForever"
MOST: Final = 20
"""Subscriptions that a BMC takes, streams included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One event before anybody has it. `origin` is the resource it is about; `kind` that resource's schema; `look` the power word
    that it tells whoever gets it."""

    message_id: str
    text: str
    args: tuple[str, ...] = ()
    severity: str = "OK"
    event_type: str = "Alert"
    origin: str | None = None
    kind: str | None = None
    cause: int | None = None
    look: Look | None = None
    extra: Json = field(default_factory=dict)

    @property
    def registry(self) -> str:
        return self.message_id.partition(".")[0]


def everything(event: Happening) -> bool:
    return True


@dataclass(slots=True, kw_only=True)
class Subscription:
    """`headers` are the client's secrets: they go to the destination and nowhere else."""

    id: str
    destination: str = ""
    context: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    registries: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    message_ids: tuple[str, ...] = ()
    event_types: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    subordinates: bool = False
    verify: bool = False
    policy: str = TERMINATE
    suspended: bool = False
    stream: EventStream | None = None
    passes: Callable[[Happening], bool] = everything  # the $filter of a stream

    def wants(self, event: Happening) -> bool:
        return (
            not self.suspended
            and self.passes(event)
            and (not self.registries or event.registry in self.registries)
            and (not self.types or event.kind in self.types)
            and (not self.message_ids or versionless(event.message_id) in {versionless(name) for name in self.message_ids})
            and (not self.event_types or event.event_type in self.event_types)
            and (not self.origins or self._is_about(event.origin or ""))
        )

    def _is_about(self, origin: str) -> bool:
        below = tuple(f"{path}/" for path in self.origins) if self.subordinates else ()
        return origin in self.origins or (bool(below) and origin.startswith(below))


def versionless(message_id: str) -> str:
    """ "ResourceEvent.ResourceCreated" of "ResourceEvent.1.3.ResourceCreated": versions do not matter to a filter."""
    return f"{message_id.partition('.')[0]}.{message_id.rpartition('.')[2]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One POST that is due."""

    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    verify: bool


class EventDelivery(Protocol):
    """Carries deliveries. `done` is called in the rack's thread, with None or with what went wrong."""

    def allows(self, host: str) -> bool: ...
    def carry(self, delivery: Delivery, done: Callable[[str | None], None]) -> None: ...


class NoEventDelivery:
    """For a service without a way out: every destination is a foreign host."""

    def allows(self, host: str) -> bool:
        return False

    def carry(self, delivery: Delivery, done: Callable[[str | None], None]) -> None:
        done("nobody carries deliveries here")


@dataclass(slots=True, kw_only=True)
class Retries:
    """EventService.DeliveryRetryAttempts and DeliveryRetryIntervalSeconds."""

    attempts: int = 3
    interval_s: int = 30


class Around(Protocol):
    """What a desk needs of its BMC."""

    @property
    def now(self) -> Instant: ...
    def after(self, seconds: float, do: Callable[[], None]) -> object: ...
    def date(self, instant: Instant) -> str: ...
    def tell(self, what: str, cause: int | None, **data: str | int | None) -> int: ...
    def look_by_event(self, look: Look, cause: int | None) -> int: ...


class Subscriptions:
    """The subscriptions of one BMC."""

    def __init__(self, around: Around, courier: EventDelivery, first_event: int = 1) -> None:
        self._around = around
        self._courier = courier
        self._held: dict[str, Subscription] = {}
        self._next_subscription = 1
        self._next_event = first_event
        self.retries = Retries()
        self.enabled = True
        self._life = 0  # counts starts of the BMC: what an older one had yet to send is lost

    def __iter__(self) -> Iterator[Subscription]:
        return iter(tuple(self._held.values()))

    def get(self, subscription_id: str) -> Subscription | None:
        return self._held.get(subscription_id)

    @property
    def full(self) -> bool:
        return len(self._held) >= MOST

    def new_id(self) -> str:
        number, self._next_subscription = self._next_subscription, self._next_subscription + 1
        return str(number)

    def add(self, subscription: Subscription, cause: int | None) -> None:
        self._held[subscription.id] = subscription
        where = "stream" if subscription.stream is not None else _host(subscription.destination)
        self._around.tell("subscribed", cause, subscription=subscription.id, to=where)

    def remove(self, subscription_id: str, cause: int | None) -> None:
        """Ends its stream, if it is one."""
        subscription = self._held.pop(subscription_id, None)
        if subscription is None:
            return
        self._around.tell("unsubscribed", cause, subscription=subscription_id)
        if subscription.stream is not None:
            subscription.stream.end()

    def boot(self) -> None:
        """The BMC restarts: streams break, what is still to be sent is lost, subscriptions stay."""
        self._life += 1
        for subscription in self:
            if subscription.stream is not None:
                self.remove(subscription.id, None)

    # -- sending --------------------------------------------------------------------------------------------------------

    def emit(self, event: Happening) -> None:
        if not self.enabled:
            return
        number, self._next_event = self._next_event, self._next_event + 1
        for subscription in self:
            if subscription.wants(event):
                self._send(subscription, event, number)

    def _send(self, subscription: Subscription, event: Happening, number: int) -> None:
        body = json.dumps(self._payload(subscription, event, number)).encode()
        if subscription.stream is not None:
            if subscription.stream.push(sse(number, body)):
                self._tell(subscription, event, "streamed")
                self._look(event)
            return
        if not self._courier.allows(_host(subscription.destination)):
            self._tell(subscription, event, "not sent: the destination is not an allowed host")
            return
        headers = (("Content-Type", "application/json"), ("OData-Version", "4.0"), *subscription.headers)
        delivery = Delivery(url=subscription.destination, headers=headers, body=body, verify=subscription.verify)
        self._carry(subscription, event, delivery, 0)

    def _carry(self, subscription: Subscription, event: Happening, delivery: Delivery, attempt: int) -> None:
        if self._held.get(subscription.id) is subscription and not subscription.suspended:
            self._courier.carry(delivery, lambda problem: self._carried(subscription, event, delivery, attempt, problem))

    def _carried(
        self, subscription: Subscription, event: Happening, delivery: Delivery, attempt: int, problem: str | None
    ) -> None:
        if problem is None:
            self._tell(subscription, event, "delivered", attempt=attempt + 1)
            self._look(event)
            return
        self._tell(subscription, event, f"failed: {problem}", attempt=attempt + 1)
        if self._held.get(subscription.id) is not subscription:
            return
        if subscription.policy == FOREVER or attempt < self.retries.attempts:
            self._around.after(self.retries.interval_s, self._again(subscription, event, delivery, attempt + 1))
        elif subscription.policy == SUSPEND:
            subscription.suspended = True
            self._tell(subscription, event, "suspended")
        else:
            self.remove(subscription.id, event.cause)

    def _again(self, subscription: Subscription, event: Happening, delivery: Delivery, attempt: int) -> Callable[[], None]:
        life = self._life

        def carry() -> None:
            if life == self._life:
                self._carry(subscription, event, delivery, attempt)

        return carry

    def _tell(self, subscription: Subscription, event: Happening, what: str, attempt: int | None = None) -> None:
        more = {} if attempt is None else {"attempt": attempt}
        self._around.tell(what, event.cause, subscription=subscription.id, message_id=event.message_id, **more)

    def _look(self, event: Happening) -> None:
        if event.look is not None:
            self._around.look_by_event(event.look, event.cause)

    def _payload(self, subscription: Subscription, event: Happening, number: int) -> Json:
        record: Json = {
            "EventType": event.event_type,
            "EventId": str(number),
            "EventTimestamp": self._around.date(self._around.now),
            "MemberId": "0",
            "MessageId": event.message_id,
            "Message": event.text,
            "MessageArgs": list(event.args),
            "Severity": event.severity,
            "MessageSeverity": event.severity,
        }
        if event.origin is not None:
            record["OriginOfCondition"] = {"@odata.id": event.origin}
        return {
            "@odata.type": EVENT_TYPE,
            "Id": str(number),
            "Name": "Event Array",
            "Context": subscription.context,
            "Events": [record | event.extra],
        }


def sse(number: int, body: bytes) -> bytes:
    """One event of a text/event-stream; JSON on one line needs no further care."""
    return b"id: %d\ndata: %s\n\n" % (number, body)


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
