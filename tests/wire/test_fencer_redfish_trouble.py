"""fence_bmc's Redfish transport where the service redirects, insists on sessions, talks nonsense or says nothing."""

from __future__ import annotations

import socket
import time
from dataclasses import replace

import pytest

from fencer import (
    Auth,
    Cause,
    FenceError,
    FenceVerdict,
    Target,
    fence,
    read,
)
from fencer.transport import refused_logins
from fencer.transport.base import CallFailed
from fencer.transport.redfish_auth import AuthenticatedHttp
from tests.redfish_service import (
    LIMITS,
    QUICK,
    RESET,
    SYSTEM,
    Handler,
    Service,
    cause,
    error,
    on,
    target,
)

# --- redirects ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_to_another_spelling_keeps_method_and_body(service: Service, status: int) -> None:
    service.special = on("POST", RESET + "/", lambda it: it.reply(status, Location=RESET))
    service.documents["system"] = {"Actions": {"#ComputerSystem.Reset": {"target": RESET + "/"}}}
    assert fence(target(service), LIMITS).verdict is FenceVerdict.CONFIRMED


@pytest.mark.parametrize("status", [301, 302])
def test_a_redirect_of_a_post_to_a_page_is_no_accepted_reset(service: Service, status: int) -> None:
    service.special = on("POST", RESET, lambda it: it.reply(status, Location=SYSTEM))
    failed = fence(target(service), QUICK)
    assert cause(failed) is Cause.BAD_RESPONSE
    assert f"HTTP {status}" in str(failed)


def test_a_303_to_a_post_is_no_accepted_reset(service: Service) -> None:
    service.special = on("POST", RESET, lambda it: it.reply(303, Location=SYSTEM))
    assert cause(fence(target(service), QUICK)) is Cause.BAD_RESPONSE


def test_credentials_never_go_to_another_origin(service: Service) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        elsewhere = f"http://127.0.0.1:{other.getsockname()[1]}{SYSTEM}"
        service.special = on("GET", SYSTEM, lambda it: it.reply(307, Location=elsewhere))
        assert cause(fence(target(service), QUICK)) is Cause.BAD_RESPONSE
        other.setblocking(False)
        with pytest.raises(BlockingIOError):
            other.accept()


# --- sessions -------------------------------------------------------------------------------------------------------


SESSIONS = "/redfish/v1/SessionService/Sessions"


def session_only(service: Service, expire_after: int = 99) -> None:
    used = 0

    def special(it: Handler, body: bytes) -> bool:
        nonlocal used
        if it.command == "POST" and it.path == SESSIONS:
            used = 0
            it.reply(201, {}, X_Auth_Token="t0ken", Location=f"{SESSIONS}/1")
            return True
        if it.command == "DELETE":
            it.reply(204)
            return True
        used += 1
        if it.headers.get("X-Auth-Token") != "t0ken" or used > expire_after:
            it.reply(401)
            return True
        return False

    service.special = special


@pytest.fixture
def soon_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refused_logins, "REFUSED_LOGIN_GAP_S", 0.1)


@pytest.mark.usefixtures("soon_again")
def test_a_bmc_that_refuses_basic_gets_a_session_and_a_log_out(service: Service) -> None:
    session_only(service)
    assert fence(target(service), LIMITS).verdict is FenceVerdict.CONFIRMED
    assert (len(service.seen("POST", SESSIONS)), len(service.seen("DELETE"))) == (1, 1)


def test_an_expired_session_is_opened_again(service: Service) -> None:
    session_only(service, expire_after=6)
    assert fence(target(service, auth=Auth.SESSION), LIMITS).verdict is FenceVerdict.CONFIRMED
    assert len(service.seen("POST", SESSIONS)) == 2


def test_a_full_session_table_falls_back_to_basic(service: Service) -> None:
    service.special = on("POST", SESSIONS, lambda it: it.reply(503, error("RAC0218", "full")))
    assert fence(target(service, auth=Auth.SESSION), LIMITS).verdict is FenceVerdict.CONFIRMED
    assert len(service.seen("POST", SESSIONS)) == 1


@pytest.mark.usefixtures("soon_again")
def test_a_full_session_table_stays_the_cause_where_the_last_log_in_is_not_answered(service: Service) -> None:
    """Basic was refused before the table was seen to be full, so nothing speaks for another refusal."""
    asked = 0

    def special(it: Handler, body: bytes) -> bool:
        nonlocal asked
        if it.command != "POST":
            it.reply(401)
            return True
        asked += 1
        if asked < 3:
            it.reply(503, error("RAC0218", "full"))
        else:
            it.close_connection = True
        return True

    service.special = special
    http, told = AuthenticatedHttp(target(service), 1.0), []
    for _ in range(3):
        with pytest.raises(CallFailed) as failed:
            http.request("GET", SYSTEM, time.monotonic() + 5)
        told.append((failed.value.failure.cause, failed.value.final))
    http.close(0)
    assert told == [(Cause.BUSY, False), (Cause.BUSY, False), (Cause.UNREACHABLE, False)]


@pytest.mark.parametrize(("offer", "methods"), [({"WWW_Authenticate": 'Basic realm="x"'}, ["GET", "GET"]), ({}, ["GET", "POST"])])
def test_a_wrong_password_is_offered_at_most_twice(
    service: Service, offer: dict[str, str], methods: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refused_logins, "REFUSED_LOGIN_GAP_S", 0.3)
    times: list[float] = []

    def refuse(it: Handler, body: bytes) -> bool:
        times.append(time.monotonic())
        it.reply(401, **offer)
        return True

    service.special = refuse
    assert cause(fence(target(service), LIMITS)) is Cause.AUTH
    assert [method for method, *_ in service.log] == methods
    assert times[1] - times[0] >= 0.3


# --- answers that are none ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [b"<html>", b"", b"\xff\xfe{", b'{"PowerState": "Off"', b"[" * 100_000, b"[]"])
def test_what_cannot_be_read_is_a_bad_response(service: Service, body: bytes) -> None:
    service.special = on("GET", SYSTEM, lambda it: it.reply(200, body))
    with pytest.raises(FenceError) as caught:
        read(target(service), 2)
    assert caught.value.failure.cause is Cause.BAD_RESPONSE


def test_a_cut_body_is_a_bad_response(service: Service) -> None:
    def cut(it: Handler) -> None:
        it.send_response(200)
        it.send_header("Content-Length", "100")
        it.end_headers()
        it.wfile.write(b"{")
        it.drop()

    service.special = on("GET", SYSTEM, cut)
    with pytest.raises(FenceError) as caught:
        read(target(service), 2)
    assert caught.value.failure.cause is Cause.BAD_RESPONSE


def test_a_silent_bmc_ends_with_the_deadline(service: Service) -> None:
    service.special = on("GET", None, lambda it: service.released.wait() and None)
    assert cause(fence(target(service), replace(LIMITS, deadline=1.2))) is Cause.TIMEOUT


def test_a_bmc_that_drips_ends_with_the_deadline(service: Service) -> None:
    def drip(it: Handler) -> None:
        it.send_response(200)
        it.send_header("Content-Length", "1000")
        it.end_headers()
        while not service.released.wait(0.05):
            it.wfile.write(b" ")
            it.wfile.flush()

    service.special = on("GET", None, drip)
    with pytest.raises(FenceError) as caught:
        read(target(service), 0.5)
    assert caught.value.failure.cause is Cause.TIMEOUT


@pytest.mark.long
def test_nobody_there_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    outcome = fence(Target(host="127.0.0.1", port=port, user="a", password="b"), LIMITS)
    assert (cause(outcome), outcome.verdict) == (Cause.UNREACHABLE, FenceVerdict.UNKNOWN)


def test_a_name_that_does_not_resolve_is_unreachable() -> None:
    assert cause(fence(Target(host="no-such-bmc.invalid", user="a", password="b"), QUICK)) is Cause.UNREACHABLE


def test_plain_http_on_the_tls_port_is_a_tls_failure_and_nothing_is_sent(service: Service) -> None:
    port = int(service.url.rpartition(":")[2])
    outcome = fence(Target(host="127.0.0.1", port=port, user="a", password="b"), LIMITS)
    assert cause(outcome) is Cause.TLS
    assert service.log == []


@pytest.mark.parametrize("given", [{"url": "ftp://127.0.0.1"}, {"url": "127.0.0.1:80"}, {"url": "http://[", "host": "x"}])
def test_an_unusable_url_is_a_configuration_error(given: dict[str, str]) -> None:
    assert cause(fence(Target(**{"host": "", "user": "a", "password": "b", **given}), QUICK)) is Cause.CONFIG  # type: ignore[arg-type]


def test_a_missing_ca_file_is_a_configuration_error() -> None:
    assert cause(fence(Target(host="127.0.0.1", user="a", ca_file="/no/such.pem"), QUICK)) is Cause.CONFIG
