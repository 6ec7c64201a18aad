"""Whatever a client sends, a BMC answers in Redfish: no 500, no HTML, no traceback."""

from __future__ import annotations

import json
import random
import sys
from base64 import b64encode
from functools import cache
from io import BytesIO
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.core.clock import VirtualClock
from emulator.core.journal import Journal
from emulator.core.rack import Rack, UnitSpec
from emulator.core.truth.virtual_hosts import VirtualHosts
from emulator.redfish.service.app import create_app
from profiles.loader import load
from tests.effort import examples

PROFILES = ("dmtf-generic", "dell-idrac9", "openbmc-x86")
METHODS = st.sampled_from(["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS", "TRACE", "FAKE"])
SEGMENTS = (
    *("redfish", "v1", "Systems", "437XR1138R2", "system", "System.Embedded.1", "Actions", "ComputerSystem.Reset"),
    *("EventService", "Subscriptions", "TaskService", "Tasks", "JobService", "Jobs", "TaskMonitors", "CertificateService"),
    *("Managers", "BMC", "NetworkProtocol", "HTTPS", "Certificates", "EventService.SubmitTestEvent", "SSE", "Roles"),
    *("SessionService", "Sessions", "Members", "AccountService", "Accounts", "admin", "root", "Registries", "Base.1.22"),
    *("$metadata", "odata", ".", "..", "%00", "1", "", "\xfc", "\xff"),
)
RESETS = tuple(f"/redfish/v1/Systems/{load(name).ids.system}/Actions/ComputerSystem.Reset" for name in PROFILES)
SERVICES = (
    *("SessionService", "SessionService/Sessions", "AccountService", "AccountService/Accounts", "AccountService/Accounts/other"),
    *("AccountService/Roles/Operator", "EventService", "EventService/Subscriptions", "EventService/Subscriptions/1"),
    *("EventService/Actions/EventService.SubmitTestEvent", "EventService/SSE", "TaskService/Tasks", "TaskService/Tasks/1"),
    *("TaskService/TaskMonitors/1", "JobService/Jobs", "CertificateService/Actions/CertificateService.ReplaceCertificate"),
    *("Managers/BMC/NetworkProtocol/HTTPS/Certificates/1", "Managers/BMC/Actions/Manager.Reset", "Managers/BMC"),
    "CertificateService/Actions/CertificateService.GenerateCSR",
    *(f"Managers/BMC/NetworkProtocol/HTTPS/Certificates/1/Actions/Certificate.{name}" for name in ("Rekey", "Renew")),
)
"""Places that can be written, below /redfish/v1. The administrator's own account is not among them: it would lock us out."""
PATHS = st.one_of(
    st.sampled_from(SERVICES).map(lambda path: f"/redfish/v1/{path}"),
    st.lists(st.sampled_from(SEGMENTS), max_size=7).map(lambda words: "/" + "/".join(words)),
    st.sampled_from([*RESETS, "/redfish/v1/SessionService/Sessions"]),
    st.text(st.characters(max_codepoint=255), max_size=30),
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=6,
)
PROPERTIES = (
    *("ResetType", "UserName", "Password", "RoleId", "Enabled", "Locked", "PasswordChangeRequired", "@odata.type", "Oem"),
    *("SessionTimeout", "ServiceEnabled", "AccountLockoutThreshold", "AccountLockoutDuration", "Destination", "Protocol"),
    *("Context", "HttpHeaders", "RegistryPrefixes", "OriginResources", "DeliveryRetryPolicy", "DeliveryRetryAttempts"),
    *("MessageId", "MessageArgs", "EventTimestamp", "CertificateString", "CertificateType", "CertificateUri"),
    *("CommonName", "AlternativeNames", "Country", "KeyUsage", "KeyBitLength", "KeyPairAlgorithm", "CertificateCollection"),
)
KEYS = st.sampled_from(PROPERTIES) | st.text(max_size=10)
GOOD = st.sampled_from(
    ["Redfish", "http://127.0.0.1/", "ReadOnly", "PEM", [{"X": "y"}], [{"@odata.id": "/x"}], 30, True, "other"]
)
BODIES = st.one_of(
    st.binary(max_size=200),
    st.dictionaries(KEYS, GOOD | VALUES, max_size=4).map(lambda value: json.dumps(value).encode()),
    VALUES.map(lambda value: json.dumps(value).encode()),
)
LATIN = st.text(st.characters(max_codepoint=255), max_size=30)
FILTERS = st.lists(
    st.sampled_from(
        ["Id", "eq", "ne", "gt", "'x'", "1", "null", "and", "or", "not", "(", ")", "Status/Health", "-1.5", "'", "@"]
    ),
    max_size=8,
).map(lambda words: "$filter=" + "%20".join(words))
QUERIES = st.one_of(
    st.sampled_from(["", "only", "$expand=*($levels=2)", "$select=a/b,c", "$top=1", "$skip=1&$top=1", "$expand=", "%ff=%"]),
    FILTERS,
    LATIN,
)
HEADERS = st.dictionaries(
    st.sampled_from(
        (
            *("HTTP_ACCEPT", "CONTENT_TYPE", "HTTP_ODATA_VERSION", "HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH", "HTTP_HOST"),
            *("HTTP_AUTHORIZATION", "HTTP_X_AUTH_TOKEN", "CONTENT_LENGTH", "HTTP_TRANSFER_ENCODING"),
        )
    ),
    st.sampled_from(["*/*", "application/json", "4.0", "*", "Basic Og==", "-1", "99999", "chunked"]) | LATIN,
    max_size=3,
)


@cache
def bench(profile):
    clock = VirtualClock()
    tokens = count()
    rack = Rack(
        [UnitSpec(name="n1", profile=load(profile))],
        clock=clock,
        journal=Journal(clock, capacity=100),
        dice=random.Random(1),
        make_token=lambda: f"{next(tokens):032x}",
    )
    rack.hold_all(VirtualHosts(rack))
    app = create_app(rack)
    app.testing = True  # what goes wrong in there is raised, not turned into an answer
    account = rack.unit("n1").profile.auth.accounts[0]
    return clock, app, "Basic " + b64encode(f"{account.name}:{account.password}".encode()).decode()


def request(app, method, path, query, body, headers):
    """A WSGI call with nothing in between: a client library would refuse to send half of this."""
    environ = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "443",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.url_scheme": "https",
        "wsgi.input": BytesIO(body),
        "wsgi.errors": sys.stderr,
        **headers,
    }
    started = []
    chunks = app(environ, lambda status, fields, error=None: started.append((int(status[:3]), dict(fields))))
    return *started[0], b"".join(chunks)


@pytest.mark.parametrize("profile", PROFILES)
@settings(max_examples=examples(200), deadline=None)
@given(method=METHODS, path=PATHS, query=QUERIES, body=BODIES, headers=HEADERS, known=st.booleans())
def test_no_request_brings_the_service_down(profile, method, path, query, body, headers, known):
    clock, app, credentials = bench(profile)
    clock.advance(400)  # past every lockout and every reset of the BMC, so that later requests still get in
    if known:
        headers = {"HTTP_AUTHORIZATION": credentials, **headers}
    status, fields, answer = request(app, method, path, query, body, headers)
    assert status < 500 or status in (501, 503)
    assert "html" not in fields.get("Content-Type", "")
    if status >= 400 and answer:
        error = json.loads(answer)["error"]
        assert error["code"]
        assert error["@Message.ExtendedInfo"][0]["MessageId"]
    elif status >= 400 and method != "HEAD":
        assert (status, profile) == (401, "openbmc-x86")


@pytest.fixture
def broken():
    """The app of a BMC whose service divides by zero."""
    _, app, _ = bench("dmtf-generic")
    kept, app.before_request_funcs[None] = app.before_request_funcs[None], [lambda: 1 / 0]
    yield app
    app.before_request_funcs[None] = kept
    app.testing = True


def test_the_check_can_fail(broken):
    """A control: what goes wrong inside the service is not swallowed on the way to the test."""
    with pytest.raises(ZeroDivisionError):
        request(broken, "GET", "/redfish/v1/", "", b"", {})


def test_a_bug_of_ours_still_answers_in_redfish(broken):
    broken.testing = False
    status, _, answer = request(broken, "GET", "/redfish/v1/", "", b"", {})
    assert (status, json.loads(answer)["error"]["code"]) == (500, "Base.1.22.InternalError")
    assert b"Traceback" not in answer
