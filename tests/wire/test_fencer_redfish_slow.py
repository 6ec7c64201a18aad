"""fence_bmc over Redfish against BMCs that are slow, drip, or fail now and then: it ends by the deadline, and it is not stuck."""

from __future__ import annotations

import gzip
import itertools
import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from fencer import Auth, Cause, FenceVerdict, Power, fence, read
from tests.redfish_service import (
    CHASSIS,
    LIMITS,
    LONGER,
    RESET,
    SESSIONS,
    SYSTEM,
    Handler,
    Service,
    cause,
    error,
    on,
    only_the,
    system,
    target,
)

pytestmark = pytest.mark.long

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
    limits = replace(LIMITS, deadline=0.6)
    outcome = fence(target(service, auth=auth), limits)  # comes back although the BMC drips on until the test ends
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
    assert fence(target(service, auth=Auth.SESSION), replace(LIMITS, deadline=2.0)).verdict is FenceVerdict.CONFIRMED


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
