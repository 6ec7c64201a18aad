"""Which planted defect is caught by which scenario of STATE, TRUTH and PROFILE. A verdict of PASS: the kind is that of a note."""

from __future__ import annotations

from conformance.vocabulary import FindingKind, Verdict

DELL = "dell-idrac9"
OPENBMC = "openbmc-x86"
UNSAFE, STUCK, MISLEADING, HYGIENE, PASS = Verdict.UNSAFE, Verdict.STUCK, Verdict.MISLEADING, Verdict.HYGIENE, Verdict.PASS

STATES: tuple[tuple[str, str, str, Verdict, FindingKind | None], ...] = (
    ("ErrorIsOff", "STATE-005", DELL, HYGIENE, FindingKind.UNVERIFIED),
    ("SendsFirstAndClaims", "STATE-006", DELL, HYGIENE, FindingKind.UNVERIFIED),
    ("BadRequestIsOff", "STATE-008", DELL, UNSAFE, FindingKind.FALSE),
    ("PoweringOffIsOff", "STATE-010", DELL, UNSAFE, FindingKind.EARLY),
    ("UnknownIsOff", "STATE-011", DELL, UNSAFE, FindingKind.FALSE),
    ("BlamesConfiguration", "STATE-012", DELL, MISLEADING, FindingKind.NO_CAUSE),
    ("UnknownIsOff", "STATE-013", DELL, UNSAFE, FindingKind.FALSE),
    ("NotOnIsOff", "STATE-013", DELL, UNSAFE, FindingKind.FALSE),
    ("OnConflictIsFailed", "STATE-014", DELL, STUCK, None),
    ("BootingIsFailed", "STATE-015", DELL, STUCK, None),
    ("UnknownIsOff", "STATE-015", DELL, UNSAFE, FindingKind.FALSE),
    ("GracefulOnly", "STATE-015", DELL, STUCK, None),
    ("ReadsThenRefusedIsFailed", "STATE-017", DELL, STUCK, None),
    ("BelievesItsCommand", "STATE-018", DELL, UNSAFE, FindingKind.RESURRECTED),
    ("SendsFirst", "STATE-020", DELL, HYGIENE, FindingKind.REPEATED),
    ("FirstWord", "TRUTH-002", DELL, UNSAFE, FindingKind.FALSE),
    ("FirstOff", "TRUTH-003", DELL, UNSAFE, FindingKind.FALSE),
    ("FirstOff", "TRUTH-004", DELL, UNSAFE, FindingKind.FALSE),
    ("GivesUpWhenStale", "TRUTH-005", DELL, STUCK, None),
    ("ReadsThenRefusedIsFailed", "TRUTH-005", DELL, STUCK, None),
    ("GracefulOnly", "TRUTH-006", DELL, STUCK, None),
    ("BelievesItsCommand", "TRUTH-007", DELL, UNSAFE, FindingKind.FALSE),
    ("IgnoresChassis", "TRUTH-008", DELL, UNSAFE, FindingKind.FALSE),
    ("ManagerCounts", "TRUTH-008", DELL, STUCK, None),
    ("FirstWord", "TRUTH-009", DELL, UNSAFE, FindingKind.RESURRECTED),
    ("TrustsNotModified", "TRUTH-010", DELL, UNSAFE, FindingKind.FALSE),
    ("LetsCachesAnswer", "TRUTH-010", DELL, PASS, FindingKind.FALSE),
    ("BlamesConfiguration", "TRUTH-011", DELL, MISLEADING, None),
    ("SaysSuccess", "TRUTH-011", DELL, MISLEADING, FindingKind.WRONG_CAUSE),
    ("UnreadableWitnessAgrees", "TRUTH-012", DELL, UNSAFE, FindingKind.FALSE),
    ("SilentWitnessAgrees", "TRUTH-013", DELL, UNSAFE, FindingKind.FALSE),
    ("NullWitnessAgrees", "TRUTH-014", DELL, UNSAFE, FindingKind.FALSE),
    ("ForgetsItsWitnesses", "TRUTH-014", DELL, UNSAFE, FindingKind.FALSE),
    ("FirstOff", "TRUTH-015", DELL, UNSAFE, FindingKind.EARLY),
    ("LostOnIsFailed", "TRUTH-016", DELL, STUCK, None),
    ("SilenceConfirms", "TRUTH-017", DELL, UNSAFE, FindingKind.RESURRECTED),
    ("RefusedIsFailed", "PROFILE-001", DELL, STUCK, None),
    ("ClaimOn2xx", "PROFILE-002", DELL, UNSAFE, FindingKind.EARLY),
    ("IgnoresChassis", "PROFILE-002", OPENBMC, UNSAFE, FindingKind.EARLY),
    ("GracefulOnly", "PROFILE-003", DELL, STUCK, None),
    ("NotInStateIsFailed", "PROFILE-004", DELL, STUCK, None),
    ("OnConflictIsFailed", "PROFILE-005", DELL, STUCK, None),
    ("RestartAndClaim", "PROFILE-006", DELL, UNSAFE, FindingKind.FALSE),
)
