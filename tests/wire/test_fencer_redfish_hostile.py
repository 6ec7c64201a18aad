"""`fencer.fence` over real sockets against a Redfish service that misleads, dawdles or breaks once."""

from __future__ import annotations

import gzip
import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from fencer import Auth, Cause, ChassisCheck, FenceVerdict, IdentityCheck, Power, fence, read
from fencer.transport import refused_logins
from tests.redfish_service import (
    CHASSIS,
    LIMITS,
    QUICK,
    RESET,
    SYSTEM,
    Handler,
    Service,
    cause,
    error,
    on,
    serve,
    system,
    target,
)

LONGER = replace(LIMITS, deadline=8)
OTHER = "/redfish/v1/Systems/2"
SESSIONS = "/redfish/v1/SessionService/Sessions"


@pytest.fixture
def service() -> Iterator[Service]:
    yield from serve()


@pytest.fixture
def soon_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refused_logins, "REFUSED_LOGIN_GAP_S", 0.2)


def from_the(nth: int, method: str, path: str, reply: Callable[[Handler], None]) -> Callable[[Handler, bytes], bool]:
    """Answers the nth and all later requests in the handler's place."""
    count = itertools.count(1)

    def special(handler: Handler, body: bytes) -> bool:
        fits = handler.command == method and handler.path == path and next(count) >= nth
        if fits:
            reply(handler)
        return fits

    return special


def only_the(nth: int, method: str, path: str | None, reply: Callable[[Handler], None]) -> Callable[[Handler, bytes], bool]:
    count = itertools.count(1)

    def special(handler: Handler, body: bytes) -> bool:
        fits = handler.command == method and path in (None, handler.path) and next(count) == nth
        if fits:
            reply(handler)
        return fits

    return special


def eager(service: Service) -> None:
    """The System says Off after the reset; the rail stays up, and so says the chassis."""
    service.documents[CHASSIS] = {"@odata.id": CHASSIS, "Id": "1", "PowerState": "On"}


# --- witnesses ----------------------------------------------------------------------------------------------------------

NO_WORDS: dict[str, Callable[[Handler], None]] = {
    "404": lambda it: it.reply(404),
    "410": lambda it: it.reply(410),
    "500": lambda it: it.reply(500),
    "null": lambda it: it.reply(200, {"@odata.id": CHASSIS, "Id": "1", "PowerState": None}),
    "no property": lambda it: it.reply(200, {"@odata.id": CHASSIS, "Id": "1"}),
    "a number": lambda it: it.reply(200, {"@odata.id": CHASSIS, "Id": "1", "PowerState": 0}),
    "a list": lambda it: it.reply(200, []),
    "absent": lambda it: it.reply(200, {"@odata.id": CHASSIS, "Id": "1", "PowerState": "Off", "Status": {"State": "Absent"}}),
    "another chassis": lambda it: it.reply(200, {"@odata.id": CHASSIS + "0", "Id": "10", "PowerState": "Off"}),
    "a System": lambda it: it.reply(
        200, {"@odata.id": CHASSIS, "Id": "1", "@odata.type": "#ComputerSystem.v1_20_0.ComputerSystem", "PowerState": "Off"}
    ),
    "a bare word": lambda it: it.reply(200, {"PowerState": "Off"}),
    "two words": lambda it: it.reply(200, b'{"@odata.id": "/redfish/v1/Chassis/1", "PowerState": "On", "PowerState": "Off"}'),
    "elsewhere": lambda it: it.reply(307, Location=CHASSIS + "0"),
}


@pytest.mark.parametrize("what", NO_WORDS)
def test_a_chassis_that_said_on_and_loses_its_word_is_no_consent(service: Service, what: str) -> None:
    eager(service)
    service.documents[CHASSIS + "0"] = {"PowerState": "Off"}
    service.special = from_the(2, "GET", CHASSIS, NO_WORDS[what])
    outcome = fence(target(service), QUICK)
    assert outcome.verdict is not FenceVerdict.CONFIRMED
    assert outcome.failure is not None
    assert CHASSIS in outcome.failure.text
    assert "chassis_check" in outcome.failure.text


def test_a_chassis_whose_link_vanishes_is_asked_all_the_same(service: Service) -> None:
    eager(service)
    service.special = from_the(2, "GET", SYSTEM, lambda it: it.reply(200, {**system(service), "Links": {}}))
    outcome = fence(target(service), QUICK)
    assert outcome.verdict is not FenceVerdict.CONFIRMED
    assert len(service.seen("GET", CHASSIS)) > 2


def test_the_failing_fence_names_the_chassis_its_word_and_the_knob(service: Service) -> None:
    eager(service)
    outcome = fence(target(service), QUICK)
    assert cause(outcome) is Cause.TIMEOUT
    assert outcome.failure is not None
    for words in (f"says On: {CHASSIS}", "ForceOff", "chassis_check to own"):
        assert words in outcome.failure.text


@pytest.mark.parametrize(
    ("document", "expected"),
    [({"PowerState": "Off"}, "ok"), ({"Name": "x"}, "silent"), (None, "not-linked")],
)
def test_the_evidence_says_what_the_chassis_said(service: Service, document: object, expected: str) -> None:
    service.up = False
    service.documents[CHASSIS] = document
    if document is None:
        service.documents["system"] = {"Links": {}}
    outcome = fence(target(service), LIMITS)
    assert outcome.evidence is not None
    assert outcome.evidence.chassis_check == expected


def test_a_shared_chassis_is_said_to_be_left_out(service: Service) -> None:
    service.up = False
    service.documents[CHASSIS] = {"PowerState": "On", "Links": {"ComputerSystems": [{}, {}]}}
    outcome = fence(target(service), replace(LIMITS, chassis_check=ChassisCheck.OWN))
    assert outcome.evidence is not None
    assert outcome.evidence.chassis_check == "shared"


def test_listed_chassis_are_asked_in_place_of_the_linked_ones(service: Service) -> None:
    service.up = False
    service.documents |= {CHASSIS: {"PowerState": "On"}, "/redfish/v1/Chassis/own": {"PowerState": "Off"}}
    limits = replace(LIMITS, chassis_check=ChassisCheck.LISTED, chassis=("/redfish/v1/Chassis/own",))
    assert fence(target(service), limits).verdict is FenceVerdict.CONFIRMED
    service.documents["/redfish/v1/Chassis/own"] = {"Name": "no word"}
    assert fence(target(service), replace(limits, deadline=1)).verdict is not FenceVerdict.CONFIRMED


def test_thirty_chassis_are_read_over_several_connections(service: Service) -> None:
    service.up = False
    uris = [f"/redfish/v1/Chassis/{number}" for number in range(30)]
    service.documents["system"] = {"Links": {"Chassis": [{"@odata.id": uri} for uri in uris]}}
    together, most = 0, 0
    lock = threading.Lock()

    def slow(it: Handler, body: bytes) -> bool:
        nonlocal together, most
        if "/Chassis/" not in it.path:
            return False
        with lock:
            together += 1
            most = max(most, together)
        service.released.wait(0.02)
        with lock:
            together -= 1
        it.reply(200, {"PowerState": "Off"})
        return True

    service.special = slow
    outcome = fence(target(service), LONGER)
    assert outcome.evidence is not None
    assert len(outcome.evidence.readings[-1].witnesses) == 30
    assert 2 <= most <= 4


# --- every body belongs to what was asked -------------------------------------------------------------------------------


def off(service: Service, **changes: object) -> dict[str, object]:
    return {**system(service), "PowerState": "Off", **changes}


FOREIGN: dict[str, Callable[[Service, Handler], None]] = {
    "another @odata.id": lambda service, it: it.reply(200, off(service, **{"@odata.id": OTHER})),
    "a redirect to another System": lambda service, it: it.reply(307, Location=OTHER),
    "a bare word": lambda service, it: it.reply(200, {"PowerState": "Off"}),
    "absent": lambda service, it: it.reply(200, off(service, Status={"State": "Absent"})),
    "two words": lambda service, it: it.reply(200, json.dumps(off(service))[:-1].encode() + b', "PowerState": "On"}'),
    "a chassis": lambda service, it: it.reply(200, off(service, **{"@odata.type": "#Chassis.v1_20_0.Chassis"})),
    "202": lambda service, it: it.reply(202, off(service)),
    "another UUID": lambda service, it: it.reply(200, off(service, UUID="99999999-2222-3333-4444-555555555555")),
}


@pytest.mark.parametrize("what", FOREIGN)
def test_a_body_that_is_not_the_system_that_was_read_first_is_no_evidence(service: Service, what: str) -> None:
    service.documents[OTHER] = {"@odata.id": OTHER, "PowerState": "Off"}
    reply = FOREIGN[what]
    service.special = from_the(2, "GET", SYSTEM, lambda it: reply(service, it))
    outcome = fence(target(service), QUICK)
    assert cause(outcome) in (Cause.BAD_RESPONSE, Cause.CONFIG)
    assert service.seen("GET", OTHER) == []


def test_a_bare_power_word_is_no_system_even_at_the_first_read(service: Service) -> None:
    service.special = on("GET", SYSTEM, lambda it: it.reply(200, {"PowerState": "Off"}))
    assert cause(fence(target(service), QUICK)) is Cause.BAD_RESPONSE


@pytest.mark.parametrize("odata_id", [SYSTEM + "/", "http://bmc.example" + SYSTEM, "/redfish/v1/Systems/%31", None])
def test_other_spellings_of_the_same_resource_are_accepted(service: Service, odata_id: str | None) -> None:
    service.up = False
    body = off(service, **{"@odata.id": odata_id})
    service.special = on("GET", SYSTEM, lambda it: it.reply(200, {key: value for key, value in body.items() if value}))
    assert fence(target(service), LIMITS).verdict is FenceVerdict.CONFIRMED


@pytest.mark.parametrize("location", ["http://[::1", "http://[", "///", "http://elsewhere.invalid/x"])
def test_an_unusable_location_is_a_bad_answer_and_no_exception(service: Service, location: str) -> None:
    service.special = on("GET", SYSTEM, lambda it: it.reply(302, Location=location))
    assert cause(fence(target(service), QUICK)) is Cause.BAD_RESPONSE


def test_a_reset_that_is_redirected_to_another_resource_is_not_sent_there(service: Service) -> None:
    elsewhere = f"{OTHER}/Actions/ComputerSystem.Reset"
    service.special = on("POST", RESET, lambda it: it.reply(307, Location=elsewhere))
    outcome = fence(target(service), QUICK)
    assert cause(outcome) is Cause.BAD_RESPONSE
    assert "redirected" in str(outcome.failure)
    assert service.seen("POST", elsewhere) == []


@pytest.mark.parametrize("count", [2, 7])
def test_a_list_that_hides_a_system_is_ambiguous(service: Service, count: int) -> None:
    service.documents["/redfish/v1/Systems"] = {"Members": [{"@odata.id": SYSTEM}], "Members@odata.count": count}
    assert cause(fence(target(service), QUICK)) is Cause.CONFIG
    assert service.seen("POST") == []
    assert read(target(service, system=SYSTEM), 2).power is Power.ON


# --- identity -----------------------------------------------------------------------------------------------------------

UUID = "11111111-2222-3333-4444-555555555555"


@pytest.mark.parametrize("identity", [UUID, UUID.upper(), UUID.replace("-", ""), "SER-1"])
def test_uuid_and_serial_number_name_the_machine(service: Service, identity: str) -> None:
    service.documents["system"] = {"SerialNumber": "SER-1"}
    outcome = fence(target(service, identity=identity), LIMITS)
    assert outcome.verdict is FenceVerdict.CONFIRMED
    assert outcome.readings[0].identity == identity


@pytest.mark.parametrize("shown", [{"UUID": "0" * 8 + "-0000-0000-0000-" + "0" * 12}, {"UUID": None}])
def test_an_identity_that_was_never_shown_is_no_proof_and_names_the_knob(service: Service, shown: dict[str, object]) -> None:
    service.up = False
    service.documents["system"] = shown
    outcome = fence(target(service, identity=UUID), LIMITS)
    assert cause(outcome) is Cause.CONFIG
    assert "identity_check=when-shown" in str(outcome.failure)
    relaxed = target(service, identity=UUID, identity_check=IdentityCheck.WHEN_SHOWN)
    assert fence(relaxed, LIMITS).verdict is FenceVerdict.CONFIRMED


def test_an_identity_that_is_hidden_while_off_was_shown_before(service: Service) -> None:
    service.special = on("GET", SYSTEM, lambda it: it.reply(200, {**system(service), "UUID": UUID if service.up else "0" * 32}))
    assert fence(target(service, identity=UUID), LIMITS).verdict is FenceVerdict.CONFIRMED


def test_nothing_is_sent_to_a_machine_that_never_showed_its_identity(service: Service) -> None:
    service.documents["system"] = {"UUID": None}
    assert cause(fence(target(service, identity=UUID), LIMITS)) is Cause.CONFIG
    assert service.seen("POST") == []


# --- it ends ------------------------------------------------------------------------------------------------------------


def drip(it: Handler) -> None:
    it.send_response(200)
    it.send_header("Content-Length", "1000")
    it.end_headers()
    while not it.server.service.released.wait(0.05):
        it.wfile.write(b" ")
        it.wfile.flush()


def drip_head(it: Handler) -> None:
    it.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not it.server.service.released.wait(0.05):
        it.wfile.write(b"x")
        it.wfile.flush()


def hints(it: Handler) -> None:
    while not it.server.service.released.wait(0.02):
        it.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        it.wfile.flush()


@pytest.mark.parametrize("slow", [drip, drip_head, hints])
@pytest.mark.parametrize("path", ["/redfish/v1", "/redfish/v1/Systems", SYSTEM, CHASSIS, RESET, SESSIONS])
def test_a_drip_ends_by_the_deadline_wherever_it_comes(service: Service, slow: Callable[[Handler], None], path: str) -> None:
    service.special = on("POST" if path in (RESET, SESSIONS) else "GET", path, slow)
    auth = Auth.SESSION if path == SESSIONS else Auth.BASIC
    limits = replace(LIMITS, deadline=1.0)
    began = time.monotonic()
    outcome = fence(target(service, auth=auth), limits)
    assert time.monotonic() - began < 3
    if path not in (CHASSIS, RESET):
        assert cause(outcome) is Cause.TIMEOUT
    if path == CHASSIS:
        assert outcome.verdict is not FenceVerdict.CONFIRMED


def test_a_log_out_that_drips_ends_by_the_deadline(service: Service) -> None:
    def session(it: Handler, body: bytes) -> bool:
        if it.path == SESSIONS:
            it.reply(201, {}, X_Auth_Token="t0ken", Location=f"{SESSIONS}/1")
        elif it.command == "DELETE":
            drip(it)
        return it.path.startswith(SESSIONS)

    service.special = session
    began = time.monotonic()
    assert fence(target(service, auth=Auth.SESSION), replace(LIMITS, deadline=2.0)).verdict is FenceVerdict.CONFIRMED
    assert time.monotonic() - began < 4


@pytest.mark.parametrize("packed", [False, True])
def test_a_body_that_is_too_big_is_a_bad_answer(service: Service, packed: bool) -> None:
    body = gzip.compress(b" " * (64 << 20)) if packed else b" " * (5 << 20)
    headers = {"Content_Encoding": "gzip"} if packed else {}
    service.special = on("GET", SYSTEM, lambda it: it.reply(200, body, **headers))
    outcome = fence(target(service), LIMITS)
    assert cause(outcome) is Cause.BAD_RESPONSE
    assert "more than 4194304 bytes" in str(outcome.failure)


def test_the_body_of_a_redirect_is_not_read(service: Service) -> None:
    def endless(it: Handler) -> None:
        it.send_response(307)
        it.send_header("Location", "/redfish/v1/Systems/")
        it.send_header("Content-Length", "1000000000")
        it.end_headers()

    service.special = on("GET", "/redfish/v1/Systems", endless)
    service.documents["/redfish/v1/Systems/"] = service.documents["/redfish/v1/Systems"]
    assert read(target(service), 2).power is Power.ON


# --- it is not stuck ----------------------------------------------------------------------------------------------------

ONCE: dict[str, Callable[[Handler], None]] = {
    "dropped": Handler.drop,
    **{str(status): lambda it, status=status: it.reply(status) for status in (403, 404, 405, 423, 500, 501, 503, 504)},  # type: ignore[misc]
    "empty": lambda it: it.reply(200, b""),
    "html": lambda it: it.reply(200, b"<html>"),
}


@pytest.mark.parametrize("what", [*ONCE, "401"])
@pytest.mark.parametrize("nth", [1, 2, 3, 4, 5])
@pytest.mark.usefixtures("soon_again")
def test_one_bad_answer_to_a_read_never_ends_a_fence(service: Service, what: str, nth: int) -> None:
    reply = ONCE.get(what, lambda it: it.reply(401, WWW_Authenticate='Basic realm="x"'))
    service.special = only_the(nth, "GET", None, reply)
    assert fence(target(service), LONGER).verdict is FenceVerdict.CONFIRMED


@pytest.mark.parametrize("what", [*ONCE, "401"])
@pytest.mark.usefixtures("soon_again")
def test_one_bad_answer_to_the_reset_never_ends_a_fence(service: Service, what: str) -> None:
    reply = ONCE.get(what, lambda it: it.reply(401, WWW_Authenticate='Basic realm="x"'))
    service.special = only_the(1, "POST", None, reply)
    assert fence(target(service), LONGER).verdict is FenceVerdict.CONFIRMED
    assert not service.up


def test_one_empty_list_and_one_system_without_actions_are_read_again(service: Service) -> None:
    empty = only_the(1, "GET", "/redfish/v1/Systems", lambda it: it.reply(200, {"Members": []}))
    bare = only_the(1, "GET", SYSTEM, lambda it: it.reply(200, {**system(service), "Actions": {}}))
    service.special = lambda it, body: empty(it, body) or bare(it, body)
    assert fence(target(service), LONGER).verdict is FenceVerdict.CONFIRMED


@pytest.mark.parametrize("trouble", ["503", "dropped"])
@pytest.mark.parametrize("up", [True, False])
def test_every_third_request_fails_for_good_and_the_fence_is_confirmed(service: Service, trouble: str, up: bool) -> None:
    service.up = up
    count = itertools.count(1)

    def third(it: Handler, body: bytes) -> bool:
        fits = next(count) % 3 == 0
        if fits:
            ONCE[trouble](it)
        return fits

    service.special = third
    assert fence(target(service), LONGER).verdict is FenceVerdict.CONFIRMED


def test_force_off_that_is_refused_as_a_parameter_gives_way_to_the_next_listed_way(service: Service) -> None:
    sent: list[str] = []

    def picky(it: Handler, body: bytes) -> bool:
        if it.command != "POST":
            return False
        sent.append(json.loads(body)["ResetType"])
        if sent[-1] == "ForceOff":
            it.reply(400, error("Base.1.0.ActionParameterNotSupported", "no"))
        return sent[-1] == "ForceOff"

    values = ["On", "ForceOff", "GracefulShutdown", "PushPowerButton"]
    action = {"target": RESET, "ResetType@Redfish.AllowableValues": values}
    service.documents["system"] = {"Actions": {"#ComputerSystem.Reset": action}}
    service.special = picky
    assert fence(target(service), LONGER).verdict is FenceVerdict.CONFIRMED
    assert sent == ["ForceOff", "GracefulShutdown"]


@pytest.mark.usefixtures("soon_again")
def test_a_full_session_table_without_basic_is_busy_and_not_auth(service: Service) -> None:
    def full(it: Handler, body: bytes) -> bool:
        if it.path == SESSIONS:
            it.reply(503, error("RAC0218", "the maximum number of sessions"))
        else:
            it.reply(401)
        return True

    service.special = full
    assert cause(fence(target(service, auth=Auth.SESSION), replace(LIMITS, deadline=2))) is Cause.BUSY
    assert cause(fence(target(service), replace(LIMITS, deadline=2))) is Cause.BUSY


@pytest.mark.parametrize("encoding", ["bom", "chunked", "gzip"])
def test_other_encodings_of_the_same_json_are_read(service: Service, encoding: str) -> None:
    def encoded(it: Handler) -> None:
        data = json.dumps(system(service)).encode()
        if encoding == "bom":
            it.reply(200, b"\xef\xbb\xbf" + data)
        elif encoding == "gzip":
            it.reply(200, gzip.compress(data), Content_Encoding="gzip")
        else:
            it.send_response(200)
            it.send_header("Transfer-Encoding", "chunked")
            it.end_headers()
            for part in (data[:7], data[7:], b""):
                it.wfile.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")

    service.special = on("GET", SYSTEM, encoded)
    assert fence(target(service), LIMITS).verdict is FenceVerdict.CONFIRMED
