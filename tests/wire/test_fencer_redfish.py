"""The Redfish transport and `fencer.fence` against a small server of the test's own, over real sockets."""

from __future__ import annotations

import base64
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from fencer import (
    Auth,
    Cause,
    ChassisCheck,
    FenceError,
    Limits,
    Outcome,
    Power,
    Target,
    Verdict,
    fence,
    power_on,
    read,
)
from fencer.run import list_hosts

PASSWORD = 'pä "s$%#:=&\\ '
LIMITS = Limits(deadline=4, stable_for=0.1, poll=0.05, poll_max=0.1)
QUICK = replace(LIMITS, deadline=1.2)
SYSTEM, CHASSIS = "/redfish/v1/Systems/1", "/redfish/v1/Chassis/1"
RESET = f"{SYSTEM}/Actions/ComputerSystem.Reset"


@dataclass
class Service:
    """Two tables and a log. `special` is asked first and may answer in the handler's place."""

    up: bool = True
    documents: dict[str, object] = field(default_factory=dict)
    log: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    special: Callable[[Handler, bytes], bool] = lambda handler, body: False
    released: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    def seen(self, method: str, path: str | None = None) -> list[dict[str, str]]:
        return [headers for verb, at, headers, _ in self.log if verb == method and path in (None, at)]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def log_message(self, format: str, *args: object) -> None: ...

    def reply(self, status: int, body: object = None, **headers: str) -> None:
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def drop(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _serve(self) -> None:
        service = self.server.service
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        service.log.append((self.command, self.path, dict(self.headers.items()), body))
        if service.special(self, body):
            return
        if self.command == "POST" and self.path == RESET:
            service.up = json.loads(body)["ResetType"] == "On"
            self.reply(204)
        elif self.path == SYSTEM:
            self.reply(200, system(service), ETag='"7"')
        elif self.path in service.documents:
            self.reply(200, service.documents[self.path])
        else:
            self.reply(404, error("Base.1.0.ResourceMissingAtURI", "no such thing"))

    do_GET = do_POST = do_DELETE = _serve  # noqa: N815 (http.server's names)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    service: Service

    def handle_error(self, request: object, client_address: object) -> None: ...


def error(message_id: str, text: str) -> dict[str, object]:
    info = {"MessageId": message_id, "Message": text}
    return {"error": {"code": message_id, "message": text, "@Message.ExtendedInfo": [info]}}


def system(service: Service) -> dict[str, object]:
    return {
        "@odata.id": SYSTEM,
        "@odata.type": "#ComputerSystem.v1_20_0.ComputerSystem",
        "Id": "1",
        "UUID": "11111111-2222-3333-4444-555555555555",
        "PowerState": "On" if service.up else "Off",
        "Links": {"Chassis": [{"@odata.id": CHASSIS}]},
        "Actions": {"#ComputerSystem.Reset": {"target": RESET}},
        **service.documents.get("system", {}),  # type: ignore[dict-item]
    }


@pytest.fixture
def service() -> Iterator[Service]:
    found = Service()
    found.documents = {
        "/redfish/v1": {"Systems": {"@odata.id": "/redfish/v1/Systems"}},
        "/redfish/v1/Systems": {"Members": [{"@odata.id": SYSTEM}]},
        CHASSIS: {"PowerState": None},
    }
    server = Server(("127.0.0.1", 0), Handler)
    server.service = found
    found.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield found
    found.released.set()
    server.shutdown()
    thread.join()
    server.server_close()


def target(service: Service, **given: object) -> Target:
    return replace(Target(host="", url=service.url, user="admin", password=PASSWORD), **given)  # type: ignore[arg-type]


def cause(outcome: Outcome) -> Cause:
    assert outcome.failure is not None
    assert PASSWORD not in repr(outcome)
    return outcome.failure.cause


def on(method: str, path: str | None, reply: Callable[[Handler], None]) -> Callable[[Handler, bytes], bool]:
    def special(handler: Handler, body: bytes) -> bool:
        fits = handler.command == method and path in (None, handler.path)
        if fits:
            reply(handler)
        return fits

    return special


# --- the way it should be -------------------------------------------------------------------------------------------


def test_a_running_host_is_forced_off(service: Service) -> None:
    outcome = fence(target(service), LIMITS)
    assert (outcome.verdict, service.up) == (Verdict.CONFIRMED, False)
    assert [json.loads(body) for method, _, _, body in service.log if method == "POST"] == [{"ResetType": "ForceOff"}]


def test_a_host_that_is_off_gets_no_post(service: Service) -> None:
    service.up = False
    assert fence(target(service), LIMITS).verdict is Verdict.CONFIRMED
    assert service.seen("POST") == []


def test_the_exact_bytes_of_the_password_arrive_with_the_proper_headers(service: Service) -> None:
    read(target(service), 2)
    headers = service.seen("GET", SYSTEM)[0]
    assert base64.b64decode(headers["Authorization"].split()[1]) == f"admin:{PASSWORD}".encode()
    assert (headers["Accept"], headers["OData-Version"], headers["Cache-Control"]) == ("application/json", "4.0", "no-cache")


def test_a_linked_chassis_that_says_on_contradicts_and_ignore_does_not_ask_it(service: Service) -> None:
    service.up = False
    service.documents[CHASSIS] = {"PowerState": "On"}
    assert read(target(service), 2).power is Power.UNKNOWN
    assert read(target(service), 2, chassis_check=ChassisCheck.IGNORE).power is Power.OFF
    assert len(service.seen("GET", CHASSIS)) == 1


def test_a_shared_chassis_is_left_out_on_request(service: Service) -> None:
    service.up = False
    service.documents[CHASSIS] = {"PowerState": "On", "Links": {"ComputerSystems": [{}, {}]}}
    assert read(target(service), 2, chassis_check=ChassisCheck.OWN).power is Power.OFF


def test_a_dangling_chassis_link_contradicts_nothing_but_an_unreadable_one_does(service: Service) -> None:
    service.up = False
    del service.documents[CHASSIS]
    assert read(target(service), 2).power is Power.OFF
    service.special = on("GET", CHASSIS, lambda it: it.reply(503, Retry_After="1"))
    with pytest.raises(FenceError) as caught:
        read(target(service), 2)
    assert caught.value.failure.cause is Cause.BUSY


def test_on_and_list(service: Service) -> None:
    service.up = False
    assert power_on(target(service), LIMITS).verdict is Verdict.CONFIRMED
    assert list_hosts(target(service), LIMITS) == (SYSTEM,)


# --- which system ---------------------------------------------------------------------------------------------------


def two_systems(service: Service) -> None:
    other = "/redfish/v1/Systems/2"
    service.documents["/redfish/v1/Systems"] = {"Members": [{"@odata.id": SYSTEM}, {"@odata.id": other}]}
    service.documents[other] = {"Id": "2", "UUID": "99999999-2222-3333-4444-555555555555", "PowerState": "Off"}


def test_two_systems_and_no_selector_are_refused(service: Service) -> None:
    two_systems(service)
    outcome = fence(target(service), LIMITS)
    assert cause(outcome) is Cause.CONFIG
    assert "Systems/1, /redfish/v1/Systems/2" in str(outcome.failure)
    assert service.seen("POST") == []


@pytest.mark.parametrize("selector", [SYSTEM, "1", "11111111-2222-3333-4444-555555555555", SYSTEM + "/"])
def test_a_system_is_selected_by_uri_id_or_uuid(service: Service, selector: str) -> None:
    two_systems(service)
    if selector.endswith("/"):
        service.special = on("GET", SYSTEM + "/", lambda it: it.reply(308, Location=SYSTEM))
    assert read(target(service, system=selector), 2).source.rstrip("/") == SYSTEM


@pytest.mark.parametrize("selector", ["/redfish/v1/Systems/9", "9"])
def test_a_selector_that_fits_nothing_is_not_found(service: Service, selector: str) -> None:
    assert cause(fence(target(service, system=selector), QUICK)) is Cause.NOT_FOUND


@pytest.mark.parametrize("members", [[], {"@odata.id": SYSTEM}])
def test_no_members_is_not_found(service: Service, members: object) -> None:
    service.documents["/redfish/v1/Systems"] = {"Members": members}
    assert cause(fence(target(service), QUICK)) is Cause.NOT_FOUND


def test_a_chassis_given_as_the_system_is_refused(service: Service) -> None:
    service.documents[CHASSIS] = {"@odata.type": "#Chassis.v1_20_0.Chassis", "PowerState": "Off"}
    assert cause(fence(target(service, system=CHASSIS), QUICK)) is Cause.CONFIG


def test_another_identity_than_expected_is_refused(service: Service) -> None:
    assert cause(fence(target(service, identity="other"), QUICK)) is Cause.CONFIG
    assert service.seen("POST") == []


def test_the_second_page_is_read(service: Service) -> None:
    service.documents["/redfish/v1/Systems"] = {"Members": [], "Members@odata.nextLink": "/redfish/v1/Systems?$skip=1"}
    service.documents["/redfish/v1/Systems?$skip=1"] = {"Members": [{"@odata.id": SYSTEM}]}
    assert read(target(service), 2).power is Power.ON


# --- answers to the reset -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "message_id", "expected"),
    [
        (400, "Base.1.0.InvalidOperationForSystemState", Cause.CONFLICT),
        (400, "Base.1.0.ActionParameterNotSupported", Cause.UNSUPPORTED),
        (401, "Base.1.0.NoValidSession", Cause.AUTH),
        (403, "Base.1.0.InsufficientPrivilege", Cause.PRIVILEGE),
        (403, "Base.1.0.PasswordChangeRequired", Cause.AUTH),
        (403, "Vendor.1.0.AccountLocked", Cause.LOCKED),
        (405, "Base.1.0.ActionNotSupported", Cause.UNSUPPORTED),
        (409, "IDRAC.2.8.PSU501", Cause.CONFLICT),
        (500, "Base.1.0.InternalError", Cause.BAD_RESPONSE),
        (503, "Base.1.0.ServiceTemporarilyUnavailable", Cause.BUSY),
    ],
)
def test_a_refusal_keeps_its_class_and_the_bmcs_own_words(
    service: Service, status: int, message_id: str, expected: Cause
) -> None:
    answer = error(message_id, f"the BMC says no to {PASSWORD}")
    service.special = on("POST", RESET, lambda it: it.reply(status, answer, WWW_Authenticate="Basic"))
    outcome = fence(target(service), QUICK)
    assert cause(outcome) is expected
    assert outcome.failure is not None
    assert (outcome.failure.code, outcome.failure.message_id) == (f"HTTP {status}", message_id)
    assert "[hidden]" in (outcome.failure.bmc_text or "")


@pytest.mark.parametrize("status", [409, 400, 500])
def test_refused_but_off_is_off(service: Service, status: int) -> None:
    def switch_off_and_refuse(it: Handler) -> None:
        service.up = False
        it.reply(status)

    service.special = on("POST", RESET, switch_off_and_refuse)
    assert fence(target(service), LIMITS).verdict is Verdict.CONFIRMED
    assert len(service.seen("POST")) == 1


def test_a_dropped_answer_is_followed_by_a_read(service: Service) -> None:
    def switch_off_and_drop(it: Handler) -> None:
        service.up = False
        it.drop()

    service.special = on("POST", RESET, switch_off_and_drop)
    assert fence(target(service), LIMITS).verdict is Verdict.CONFIRMED
    assert len(service.seen("POST")) == 1


def test_a_dropped_request_is_sent_again(service: Service) -> None:
    def drop_the_first(it: Handler, body: bytes) -> bool:
        if it.command == "POST" and len(service.seen("POST")) == 1:
            it.drop()
            return True
        return False

    service.special = drop_the_first
    assert fence(target(service), LIMITS).verdict is Verdict.CONFIRMED
    assert len(service.seen("POST")) == 2


def test_if_match_is_sent_only_after_the_bmc_asked_for_it(service: Service) -> None:
    def want_etag(it: Handler, body: bytes) -> bool:
        missing = it.command == "POST" and it.headers.get("If-Match") != '"7"'
        if missing:
            it.reply(428)
        return missing

    service.special = want_etag
    assert fence(target(service), LIMITS).verdict is Verdict.CONFIRMED
    assert ["If-Match" in headers for headers in service.seen("POST")] == [False, True]


def test_a_failed_task_is_named(service: Service) -> None:
    service.documents["/t/1"] = {"TaskState": "Exception", "TaskStatus": "Critical", "Messages": [{"Message": "no"}]}
    service.special = on("POST", RESET, lambda it: it.reply(202, Location="/t/1"))
    assert cause(fence(target(service), LIMITS)) is Cause.TASK_FAILED


def test_allowable_values_through_action_info(service: Service) -> None:
    info = "/redfish/v1/Systems/1/ResetActionInfo"
    service.documents["system"] = {"Actions": {"#ComputerSystem.Reset": {"target": RESET, "@Redfish.ActionInfo": info}}}
    service.documents[info] = {"Parameters": [{"Name": "ResetType", "AllowableValues": ["On", "GracefulShutdown"]}]}
    fence(target(service), LIMITS)
    assert json.loads(next(body for method, _, _, body in service.log if method == "POST")) == {"ResetType": "GracefulShutdown"}


def test_no_reset_action_is_unsupported(service: Service) -> None:
    service.documents["system"] = {"Actions": {}}
    assert cause(fence(target(service), QUICK)) is Cause.UNSUPPORTED


# --- redirects ------------------------------------------------------------------------------------------------------


def test_a_308_keeps_method_and_body(service: Service) -> None:
    service.special = on("POST", RESET + "/", lambda it: it.reply(308, Location=RESET))
    service.documents["system"] = {"Actions": {"#ComputerSystem.Reset": {"target": RESET + "/"}}}
    assert fence(target(service), LIMITS).verdict is Verdict.CONFIRMED


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


def test_a_bmc_that_refuses_basic_gets_a_session_and_a_log_out(service: Service) -> None:
    session_only(service)
    assert fence(target(service), LIMITS).verdict is Verdict.CONFIRMED
    assert (len(service.seen("POST", SESSIONS)), len(service.seen("DELETE"))) == (1, 1)


def test_an_expired_session_is_opened_again(service: Service) -> None:
    session_only(service, expire_after=6)
    assert fence(target(service, auth=Auth.SESSION), LIMITS).verdict is Verdict.CONFIRMED
    assert len(service.seen("POST", SESSIONS)) == 2


def test_a_full_session_table_falls_back_to_basic(service: Service) -> None:
    service.special = on("POST", SESSIONS, lambda it: it.reply(503, error("RAC0218", "full")))
    assert fence(target(service, auth=Auth.SESSION), LIMITS).verdict is Verdict.CONFIRMED
    assert len(service.seen("POST", SESSIONS)) == 1


@pytest.mark.parametrize(("offer", "requests"), [({"WWW_Authenticate": 'Basic realm="x"'}, 1), ({}, 2)])
def test_a_wrong_password_is_offered_at_most_twice(service: Service, offer: dict[str, str], requests: int) -> None:
    service.special = lambda it, body: it.reply(401, **offer) is None
    assert cause(fence(target(service), QUICK)) is Cause.AUTH
    assert len(service.log) == requests


# --- answers that are none ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [b"<html>", b"", b"\xef\xbb\xbf{}", b'{"PowerState": "Off"', b"[" * 100_000, b"[]"])
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


def test_a_silent_bmc_ends_by_the_deadline(service: Service) -> None:
    service.special = on("GET", None, lambda it: service.released.wait() and None)
    began = time.monotonic()
    assert cause(fence(target(service), replace(LIMITS, deadline=1.2))) is Cause.TIMEOUT
    assert time.monotonic() - began < 2.5


def test_a_bmc_that_drips_ends_by_the_deadline(service: Service) -> None:
    def drip(it: Handler) -> None:
        it.send_response(200)
        it.send_header("Content-Length", "1000")
        it.end_headers()
        while not service.released.wait(0.05):
            it.wfile.write(b" ")
            it.wfile.flush()

    service.special = on("GET", None, drip)
    began = time.monotonic()
    with pytest.raises(FenceError) as caught:
        read(target(service), 0.5)
    assert caught.value.failure.cause is Cause.TIMEOUT
    assert time.monotonic() - began < 1.5


def test_nobody_there_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    outcome = fence(Target(host="127.0.0.1", port=port, user="a", password="b"), LIMITS)
    assert (cause(outcome), outcome.verdict) == (Cause.UNREACHABLE, Verdict.UNKNOWN)


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
