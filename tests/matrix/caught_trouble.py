"""What the planted defects of FAULT, FLAKY, ASYNC and TIME get. `test_bad_fencers` holds them to it."""

from __future__ import annotations

from conformance.vocabulary import FindingKind, Verdict

UNSAFE, STUCK, HANG, HYGIENE, MISLEADING = (
    Verdict.UNSAFE, Verdict.STUCK, Verdict.HANG, Verdict.HYGIENE, Verdict.MISLEADING,
)  # fmt: skip
FALSE, EARLY = FindingKind.FALSE, FindingKind.EARLY
DELL = "dell-idrac9"
OPENBMC = "openbmc-x86"
DMTF = "dmtf-generic"

TROUBLE: tuple[tuple[str, str, str, Verdict, FindingKind | None], ...] = (
    ("GoesWhereItIsTold", "FAULT-025", DELL, UNSAFE, FindingKind.WRONG_TARGET),
    ("TaskIsOff", "ASYNC-001", DELL, UNSAFE, EARLY),
    ("Insists", "TIME-002", DELL, HYGIENE, FindingKind.REPEATED),
    ("AnyAnswerIsOff", "FAULT-001", DELL, UNSAFE, FALSE),
    ("AnyAnswerIsOff", "FAULT-002", DMTF, UNSAFE, FALSE),
    ("UnavailableIsOff", "FAULT-003", OPENBMC, UNSAFE, FALSE),
    ("AnyAnswerIsOff", "FAULT-004", OPENBMC, UNSAFE, FALSE),
    ("AnyAnswerIsOff", "FAULT-005", DELL, UNSAFE, EARLY),
    ("UnreadableIsOff", "FAULT-006", DMTF, UNSAFE, FALSE),
    ("UnreadableIsOff", "FAULT-007", DELL, UNSAFE, FALSE),
    ("DropIsDone", "FAULT-009", DELL, UNSAFE, FALSE),
    ("NoHeaders", "FAULT-011", DMTF, STUCK, None),
    ("AnyAnswerIsOff", "FAULT-012", DELL, UNSAFE, FALSE),
    ("AlwaysIfMatch", "FAULT-013", DMTF, STUCK, None),
    ("RedirectIsOff", "FAULT-014", DELL, UNSAFE, FALSE),
    ("FollowsWithGet", "FAULT-015", OPENBMC, UNSAFE, FALSE),
    ("FollowsAnywhere", "FAULT-016", DELL, UNSAFE, None),
    ("LeaksElsewhere", "FAULT-016", DMTF, HYGIENE, FindingKind.CREDENTIALS),
    ("DropIsDone", "FAULT-017", DELL, UNSAFE, EARLY),
    ("BrokenTlsIsOff", "FAULT-018", DMTF, UNSAFE, FALSE),
    ("One401IsOff", "FAULT-019", DELL, UNSAFE, FALSE),
    ("NotFoundIsOff", "FAULT-020", OPENBMC, UNSAFE, FALSE),
    ("UnavailableIsOff", "FAULT-021", DELL, UNSAFE, FALSE),
    ("AnyAnswerIsOff", "FAULT-022", DMTF, UNSAFE, FALSE),
    ("NoSystemIsOff", "FAULT-023", DELL, UNSAFE, FALSE),
    ("RedirectIsOff", "FAULT-024", DMTF, UNSAFE, FALSE),
    ("FollowsWithGet", "FAULT-024", DELL, MISLEADING, FindingKind.NO_CAUSE),
    ("AnyAnswerIsOff", "FAULT-026", DELL, UNSAFE, FALSE),
    ("ClaimOn2xx", "FAULT-027", DELL, UNSAFE, FALSE),
    ("AnyAnswerIsOff", "FAULT-028", DELL, UNSAFE, FALSE),
    ("UnavailableIsOff", "FLAKY-001", DELL, UNSAFE, None),
    ("UnreachableIsOff", "FLAKY-002", DMTF, UNSAFE, None),
    ("DropIsDone", "FLAKY-003", DELL, UNSAFE, None),
    ("EndOfTaskIsOff", "ASYNC-001", DELL, UNSAFE, EARLY),
    ("EndOfTaskIsOff", "ASYNC-001", DMTF, UNSAFE, EARLY),
    ("EndOfTaskIsOff", "ASYNC-002", DMTF, UNSAFE, FALSE),
    ("NeedsTask", "ASYNC-003", OPENBMC, STUCK, None),
    ("LateIsOff", "ASYNC-005", DELL, UNSAFE, FALSE),
    ("RefusedIsFailed", "ASYNC-006", DELL, STUCK, None),
    ("NoTimeout", "TIME-002", DMTF, HANG, None),
    ("NoTimeout", "TIME-003", DELL, HANG, None),
    ("CountsIterations", "TIME-004", DMTF, HANG, None),
    ("TimesOutPerByte", "TIME-005", DELL, HANG, None),
    ("IgnoresSigterm", "TIME-006", DELL, HANG, None),
    ("LeavesSession", "TIME-006", DMTF, HYGIENE, FindingKind.LEFTOVER),
    ("TimesOutPerByte", "TIME-008", DELL, HANG, None),
    ("TimesOutPerByte", "TIME-009", DMTF, HANG, None),
    ("RebootWantsOn", "TIME-010", DELL, STUCK, None),
)  # fmt: skip

NOTED: tuple[tuple[str, str, str, str, Verdict], ...] = (
    ("SendsOnce", "FAULT-001", DELL, "L", STUCK),
    ("SendsAtOnce", "FAULT-001", DMTF, "H", HYGIENE),
    ("SendsAtOnce", "FAULT-002", DELL, "H", HYGIENE),
    ("TriesOnce", "FAULT-003", DELL, "L", STUCK),
    ("SendsAtOnce", "FAULT-009", DELL, "H", HYGIENE),
    ("SendsOnce", "FAULT-009", DMTF, "L", STUCK),
    ("SendsOnce", "FAULT-012", DELL, "L", STUCK),
    ("TriesOnce", "FAULT-018", DELL, "L", STUCK),
    ("TriesOnce", "FAULT-019", DMTF, "L", STUCK),
    ("TriesOnce", "FAULT-020", DELL, "L", STUCK),
    ("TriesOnce", "FAULT-021", OPENBMC, "L", STUCK),
    ("SendsOnce", "FAULT-022", DELL, "L", STUCK),
    ("TriesOnce", "FAULT-023", DMTF, "L", STUCK),
    ("RebootLeavesOff", "TIME-010", DELL, "L", STUCK),
    ("SendsOnce", "FAULT-026", DELL, "L", STUCK),
)
"""Mutant, scenario, profile, and the SHOULD that it breaks: the rule and verdict of a note."""
