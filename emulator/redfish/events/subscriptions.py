"""The event subscriptions of one BMC: filters, open event streams, and delivery with retries (DSP0266 section 12).

`service.bmc` makes one Subscriptions per BMC and emits events into it. All of it runs in the emulator's thread.

Rules
  1. An event goes to every subscription whose filters it passes, in the order of the subscriptions. Event ids never repeat.
  2. This module opens no connection. An EventDelivery does, in threads of its own and only to hosts that it allows. The result
     comes back in the emulator's thread and is journaled. A destination on another host is accepted, but never connected to.
  3. The subscription of a stream exists as long as the stream. Its removal ends the stream.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, Protocol
from urllib.parse import urlsplit

from emulator.core.bmc.accounts import ADMINISTRATOR, LocalAccount, is_room
from emulator.core.clock import Instant
from emulator.core.power.system import Look
from emulator.redfish.service.shapes import EventStream, Json

EVENT_TYPE: Final = "#Event.v1_9_0.Event"
SSE: Final = "SSE"
TERMINATE, SUSPEND, FOREVER = "TerminateAfterRetries", "SuspendRetries", "RetryForever"
MAX_SUBSCRIPTIONS: Final = 20
"""Per BMC, streams included."""
MAX_WAITING: Final = 100
"""Events per subscription that wait to be sent once more. Others are dropped and counted, in the log and in the journal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RedfishEvent:
    """One event, independent of who receives it.

    `origin` is the path of the resource that it is about, `kind` its schema; `look` is the power word that it tells.
    """

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


def any_event(event: RedfishEvent) -> bool:
    return True


@dataclass(slots=True, kw_only=True)
class Subscription:
    """One EventDestination. `headers` may be secret: they go to the destination only. `passes` is the $filter of a stream."""

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
    passes: Callable[[RedfishEvent], bool] = any_event  # the $filter of a stream
    user: str | None = None  # who reads the stream; it ends with the account
    role: str = ADMINISTRATOR  # the role of who made it
    waiting: int = 0  # events that will be sent once more
    dropped: int = 0  # events that found MAX_WAITING others waiting

    def wants(self, event: RedfishEvent) -> bool:
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
    """ "ResourceEvent.ResourceCreated" for "ResourceEvent.1.3.ResourceCreated": filters ignore versions."""
    return f"{message_id.partition('.')[0]}.{message_id.rpartition('.')[2]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One POST to a subscriber. `verify`: check the certificate of the server."""

    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    verify: bool


class EventDelivery(Protocol):
    """Delivers events to subscribers. Calls `done` in the emulator's thread, with None for a success, else with the reason."""

    def allows(self, host: str) -> bool: ...
    def deliver(self, delivery: Delivery, done: Callable[[str | None], None]) -> None: ...


class NoEventDelivery:
    """For a service that cannot deliver: no host is allowed."""

    def allows(self, host: str) -> bool:
        return False

    def deliver(self, delivery: Delivery, done: Callable[[str | None], None]) -> None:
        done("nobody carries deliveries here")

    def close(self) -> None:
        """There is nothing to end."""


@dataclass(slots=True, kw_only=True)
class Retries:
    """EventService.DeliveryRetryAttempts and DeliveryRetryIntervalSeconds."""

    attempts: int = 3
    interval_s: int = 30


class SubscriptionOwner(Protocol):
    """What Subscriptions need of their BMC: time, timers (seconds) and the journal."""

    @property
    def now(self) -> Instant: ...
    def after(self, seconds: float, do: Callable[[], None]) -> object: ...
    def date(self, instant: Instant) -> str: ...
    def record_notice(self, what: str, cause: int | None, **data: str | int | None) -> int: ...
    def look_by_event(self, look: Look, cause: int | None) -> int: ...
    def account(self, name: str) -> LocalAccount | None: ...


class Subscriptions:
    """The subscriptions of one BMC."""

    def __init__(self, owner: SubscriptionOwner, delivery_service: EventDelivery, first_event: int = 1) -> None:
        self._owner = owner
        self._delivery_service = delivery_service
        self._held: dict[str, Subscription] = {}
        self._next_subscription = 1
        self._next_event = first_event
        self.retries = Retries()
        self.enabled = True
        self._boots = 0  # counts the starts of the BMC: deliveries from before the last start are dropped

    def __iter__(self) -> Iterator[Subscription]:
        return iter(tuple(self._held.values()))

    def get(self, subscription_id: str) -> Subscription | None:
        return self._held.get(subscription_id)

    def has_room(self, role: str) -> bool:
        """Whether a user of this role can have one more subscription. Some are only for administrators."""
        return is_room(MAX_SUBSCRIPTIONS, role, [each.role for each in self._held.values()])

    def new_id(self) -> str:
        number, self._next_subscription = self._next_subscription, self._next_subscription + 1
        return str(number)

    def add(self, subscription: Subscription, cause: int | None) -> None:
        self._held[subscription.id] = subscription
        where = "stream" if subscription.stream is not None else _host(subscription.destination)
        self._owner.record_notice("subscribed", cause, subscription=subscription.id, to=where)

    def remove(self, subscription_id: str, cause: int | None) -> None:
        """Removes a subscription and ends its stream, if it has one."""
        subscription = self._held.pop(subscription_id, None)
        if subscription is None:
            return
        self._owner.record_notice("unsubscribed", cause, subscription=subscription_id)
        if subscription.stream is not None:
            subscription.stream.end()

    def boot(self) -> None:
        """The BMC restarts: streams break, waiting deliveries are lost, subscriptions stay."""
        self._boots += 1
        for subscription in self:
            if subscription.stream is not None:
                self.remove(subscription.id, None)

    # -- sending --------------------------------------------------------------------------------------------------------

    def emit(self, event: RedfishEvent) -> None:
        if not self.enabled:
            return
        number, self._next_event = self._next_event, self._next_event + 1
        for subscription in self:
            if self._reader_is_gone(subscription):
                self.remove(subscription.id, event.cause)
            elif subscription.wants(event):
                self._send(subscription, event, number)

    def _reader_is_gone(self, subscription: Subscription) -> bool:
        """Whether this is the stream of an account that was deleted or disabled. Every change of an account emits an event."""
        if subscription.user is None:
            return False
        account = self._owner.account(subscription.user)
        return account is None or not account.enabled

    def _send(self, subscription: Subscription, event: RedfishEvent, number: int) -> None:
        body = json.dumps(self._payload(subscription, event, number)).encode()
        if subscription.stream is not None:
            if subscription.stream.push(sse(number, body)):
                self._record(subscription, event, "streamed")
                self._look(event)
            return
        if not self._delivery_service.allows(_host(subscription.destination)):
            self._record(subscription, event, "not sent: the destination is not an allowed host")
            return
        headers = (("Content-Type", "application/json"), ("OData-Version", "4.0"), *subscription.headers)
        delivery = Delivery(url=subscription.destination, headers=headers, body=body, verify=subscription.verify)
        self._deliver(subscription, event, delivery, 0)

    def _deliver(self, subscription: Subscription, event: RedfishEvent, delivery: Delivery, attempt: int) -> None:
        if self._held.get(subscription.id) is subscription and not subscription.suspended:
            self._delivery_service.deliver(
                delivery, lambda problem: self._delivered(subscription, event, delivery, attempt, problem)
            )

    def _delivered(
        self, subscription: Subscription, event: RedfishEvent, delivery: Delivery, attempt: int, problem: str | None
    ) -> None:
        if problem is None:
            self._record(subscription, event, "delivered", attempt=attempt + 1)
            self._look(event)
            return
        self._record(subscription, event, f"failed: {problem}", attempt=attempt + 1)
        if self._held.get(subscription.id) is not subscription:
            return
        if subscription.policy == FOREVER or attempt < self.retries.attempts:
            if subscription.waiting >= MAX_WAITING:
                subscription.dropped += 1
                self._record(subscription, event, f"dropped: {MAX_WAITING} others wait", attempt=attempt + 1)
                return
            subscription.waiting += 1
            self._owner.after(self.retries.interval_s, self._retry(subscription, event, delivery, attempt + 1))
        elif subscription.policy == SUSPEND:
            subscription.suspended = True
            self._record(subscription, event, "suspended")
        else:
            self.remove(subscription.id, event.cause)

    def _retry(self, subscription: Subscription, event: RedfishEvent, delivery: Delivery, attempt: int) -> Callable[[], None]:
        boots = self._boots

        def retry() -> None:
            subscription.waiting -= 1
            if boots == self._boots:
                self._deliver(subscription, event, delivery, attempt)

        return retry

    def _record(self, subscription: Subscription, event: RedfishEvent, what: str, attempt: int | None = None) -> None:
        more = {} if attempt is None else {"attempt": attempt}
        self._owner.record_notice(what, event.cause, subscription=subscription.id, message_id=event.message_id, **more)

    def _look(self, event: RedfishEvent) -> None:
        if event.look is not None:
            self._owner.look_by_event(event.look, event.cause)

    def _payload(self, subscription: Subscription, event: RedfishEvent, number: int) -> Json:
        record: Json = {
            "EventType": event.event_type,
            "EventId": str(number),
            "EventTimestamp": self._owner.date(self._owner.now),
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
    """One event of a text/event-stream. The JSON in `body` is one line, so one data field holds it."""
    return b"id: %d\ndata: %s\n\n" % (number, body)


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
