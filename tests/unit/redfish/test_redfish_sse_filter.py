"""$filter of an event stream: what comes through, what its subscription shows, and what is refused by name."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from emulator.redfish.events.sse_filter import PROPERTIES, compiled, parsed
from emulator.redfish.events.subscriptions import RedfishEvent
from emulator.redfish.service.call import RegistryError

SERVICE = "/redfish/v1/EventService"
TEST = f"{SERVICE}/Actions/EventService.SubmitTestEvent"
SYSTEM = "/redfish/v1/Systems/437XR1138R2"
WORDS = {"RegistryPrefix": ("ResourceEvent", "TaskEvent"), "ResourceType": ("ComputerSystem", "Task")}
EVENT = RedfishEvent(message_id="ResourceEvent.1.3.ResourceChanged", text="", origin=f"{SYSTEM}/Bios", kind="ComputerSystem")


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("EventFormatType eq 'Event'", True),
        ("EventFormatType eq Event", True),
        ("RegistryPrefix eq 'ResourceEvent'", True),
        ("RegistryPrefix eq ResourceEvent", True),
        ("RegistryPrefix eq 'TaskEvent'", False),
        ("ResourceType eq 'ComputerSystem'", True),
        ("ResourceType eq 'Task'", False),
        ("MessageId eq 'ResourceEvent.1.3.ResourceChanged'", True),
        ("MessageId eq 'ResourceEvent.1.0.ResourceChanged'", True),
        ("MessageId eq 'ResourceEvent.1.3.ResourceCreated'", False),
        (f"OriginResource eq '{SYSTEM}/Bios'", True),
        (f"OriginResource eq {SYSTEM}/Bios/", True),
        (f"OriginResource eq '{SYSTEM}'", False),
        (f"(OriginResource eq '{SYSTEM}') and (SubordinateResources eq true)", True),
        (f"(SubordinateResources eq true) and (OriginResource eq '{SYSTEM}')", True),
        (f"OriginResource eq '{SYSTEM}' and SubordinateResources eq false", False),
        (f"OriginResource eq '{SYSTEM}/B' and SubordinateResources eq true", False),
        (f"(OriginResource eq '/x' or OriginResource eq '{SYSTEM}') and SubordinateResources eq true", True),
        (f"OriginResource eq '{SYSTEM}' and (ResourceType eq 'ComputerSystem' and SubordinateResources eq true)", True),
        (f"OriginResource eq '{SYSTEM}' or (OriginResource eq '/x' and SubordinateResources eq true)", False),
        ("(RegistryPrefix eq 'TaskEvent') or (RegistryPrefix eq 'ResourceEvent')", True),
        ("RegistryPrefix eq TaskEvent and ResourceType eq Task or ResourceType eq ComputerSystem", True),
        ("RegistryPrefix eq TaskEvent and (ResourceType eq Task or ResourceType eq ComputerSystem)", False),
        ("((((ResourceType eq 'ComputerSystem'))))", True),
        ("  ResourceType   eq 'ComputerSystem'  ", True),
        ("(ResourceType eq 'Task')or(ResourceType eq 'ComputerSystem')", True),
        (" or ".join(["ResourceType eq Task"] * 3000 + ["ResourceType eq ComputerSystem"]), True),
    ],
)
def test_a_filter_means_what_it_says(text, passes):
    assert compiled(parsed(text, WORDS))(EVENT) is passes


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", ""),
        ("MessageId", "MessageId"),
        ("MessageId eq", "MessageId eq"),
        ("eq 'A'", "eq 'A'"),
        ("MessageId ne 'A'", "ne 'A'"),
        ("not MessageId eq 'A'", "not MessageId eq 'A'"),
        ("MessageId eq 'A' 'B'", "'B'"),
        ("MessageId eq 'A' xor MessageId eq 'B'", "xor MessageId eq 'B'"),
        ("MessageId eq 'A' and", "MessageId eq 'A' and"),
        ("(MessageId eq 'A'", "(MessageId eq 'A'"),
        ("MessageId eq 'A')", ")"),
        ("MessageId eq 'open", "'open"),
        ("'MessageId' eq 'A'", "'MessageId' eq 'A'"),
        ("MessageId eq eq", "eq"),
        ("()", ")"),
    ],
)
def test_what_is_no_filter_is_refused_from_where_it_is_wrong(text, told):
    with pytest.raises(RegistryError) as caught:
        parsed(text, WORDS)
    (complaint,) = caught.value.messages
    assert (caught.value.http_status, complaint.message, complaint.args) == (
        400,
        "QueryParameterValueFormatError",
        (told, "$filter"),
    )


@pytest.mark.parametrize("text", ["(" * 200 + "MessageId eq A" + ")" * 200, "(" * 5000, "MessageId eq 'A'" * 5000])
def test_too_much_of_anything_is_refused(text):
    with pytest.raises(RegistryError):
        parsed(text, WORDS)


@pytest.mark.parametrize(
    ("text", "message", "args"),
    [
        ("Colour eq 'red'", "PropertyUnknown", ("Colour",)),
        ("MetricReportDefinition eq '/x'", "PropertyUnknown", ("MetricReportDefinition",)),
        ("EventFormatType eq 'MetricReport'", "PropertyValueNotInList", ("MetricReport", "EventFormatType")),
        ("RegistryPrefix eq 'Alert'", "PropertyValueNotInList", ("Alert", "RegistryPrefix")),
        ("ResourceType eq 'Power'", "PropertyValueNotInList", ("Power", "ResourceType")),
        ("SubordinateResources eq 'true'", "PropertyValueTypeError", ("true", "SubordinateResources")),
        ("SubordinateResources eq 1", "PropertyValueTypeError", ("1", "SubordinateResources")),
        ("SubordinateResources eq true", "PropertyMissing", ("OriginResource",)),
        ("ResourceType eq 'Task' and SubordinateResources eq true", "PropertyMissing", ("OriginResource",)),
        ("OriginResource eq '/x' or SubordinateResources eq true", "PropertyMissing", ("OriginResource",)),
        (
            "OriginResource eq '/x' or ResourceType eq Task and SubordinateResources eq true",
            "PropertyMissing",
            ("OriginResource",),
        ),
    ],
)
def test_what_no_event_could_be_is_refused_by_name(text, message, args):
    with pytest.raises(RegistryError) as caught:
        parsed(text, WORDS)
    (complaint,) = caught.value.messages
    assert (caught.value.http_status, complaint.message, complaint.args) == (400, message, args)


# -- on a service ---------------------------------------------------------------------------------------------------------


class Stream:
    """The wire's side of an event stream."""

    def __init__(self):
        self.data = b""

    def attach(self, closed):
        pass

    def push(self, data):
        self.data += data
        return True

    def end(self):
        pass

    def ids(self):
        events = [json.loads(line[6:]) for line in self.data.decode().splitlines() if line.startswith("data: ")]
        return [event["Events"][0]["MessageId"].rpartition(".")[2] for event in events]


def opened(bmc, text, stream=None):
    path = f"{SERVICE}/SSE?$filter={quote(text)}"
    return bmc.get(path, environ_overrides={"emulator.stream": stream or Stream()})


def test_only_what_was_asked_for_comes_through(generic):
    everything, narrow = Stream(), Stream()
    generic.get(f"{SERVICE}/SSE", environ_overrides={"emulator.stream": everything})
    assert opened(generic, f"OriginResource eq '{SYSTEM}' and RegistryPrefix eq 'ResourceEvent'", narrow).status_code == 200
    generic.reset("ForceOff")
    generic.clock.advance(60)
    generic.post(TEST, json={"MessageId": "ResourceEvent.1.3.TestMessage"})
    generic.ask("PATCH", SYSTEM, json={"AssetTag": "x"})
    assert narrow.ids() == ["ResourcePoweredOff", "ResourceChanged"]
    assert "TestMessage" in everything.ids()


def test_the_subscription_shows_a_filter_that_its_lists_can_say(generic):
    text = f"(RegistryPrefix eq 'ResourceEvent' or RegistryPrefix eq 'TaskEvent') and OriginResource eq '{SYSTEM}'"
    assert opened(generic, f"{text} and SubordinateResources eq true and MessageId eq 'A.1.0.B'").status_code == 200
    shown = generic.get(f"{SERVICE}/Subscriptions/1").json
    assert (shown["RegistryPrefixes"], shown["MessageIds"]) == (["ResourceEvent", "TaskEvent"], ["A.1.0.B"])
    assert (shown["OriginResources"], shown["SubordinateResources"]) == ([{"@odata.id": SYSTEM}], True)


@pytest.mark.parametrize(
    "text",
    [
        f"RegistryPrefix eq 'TaskEvent' or OriginResource eq '{SYSTEM}'",
        f"RegistryPrefix eq 'TaskEvent' and OriginResource eq '{SYSTEM}' or ResourceType eq 'Task'",
        "RegistryPrefix eq 'TaskEvent' and RegistryPrefix eq 'ResourceEvent'",
    ],
)
def test_a_filter_that_lists_cannot_say_works_all_the_same(generic, text):
    """Lists are joined by `and`, and the words in one by `or`; nothing else can be shown."""
    stream = Stream()
    assert opened(generic, text, stream).status_code == 200
    shown = generic.get(f"{SERVICE}/Subscriptions/1").json
    assert (shown["RegistryPrefixes"], shown["ResourceTypes"], shown["OriginResources"]) == ([], [], [])
    generic.post(TEST, json={"MessageId": "ResourceEvent.1.3.TestMessage"})
    assert stream.ids() == []


def test_the_service_says_what_it_can_filter_by(generic):
    told = generic.get(SERVICE).json["SSEFilterPropertiesSupported"]
    assert {name for name, yes in told.items() if yes} == set(PROPERTIES)
    values = {"EventFormatType": "Event", "RegistryPrefix": "Base", "ResourceType": "Task", "SubordinateResources": "false"}
    for name, yes in told.items():
        assert opened(generic, f"{name} eq {values.get(name, SYSTEM)}").status_code == (200 if yes else 400)


@pytest.mark.parametrize(
    ("query", "status", "wanted"),
    [
        ("$filter=Colour eq 'red'", 400, "PropertyUnknown"),
        ("%24filter=MessageId%20eq", 400, "QueryParameterValueFormatError"),
        ("$filter=OriginResource eq '/redfish/v1/Nowhere'", 400, "ResourceMissingAtURI"),
        ("$top=1", 501, "QueryNotSupported"),
        ("$filter=MessageId eq 'A'&$select=Id", 501, "QueryNotSupported"),
    ],
)
def test_a_query_that_cannot_be_opens_no_stream(generic, message, query, status, wanted):
    answer = generic.get(f"{SERVICE}/SSE?{query}", environ_overrides={"emulator.stream": Stream()})
    assert (answer.status_code, message(answer)[0]) == (status, wanted)
    assert generic.get(f"{SERVICE}/Subscriptions").json["Members"] == []


def test_other_parameters_are_ignored(generic):
    assert generic.get(f"{SERVICE}/SSE?last=7", environ_overrides={"emulator.stream": Stream()}).status_code == 200
