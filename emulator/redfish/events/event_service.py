"""EventService: subscriptions, the event stream (SSE) and test events (DSP0266 section 12, DSP0268 EventService).

`service.tree` calls `events` when a tree is built; operations run in the emulator's thread.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from emulator.redfish.events import sse_filter
from emulator.redfish.events.event_messages import EVENT_MESSAGES
from emulator.redfish.events.subscriptions import FOREVER, SUSPEND, TERMINATE, RedfishEvent, Subscription
from emulator.redfish.power.actions import parameters
from emulator.redfish.service.bmc import RedfishBmc
from emulator.redfish.service.call import HttpAnswer, RedfishCall, RegistryError, ResourceBody, shown
from emulator.redfish.service.paths import ROOT
from emulator.redfish.service.resource import (
    Operation,
    RedfishPrivilege,
    Resource,
    collection_body,
    content_of,
    fixed_content,
    head_of,
    link,
    links,
)
from emulator.redfish.service.shapes import Json
from emulator.redfish.service.writable import (
    BooleanRule,
    IntegerRule,
    InvalidValue,
    ListRule,
    OneOfRule,
    OrNullRule,
    ReferenceRule,
    TextRule,
    WritableFields,
    new_resource_values,
    patch,
)
from profiles.model import Profile

SERVICE: Final = f"{ROOT}/EventService"
SUBSCRIPTIONS: Final = f"{SERVICE}/Subscriptions"
STREAM: Final = f"{SERVICE}/SSE"
TEST: Final = f"{SERVICE}/Actions/EventService.SubmitTestEvent"
SERVICE_TYPE: Final = "#EventService.v1_7_2.EventService"
DESTINATION_TYPE: Final = "#EventDestination.v1_11_2.EventDestination"
COLLECTION_TYPE: Final = "#EventDestinationCollection.EventDestinationCollection"
STREAM_MEDIA: Final = "text/event-stream"

RESOURCE_TYPES: Final = (
    *("ComputerSystem", "Manager", "Task", "Job"),
    *("AccountService", "ManagerAccount", "SessionService", "Session", "EventService", "EventDestination"),
)
PREFIXES: Final = tuple(name.partition(".")[0] for name in EVENT_MESSAGES)
EVENT_TYPES: Final = ("StatusChange", "ResourceUpdated", "ResourceAdded", "ResourceRemoved", "Alert")
SEVERITIES: Final = ("OK", "Warning", "Critical")


class HeadersRule:
    """EventDestination.HttpHeaders: a list of objects with header names and values."""

    def check(self, value: object, name: str) -> object:
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise InvalidValue("PropertyValueTypeError", "******", name)
        pairs = [(key, text) for item in value for key, text in item.items()]
        for key, text in pairs:
            if not isinstance(text, str) or not key.isascii() or not text.isascii() or not (key + text).isprintable() or not key:
                raise InvalidValue("PropertyValueError", name)
        return tuple(pairs)


class UrlRule:
    """An absolute http or https URL of at most 1024 characters."""

    def check(self, value: object, name: str) -> object:
        if not isinstance(value, str):
            raise InvalidValue("PropertyValueTypeError", shown(value), name)
        try:
            parts = urlsplit(value)
            good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
        except ValueError:
            good = False
        if not good or not value.isascii() or not value.isprintable() or " " in value or len(value) > 1024:
            raise InvalidValue("PropertyValueFormatError", shown(value), name)
        return value


_WORD: Final = TextRule(low=1, high=256)
_POLICIES: Final = OneOfRule((TERMINATE, SUSPEND, FOREVER))
CHANGEABLE: Final[WritableFields] = {
    "Context": OrNullRule(TextRule(high=1024)),
    "DeliveryRetryPolicy": _POLICIES,
    "HttpHeaders": HeadersRule(),
    "VerifyCertificate": BooleanRule(),
}
CREATABLE: Final[WritableFields] = {
    **CHANGEABLE,
    "Destination": UrlRule(),
    "Protocol": OneOfRule(("Redfish",)),
    "SubscriptionType": OneOfRule(("RedfishEvent",)),
    "EventFormatType": OneOfRule(("Event",)),
    "RegistryPrefixes": ListRule(item=OneOfRule((*PREFIXES, "Base"))),
    "ResourceTypes": ListRule(item=OneOfRule(RESOURCE_TYPES)),
    "MessageIds": ListRule(item=_WORD),
    "EventTypes": ListRule(item=OneOfRule(EVENT_TYPES)),
    "OriginResources": ListRule(item=ReferenceRule()),
    "SubordinateResources": BooleanRule(),
    "Name": TextRule(high=256),
    "Description": TextRule(high=1024),
}
SETTINGS: Final[WritableFields] = {
    "ServiceEnabled": BooleanRule(),
    "DeliveryRetryAttempts": IntegerRule(low=0, high=100),
    "DeliveryRetryIntervalSeconds": IntegerRule(low=1, high=3600),
}
TEST_PARAMETERS: Final[WritableFields] = {
    "EventId": TextRule(high=256),
    "EventTimestamp": TextRule(high=64, pattern=r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"),
    "EventType": OneOfRule((*EVENT_TYPES, "MetricReport", "Other")),
    "EventGroupId": IntegerRule(low=-(1 << 31), high=(1 << 31) - 1),
    "Message": TextRule(high=1024),
    "MessageArgs": ListRule(item=TextRule()),
    "MessageId": TextRule(low=1, high=256),
    "MessageSeverity": OneOfRule(SEVERITIES),
    "OriginOfCondition": TextRule(high=1024),
    "Severity": OneOfRule(SEVERITIES),
}


def events(profile: Profile) -> tuple[Resource, ...]:
    return (
        Resource(
            path=SERVICE,
            type=SERVICE_TYPE,
            content=content_of(_service_state, _service),
            operations={"PATCH": patch(RedfishPrivilege.CONFIGURE_MANAGER, SETTINGS, _set)},
        ),
        Resource(
            path=SUBSCRIPTIONS,
            type=COLLECTION_TYPE,
            content=content_of(_subscription_ids, _listing),
            operations={"POST": Operation(RedfishPrivilege.CONFIGURE_MANAGER, _subscribe)},
            member=_member,
        ),
        Resource(path=TEST, operations={"POST": Operation(RedfishPrivilege.CONFIGURE_MANAGER, _test)}),
        Resource(path=STREAM, read=_stream, media=STREAM_MEDIA),
    )


class EventServiceState(NamedTuple):
    """What a client may change of the EventService."""

    enabled: bool
    retry_attempts: int
    retry_interval_s: int


def _service_state(call: RedfishCall) -> EventServiceState:
    subscriptions = call.view.events
    return EventServiceState(subscriptions.enabled, subscriptions.retries.attempts, subscriptions.retries.interval_s)


def _service(view: RedfishBmc, state: EventServiceState) -> Json:
    return head_of(SERVICE, SERVICE_TYPE, "EventService", "Event Service") | {
        "Status": {"State": "Enabled" if state.enabled else "Disabled", "Health": "OK"},
        "ServiceEnabled": state.enabled,
        "DeliveryRetryAttempts": state.retry_attempts,
        "DeliveryRetryIntervalSeconds": state.retry_interval_s,
        "EventFormatTypes": ["Event"],
        "RegistryPrefixes": list(PREFIXES),
        "ResourceTypes": list(RESOURCE_TYPES),
        "SubordinateResourcesSupported": True,
        "IncludeOriginOfConditionSupported": False,
        "ServerSentEventUri": STREAM,
        "SSEFilterPropertiesSupported": dict.fromkeys(sse_filter.PROPERTIES, True) | {"MetricReportDefinition": False},
        "Subscriptions": link(SUBSCRIPTIONS),
        "Actions": {"#EventService.SubmitTestEvent": {"target": TEST}},
    }


def _set(call: RedfishCall, taken: Json) -> None:
    subscriptions = call.view.events
    enabled, attempts, interval = (taken.get(name) for name in SETTINGS)
    if isinstance(enabled, bool):
        subscriptions.enabled = enabled
    if isinstance(attempts, int):
        subscriptions.retries.attempts = attempts
    if isinstance(interval, int):
        subscriptions.retries.interval_s = interval


def _subscription_ids(call: RedfishCall) -> tuple[str, ...]:
    return tuple(subscription.id for subscription in call.view.events)


def _listing(view: RedfishBmc, ids: tuple[str, ...]) -> Json:
    members = tuple(f"{SUBSCRIPTIONS}/{subscription_id}" for subscription_id in ids)
    return collection_body(SUBSCRIPTIONS, COLLECTION_TYPE, "Event Subscriptions Collection", members)


# -- one subscription ---------------------------------------------------------------------------------------------------


def _member(view: RedfishBmc, subscription_id: str) -> Resource | None:
    subscription = view.events.get(subscription_id)
    if subscription is None:
        return None

    def write(call: RedfishCall, taken: Json) -> None:
        _apply(subscription, taken)

    def delete(call: RedfishCall) -> HttpAnswer:
        call.view.events.remove(subscription.id, call.seq)
        return HttpAnswer(204)

    return Resource(
        path=f"{SUBSCRIPTIONS}/{subscription.id}",
        type=DESTINATION_TYPE,
        content=fixed_content(lambda view: _body(subscription)),
        operations={
            "PATCH": patch(RedfishPrivilege.CONFIGURE_MANAGER, CHANGEABLE, write),
            "DELETE": Operation(RedfishPrivilege.CONFIGURE_MANAGER, delete),
        },
        cached=False,
    )


def _body(subscription: Subscription) -> Json:
    streaming = subscription.stream is not None
    path = f"{SUBSCRIPTIONS}/{subscription.id}"
    body = head_of(path, DESTINATION_TYPE, subscription.id, f"Event Subscription {subscription.id}") | {
        "Protocol": "Redfish",
        "SubscriptionType": "SSE" if streaming else "RedfishEvent",
        "EventFormatType": "Event",
        "Context": subscription.context,
        "Status": {"State": "Disabled" if subscription.suspended else "Enabled", "Health": "OK"},
        "RegistryPrefixes": list(subscription.registries),
        "ResourceTypes": list(subscription.types),
        "MessageIds": list(subscription.message_ids),
        "OriginResources": links(subscription.origins),
        "SubordinateResources": subscription.subordinates,
    }
    if streaming:
        return body
    if subscription.event_types:
        body["EventTypes"] = list(subscription.event_types)
    return body | {
        "Destination": subscription.destination,
        "DeliveryRetryPolicy": subscription.policy,
        "HttpHeaders": [],  # HTTP headers may be secret: DSP0268 wants an empty list
        "VerifyCertificate": subscription.verify,
    }


def _apply(subscription: Subscription, taken: Json) -> None:
    for name, value in taken.items():
        match name:
            case "Context":
                subscription.context = str(value or "")
            case "DeliveryRetryPolicy":
                subscription.policy = str(value)
            case "VerifyCertificate":
                subscription.verify = value is True
            case "HttpHeaders" if isinstance(value, tuple):
                subscription.headers = value


def _subscribe(call: RedfishCall) -> ResourceBody:
    taken = new_resource_values(call.json_object(), CREATABLE, ("Destination", "Protocol"))
    subscriptions = call.view.events
    for path in _words(taken, "OriginResources"):
        if not call.exists(path):
            raise RegistryError(400, "ResourceMissingAtURI", path, related=("#/OriginResources",))
    if not subscriptions.has_room(call.user.role):
        raise RegistryError(503, "EventSubscriptionLimitExceeded")
    subscription = Subscription(
        id=subscriptions.new_id(),
        destination=str(taken["Destination"]),
        registries=_words(taken, "RegistryPrefixes"),
        types=_words(taken, "ResourceTypes"),
        message_ids=_words(taken, "MessageIds"),
        event_types=_words(taken, "EventTypes"),
        origins=_words(taken, "OriginResources"),
        subordinates=taken.get("SubordinateResources") is True,
        role=call.user.role,
    )
    _apply(subscription, taken)
    subscriptions.add(subscription, call.seq)
    path = f"{SUBSCRIPTIONS}/{subscription.id}"
    return ResourceBody(path, 201, (("Location", path),))


def _words(taken: Json, name: str) -> tuple[str, ...]:
    value = taken.get(name)
    return tuple(str(word) for word in value) if isinstance(value, list) else ()


# -- the stream ---------------------------------------------------------------------------------------------------------


def _stream(call: RedfishCall) -> HttpAnswer:
    """Opens an event stream.

    Raises RegistryError: 400 and 501 for a wrong query; 503 if this server cannot stream, or the subscription table is full.
    """
    stream, subscriptions = call.incoming.stream, call.view.events
    node = _filter(call)
    if call.incoming.method == "HEAD":
        return HttpAnswer(200, (("Content-Type", STREAM_MEDIA),))
    if stream is None or not subscriptions.enabled:
        raise RegistryError(503, "ServiceDisabled", SERVICE)
    if not subscriptions.has_room(call.user.role):
        raise RegistryError(503, "EventSubscriptionLimitExceeded")
    subscription = Subscription(
        id=subscriptions.new_id(), context=f"stream {call.seq}", stream=stream, user=call.user.user, role=call.user.role
    )
    if node is not None:
        _narrow(subscription, node)

    def closed() -> None:
        subscription.stream = None
        subscriptions.remove(subscription.id, call.seq)

    stream.attach(closed)
    subscriptions.add(subscription, call.seq)
    return HttpAnswer(200, (("Content-Type", STREAM_MEDIA),), b": the stream is open\n\n")


def _filter(call: RedfishCall) -> sse_filter.FilterNode | None:
    """The parsed $filter of the request. Raises RegistryError (400, 501)."""
    found = None
    for name, value in parse_qsl(call.incoming.query, keep_blank_values=True):
        if name == "$filter":
            found = sse_filter.parsed(value, {"RegistryPrefix": (*PREFIXES, "Base"), "ResourceType": RESOURCE_TYPES})
        elif name.startswith("$"):
            raise RegistryError(501, "QueryNotSupported", related=(shown(name),))
    for path in sse_filter.origins(found) if found is not None else ():
        if not call.exists(path):
            raise RegistryError(400, "ResourceMissingAtURI", shown(path), related=("$filter",))
    return found


def _narrow(subscription: Subscription, node: sse_filter.FilterNode) -> None:
    """Restricts the subscription to the filter; also sets its lists, if they can express the filter."""
    subscription.passes = sse_filter.compiled(node)
    lists = {name: tuple(str(value) for value in values) for name, values in sse_filter.as_lists(node).items()}
    subscription.registries = lists.get("RegistryPrefix", ())
    subscription.types = lists.get("ResourceType", ())
    subscription.message_ids = lists.get("MessageId", ())
    subscription.origins = lists.get(sse_filter.ORIGIN, ())
    subscription.subordinates = lists.get(sse_filter.BELOW) == ("True",)


# -- test events --------------------------------------------------------------------------------------------------------


def _test(call: RedfishCall) -> HttpAnswer:
    taken = parameters(call.json_object(), TEST_PARAMETERS, ("MessageId",), "SubmitTestEvent")
    message_id = str(taken["MessageId"])
    args = _words(taken, "MessageArgs")
    origin = taken.get("OriginOfCondition")
    known = _text_and_severity(message_id)
    extra: Json = {name: taken[name] for name in ("EventId", "EventTimestamp", "EventGroupId") if name in taken}
    severity = str(taken.get("MessageSeverity", taken.get("Severity", known[1])))
    call.view.events.emit(
        RedfishEvent(
            message_id=message_id,
            text=str(taken.get("Message", known[0])),
            args=args,
            severity=severity,
            event_type=str(taken.get("EventType", "Alert")),
            origin=origin if isinstance(origin, str) else None,
            kind=_kind_of(origin, call.view.profile) if isinstance(origin, str) else None,
            cause=call.seq,
            extra=extra,
        )
    )
    return HttpAnswer(204)


def _text_and_severity(message_id: str) -> tuple[str, str]:
    """Text and severity of a message of our registries; defaults for other message ids."""
    name = message_id.rpartition(".")[2]
    found: Mapping[str, tuple[str, str]] = {
        key: (message.text, message.severity) for held in EVENT_MESSAGES.values() for key, message in held.items()
    }
    return found.get(name, ("A test event.", "OK"))


def _kind_of(path: str, profile: Profile) -> str | None:
    systems = profile.resources.systems.rpartition("/")[2]
    kinds: Mapping[str, str] = {systems: "ComputerSystem", "Managers": "Manager", "Tasks": "Task", "Jobs": "Job"}
    parts = path.removeprefix(f"{ROOT}/").split("/")
    return kinds.get(parts[0]) if len(parts) == 2 else kinds.get(parts[-2]) if len(parts) > 1 else None
