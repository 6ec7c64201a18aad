"""FAULT: BMCs are small, reboot, and sit behind odd web servers. All trouble leads back to one question: what is the state?

FAULT-001, 002, 004 to 010: answers that are errors, unreadable, or never come. The rest is in `fault_http` and `fault_transient`.
"""

from __future__ import annotations

from conformance import requirement as req
from conformance.expectations.causes import names_cause
from conformance.expectations.claims import Claims, NeverClaims, answers
from conformance.expectations.repeats import ReadsBetweenCommands, WaitsBetweenCommands
from conformance.expectations.requests import AtMostCommands, ReadsBeforeClaim
from conformance.givens.address import NO_ROUTE, UNKNOWN_NAME, OtherAddress
from conformance.givens.bmc import ON, host
from conformance.scenario import AskStep, Scenario, off
from conformance.scenarios.words import EVERY_REQUEST, POWER_READS, RESETS, answers_instead, falls_after, falls_over_ipmi, meets
from conformance.vocabulary import Ask, Cause, Claim, Level, Protocol

UNREACHABLE = (NeverClaims(), names_cause(Cause.UNREACHABLE))
UNAVAILABLE = "Base.1.8.ServiceTemporarilyUnavailable"
INTERNAL = "Base.1.8.InternalError"
HTML = b"<!DOCTYPE html><html><head><title>504</title></head><body><h1>Gateway Timeout</h1></body></html>"

BUSY_ONCE = Scenario(
    id="FAULT-001",
    tier=0,
    title="The reset answers 503 once and asks for 3 s",
    requirement=req.TRANSIENT,
    source="metal-operator#170 (iDRAC9 SYS518); measured: fence_redfish never sends again",
    protocol=Protocol.REDFISH,
    given=(
        host(ON),
        answers_instead(
            "the first reset is answered with 503 and Retry-After: 3",
            503, RESETS, count=1, message_id=UNAVAILABLE, headers={"Retry-After": "3"},
        ),
        falls_after(3),
    ),
    steps=off(Claims(Level.SHOULD), NeverClaims(), WaitsBetweenCommands(3), names_cause(Cause.BUSY)),
)  # fmt: skip

ALWAYS_BUSY = Scenario(
    id="FAULT-002",
    tier=1,
    title="Every reset answers 503, with and without Retry-After",
    requirement=req.TRUE_CAUSE,
    source="measured: fence_redfish reports it as a time-out; RFC 9110 10.2.3",
    protocol=Protocol.REDFISH,
    given=(
        host(ON, name="retry-after"),
        answers_instead(
            "retry-after: every reset is answered with 503 and Retry-After: 3",
            503, RESETS, bmc="retry-after", message_id=UNAVAILABLE, headers={"Retry-After": "3"},
        ),
        host(ON, name="plain"),
        answers_instead("plain: every reset is answered with 503", 503, RESETS, bmc="plain", message_id=UNAVAILABLE),
    ),
    steps=(
        AskStep(Ask.OFF, (NeverClaims(), names_cause(Cause.BUSY), WaitsBetweenCommands(3)), "retry-after"),
        AskStep(Ask.OFF, (NeverClaims(), names_cause(Cause.BUSY), WaitsBetweenCommands(2)), "plain"),
    ),
)  # fmt: skip

NOT_DONE = Scenario(
    id="FAULT-004",
    tier=1,
    title="Every reset answers 500 and nothing is done",
    requirement=req.TRUE_CAUSE,
    source="microsoft/lisa#4070 (iDRAC SYS446)",
    protocol=Protocol.REDFISH,
    given=(host(ON), answers_instead("every reset is answered with 500 and not executed", 500, RESETS, message_id=INTERNAL)),
    steps=off(NeverClaims(), names_cause(Cause.BAD_RESPONSE)),
)

DONE_ALL_THE_SAME = Scenario(
    id="FAULT-005",
    tier=0,
    title="Every reset answers 500 and is done all the same",
    requirement=req.CODES_ARE_NOT_STATE,
    source="measured: redfishtool, rf_power_reset and sushy report a failure",
    protocol=Protocol.REDFISH,
    given=(
        host(ON),
        answers_instead("every reset is answered with 500 and executed", 500, RESETS, message_id=INTERNAL, executed=True),
        falls_after(3),
    ),
    steps=off(Claims(Level.SHOULD), ReadsBeforeClaim(), AtMostCommands(3), names_cause(Cause.BAD_RESPONSE)),
)

HTML_PAGES = Scenario(
    id="FAULT-006",
    tier=1,
    title="The web server answers everything with a page of HTML, as 200 and as 504",
    requirement=req.ONLY_OFF_IS_OFF,
    source="metal-operator#448, microsoft/lisa#4070: a front end before a service that hangs",
    protocol=Protocol.REDFISH,
    given=(
        host(ON, name="html-200"),
        meets("html-200: every answer is a page of HTML", "redfish.body", EVERY_REQUEST, bmc="html-200", kind="html"),
        host(ON, name="html-504"),
        answers_instead(
            "html-504: everything is answered with 504 and a page of HTML",
            504, EVERY_REQUEST, bmc="html-504", raw=HTML, headers={"Content-Type": "text/html"},
        ),
        *falls_over_ipmi("html-200", "html-504"),
    ),
    steps=(
        AskStep(Ask.OFF, (NeverClaims(), names_cause(Cause.BAD_RESPONSE)), "html-200"),
        AskStep(Ask.OFF, (NeverClaims(), names_cause(Cause.BAD_RESPONSE, Cause.BUSY)), "html-504"),
    ),
)  # fmt: skip

UNREADABLE = Scenario(
    id="FAULT-007",
    tier=1,
    title="The power state comes as half a JSON, as nothing, as text/plain, and behind a byte order mark",
    requirement=req.ONLY_OFF_IS_OFF,
    source="device-management-toolkit/console#1051, #1069: an empty body while the power changes; RFC 8259 8.1",
    protocol=Protocol.REDFISH,
    given=tuple(
        given
        for kind in ("half", "empty", "text-type", "bom")
        for given in (
            host(ON, name=kind),
            meets(
                f"{kind}: redfish.body, kind {kind}, on every read of the power", "redfish.body", POWER_READS, bmc=kind, kind=kind
            ),
            *falls_over_ipmi(kind),
        )
    ),
    steps=(
        AskStep(Ask.OFF, (NeverClaims(), names_cause(Cause.BAD_RESPONSE)), "half"),
        AskStep(Ask.STATUS, (answers(Claim.FAILED), names_cause(Cause.BAD_RESPONSE)), "empty", optional=True),
        AskStep(Ask.OFF, (NeverClaims(), names_cause(Cause.BAD_RESPONSE)), "empty"),
        AskStep(Ask.STATUS, (answers(Claim.ON, Claim.FAILED), names_cause(Cause.BAD_RESPONSE)), "text-type", optional=True),
        AskStep(Ask.STATUS, (answers(Claim.ON, Claim.FAILED), names_cause(Cause.BAD_RESPONSE)), "bom", optional=True),
    ),
)

LOST_ANSWER = Scenario(
    id="FAULT-008",
    tier=0,
    title="The connection drops after the reset, which was executed",
    requirement=req.LOST_ANSWER,
    source="measured: four of seven fencers fail on it; RFC 9110 9.2.2",
    protocol=Protocol.REDFISH,
    given=(
        host(ON),
        meets(
            "the connection is reset instead of the first answer to a reset, which is executed",
            "wire.reset", RESETS, count=1, executed=True,
        ),
        falls_after(3),
    ),
    steps=off(Claims(), ReadsBeforeClaim(), AtMostCommands(3)),
)  # fmt: skip

LOST_REQUEST = Scenario(
    id="FAULT-009",
    tier=0,
    title="The connection drops with the reset, which was not executed: once, and every time",
    requirement=req.LOST_ANSWER,
    source="measured: sushy sends it 10 times, python-redfish-library 4 times; RFC 9110 9.2.2",
    protocol=Protocol.REDFISH,
    given=(
        host(ON, name="once"),
        meets(
            "once: the connection is reset at the first reset, which is not executed",
            "wire.reset", RESETS, bmc="once", count=1, executed=False,
        ),
        falls_after(3, "once"),
        host(ON, name="always"),
        meets(
            "always: the connection is reset at every reset, none of which is executed",
            "wire.reset", RESETS, bmc="always", executed=False,
        ),
    ),
    steps=(
        AskStep(Ask.OFF, (Claims(Level.SHOULD), ReadsBeforeClaim(), AtMostCommands(3), ReadsBetweenCommands()), "once"),
        AskStep(
            Ask.OFF,
            (
                NeverClaims(), AtMostCommands(3), ReadsBetweenCommands(),
                names_cause(Cause.UNREACHABLE, Cause.TIMEOUT, level=Level.SHOULD),
            ),
            "always",
        ),
    ),
)  # fmt: skip

NOBODY_THERE = Scenario(
    id="FAULT-010",
    tier=0,
    title="The BMC cannot be reached: connections are refused, there is no route, its name is unknown",
    requirement=req.UNREACHABLE_IS_NOT_OFF,
    source="FenceAgentAPI: unreachable is exit 1; apache/cloudstack#13589",
    given=(
        host(ON, listens=False),
        host(ON, name="elsewhere"),
    ),
    steps=(
        AskStep(Ask.OFF, UNREACHABLE),
        AskStep(Ask.OFF, UNREACHABLE, "elsewhere", told=(OtherAddress(NO_ROUTE, "to which there is no route"),)),
        AskStep(Ask.OFF, UNREACHABLE, "elsewhere", told=(OtherAddress(UNKNOWN_NAME, "a name that nobody knows"),)),
    ),
)
