"""Planted defects over IPMI, in fence agents, with several fencers at once, and where the input power went."""

from __future__ import annotations

from conformance.vocabulary import FindingKind, Verdict

DELL = "dell-idrac9"
UNSAFE, STUCK, HANG, HYGIENE = Verdict.UNSAFE, Verdict.STUCK, Verdict.HANG, Verdict.HYGIENE

IPMI_AND_AGENTS: tuple[tuple[str, str, str, Verdict, FindingKind | None], ...] = (
    ("NotInStateIsFailed", "IPMI-001", DELL, STUCK, None),
    ("AcceptedIsOff", "IPMI-004", DELL, UNSAFE, FindingKind.EARLY),
    ("BusyIsOff", "IPMI-005", DELL, UNSAFE, FindingKind.FALSE),
    ("GivesUpSilently", "IPMI-006", DELL, Verdict.MISLEADING, FindingKind.NO_CAUSE),
    ("GivesUpSilently", "IPMI-007", DELL, Verdict.MISLEADING, FindingKind.NO_CAUSE),
    ("RefusedIsOff", "IPMI-007", DELL, UNSAFE, FindingKind.FALSE),
    ("RefusedIsTimeout", "IPMI-007", DELL, Verdict.MISLEADING, FindingKind.WRONG_CAUSE),
    ("HammersTheBusy", "IPMI-007", DELL, HYGIENE, FindingKind.REPEATED),
    ("SilenceIsOff", "IPMI-008", DELL, UNSAFE, FindingKind.FALSE),
    ("WaitsForEver", "IPMI-008", DELL, HANG, None),
    ("NoRepeat", "IPMI-009", DELL, STUCK, None),
    ("RepeatsCommands", "IPMI-009", DELL, HYGIENE, FindingKind.REPEATED),
    ("TriesUsersAgain", "IPMI-010", DELL, HYGIENE, FindingKind.REPEATED),
    ("BlamesTheNetwork", "IPMI-010", DELL, Verdict.MISLEADING, FindingKind.WRONG_CAUSE),
    ("OnlySuite3", "IPMI-011", DELL, STUCK, None),
    ("BlamesTheNetwork", "IPMI-011", DELL, Verdict.MISLEADING, FindingKind.WRONG_CAUSE),
    ("NotInStateIsFailed", "IPMI-012", DELL, STUCK, None),
    ("RefusedIsTimeout", "IPMI-012", DELL, STUCK, None),
    ("AcceptedIsOff", "IPMI-013", DELL, UNSAFE, FindingKind.FALSE),
    ("TrustsRedfish", "IPMI-014", DELL, UNSAFE, FindingKind.FALSE),
    ("BrokenMetadata", "AGENT-001", DELL, Verdict.MISLEADING, FindingKind.WRONG_ANSWER),
    ("MetadataWithoutMonitor", "AGENT-001", DELL, Verdict.MISLEADING, FindingKind.WRONG_ANSWER),
    ("ReadsComments", "AGENT-002", DELL, HYGIENE, FindingKind.OVERREACH),
    ("FirstValueCounts", "AGENT-002", DELL, HYGIENE, FindingKind.OVERREACH),
    ("RefusesUnknownNames", "AGENT-002", DELL, STUCK, None),
    ("SplitsAtEveryEquals", "AGENT-002", DELL, STUCK, None),
    ("UsageIsTwo", "AGENT-004", DELL, UNSAFE, FindingKind.FALSE),
    ("TriesWithoutPassword", "AGENT-004", DELL, Verdict.MISLEADING, FindingKind.WRONG_CAUSE),
    ("UnknownIsReboot", "AGENT-004", DELL, Verdict.MISLEADING, FindingKind.WRONG_ANSWER),
    ("WritesInMonitor", "AGENT-005", DELL, HYGIENE, FindingKind.OVERREACH),
    ("OnDecidesReboot", "AGENT-006", DELL, STUCK, None),
    ("QuietReboot", "AGENT-006", DELL, UNSAFE, FindingKind.FALSE),
    ("NoOptions", "AGENT-007", DELL, STUCK, None),
    ("MonitorOfOffFails", "AGENT-008", DELL, STUCK, None),
    ("PasswordInLatin1", "AGENT-009", DELL, STUCK, None),
    ("PasswordThroughShell", "AGENT-009", DELL, STUCK, None),
    ("RedactsEveryLetter", "AGENT-009", DELL, Verdict.MISLEADING, FindingKind.NO_CAUSE),
    ("ClaimOn2xx", "CONC-001", DELL, UNSAFE, FindingKind.EARLY),
    ("Hammers", "CONC-001", DELL, HYGIENE, FindingKind.REPEATED),
    ("ClaimOn2xx", "CONC-002", DELL, UNSAFE, FindingKind.EARLY),
    ("NeverLogsOut", "CONC-003", DELL, HYGIENE, FindingKind.LEFTOVER),
    ("BadRequestIsOff", "CONC-004", DELL, HYGIENE, FindingKind.REPEATED),
    ("SilentIsOff", "MAINS-001", DELL, Verdict.MISLEADING, FindingKind.WRONG_ANSWER),
    ("OneReadIsEnough", "MAINS-002", DELL, UNSAFE, FindingKind.RESURRECTED),
    ("AlwaysSucceeds", "MAINS-003", DELL, HYGIENE, FindingKind.UNVERIFIED),
    ("RefusedIsFailed", "MAINS-003", DELL, STUCK, None),
    ("OneReadIsEnough", "MAINS-004", DELL, UNSAFE, FindingKind.RESURRECTED),
)
