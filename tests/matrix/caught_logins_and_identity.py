"""Which planted defect is caught by which scenario of AUTH, TLS and ID: (mutant, scenario, profile, verdict, kind)."""

from __future__ import annotations

from conformance.vocabulary import FindingKind, Verdict

DELL = "dell-idrac9"
GENERIC = "dmtf-generic"
OPENBMC = "openbmc-x86"
UNSAFE, STUCK, HYGIENE, MISLEADING = Verdict.UNSAFE, Verdict.STUCK, Verdict.HYGIENE, Verdict.MISLEADING
WRONG_TARGET, WRONG_CAUSE, NO_CAUSE = FindingKind.WRONG_TARGET, FindingKind.WRONG_CAUSE, FindingKind.NO_CAUSE

LOGINS_AND_IDENTITY: tuple[tuple[str, str, str, Verdict, FindingKind | None], ...] = (
    ("RetriesRefusedPassword", "AUTH-002", GENERIC, STUCK, None),
    ("ForbiddenIsTimeout", "AUTH-003", DELL, MISLEADING, WRONG_CAUSE),
    ("UnauthorizedIsOff", "AUTH-004", DELL, UNSAFE, None),
    ("BasicOnly", "AUTH-005", DELL, STUCK, None),
    ("SessionsOnly", "AUTH-005", OPENBMC, STUCK, None),
    ("BlamesConfiguration", "AUTH-006", DELL, MISLEADING, NO_CAUSE),
    ("LeavesSessions", "AUTH-007", DELL, STUCK, None),
    ("LeavesSessionsWhenFailing", "AUTH-007", GENERIC, HYGIENE, FindingKind.LEFTOVER),
    ("Latin1Password", "AUTH-008", DELL, STUCK, None),
    ("ShortPassword", "AUTH-008", OPENBMC, STUCK, None),
    ("WholeFileIsPassword", "AUTH-009", DELL, STUCK, None),
    ("LogsInAgain", "AUTH-011", DELL, MISLEADING, WRONG_CAUSE),
    ("PrintsHeader", "STATE-016", DELL, HYGIENE, FindingKind.SECRET),
    ("DropsVerification", "TLS-001", DELL, HYGIENE, FindingKind.CREDENTIALS),
    ("LogsRequests", "AUTH-010", DELL, HYGIENE, FindingKind.SECRET),
    ("UnverifiedIsUnreachable", "TLS-001", DELL, MISLEADING, WRONG_CAUSE),
    ("IgnoresCertificate", "TLS-001", DELL, HYGIENE, FindingKind.CREDENTIALS),
    ("FallsBackToHttp", "TLS-006", OPENBMC, HYGIENE, FindingKind.CREDENTIALS),
    ("AlwaysVerifies", "TLS-002", DELL, STUCK, None),
    ("IgnoresCertificate", "TLS-003", DELL, MISLEADING, FindingKind.WRONG_ANSWER),
    ("SystemAuthoritiesOnly", "TLS-004", DELL, STUCK, None),
    ("UnverifiedIsUnreachable", "TLS-005", DELL, MISLEADING, WRONG_CAUSE),
    ("UnverifiedIsUnreachable", "TLS-006", DELL, MISLEADING, WRONG_CAUSE),
    ("RemembersPosition", "ID-003", DELL, UNSAFE, WRONG_TARGET),
    ("FallsBackToFirst", "ID-004", DELL, UNSAFE, WRONG_TARGET),
    ("MistakesIdentityForTime", "ID-005", DELL, MISLEADING, WRONG_CAUSE),
    ("TakesFirstUnseen", "ID-006", DELL, MISLEADING, NO_CAUSE),
    ("TakesFirstUnseen", "ID-007", OPENBMC, MISLEADING, NO_CAUSE),
    ("FixedActionPath", "ID-008", DELL, STUCK, None),
    ("JoinsTarget", "ID-008", OPENBMC, STUCK, None),
    ("ForcesAnyway", "ID-009", DELL, MISLEADING, WRONG_CAUSE),
    ("NeedsListedTypes", "ID-009", GENERIC, STUCK, None),
    ("PressesButton", "ID-010", DELL, HYGIENE, FindingKind.OVERREACH),
    ("ReadsEveryMember", "ID-011", DELL, STUCK, None),
    ("JoinsHostAndPort", "ID-012", DELL, STUCK, None),
    ("AnyBody", "ID-013", DELL, UNSAFE, WRONG_TARGET),
    ("AnyBody", "ID-014", OPENBMC, UNSAFE, WRONG_TARGET),
    ("IgnoresCount", "ID-015", DELL, UNSAFE, WRONG_TARGET),
    ("KnowsNoUuid", "ID-016", DELL, UNSAFE, FindingKind.FALSE),
    ("KnowsNoUuid", "ID-020", DELL, UNSAFE, FindingKind.FALSE),
    ("FollowsItsAction", "ID-021", DELL, UNSAFE, WRONG_TARGET),
    ("ReadsOverOtherBody", "ID-022", DELL, UNSAFE, FindingKind.FALSE),
    ("PushesUnlessOff", "ID-023", DELL, HYGIENE, FindingKind.OVERREACH),
    ("PushesAgain", "ID-024", DELL, HYGIENE, FindingKind.REPEATED),
    ("AlwaysSucceeds", "ID-025", DELL, MISLEADING, FindingKind.WRONG_ANSWER),
    ("NeedsNoUuid", "ID-026", DELL, Verdict.PASS, WRONG_TARGET),
    ("AnyAnswerIsOff", "ID-027", DELL, UNSAFE, FindingKind.FALSE),
    ("StrictUuid", "ID-017", GENERIC, STUCK, None),
    ("IgnoresBridge", "ID-018", DELL, UNSAFE, WRONG_TARGET),
    ("IgnoresSelector", "ID-019", DELL, UNSAFE, WRONG_TARGET),
)
