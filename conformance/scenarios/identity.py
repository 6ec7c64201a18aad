"""ID: fencing the wrong host is worse than not fencing; claiming for the wrong host is silent split brain."""

from __future__ import annotations

from conformance import requirement as req
from conformance.expectations.causes import names_cause
from conformance.expectations.claims import Claims, Refuses
from conformance.givens.bmc import OFF, ON, host
from conformance.givens.no_selector import NoSelector
from conformance.scenario import Scenario, off
from conformance.scenarios.words import falls_after
from conformance.vocabulary import Cause, Protocol

SELECTED = Scenario(
    id="ID-001",
    tier=0,
    title="Two systems behind one BMC, the target is selected, the other is off",
    requirement=req.EXACT_TARGET,
    source="bmclib#400; ansible/ansible#47108; sapcc/redfish-exporter#6",
    protocol=Protocol.REDFISH,
    given=(host(ON, OFF), falls_after(3)),
    steps=off(Claims()),
)

AMBIGUOUS = Scenario(
    id="ID-002",
    tier=0,
    title="Two systems behind one BMC and none is selected",
    requirement=req.EXACT_TARGET,
    source="bmclib#400; ansible/ansible#47108; sapcc/redfish-exporter#6",
    protocol=Protocol.REDFISH,
    given=(host(ON, OFF), NoSelector(), falls_after(3)),
    steps=off(Refuses(), names_cause(Cause.CONFIG)),
)
