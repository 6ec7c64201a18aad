"""AUTH: the most common configuration fault, and the one that is reported worst."""

from __future__ import annotations

from typing import Final

from conformance import requirement as req
from conformance.expectations.causes import names_cause
from conformance.expectations.claims import Claims, NeverClaims, Refuses, answers
from conformance.expectations.requests import AtMostAuthFailures, ClosesSessions
from conformance.givens.bmc import OFF, ON, host
from conformance.givens.circumstance import Circumstance
from conformance.givens.given import Given
from conformance.givens.inject import Inject
from conformance.givens.log_in_rules import LogInRules
from conformance.givens.password_from import PasswordFrom
from conformance.givens.password_is import PasswordIs
from conformance.givens.verbose import Verbose
from conformance.givens.wrong_password import WrongPassword
from conformance.givens.wrong_target import UnknownSystem
from conformance.scenario import AskStep, Scenario, off
from conformance.scenarios.words import falls_after, falls_over_ipmi, power_commands
from conformance.vocabulary import Ask, Cause, Claim, Level, Protocol
from emulator import Armed, Intent, When, make_fault

BASIC: Final = frozenset({"basic-auth"})
SESSIONS: Final = frozenset({"sessions"})
SLOTS: Final = 8
PRINTABLE: Final = "q \"'$%#:=&\\`"
NON_ASCII: Final = "pässwört€"

WRONG_PASSWORD = Scenario(
    id="AUTH-001",
    tier=0,
    title="The password is wrong",
    requirement=req.FEW_LOGINS,
    source="Redfish-Protocol-Validator#12; ibm-openbmc/openbmc#90 (lockout)",
    given=(host(ON), WrongPassword()),
    steps=off(NeverClaims(), names_cause(Cause.AUTH), AtMostAuthFailures(2)),
)

LOCKOUT = Scenario(
    id="AUTH-002",
    tier=1,
    title="Three refused log-ins lock the account: one run with a wrong password must not",
    requirement=req.FEW_LOGINS,
    source="Redfish-Protocol-Validator#12; ibm-openbmc/openbmc#90; iDRAC-Redfish-Scripting#295",
    given=(
        host(ON),
        LogInRules("after three refused log-ins the account is locked for ten minutes", failures=3),
        falls_after(3),
        host(ON, name="locked"),
        Inject("locked: the account is locked", Armed(fault=make_fault("auth.locked")), bmc="locked"),
    ),
    steps=(
        AskStep(Ask.OFF, (NeverClaims(), names_cause(Cause.AUTH, Cause.LOCKED), AtMostAuthFailures(2)), told=(WrongPassword(),)),
        AskStep(Ask.OFF, (Claims(),)),
        AskStep(
            Ask.OFF,
            (
                NeverClaims(),
                names_cause(Cause.AUTH, Cause.LOCKED),
                names_cause(Cause.LOCKED, level=Level.SHOULD),
                AtMostAuthFailures(2),
            ),
            "locked",
        ),
    ),
)

READ_ONLY = Scenario(
    id="AUTH-003",
    tier=0,
    title="The account may read and not reset: 403",
    requirement=req.TRUE_CAUSE,
    source="measured: fence_redfish says 'Timed out waiting to power OFF' on a 403",
    protocol=Protocol.REDFISH,
    given=(
        host(ON),
        Inject(
            "a reset is refused with HTTP 403 (insufficient privilege)",
            Armed(
                fault=make_fault("redfish.reply", status=403, message_id="Base.1.8.InsufficientPrivilege"),
                when=power_commands(Protocol.REDFISH),
            ),
        ),
        host(ON, name="read-only"),
        LogInRules("read-only: the fencer's account has the role ReadOnly", role="ReadOnly", bmc="read-only"),
    ),
    steps=(
        AskStep(Ask.OFF, (NeverClaims(), names_cause(Cause.PRIVILEGE))),
        AskStep(Ask.OFF, (NeverClaims(), names_cause(Cause.PRIVILEGE)), "read-only"),
    ),
)

SESSION_ENDS = Scenario(
    id="AUTH-004",
    tier=1,
    title="The session ends between two reads of the power state",
    requirement=req.DOES_IT,
    source="DSP0266 13.3.4: a session may end at any time; the client logs in again",
    protocol=Protocol.REDFISH,
    needs=SESSIONS,
    given=(
        host(ON),
        LogInRules("HTTP Basic is refused", basic=False),
        Inject(
            "the second read of the power state ends the session: 401, once",
            Armed(fault=make_fault("auth.session-expired"), when=When(intent=Intent.POWER_READ, skip=1), count=1),
        ),
        falls_after(3),
    ),
    steps=off(NeverClaims(), Claims(Level.SHOULD), names_cause(Cause.AUTH), AtMostAuthFailures(2)),
)

ONE_WAY_IN = Scenario(
    id="AUTH-005",
    tier=1,
    title="Only sessions are allowed, or only HTTP Basic",
    requirement=req.DOES_IT,
    source="DSP0266 13.3: a service may refuse HTTP Basic; rf_power_reset has no other way than a session",
    protocol=Protocol.REDFISH,
    given=(
        host(ON, name="sessions-only"),
        LogInRules("sessions-only: HTTP Basic is refused", basic=False, bmc="sessions-only"),
        falls_after(3, "sessions-only"),
        host(ON, name="basic-only"),
        Circumstance(
            "basic-only: a log-in to a session is refused with HTTP 405",
            Armed(
                fault=make_fault("redfish.reply", status=405, message_id="Base.1.8.OperationNotAllowed"),
                when=When(intent=Intent.LOGIN),
            ),
            "basic-only",
        ),
        falls_after(3, "basic-only"),
    ),
    steps=(
        AskStep(Ask.OFF, (Claims(), AtMostAuthFailures(1)), "sessions-only", needs=SESSIONS),
        AskStep(Ask.OFF, (Claims(), AtMostAuthFailures(1)), "basic-only", needs=BASIC),
    ),
)


def _table_full(bmc: str, given: type[Inject]) -> Inject:
    return given(f"{bmc}: the session table is full: 503", Armed(fault=make_fault("redfish.sessions-full")), bmc)


TABLE_FULL = Scenario(
    id="AUTH-006",
    tier=1,
    title="The session table is full",
    requirement=req.TRUE_CAUSE,
    source="gofish#75, check_redfish#89 (RAC0218); measured: rf_power_reset has no other way",
    protocol=Protocol.REDFISH,
    given=(
        host(ON),
        _table_full("target", Circumstance),
        falls_after(3),
        host(ON, name="sessions-only"),
        LogInRules("sessions-only: HTTP Basic is refused", basic=False, bmc="sessions-only"),
        _table_full("sessions-only", Inject),
        *falls_over_ipmi("sessions-only"),
    ),
    steps=(
        AskStep(Ask.OFF, (NeverClaims(), Claims(Level.SHOULD), names_cause(Cause.BUSY)), needs=BASIC),
        AskStep(Ask.OFF, (NeverClaims(), names_cause(Cause.BUSY)), "sessions-only", needs=SESSIONS),
    ),
)


def _runs(bmc: str, needs: frozenset[str]) -> tuple[AskStep, ...]:
    """Ten runs: the host is off throughout, and every second run fails after its log-in."""
    unknown: tuple[Given, ...] = (UnknownSystem(),)
    closes = ClosesSessions()
    status = AskStep(Ask.STATUS, (answers(Claim.OFF), closes), bmc, optional=True, needs=needs)
    fails = AskStep(Ask.STATUS, (answers(Claim.FAILED), closes), bmc, optional=True, told=unknown, needs=needs)
    refused = AskStep(Ask.OFF, (Refuses(), closes), bmc, told=unknown, needs=needs)
    works = AskStep(Ask.OFF, (Claims(), closes), bmc, needs=needs)
    return (status, fails, status, refused, works) * 2


TWENTY_RUNS = Scenario(
    id="AUTH-007",
    tier=0,
    title="Twenty runs, failing ones among them, against BMCs with eight sessions",
    requirement=req.CLOSES_SESSIONS,
    source="gofish#75, smart-proxy#895, check_redfish#198: leaked sessions make a BMC refuse the next fence",
    given=(
        host(OFF),
        LogInRules("eight sessions may be open at once", slots=SLOTS),
        host(OFF, name="sessions-only"),
        LogInRules("sessions-only: the same, and HTTP Basic is refused", slots=SLOTS, basic=False, bmc="sessions-only"),
    ),
    steps=(*_runs("target", frozenset()), *_runs("sessions-only", SESSIONS)),
)

SPECIAL_CHARACTERS = Scenario(
    id="AUTH-008",
    tier=0,
    title="Passwords with blanks, quotes, signs and letters beyond ASCII, and one of 20 bytes",
    requirement=req.DOES_IT,
    source="cloudpods#16615; python-hpilo#51; IPMI 2.0 22.30: 16 or 20 bytes; RFC 7617 2.1 (UTF-8)",
    given=(
        host(OFF, name="signs"),
        PasswordIs(PRINTABLE, 16, "signs"),
        host(OFF, name="non-ascii"),
        PasswordIs(NON_ASCII, 16, "non-ascii"),
        host(OFF, name="twenty"),
        PasswordIs("Zq7-", 20, "twenty"),
    ),
    steps=tuple(AskStep(Ask.OFF, (Claims(), AtMostAuthFailures(0)), bmc) for bmc in ("signs", "non-ascii", "twenty")),
)

PASSWORD_ELSEWHERE = Scenario(
    id="AUTH-009",
    tier=1,
    title="The password comes from a file or a program; it has to be changed first",
    requirement=req.TRUE_CAUSE,
    source="FenceAgentAPI passwd_script; DSP0266 13.2.6 PasswordChangeRequired",
    given=(
        host(ON, name="file"),
        host(ON, name="script"),
        host(ON, name="expired"),
        Inject(
            "expired: the password has to be changed first: 403 to everything else",
            Armed(fault=make_fault("auth.password-expired")),
            "expired",
        ),
    ),
    protocol=Protocol.REDFISH,
    steps=(
        AskStep(Ask.STATUS, (answers(Claim.ON),), "file", told=(PasswordFrom("file"),), needs=frozenset({"password-file"})),
        AskStep(Ask.STATUS, (answers(Claim.ON),), "script", told=(PasswordFrom("script"),), needs=frozenset({"password-script"})),
        AskStep(Ask.STATUS, (answers(Claim.FAILED), names_cause(Cause.PRIVILEGE, Cause.AUTH)), "expired"),
    ),
)

CANARY = Scenario(
    id="AUTH-010",
    tier=0,
    title="Every action with all messages on: the password is in none of them",
    requirement=req.SECRETS,
    source="infra-controller#2535; fence-agents#436; Redfishtool#67: the password in argv and in debug output",
    given=(host(ON), falls_after(3), Verbose()),
    steps=(
        AskStep(Ask.METADATA, (answers(Claim.OK),), optional=True),
        AskStep(Ask.MONITOR, (answers(Claim.OK),), optional=True),
        AskStep(Ask.STATUS, (answers(Claim.ON),), optional=True),
        AskStep(Ask.OFF, (NeverClaims(), names_cause(Cause.AUTH)), told=(WrongPassword(),)),
        AskStep(Ask.OFF, (Claims(),)),
        AskStep(Ask.ON, (Claims(),), optional=True),
        AskStep(Ask.REBOOT, (Claims(),), optional=True),
    ),
)

SESSIONS_END_AT_ONCE = Scenario(
    id="AUTH-011",
    tier=1,
    title="Every session ends at its first read of the power state",
    requirement=req.TRUE_CAUSE,
    source="gofish#75, check_redfish#198: who logs in again for every 401 fills the session table",
    protocol=Protocol.REDFISH,
    needs=SESSIONS,
    given=(
        host(ON),
        LogInRules("HTTP Basic is refused", basic=False),
        Inject(
            "every read of the power state ends the session: 401",
            Armed(fault=make_fault("auth.session-expired"), when=When(intent=Intent.POWER_READ)),
        ),
    ),
    steps=off(NeverClaims(), names_cause(Cause.AUTH), AtMostAuthFailures(5)),
)
