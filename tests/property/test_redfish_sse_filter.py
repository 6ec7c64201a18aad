"""Any text is a filter of an event stream or is refused; what was taken judges every event."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from emulator.redfish.events.sse_filter import PROPERTIES, All, AnyOf, Comparison, as_lists, compiled, parsed
from emulator.redfish.events.subscriptions import RedfishEvent, Subscription
from emulator.redfish.service.call import RegistryError

KNOWN = {"RegistryPrefix": ("A", "B"), "ResourceType": ("A", "B")}
WORDS = st.sampled_from([*PROPERTIES, "eq", "and", "or", "not", "(", ")", "true", "false", "'A'", "B", "/A", "'", "''", "Event"])
LEAVES = st.builds(
    Comparison, st.sampled_from(["RegistryPrefix", "ResourceType", "MessageId", "OriginResource"]), st.sampled_from(["A", "B"])
)
NODES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, min_size=2, max_size=3).flatmap(lambda parts: st.sampled_from([("and", parts), ("or", parts)])),
)
EVENTS = st.builds(
    RedfishEvent,
    message_id=st.sampled_from(["A", "B", "A.1.0.B"]),
    text=st.just(""),
    origin=st.sampled_from([None, "A", "A/x", "B"]),
    kind=st.sampled_from([None, "A", "B"]),
)


def taken(text):
    """The filter, or the status of its refusal."""
    try:
        return parsed(text, KNOWN)
    except RegistryError as refusal:
        return refusal.http_status


@given(text=st.text() | st.lists(WORDS, max_size=12).map(" ".join), event=EVENTS)
@example(text="(" * 10_000, event=RedfishEvent(message_id="A", text=""))
@example(text="MessageId eq '\x00'", event=RedfishEvent(message_id="A", text=""))
def test_any_text_is_a_filter_or_refused(text, event):
    node = taken(text)
    if node != 400:
        assert compiled(node)(event) in (True, False)
        as_lists(node)


def words_of(node):
    if isinstance(node, Comparison):
        return f"{node.name} eq '{node.value}'"
    sign, parts = node
    return f" {sign} ".join(f"({words_of(part)})" for part in parts)


def truth_of(node, event):
    """By the definition: what the parser's tree must come to."""
    if isinstance(node, Comparison):
        return {
            "RegistryPrefix": event.registry == node.value,
            "ResourceType": event.kind == node.value,
            "MessageId": event.message_id == node.value,
            "OriginResource": event.origin == node.value,
        }[node.name]
    sign, parts = node
    return (all if sign == "and" else any)(truth_of(part, event) for part in parts)


@given(node=NODES, event=EVENTS)
def test_a_filter_is_what_its_parts_are(node, event):
    found = parsed(words_of(node), KNOWN)
    assert isinstance(found, Comparison | All | AnyOf)
    assert compiled(found)(event) is truth_of(node, event)


@given(node=NODES, event=EVENTS)
def test_lists_that_are_shown_say_the_same(node, event):
    found = parsed(words_of(node), KNOWN)
    lists = as_lists(found)
    if lists:
        shown = Subscription(
            id="1",
            registries=lists.get("RegistryPrefix", ()),
            types=lists.get("ResourceType", ()),
            message_ids=lists.get("MessageId", ()),
            origins=lists.get("OriginResource", ()),
        )
        assert shown.wants(event) is compiled(found)(event)
