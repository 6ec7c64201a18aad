"""TIME: an HA manager holds resources hostage while a fencer runs. A limit counts seconds, and a kill leaves nothing behind.

TIME-007 is reserved for time limits that the cluster's daemon has switched off. TIME-010, an On that is refused just after off,
was TIME-008 in early lists of the catalogue; that id belongs to the dripping answers.
"""

from __future__ import annotations

from conformance import requirement as req
from conformance.expectations.causes import names_cause
from conformance.expectations.claims import Claims, LeavesOn, NeverClaims, answers
from conformance.expectations.ending import EndsAfterSigterm
from conformance.expectations.requests import AtMostCommands, ClosesSessions
from conformance.givens.bmc import OFF, ON, host
from conformance.givens.circumstance import Circumstance
from conformance.givens.inject import Inject
from conformance.givens.no_selector import NoSelector
from conformance.scenario import AskStep, Scenario, off, off_each
from conformance.scenarios.words import (
    ALWAYS_ON_GET,
    EVERY_REQUEST,
    POSTS,
    POWER_READS,
    RESETS,
    falls_after,
    meets,
    nothing_happens,
    power_commands,
)
from conformance.vocabulary import Ask, Cause, Claim, Level, Protocol
from emulator import Armed, Rail, ResetType, When, make_fault

SILENCE = (Cause.TIMEOUT, Cause.UNREACHABLE)

SILENT_BMC = Scenario(
    id="TIME-001",
    tier=0,
    title="The BMC takes every GET and never answers",
    requirement=req.ENDS,
    source="measured: fence_redfish has no HTTP time-out at all",
    protocol=Protocol.REDFISH,
    given=(host(ON), meets("a GET is taken and never answered", "wire.hang", ALWAYS_ON_GET, executed=False)),
    steps=(
        AskStep(Ask.OFF, (NeverClaims(), names_cause(*SILENCE))),
        AskStep(Ask.STATUS, (answers(Claim.FAILED), names_cause(*SILENCE)), optional=True),
    ),
)

SILENT_RESET = Scenario(
    id="TIME-002",
    tier=0,
    title="The BMC takes every reset and never answers it: executed, and not executed",
    requirement=req.ENDS,
    source="measured: fence_redfish, rf_power_reset, sushy and instanceha hang",
    protocol=Protocol.REDFISH,
    given=(
        host(ON, name="executed"),
        meets("executed: a reset is executed and never answered", "wire.hang", RESETS, bmc="executed", executed=True),
        falls_after(3, "executed"),
        host(ON, name="not-executed"),
        meets("not-executed: a reset is taken and nothing comes of it", "wire.hang", RESETS, bmc="not-executed", executed=False),
    ),
    steps=(
        AskStep(Ask.OFF, (NeverClaims(), Claims(Level.SHOULD), AtMostCommands(3)), "executed"),
        AskStep(Ask.OFF, (NeverClaims(), AtMostCommands(3), names_cause(*SILENCE, level=Level.SHOULD)), "not-executed"),
    ),
)

NO_HANDSHAKE = Scenario(
    id="TIME-003",
    tier=1,
    title="The TLS handshake never begins; the network swallows every SYN",
    requirement=req.ENDS,
    source="Linux tcp(7), tcp_syn_retries: a connect gives up by itself after more than two minutes",
    protocol=Protocol.REDFISH,
    given=(
        host(ON, name="stalls"),
        meets("stalls: TCP connects and TLS never begins", "tls.stall", When(), bmc="stalls"),
        host(ON, name="swallows"),
        meets("swallows: the network drops everything on the way to the BMC", "wire.blackhole", When(), bmc="swallows"),
    ),
    steps=off_each(("stalls", "swallows"), NeverClaims(), names_cause(*SILENCE, Cause.TLS)),
)

SLOW_ANSWERS = Scenario(
    id="TIME-004",
    tier=1,
    title="Every answer takes 4 s",
    requirement=req.ENDS,
    source="measured: the fencing library counts 20 iterations, not seconds",
    protocol=Protocol.REDFISH,
    given=(host(ON), meets("every answer comes after 4 s", "wire.delay", EVERY_REQUEST, seconds=4.0)),
    steps=off(NeverClaims()),
)

DRIPPING_STATUS = Scenario(
    id="TIME-005",
    tier=1,
    title="The answer to a read comes a byte per second",
    requirement=req.ENDS,
    source="a time-out per recv() begins anew with every byte",
    protocol=Protocol.REDFISH,
    given=(
        host(ON),
        meets("every read of the power state is answered a byte per second", "wire.drip", POWER_READS, size=1, every=1.0),
    ),
    steps=(AskStep(Ask.STATUS, (answers(Claim.FAILED), names_cause(*SILENCE))),),
)

SIGTERM = Scenario(
    id="TIME-006",
    tier=1,
    title="SIGTERM comes while the fencer waits for off",
    requirement=req.ENDS,
    source="Pacemaker ends an agent at its time-out; Foreman smart-proxy#895: sessions that stay fill the table",
    given=(host(ON), nothing_happens()),
    steps=(AskStep(Ask.OFF, (NeverClaims(), EndsAfterSigterm(5), ClosesSessions()), sigterm_after=2),),
)

DRIPPING_SECOND_REQUEST = Scenario(
    id="TIME-008",
    tier=0,
    title="The first GET is answered, every later one drips a byte per half second on the connection that was kept",
    requirement=req.ENDS,
    source="real use, 2026-11: a limit that was set for the first request of a connection only",
    protocol=Protocol.REDFISH,
    given=(
        host(ON),
        meets(
            "from the second GET on, answers come a byte per half second",
            "wire.drip", When(protocol=Protocol.REDFISH, method="GET", skip=1), size=1, every=0.5,
        ),
    ),
    steps=off(NeverClaims(), names_cause(*SILENCE, level=Level.SHOULD)),
)  # fmt: skip

DRIPPING_ON_THE_WAY = Scenario(
    id="TIME-009",
    tier=1,
    title="The list of systems drips; log-in and every other POST drips",
    requirement=req.ENDS,
    source="real use, 2026-11: a limit that held for reads of the state and not for what comes before",
    protocol=Protocol.REDFISH,
    given=(
        NoSelector(),
        host(ON, name="collection"),
        Inject(
            "collection: the list of systems comes a byte per half second",
            Armed(
                fault=make_fault("wire.drip", size=1, every=0.5),
                when=When(method="GET", path="/redfish/v1/Systems"),
                must_fire=False,
            ),
            "collection",
        ),
        host(ON, name="log-in"),
        Inject(
            "log-in: every POST, log-in included, is answered a byte per half second",
            Armed(fault=make_fault("wire.drip", size=1, every=0.5), when=POSTS, must_fire=False),
            "log-in",
        ),
        falls_after(3, "log-in"),
    ),
    steps=off_each(("collection", "log-in"), NeverClaims(), names_cause(*SILENCE, Cause.CONFIG, level=Level.SHOULD)),
)

ON_TOO_SOON = Scenario(
    id="TIME-010",
    tier=1,
    title="Just after off, On is refused twice with 409",
    requirement=req.TRANSIENT,
    source="LP#2162995, openstack/ironic redfish-power-on-conflict-retry (iDRAC10); infra-operator (PRIMEQUEST 4400E)",
    protocol=Protocol.REDFISH,
    given=tuple(
        given
        for name, what in (("running", ON), ("just-off", OFF))
        for given in (
            host(what, name=name),
            Circumstance(
                f"{name}: the first two On of a host that is off are refused with 409",
                Armed(
                    fault=make_fault(
                        "redfish.reply",
                        status=409,
                        message_id="Base.1.8.ActionParameterValueConflict",
                        text="The parameter ResetType with the value On conflicts with the current state of the host.",
                    ),
                    when=power_commands(Protocol.REDFISH, Rail.DOWN, ResetType.ON, ResetType.FORCE_ON),
                    count=2,
                ),
                name,
            ),
            falls_after(3, name),
        )
    ),
    steps=(
        AskStep(Ask.REBOOT, (Claims(), LeavesOn()), "running"),
        AskStep(Ask.ON, (Claims(Level.SHOULD), names_cause(Cause.CONFLICT, Cause.BUSY)), "just-off"),
    ),
)
