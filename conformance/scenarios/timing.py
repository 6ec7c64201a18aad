"""TIME: an HA manager holds resources hostage while a fencer runs."""

from __future__ import annotations

from conformance import requirement as req
from conformance.expectations.causes import names_cause
from conformance.expectations.claims import NeverClaims
from conformance.givens.bmc import ON, host
from conformance.givens.inject import Inject
from conformance.scenario import Scenario, off
from conformance.scenarios.words import ALWAYS_ON_GET
from conformance.vocabulary import Cause, Protocol
from emulator import Armed, make_fault

SILENT_BMC = Scenario(
    id="TIME-001",
    tier=0,
    title="The BMC takes every GET and never answers",
    requirement=req.ENDS,
    source="measured: fence_redfish has no HTTP time-out at all",
    protocol=Protocol.REDFISH,
    given=(
        host(ON),
        Inject("a GET is taken and never answered", Armed(fault=make_fault("wire.hang", executed=False), when=ALWAYS_ON_GET)),
    ),
    steps=off(NeverClaims(), names_cause(Cause.TIMEOUT, Cause.UNREACHABLE)),
)
