"""FAULT-011 to 016 and 024: web servers that insist on headers, and redirects.

A redirect says where else to ask. It is no answer to a command, it may cost the body, and it must not take credentials along.
"""

from __future__ import annotations

from conformance import requirement as req
from conformance.expectations.causes import SaysInText, names_cause
from conformance.expectations.claims import Claims, NeverClaims
from conformance.expectations.requests import ReadsBeforeClaim
from conformance.givens.bmc import OFF, ON, host
from conformance.givens.circumstance import Circumstance
from conformance.givens.redirect_elsewhere import LinksElsewhere, RedirectElsewhere
from conformance.scenario import Scenario, off, off_each
from conformance.scenarios.words import EVERY_REQUEST, POSTS, RESETS, falls_after, meets
from conformance.vocabulary import Cause, Level, Protocol
from emulator import Armed, make_fault

REDIRECT = r"(?i)redirect|\b30[1278]\b"
SERVICE_ROOT = "/redfish/v1/"

STRICT_HEADERS = Scenario(
    id="FAULT-011",
    tier=1,
    title="The BMC answers 406 and 415 unless Accept, Content-Type and OData-Version are as DSP0266 has them",
    requirement=req.HTTP_AS_SPECIFIED,
    source="fence-agents#265; DSP0266 7.2 request headers",
    protocol=Protocol.REDFISH,
    given=(
        host(ON),
        meets("406 and 415 without the headers of DSP0266", "redfish.strict-headers", EVERY_REQUEST),
        falls_after(3),
    ),
    steps=off(Claims(), ReadsBeforeClaim()),
)

WANTS_IF_MATCH = Scenario(
    id="FAULT-012",
    tier=1,
    title="A reset without the current ETag in If-Match is refused, with 428 and with 412",
    requirement=req.HTTP_AS_SPECIFIED,
    source="gofish#171 (AMI MegaRAC), metal-operator#667 (Lenovo SR850 V3); RFC 6585 3",
    protocol=Protocol.REDFISH,
    given=(
        host(ON, name="says-428"),
        meets(
            "says-428: a reset without If-Match is answered with 428, with a wrong one with 412",
            "redfish.if-match", RESETS, bmc="says-428", wants="current", missing=428,
        ),
        falls_after(3, "says-428"),
        host(ON, name="says-412"),
        meets(
            "says-412: a reset without If-Match, or with a wrong one, is answered with 412",
            "redfish.if-match", RESETS, bmc="says-412", wants="current", missing=412,
        ),
        falls_after(3, "says-412"),
    ),
    steps=off_each(("says-428", "says-412"), NeverClaims(), Claims(Level.SHOULD), names_cause(Cause.PRECONDITION)),
)  # fmt: skip

REFUSES_IF_MATCH = Scenario(
    id="FAULT-013",
    tier=1,
    title="A reset with If-Match is refused with 412",
    requirement=req.HTTP_AS_SPECIFIED,
    source="gofish#510, metal-operator#1015 (iDRAC10)",
    protocol=Protocol.REDFISH,
    given=(
        host(ON),
        meets("a reset with If-Match is answered with 412", "redfish.if-match", RESETS, wants="absent"),
        falls_after(3),
    ),
    steps=off(Claims(), ReadsBeforeClaim()),
)

TRAILING_SLASH = Scenario(
    id="FAULT-014",
    tier=1,
    title="Every GET and POST is redirected with 308 to the same path with a trailing slash",
    requirement=req.HTTP_AS_SPECIFIED,
    source="check_redfish#187, ansible#48296 (old Supermicro, iLO4); RFC 9110 15.4.9: method and body stay",
    protocol=Protocol.REDFISH,
    given=(
        host(ON),
        meets("a path without trailing slash is redirected with 308 to the one with it", "redfish.trailing-slash", EVERY_REQUEST),
        falls_after(3),
    ),
    steps=off(NeverClaims(), Claims(Level.SHOULD), ReadsBeforeClaim(), SaysInText(REDIRECT, "the redirect", Level.SHOULD)),
)

REDIRECTED_RESET = Scenario(
    id="FAULT-015",
    tier=1,
    title="The reset is redirected with 301, 302 and 303 to a page that answers a GET with 200",
    requirement=req.CODES_ARE_NOT_STATE,
    source="python-redfish-library#98; RFC 9110 15.4: user agents turn such a POST into a GET",
    protocol=Protocol.REDFISH,
    given=tuple(
        given
        for status in (301, 302, 303)
        for given in (
            host(ON, name=f"says-{status}"),
            meets(
                f"says-{status}: every reset is redirected with {status} to the service root and not executed",
                "redfish.redirect", RESETS, bmc=f"says-{status}", location=SERVICE_ROOT, status=status,
            ),
        )
    ),
    steps=off_each(
        ("says-301", "says-302", "says-303"), NeverClaims(), SaysInText(REDIRECT + r"|\b303\b", "the redirect", Level.SHOULD)
    ),
)  # fmt: skip

REDIRECTED_ELSEWHERE = Scenario(
    id="FAULT-016",
    tier=0,
    title="Reads and log-ins are redirected to another host, and to plain HTTP",
    requirement=req.VERIFIED_PEER,
    source="RFC 9110 15.4, 17.11: credentials belong to one origin; RFC 9325 3.1",
    protocol=Protocol.REDFISH,
    given=(
        host(ON, name="to-other-host"),
        host(OFF, name="other-host"),
        RedirectElsewhere("to-other-host", "other-host"),
        host(ON, name="to-http"),
        host(OFF, name="plain-http"),
        Circumstance("plain-http speaks HTTP without TLS", Armed(fault=make_fault("tls.plain-http")), "plain-http"),
        RedirectElsewhere("to-http", "plain-http", "http"),
    ),
    steps=off_each(("to-other-host", "to-http"), NeverClaims()),
)

REDIRECTED_POSTS = Scenario(
    id="FAULT-024",
    tier=1,
    title="The log-in and the reset are redirected on the same host, with 301, 302, 307 and 308",
    requirement=req.CODES_ARE_NOT_STATE,
    source="check_redfish#187, ansible#48296: a trailing slash, on POST of the session as well",
    protocol=Protocol.REDFISH,
    given=tuple(
        given
        for status in (301, 302, 307, 308)
        for given in (
            host(ON, name=f"says-{status}"),
            meets(
                f"says-{status}: every POST is redirected with {status} to the same path with a trailing slash",
                "redfish.trailing-slash", POSTS, bmc=f"says-{status}", status=status,
            ),
            falls_after(3, f"says-{status}"),
        )
    ),
    steps=off_each(("says-301", "says-302", "says-307", "says-308"), NeverClaims(), SaysInText(REDIRECT, "the redirect")),
)  # fmt: skip

LINKED_ELSEWHERE = Scenario(
    id="FAULT-025",
    tier=0,
    title="The Reset action, and the task of a reset, are URIs of another host",
    requirement=req.VERIFIED_PEER,
    source="DSP0266 6.5: a URI may be absolute; RFC 9110 17.11: credentials belong to one origin",
    protocol=Protocol.REDFISH,
    given=(
        host(ON, name="action"),
        host(ON, name="action-of-other"),
        LinksElsewhere("action", "action-of-other"),
        host(ON, name="task"),
        host(OFF, name="task-of-other"),
        LinksElsewhere("task", "task-of-other", task=True),
    ),
    steps=off_each(("action", "task"), NeverClaims()),
)
