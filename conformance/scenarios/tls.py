"""TLS: BMC credentials are worth root.

Most BMCs ship self-signed certificates, so both the strict and the declared insecure way must work, and a failed verification
must be told apart from a BMC that cannot be reached. What is sent to whom is judged by G8.
"""

from __future__ import annotations

from typing import Final

from conformance import requirement as req
from conformance.expectations.causes import names_cause
from conformance.expectations.claims import Claims, NeverClaims, answers
from conformance.givens.bmc import ON, host
from conformance.givens.inject import Inject
from conformance.givens.verifies_tls import VerifiesTls
from conformance.scenario import AskStep, Scenario, off
from conformance.scenarios.words import falls_after
from conformance.vocabulary import Ask, Cause, Claim, Protocol
from emulator import Armed, make_fault

TLS_VERIFY: Final = frozenset({"tls-verify"})
OLD: Final = ("1.0", "1.1")
FLAWS: Final = {
    "expired": "has expired",
    "not-yet-valid": "is valid from tomorrow on",
    "wrong-name": "is for another host name",
    "unknown-ca": "is signed by an authority that nobody knows",
}

SELF_SIGNED = Scenario(
    id="TLS-001",
    tier=0,
    title="The certificate is self-signed and the fencer is to verify it",
    requirement=req.VERIFIED_PEER,
    source="ClusterLabs/fence-agents#254; RFC 9325 3.1",
    protocol=Protocol.REDFISH,
    needs=TLS_VERIFY,
    given=(host(ON), VerifiesTls(), falls_after(3)),
    steps=off(NeverClaims(), names_cause(Cause.TLS)),
)

DECLARED_INSECURE = Scenario(
    id="TLS-002",
    tier=0,
    title="The certificate is self-signed and the fencer is told not to verify it",
    requirement=req.DOES_IT,
    source="fence_redfish ssl_insecure; most BMCs ship self-signed certificates",
    protocol=Protocol.REDFISH,
    given=(host(ON), falls_after(3)),
    steps=off(Claims()),
)

FLAWED = Scenario(
    id="TLS-003",
    tier=1,
    title="The certificate has expired, is not valid yet, is for another name or from an unknown authority",
    requirement=req.VERIFIED_PEER,
    source="ClusterLabs/fence-agents#254; RFC 5280 6.1; RFC 9525 6",
    protocol=Protocol.REDFISH,
    needs=TLS_VERIFY,
    given=(
        *(host(ON, name=flaw) for flaw in FLAWS),
        *(
            Inject(f"{flaw}: the certificate {words}", Armed(fault=make_fault("tls.certificate", kind=flaw)), flaw)
            for flaw, words in FLAWS.items()
        ),
        VerifiesTls(ca_file=True, valid=False),
    ),
    steps=tuple(AskStep(Ask.STATUS, (answers(Claim.FAILED), names_cause(Cause.TLS)), flaw) for flaw in FLAWS),
)

PRIVATE_CA = Scenario(
    id="TLS-004",
    tier=1,
    title="The certificate can be verified with the CA file that the fencer is given",
    requirement=req.DOES_IT,
    source="RFC 5280 6.1; fence_redfish has no option for it",
    protocol=Protocol.REDFISH,
    needs=TLS_VERIFY | {"ca-file"},
    given=(host(ON), VerifiesTls(ca_file=True), falls_after(3)),
    steps=off(Claims()),
)

OLD_VERSIONS = Scenario(
    id="TLS-005",
    tier=2,
    title="The BMC speaks TLS 1.0 or 1.1 and nothing newer",
    requirement=req.TRUE_CAUSE,
    source="community.general#8555, python-hpilo#189: iLO3 and iLO4; RFC 8996",
    protocol=Protocol.REDFISH,
    given=(
        *(host(ON, name=f"tls-{version}") for version in OLD),
        *(
            Inject(f"it speaks TLS {version} at most", Armed(fault=make_fault("tls.old", newest=version)), f"tls-{version}")
            for version in OLD
        ),
    ),
    steps=tuple(
        AskStep(Ask.STATUS, (answers(Claim.ON, Claim.FAILED), names_cause(Cause.TLS)), f"tls-{version}") for version in OLD
    ),
)

PLAIN_HTTP = Scenario(
    id="TLS-006",
    tier=1,
    title="The HTTPS port speaks plain HTTP",
    requirement=req.VERIFIED_PEER,
    source="RFC 9325 3.2: no fall-back to clear text; DSP0266 13.1",
    protocol=Protocol.REDFISH,
    given=(
        host(ON),
        Inject("the HTTPS port speaks plain HTTP", Armed(fault=make_fault("tls.plain-http"))),
        falls_after(3),
    ),
    steps=off(NeverClaims(), names_cause(Cause.TLS, Cause.BAD_RESPONSE)),
)
