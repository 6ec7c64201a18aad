"""FLAKY: a BMC that serves some requests and fails others, all the time. Each request that is lost is one look less."""

from __future__ import annotations

from conformance import requirement as req
from conformance.expectations.causes import names_cause
from conformance.expectations.claims import Claims, NeverClaims
from conformance.expectations.requests import ReadsBeforeClaim
from conformance.givens.bmc import ON, host
from conformance.givens.circumstance import Circumstance
from conformance.scenario import AskStep, Scenario, off
from conformance.scenarios.words import answers_instead, falls_after, meets
from conformance.vocabulary import Cause, Level, Protocol
from emulator import Armed, When, make_fault

UNAVAILABLE = "Base.1.8.ServiceTemporarilyUnavailable"
EVERY_THIRD = When(protocol=Protocol.REDFISH, every=3)
SECOND = When(protocol=Protocol.REDFISH, skip=1)
A_SIXTH, A_FIFTH = 1 / 6, 1 / 5
"""A sixth of the requests is dropped, a fifth of the others is answered with 503: a third in all."""


def gets_through() -> tuple[AskStep, ...]:
    trouble = names_cause(Cause.BUSY, Cause.UNREACHABLE, Cause.TIMEOUT, level=Level.SHOULD)
    return off(NeverClaims(), Claims(Level.SHOULD), ReadsBeforeClaim(), trouble)


THIRD_UNAVAILABLE = Scenario(
    id="FLAKY-001",
    tier=1,
    title="Every third request is answered with 503",
    requirement=req.TRANSIENT,
    source="real use, 2026-11; metal-operator#170: SYS518 (data sources unavailable)",
    protocol=Protocol.REDFISH,
    given=(
        host(ON),
        answers_instead("every third request is answered with 503", 503, EVERY_THIRD, message_id=UNAVAILABLE),
        falls_after(3),
    ),
    steps=(*gets_through(),),
)

THIRD_DROPPED = Scenario(
    id="FLAKY-002",
    tier=1,
    title="Every third request loses its connection and is not executed",
    requirement=req.TRANSIENT,
    source="real use, 2026-11",
    protocol=Protocol.REDFISH,
    given=(
        host(ON),
        meets("the connection is reset at every third request, which is not executed", "wire.reset", EVERY_THIRD, executed=False),
        falls_after(3),
    ),
    steps=gets_through(),
)

RANDOM_THIRD = Scenario(
    id="FLAKY-003",
    tier=1,
    title="A third of all requests fails, dropped or with 503, as the seed has it",
    requirement=req.TRANSIENT,
    source="real use, 2026-11",
    protocol=Protocol.REDFISH,
    given=(
        host(ON),
        meets(
            "the connection is reset at the second request, which is not executed", "wire.reset", SECOND, count=1, executed=False
        ),
        Circumstance(
            "a sixth of the requests, drawn from the seed, loses its connection and is not executed",
            Armed(
                fault=make_fault("wire.reset", executed=False), when=When(protocol=Protocol.REDFISH, skip=2), probability=A_SIXTH
            ),
        ),
        Circumstance(
            "a fifth of the others, drawn from the seed, is answered with 503",
            Armed(
                fault=make_fault("redfish.reply", status=503, message_id=UNAVAILABLE),
                when=When(protocol=Protocol.REDFISH, skip=1),
                probability=A_FIFTH,
            ),
        ),
        falls_after(3),
    ),
    steps=gets_through(),
)
