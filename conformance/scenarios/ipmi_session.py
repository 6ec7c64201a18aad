"""IPMI: what the network, the log-in and the session bring. UDP loses datagrams, and RMCP+ has many ways to say no."""

from __future__ import annotations

from conformance import requirement as req
from conformance.expectations.causes import names_cause
from conformance.expectations.claims import Claims, NeverClaims
from conformance.expectations.requests import AtMostAuthFailures
from conformance.expectations.run_counts import AtMostEffective
from conformance.givens.bmc import ON, host
from conformance.givens.inject import Inject
from conformance.givens.ipmi_setup import IpmiSetup, KnowsKg
from conformance.givens.wrong_password import WrongPassword
from conformance.givens.wrong_user import WrongUser
from conformance.scenario import AskStep, Scenario
from conformance.scenarios.words import all_at, every_third, falls_after
from conformance.vocabulary import Ask, Cause, Protocol
from emulator import Armed, Intent, When, make_fault


def _swallowed(bmc: str, intent: Intent, words: str, *, executed: bool = False) -> Inject:
    when = When(protocol=Protocol.IPMI, intent=intent)
    return Inject(words, Armed(fault=make_fault("ipmi.silence", executed=executed), when=when, must_fire=False), bmc)


SILENT = Scenario(
    id="IPMI-008",
    tier=0,
    title="The BMC is silent: once the session is open, or from the start",
    requirement=req.ENDS,
    source="measured: clients wait 7 to 20 s for each answer; FenceAgentAPI: unreachable is exit 1",
    protocol=Protocol.IPMI,
    given=(
        host(ON, name="in-session"),
        _swallowed("in-session", Intent.POWER_READ, "a read of the power state is never answered"),
        _swallowed("in-session", Intent.POWER_COMMAND, "Chassis Control is neither executed nor answered"),
        _swallowed("in-session", Intent.READ, "no other command of the session is answered"),
        _swallowed("in-session", Intent.LOGOUT, "Close Session is carried out and not answered", executed=True),
        host(ON, name="no-udp", listens=False),
    ),
    steps=tuple(
        AskStep(Ask.OFF, (NeverClaims(), names_cause(Cause.UNREACHABLE, Cause.TIMEOUT)), bmc, together=1)
        for bmc in ("in-session", "no-udp")
    ),
)

BAD_NETWORK = Scenario(
    id="IPMI-009",
    tier=1,
    title="The network loses every third datagram, doubles all, or changes their order",
    requirement=req.DATAGRAMS,
    source="RMCP runs over UDP (IPMI 2.0, 13.1): loss, doubling and another order are normal",
    protocol=Protocol.IPMI,
    given=(
        host(ON, name="requests-lost"),
        *all_at("requests-lost", every_third("udp.loss", "every third one to the BMC is lost", direction="in"), falls_after(2)),
        host(ON, name="answers-lost"),
        *all_at("answers-lost", every_third("udp.loss", "every third one of the BMC is lost", direction="out"), falls_after(2)),
        host(ON, name="doubled"),
        *all_at(
            "doubled",
            Inject("every datagram comes twice", Armed(fault=make_fault("udp.duplicate", direction="both"))),
            falls_after(2),
        ),
        host(ON, name="reordered"),
        *all_at(
            "reordered",
            every_third("udp.reorder", "every third answer comes behind the next one, or half a second late", at_most=0.5),
            falls_after(2),
        ),
    ),
    steps=tuple(
        AskStep(Ask.OFF, (Claims(), AtMostEffective(2)), bmc, together=1)
        for bmc in ("requests-lost", "answers-lost", "doubled", "reordered")
    ),
)

WRONG_CREDENTIALS = Scenario(
    id="IPMI-010",
    tier=0,
    title="The password is wrong, or the user",
    requirement=req.FEW_LOGINS,
    source="IPMI 2.0 13.20 to 13.24 (RAKP); measured: 'Unable to establish LAN session' for all of it",
    protocol=Protocol.IPMI,
    given=(host(ON, name="wrong-password"), host(ON, name="wrong-user")),
    steps=(
        AskStep(
            Ask.OFF,
            (NeverClaims(), names_cause(Cause.AUTH), AtMostAuthFailures(2)),
            "wrong-password",
            told=(WrongPassword(),),
            together=1,
        ),
        AskStep(
            Ask.OFF,
            (NeverClaims(), names_cause(Cause.AUTH), AtMostAuthFailures(2)),
            "wrong-user",
            told=(WrongUser(),),
            together=1,
        ),
    ),
)

NO_SESSION = Scenario(
    id="IPMI-011",
    tier=1,
    title="No session is free; only cipher suite 17 is spoken; the BMC has a key K_g",
    requirement=req.TRUE_CAUSE,
    source="IPMI 2.0 tables 13-15 and 22-20; vendors have switched suite 3 off since 2020",
    protocol=Protocol.IPMI,
    given=(
        host(ON, name="full"),
        Inject("all IPMI sessions of the BMC are taken", Armed(fault=make_fault("ipmi.sessions-full")), "full"),
        host(ON, name="suite-17"),
        IpmiSetup(bmc="suite-17", cipher_suites=(17,)),
        *all_at("suite-17", falls_after(2)),
        host(ON, name="suite-17-declared"),
        IpmiSetup(bmc="suite-17-declared", cipher_suites=(17,)),
        *all_at("suite-17-declared", falls_after(2)),
        host(ON, name="kg-unknown"),
        IpmiSetup(bmc="kg-unknown", kg=True),
        host(ON, name="kg-known"),
        IpmiSetup(bmc="kg-known", kg=True),
        *all_at("kg-known", falls_after(2)),
    ),
    steps=(
        AskStep(Ask.OFF, (NeverClaims(), names_cause(Cause.BUSY)), "full", together=1),
        AskStep(Ask.OFF, (NeverClaims(), names_cause(Cause.UNSUPPORTED, Cause.AUTH)), "suite-17", together=1),
        AskStep(Ask.OFF, (NeverClaims(), Claims()), "suite-17-declared", needs=frozenset({"cipher-17"}), together=1),
        AskStep(Ask.OFF, (NeverClaims(), names_cause(Cause.AUTH)), "kg-unknown", together=1),
        AskStep(Ask.OFF, (NeverClaims(), Claims()), "kg-known", told=(KnowsKg(),), together=1),
    ),
)
