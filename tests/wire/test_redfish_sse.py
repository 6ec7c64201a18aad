"""Event streams on real sockets."""

from __future__ import annotations

import http.client
import json
from urllib.parse import quote

import pytest

from tests.redfish_lab import SERVICE, SUBSCRIPTIONS, TEST, Lab, open_stream


def event_of(answer: http.client.HTTPResponse) -> tuple[str, dict[str, object]]:
    """The next event of a stream: its id and its JSON. Comments are passed over."""
    number, body = "", None
    while True:
        line = answer.readline().decode()
        assert line, "the stream has ended"
        if line.startswith("id: "):
            number = line[4:].strip()
        elif line.startswith("data: "):
            body = json.loads(line[6:])
        elif line == "\n" and body is not None:
            return number, body


def test_a_stream_carries_events_as_they_happen(lab: Lab) -> None:
    other = lab.client()
    stream = open_stream(lab.client())
    for _ in range(2):
        other.ask("POST", TEST, {"MessageId": "ResourceEvent.1.3.TestMessage"})
    (first, body), (second, _) = event_of(stream), event_of(stream)
    assert body["Events"][0]["Message"] == "Test message."
    assert first != second


def test_a_power_change_reaches_a_stream(lab: Lab) -> None:
    stream = open_stream(lab.client())
    lab.emulator.cut("b1")
    _, body = event_of(stream)
    assert body["Events"][0]["MessageId"] == "ResourceEvent.1.3.ResourcePoweredOff"
    assert body["Events"][0]["OriginOfCondition"] == {"@odata.id": lab.emulator.endpoints["b1"].systems[0].uri}


def test_a_stream_with_a_filter_carries_what_was_asked_for(lab: Lab) -> None:
    other = lab.client()
    wanted = quote("(RegistryPrefix eq 'LogEvent') or (MessageId eq 'ResourceEvent.1.3.ResourcePoweredOff')")
    stream = open_stream(lab.client(), f"?$filter={wanted}")
    other.ask("POST", TEST, {"MessageId": "ResourceEvent.1.3.TestMessage"})
    lab.emulator.cut("b1")
    assert event_of(stream)[1]["Events"][0]["MessageId"] == "ResourceEvent.1.3.ResourcePoweredOff"


def test_closing_a_stream_deletes_its_subscription(lab: Lab) -> None:
    reading, other = lab.client(), lab.client()
    answer = open_stream(reading)
    assert len(other.ask("GET", SUBSCRIPTIONS)[1]["Members"]) == 1
    answer.close()
    reading.close()
    lab.until(lambda rack: "unsubscribed" in [event.data.get("what") for event in rack.journal])
    assert other.ask("GET", SUBSCRIPTIONS)[1]["Members"] == []


def test_deleting_the_subscription_closes_the_stream(lab: Lab) -> None:
    other = lab.client()
    stream = open_stream(lab.client())
    (member,) = other.ask("GET", SUBSCRIPTIONS)[1]["Members"]
    assert other.ask("DELETE", member["@odata.id"])[0] == 204
    assert b"id: " not in stream.read()


def test_a_stream_survives_the_end_of_its_session(lab: Lab) -> None:
    reading, other = lab.client(), lab.client()
    endpoint = reading.endpoint
    login = reading.send(
        "POST", "/redfish/v1/SessionService/Sessions", {"UserName": endpoint.username, "Password": endpoint.password}
    )
    login.read()
    reading.headers = {"X-Auth-Token": login.headers["X-Auth-Token"]}
    stream = open_stream(reading)
    assert other.ask("DELETE", login.headers["Location"])[0] == 204
    other.ask("POST", TEST, {"MessageId": "A.1.0.Still"})
    while (body := event_of(stream)[1])["Events"][0]["MessageId"] != "A.1.0.Still":
        assert body["Events"][0]["MessageId"] == "ResourceEvent.1.3.ResourceRemoved"


@pytest.mark.parametrize(("accept", "status"), [("application/json", 406), ("text/event-stream", 401)])
def test_a_stream_that_cannot_be_is_a_json_error(lab: Lab, accept: str, status: int) -> None:
    client = lab.client()
    if status == 401:
        client.headers = {}
    answer = client.send("GET", f"{SERVICE}/SSE", Accept=accept)
    assert (answer.status, answer.headers["Content-Type"]) == (status, "application/json; charset=utf-8")
    assert json.loads(answer.read())["error"]["@Message.ExtendedInfo"]
