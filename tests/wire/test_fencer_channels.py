"""Several ways to one emulated BMC: two protocols as two witnesses, more addresses than one, a pinned certificate."""

from __future__ import annotations

import hashlib
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing

import pytest

from emulator import Emulator, Endpoint, HostSpec, Rail, arming_from_mapping
from emulator.core.journal import EventKind
from fencer import Cause, FenceVerdict, Limits, Protocol, Target, fence
from fencer.device_check import check_device
from fencer.outcome import WitnessState
from fencer.run import list_hosts
from fencer.target import Address
from tests.emulator_bed import quick_profile, started

LIMITS = Limits(deadline=30, stable_for=0.2, poll=0.1, poll_max=0.2, connect=2, request=4)
SHORT = Limits(deadline=4, stable_for=0.2, poll=0.1, poll_max=0.2, connect=1, request=2)
IPMI_STATUS = "IPMI Get Chassis Status"


@pytest.fixture
def start() -> Iterator[Callable[..., Emulator]]:
    yield from started(quick_profile())


def both(endpoint: Endpoint, **given: object) -> Target:
    values: dict[str, object] = {
        "host": endpoint.host, "port": endpoint.redfish_port, "user": endpoint.username, "password": endpoint.password,
        "verify_tls": False, "second": Protocol.IPMI, "second_port": endpoint.ipmi_port,
    }  # fmt: skip
    return Target(**(values | given))  # type: ignore[arg-type]


def arm(emulator: Emulator, **fault: object) -> None:
    emulator.arm("node1", arming_from_mapping(fault))


def rail(emulator: Emulator) -> Rail:
    return emulator.call(lambda rack: rack.unit("node1").first().host.rail)


def commands(emulator: Emulator) -> list[Mapping[str, object]]:
    return [event.data for event in emulator.journal if event.kind is EventKind.COMMAND]


# --- two protocols --------------------------------------------------------------------------------------------------


def test_ipmi_confirms_the_off_of_redfish(start: Callable[..., Emulator]) -> None:
    emulator = start(HostSpec(), tls=True)
    outcome = fence(both(emulator.endpoints["node1"]), LIMITS)
    assert (outcome.verdict, rail(emulator)) == (FenceVerdict.CONFIRMED, Rail.DOWN)
    assert outcome.evidence is not None
    for reading in outcome.evidence.readings:
        (witness,) = (each for each in reading.witnesses if each.uri == IPMI_STATUS)
        assert (reading.path, witness.state, witness.word) == ("redfish", WitnessState.SAYS, "Off")
    assert len(commands(emulator)) == 1


@pytest.mark.long
@pytest.mark.parametrize("views", [["system", "chassis"], ["ipmi"]])
def test_a_contradiction_is_never_off(start: Callable[..., Emulator], views: list[str]) -> None:
    """One protocol says Off, the other On: the truth is On, and the power commands do nothing."""
    emulator = start(HostSpec(), tls=True)
    arm(emulator, type="report.says", params={"word": "Off", "views": views})
    arm(emulator, type="power.ignore", must_fire=False)
    outcome = fence(both(emulator.endpoints["node1"]), SHORT)
    assert rail(emulator) is Rail.UP
    assert outcome.verdict is not FenceVerdict.CONFIRMED
    assert outcome.failure is not None
    if views != ["ipmi"]:
        assert f"{IPMI_STATUS} says On" in outcome.failure.text


def test_the_contradiction_is_what_refuses_it(start: Callable[..., Emulator]) -> None:
    """The control of the test above: with Redfish alone the same lie is believed."""
    emulator = start(HostSpec(), tls=True)
    arm(emulator, type="report.says", params={"word": "Off", "views": ["system", "chassis"]})
    assert fence(both(emulator.endpoints["node1"], second=None), SHORT).verdict is FenceVerdict.CONFIRMED


@pytest.mark.long
def test_ipmi_that_fell_silent_is_no_consent(start: Callable[..., Emulator]) -> None:
    emulator = start(HostSpec(), tls=True)
    arm(emulator, type="ipmi.silence", when={"path": "chassis-*", "skip": 1})
    arm(emulator, type="report.says", when={"skip": 1}, params={"word": "Off", "views": ["system", "chassis"]}, must_fire=False)
    arm(emulator, type="power.ignore", must_fire=False)
    outcome = fence(both(emulator.endpoints["node1"]), SHORT)
    assert outcome.verdict is not FenceVerdict.CONFIRMED


@pytest.mark.long
def test_ipmi_that_never_answers_does_not_stop_redfish(start: Callable[..., Emulator]) -> None:
    emulator = start(HostSpec(), tls=True)
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as silent:
        silent.bind(("127.0.0.1", 0))
        outcome = fence(both(emulator.endpoints["node1"], second_port=silent.getsockname()[1]), LIMITS)
    assert (outcome.verdict, rail(emulator)) == (FenceVerdict.CONFIRMED, Rail.DOWN)
    assert outcome.evidence is not None
    assert outcome.evidence.readings[-1].witnesses[-1].state is WitnessState.SILENT


def test_ipmi_is_the_second_way_if_redfish_is_closed(start: Callable[..., Emulator]) -> None:
    emulator = start(HostSpec(), tls=True)
    arm(emulator, type="wire.refuse", params={"ipmi": False})
    outcome = fence(both(emulator.endpoints["node1"]), LIMITS)
    assert (outcome.verdict, rail(emulator)) == (FenceVerdict.CONFIRMED, Rail.DOWN)
    assert outcome.evidence is not None
    assert {reading.path for reading in outcome.evidence.readings} == {"ipmi"}
    assert len(outcome.evidence.readings) >= 3  # a BMC that lost requests needs the longer proof


@pytest.mark.parametrize("given", [{}, {"system": "no-such"}])
def test_ipmi_does_not_act_where_redfish_names_no_system(start: Callable[..., Emulator], given: dict[str, str]) -> None:
    """Two Systems and none selected, or one that does not exist: IPMI would act on one of its own choice."""
    emulator = start(HostSpec(name="one"), HostSpec(name="two"), tls=True)
    outcome = fence(both(emulator.endpoints["node1"], **given), SHORT)
    assert outcome.verdict is FenceVerdict.UNKNOWN
    assert outcome.failure is not None
    assert outcome.failure.cause is (Cause.NOT_FOUND if given else Cause.CONFIG)
    assert commands(emulator) == []


@pytest.mark.long
def test_refused_credentials_are_not_tried_over_the_other_protocol(start: Callable[..., Emulator]) -> None:
    emulator = start(HostSpec(), tls=True)
    outcome = fence(both(emulator.endpoints["node1"], password="wrong-one"), LIMITS)
    assert outcome.failure is not None
    assert outcome.failure.cause is Cause.AUTH
    refused = [event for event in emulator.journal if event.kind is EventKind.AUTH]
    assert 1 <= len(refused) <= 2


# --- several addresses ------------------------------------------------------------------------------------------------


def unused_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        return int(server.getsockname()[1])


@pytest.mark.parametrize("protocol", [Protocol.REDFISH, Protocol.IPMI])
def test_the_second_address_is_used_if_the_first_is_dead(start: Callable[..., Emulator], protocol: Protocol) -> None:
    emulator = start(HostSpec(), tls=True)
    endpoint = emulator.endpoints["node1"]
    port = endpoint.redfish_port if protocol is Protocol.REDFISH else endpoint.ipmi_port
    ways = both(endpoint, protocol=protocol, second=None, port=unused_port(), others=(Address(endpoint.host, port),))
    outcome = fence(ways, LIMITS)
    assert (outcome.verdict, rail(emulator), outcome.commands_sent) == (FenceVerdict.CONFIRMED, Rail.DOWN, 1)


@pytest.mark.long
def test_the_failure_names_the_first_address_if_all_are_dead(start: Callable[..., Emulator]) -> None:
    endpoint = start(HostSpec(), tls=True).endpoints["node1"]
    first = unused_port()
    ways = both(endpoint, second=None, port=first, others=(Address(endpoint.host, unused_port()),))
    outcome = fence(ways, SHORT)
    assert outcome.failure is not None
    assert (outcome.failure.cause, str(first) in outcome.failure.text) == (Cause.UNREACHABLE, True)


def test_list_uses_the_address_that_answers(start: Callable[..., Emulator]) -> None:
    endpoint = start(HostSpec(), tls=True).endpoints["node1"]
    ways = both(endpoint, second=None, port=unused_port(), others=(Address(endpoint.host, endpoint.redfish_port),))
    (member,) = list_hosts(ways, SHORT)
    assert member.word == "On"


# --- a pinned certificate ---------------------------------------------------------------------------------------------


def fingerprint(endpoint: Endpoint) -> str:
    pem = ssl.get_server_certificate((endpoint.host, endpoint.redfish_port))
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()


def test_the_pinned_certificate_needs_no_ca(start: Callable[..., Emulator]) -> None:
    emulator = start(HostSpec(), tls=True)
    endpoint = emulator.endpoints["node1"]
    pinned = both(endpoint, second=None, fingerprint=fingerprint(endpoint))
    assert fence(pinned, LIMITS).verdict is FenceVerdict.CONFIRMED


def test_another_certificate_gets_no_request(start: Callable[..., Emulator]) -> None:
    emulator = start(HostSpec(), tls=True)
    pinned = both(emulator.endpoints["node1"], second=None, fingerprint="ab" * 32)
    outcome = fence(pinned, SHORT)
    assert outcome.failure is not None
    assert (outcome.failure.cause, "ab" * 32 in outcome.failure.text) == (Cause.TLS, True)
    assert not [event for event in emulator.journal if event.kind is EventKind.REQUEST]


# --- monitor ----------------------------------------------------------------------------------------------------------


def monitored(emulator: Emulator, **given: object) -> tuple[str | None, str]:
    """The class of the failure, and the warnings."""
    check = check_device(both(emulator.endpoints["node1"], **{"second": None, **given}), SHORT)
    return (str(check.failure.cause) if check.failure else None), "; ".join(check.warnings)


@pytest.mark.parametrize("power", ["on", "off"])
def test_a_device_can_be_used_whatever_the_power_is(start: Callable[..., Emulator], power: str) -> None:
    assert monitored(start(HostSpec(power=power), tls=True)) == (None, "")


@pytest.mark.parametrize("word", ["PoweringOff", "Paused", None])
def test_a_strange_power_word_is_a_warning(start: Callable[..., Emulator], word: str | None) -> None:
    emulator = start(HostSpec(), tls=True)
    arm(emulator, type="report.says", params={"word": word, "views": ["system"]})
    failure, warnings = monitored(emulator)
    assert failure is None
    assert (word or "null") in warnings


def test_two_systems_without_a_selector_cannot_be_used(start: Callable[..., Emulator]) -> None:
    emulator = start(HostSpec(name="one"), HostSpec(name="two"), tls=True)
    assert monitored(emulator)[0] == "config"
    assert monitored(emulator, system=emulator.endpoints["node1"].systems[1].uri) == (None, "")


def test_another_identity_cannot_be_used(start: Callable[..., Emulator]) -> None:
    emulator = start(HostSpec(), tls=True)
    assert monitored(emulator, identity=emulator.endpoints["node1"].systems[0].uuid) == (None, "")
    assert monitored(emulator, identity="00000000-0000-4000-8000-000000000001")[0] == "config"


@pytest.mark.long
def test_a_missing_system_and_wrong_credentials_cannot_be_used(start: Callable[..., Emulator]) -> None:
    emulator = start(HostSpec(), tls=True)
    assert monitored(emulator, system="no-such")[0] == "not-found"
    assert monitored(emulator, password="wrong-one")[0] == "auth"


def test_a_system_without_a_reset_action_cannot_be_used(start: Callable[..., Emulator]) -> None:
    emulator = start(HostSpec(), tls=True)
    uri = emulator.endpoints["node1"].systems[0].uri
    arm(emulator, type="redfish.property", when={"path": uri}, params={"property": "Actions", "what": "missing"})
    assert monitored(emulator)[0] == "unsupported"


def test_a_chassis_that_says_null_is_a_warning(start: Callable[..., Emulator]) -> None:
    emulator = start(HostSpec(power="off"), tls=True)
    arm(emulator, type="report.says", params={"word": None, "views": ["chassis"]})
    failure, warnings = monitored(emulator)
    assert failure is None
    assert "says null" in warnings
    assert "chassis_check" in warnings


def test_both_protocols_are_looked_at(start: Callable[..., Emulator]) -> None:
    emulator = start(HostSpec(), tls=True)
    arm(emulator, type="report.says", params={"word": "Off", "views": ["ipmi"]})
    failure, warnings = monitored(emulator, second=Protocol.IPMI)
    assert failure is None
    assert IPMI_STATUS in warnings
