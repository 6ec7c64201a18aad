"""Subscriptions: what is taken, who hears what, retries, and where nothing is ever sent."""

from __future__ import annotations

import json

import pytest

from emulator.core.bmc.view import BmcView
from emulator.core.power.commands import PowerCommand
from emulator.redfish.events.subscriptions import MAX_SUBSCRIPTIONS, MAX_WAITING
from emulator.redfish.service.app import create_app

SERVICE = "/redfish/v1/EventService"
SUBSCRIPTIONS = f"{SERVICE}/Subscriptions"
TEST = f"{SERVICE}/Actions/EventService.SubmitTestEvent"
PASSWORD = "Pw-3.unguessable"
HERE = {"Destination": "http://127.0.0.1:9/events", "Protocol": "Redfish", "Context": "mine"}


class RecordingDelivery:
    """Keeps what it is given; `problems` says how each delivery ends."""

    def __init__(self):
        self.deliveries = []
        self.problems = []

    def allows(self, host):
        return host == "127.0.0.1"

    def deliver(self, delivery, done):
        self.deliveries.append(delivery)
        done(self.problems.pop(0) if self.problems else None)

    def events(self):
        return [json.loads(delivery.body)["Events"][0] for delivery in self.deliveries]

    def ids(self):
        return [event["MessageId"].rpartition(".")[2] for event in self.events()]


class Stream:
    """The wire's side of an event stream."""

    def __init__(self):
        self.closed = None
        self.data = b""
        self.ended = False

    def attach(self, closed):
        self.closed = closed

    def push(self, data):
        self.data += data
        return True

    def end(self):
        self.ended = True


@pytest.fixture
def bmc(generic):
    generic.delivery_service = RecordingDelivery()
    app = create_app(generic.rack, event_delivery=generic.delivery_service)
    app.testing = True
    generic.client = app.test_client()
    return generic


def notices(bmc):
    return [event["what"] for event in bmc.events("notice")]


def test_a_subscription_is_made_shown_changed_and_deleted(bmc):
    made = bmc.post(SUBSCRIPTIONS, json=HERE | {"HttpHeaders": [{"X-Key": "s3cret"}]})
    path = made.headers["Location"]
    assert (made.status_code, path, made.json["@odata.id"]) == (201, f"{SUBSCRIPTIONS}/1", path)
    shown = {key: made.json[key] for key in ("Destination", "Protocol", "Context", "SubscriptionType", "HttpHeaders")}
    assert shown == HERE | {"SubscriptionType": "RedfishEvent", "HttpHeaders": []}
    assert bmc.ask("PATCH", path, json={"Context": "yours"}).json["Context"] == "yours"
    assert bmc.ask("PATCH", path, json={"Destination": "http://127.0.0.1/"}).status_code == 400
    assert bmc.ask("DELETE", path).status_code == 204
    assert bmc.get(SUBSCRIPTIONS).json["Members"] == []
    assert "s3cret" not in bmc.journal.to_jsonl()


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"Protocol": "Carrier-pigeon"}, "PropertyValueNotInList"),
        ({"Destination": "somewhere"}, "PropertyValueFormatError"),
        ({"Destination": "ftp://127.0.0.1/"}, "PropertyValueFormatError"),
        ({"Destination": "http://[oops/"}, "PropertyValueFormatError"),
        ({"Destination": "http://127.0.0.1:99999/"}, "PropertyValueFormatError"),
        ({"ResourceTypes": ["Spaceship"]}, "PropertyValueNotInList"),
        ({"RegistryPrefixes": ["Nobody"]}, "PropertyValueNotInList"),
        ({"HttpHeaders": [{"X": "a\r\nb"}]}, "PropertyValueError"),
        ({"Context": 5}, "PropertyValueTypeError"),
        ({"OriginResources": [{"@odata.id": "/redfish/v1/Systems/nobody"}]}, "ResourceMissingAtURI"),
        ({"OriginResources": ["/redfish/v1/Systems"]}, "PropertyValueTypeError"),
        ({"Colour": "red"}, "PropertyUnknown"),
    ],
)
def test_an_impossible_subscription_is_400(bmc, message, change, wanted):
    answer = bmc.post(SUBSCRIPTIONS, json=HERE | change)
    assert (answer.status_code, message(answer)[0]) == (400, wanted)


def test_there_is_an_end_to_subscriptions(bmc, message):
    answers = [bmc.post(SUBSCRIPTIONS, json=HERE) for _ in range(21)]
    assert [answer.status_code for answer in answers] == [201] * 20 + [503]
    assert message(answers[-1])[0] == "EventSubscriptionLimitExceeded"


def test_a_power_change_is_delivered_with_context_headers_and_origin(bmc):
    bmc.post(SUBSCRIPTIONS, json=HERE | {"HttpHeaders": [{"X-Key": "s3cret"}], "ResourceTypes": ["ComputerSystem"]})
    bmc.reset("ForceOff")
    bmc.clock.advance(2)
    bmc.get(bmc.system)
    (delivery,) = bmc.delivery_service.deliveries
    assert (delivery.url, ("X-Key", "s3cret") in delivery.headers) == (HERE["Destination"], True)
    body = json.loads(delivery.body)
    assert (body["Context"], body["@odata.type"]) == ("mine", "#Event.v1_9_0.Event")
    event = body["Events"][0]
    assert (event["MessageId"], event["MessageArgs"]) == ("ResourceEvent.1.3.ResourcePoweredOff", [bmc.system])
    assert event["OriginOfCondition"] == {"@odata.id": bmc.system}
    assert notices(bmc) == ["subscribed", "delivered"]


def test_the_log_and_the_events_tell_the_same_story(bmc):
    bmc.post(SUBSCRIPTIONS, json=HERE | {"ResourceTypes": ["ComputerSystem"]})
    bmc.reset("PowerCycle")
    bmc.clock.advance(20)
    bmc.get(bmc.system)
    log = [entry.kind.value for entry in bmc.rack.unit("n1").log.entries()]
    assert log == ["power-cycle", "power-off", "power-on", "boot"]
    assert bmc.delivery_service.ids() == ["PowerCycle", "ResourcePoweredOff", "ResourcePoweredOn", "Boot"]


@pytest.mark.parametrize(
    ("filters", "heard"),
    [
        ({}, ["ResourceCreated", "TestMessage", "ResourcePoweredOff"]),
        ({"ResourceTypes": ["ManagerAccount"]}, ["ResourceCreated"]),
        ({"RegistryPrefixes": ["TaskEvent"]}, []),
        ({"MessageIds": ["ResourceEvent.1.0.ResourceCreated"]}, ["ResourceCreated"]),
        ({"EventTypes": ["StatusChange"]}, ["ResourcePoweredOff"]),
        ({"OriginResources": [{"@odata.id": "/redfish/v1/Systems/437XR1138R2"}]}, ["TestMessage", "ResourcePoweredOff"]),
        ({"OriginResources": [{"@odata.id": "/redfish/v1/AccountService"}]}, []),
        ({"OriginResources": [{"@odata.id": "/redfish/v1/AccountService"}], "SubordinateResources": True}, ["ResourceCreated"]),
    ],
)
def test_filters_decide_who_hears_what(bmc, filters, heard):
    bmc.post(SUBSCRIPTIONS, json=HERE | filters)
    account = {"UserName": "x", "Password": "Pw-3.unguessable", "RoleId": "ReadOnly"}
    bmc.post("/redfish/v1/AccountService/Accounts", json=account)
    bmc.post(TEST, json={"MessageId": "ResourceEvent.1.3.TestMessage", "OriginOfCondition": bmc.system})
    bmc.reset("ForceOff")
    bmc.clock.advance(2)
    bmc.get(bmc.system)
    assert bmc.delivery_service.ids() == heard


def test_a_test_event_says_what_the_client_wants(bmc):
    bmc.post(SUBSCRIPTIONS, json=HERE | {"EventTypes": ["Alert"]})
    body = {"MessageId": "X.1.0.Y", "Message": "hello", "MessageArgs": ["a"], "Severity": "Warning", "EventId": "77"}
    assert bmc.post(TEST, json=body).status_code == 204
    (event,) = bmc.delivery_service.events()
    assert {key: event[key] for key in body} == body
    assert event["MessageSeverity"] == "Warning"


@pytest.mark.parametrize(
    "body", [{}, {"MessageId": 7}, {"MessageId": "A", "Colour": "red"}, {"MessageId": "A", "Severity": "Bad"}]
)
def test_a_broken_test_event_is_400(bmc, body):
    assert bmc.post(TEST, json=body).status_code == 400


# -- delivery -----------------------------------------------------------------------------------------------------------


def test_a_foreign_host_is_accepted_and_never_connected_to(bmc):
    path = bmc.post(SUBSCRIPTIONS, json=HERE | {"Destination": "https://192.0.2.7/events"}).headers["Location"]
    bmc.post(TEST, json={"MessageId": "A.1.0.B"})
    assert bmc.delivery_service.deliveries == []
    assert notices(bmc)[-1] == "not sent: the destination is not an allowed host"
    assert bmc.get(path).status_code == 200


def test_a_failed_delivery_is_tried_again(bmc):
    bmc.ask("PATCH", SERVICE, json={"DeliveryRetryAttempts": 3, "DeliveryRetryIntervalSeconds": 10})
    bmc.post(SUBSCRIPTIONS, json=HERE)
    bmc.delivery_service.problems = ["no connection", "status 500"]
    bmc.post(TEST, json={"MessageId": "A.1.0.B"})
    bmc.clock.advance(9)
    bmc.get(bmc.system)
    assert len(bmc.delivery_service.deliveries) == 1
    bmc.clock.advance(11)
    bmc.get(bmc.system)
    assert len({delivery.body for delivery in bmc.delivery_service.deliveries}) == 1
    assert notices(bmc)[-3:] == ["failed: no connection", "failed: status 500", "delivered"]


@pytest.mark.parametrize(
    ("policy", "tries", "status", "state"),
    [
        ("TerminateAfterRetries", 2, 404, None),
        ("SuspendRetries", 2, 200, "Disabled"),
        ("RetryForever", 11, 200, "Enabled"),
    ],
)
def test_what_becomes_of_a_subscriber_who_never_answers(bmc, policy, tries, status, state):
    bmc.ask("PATCH", SERVICE, json={"DeliveryRetryAttempts": 1, "DeliveryRetryIntervalSeconds": 10})
    chosen = {"DeliveryRetryPolicy": policy, "RegistryPrefixes": ["LogEvent"]}
    path = bmc.post(SUBSCRIPTIONS, json=HERE | chosen).headers["Location"]
    bmc.delivery_service.problems = ["no connection"] * 100
    bmc.post(TEST, json={"MessageId": "LogEvent.1.0.Boot"})
    for _ in range(10):
        bmc.clock.advance(10)
        bmc.get(SERVICE)
    assert len(bmc.delivery_service.deliveries) == tries
    answer = bmc.get(path)
    assert (answer.status_code, answer.json.get("Status", {}).get("State")) == (status, state)


def test_a_bmc_that_restarts_forgets_what_it_had_to_send_again(bmc):
    bmc.post(SUBSCRIPTIONS, json=HERE | {"DeliveryRetryPolicy": "RetryForever", "RegistryPrefixes": ["TaskEvent"]})
    bmc.delivery_service.problems = ["no connection"] * 100
    bmc.post(TEST, json={"MessageId": "TaskEvent.1.0.TaskStarted"})
    bmc.post("/redfish/v1/Managers/BMC/Actions/Manager.Reset", json={})
    bmc.clock.advance(300)
    bmc.get(bmc.system)
    assert len(bmc.delivery_service.deliveries) == 1


def test_a_disabled_service_sends_nothing(bmc):
    bmc.post(SUBSCRIPTIONS, json=HERE)
    assert bmc.ask("PATCH", SERVICE, json={"ServiceEnabled": False}).json["Status"]["State"] == "Disabled"
    bmc.post(TEST, json={"MessageId": "A.1.0.B"})
    assert bmc.delivery_service.deliveries == []


# -- streams ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def stream(bmc):
    opened = Stream()
    answer = bmc.get(bmc.get(SERVICE).json["ServerSentEventUri"], environ_overrides={"emulator.stream": opened})
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/event-stream")
    return opened


def test_a_stream_has_a_subscription_as_long_as_it_is_open(bmc, stream):
    (member,) = bmc.get(SUBSCRIPTIONS).json["Members"]
    shown = bmc.get(member["@odata.id"]).json
    assert (shown["SubscriptionType"], type(shown["Context"]), "Destination" in shown) == ("SSE", str, False)
    stream.closed()
    assert bmc.get(SUBSCRIPTIONS).json["Members"] == []
    assert stream.ended is False


def test_deleting_its_subscription_ends_a_stream(bmc, stream):
    (member,) = bmc.get(SUBSCRIPTIONS).json["Members"]
    assert bmc.ask("DELETE", member["@odata.id"]).status_code == 204
    assert stream.ended is True


def test_events_on_a_stream_have_ids_that_never_repeat(bmc, stream):
    for _ in range(3):
        bmc.post(TEST, json={"MessageId": "A.1.0.B"})
    blocks = stream.data.decode().split("\n\n")[:-1]
    ids = [block.split("\n")[0] for block in blocks]
    assert len(set(ids)) == 3
    assert all(entry.startswith("id: ") for entry in ids)
    bodies = [json.loads(block.split("\n")[1].removeprefix("data: ")) for block in blocks]
    assert {body["Events"][0]["MessageId"] for body in bodies} == {"A.1.0.B"}
    assert all(body["Context"] for body in bodies)


def power_off(bmc):
    bmc.view().command(bmc.profile.ids.system, PowerCommand.redfish("ForceOff"), None)
    bmc.clock.advance(20)
    bmc.rack.advance()
    return [(look["view"], look["word"]) for look in bmc.events("look")]


def test_a_subscriber_that_gets_a_power_event_is_told_the_word(bmc, stream):
    bmc.post(SUBSCRIPTIONS, json=HERE)
    assert power_off(bmc) == [("event", "Off")] * 2, "once on the stream and once at the destination"
    (fall,) = (event for event in bmc.journal if event.kind == "rail" and event.data["rail"] == "down")
    assert {event.cause for event in bmc.journal if event.kind == "look"} == {fall.seq}


def test_an_event_that_reaches_nobody_tells_nobody(bmc):
    bmc.post(SUBSCRIPTIONS, json={**HERE, "Destination": "https://elsewhere.example/"})
    assert power_off(bmc) == []


@pytest.mark.parametrize("accept", ["application/json", "text/html"])
def test_a_stream_in_another_format_is_refused(bmc, accept):
    answer = bmc.get(f"{SERVICE}/SSE", headers={"Accept": accept}, environ_overrides={"emulator.stream": Stream()})
    assert (answer.status_code, "error" in answer.json) == (406, True)


def test_a_server_without_streams_says_so(bmc):
    assert bmc.get(f"{SERVICE}/SSE").status_code == 503
    assert bmc.get(SUBSCRIPTIONS).json["Members"] == []


def test_a_reset_of_the_bmc_ends_streams_and_keeps_subscriptions(bmc, stream):
    bmc.post(SUBSCRIPTIONS, json=HERE)
    bmc.post("/redfish/v1/Managers/BMC/Actions/Manager.Reset", json={"ResetType": "ForceRestart"})
    assert stream.ended is False
    bmc.clock.advance(1)
    bmc.view().advance()
    assert stream.ended is True
    bmc.clock.advance(60)
    assert len(bmc.get(SUBSCRIPTIONS).json["Members"]) == 1


def test_events_before_the_first_request_count_too(bmc):
    for power in ("ForceOff", "On"):
        BmcView(bmc.rack, "n1").command(bmc.system.rpartition("/")[2], PowerCommand.redfish(power), None)
        bmc.clock.advance(20)
        bmc.rack.advance()
    earlier = len(bmc.rack.unit("n1").log)
    assert earlier >= 3
    bmc.post(SUBSCRIPTIONS, json=HERE)
    bmc.post(TEST, json={"MessageId": "ResourceEvent.1.3.TestMessage"})
    assert [json.loads(delivery.body)["Id"] for delivery in bmc.delivery_service.deliveries] == [str(earlier + 1)]


# -- limits -------------------------------------------------------------------------------------------------------------


def test_a_subscriber_that_is_tried_for_ever_costs_a_bounded_memory(bmc):
    path = bmc.post(SUBSCRIPTIONS, json=HERE | {"DeliveryRetryPolicy": "RetryForever"}).headers["Location"]
    bmc.delivery_service.problems = ["no connection"] * (MAX_WAITING + 5)
    for _ in range(MAX_WAITING + 5):
        bmc.post(TEST, json={"MessageId": "A.1.0.B"})
    assert notices(bmc).count(f"dropped: {MAX_WAITING} others wait") == 5
    bmc.delivery_service.deliveries.clear()
    bmc.clock.advance(31)
    bmc.get(path)
    assert len(bmc.delivery_service.deliveries) == MAX_WAITING  # each of the others is sent once more, and arrives
    bmc.post(TEST, json={"MessageId": "A.1.0.B"})
    assert notices(bmc)[-1] == "delivered"


def test_a_reader_cannot_take_the_streams_of_the_administrator(bmc):
    make_account(bmc, "reader", "ReadOnly")
    statuses = [open_stream(bmc, Stream(), auth=("reader", PASSWORD)).status_code for _ in range(MAX_SUBSCRIPTIONS)]
    assert 0 < statuses.count(200) < MAX_SUBSCRIPTIONS
    assert set(statuses) == {200, 503}
    assert open_stream(bmc, Stream()).status_code == 200


@pytest.mark.parametrize("end", ["delete", "disable"])
def test_a_stream_ends_with_the_account_of_its_reader(bmc, end):
    account = make_account(bmc, "reader", "ReadOnly")
    mine, others = Stream(), Stream()
    open_stream(bmc, mine, auth=("reader", PASSWORD))
    open_stream(bmc, others)
    if end == "delete":
        bmc.ask("DELETE", account)
    else:
        bmc.ask("PATCH", account, json={"Enabled": False})
    assert (mine.ended, others.ended) == (True, False)
    assert b"ResourceRemoved" not in mine.data
    assert b"ResourceChanged" not in mine.data


def make_account(bmc, name, role):
    body = {"UserName": name, "Password": PASSWORD, "RoleId": role}
    return bmc.post("/redfish/v1/AccountService/Accounts", json=body).headers["Location"]


def open_stream(bmc, stream, **more):
    return bmc.get(f"{SERVICE}/SSE", environ_overrides={"emulator.stream": stream}, **more)
