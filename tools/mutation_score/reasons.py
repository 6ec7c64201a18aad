"""Why a mutant survives, and why a scenario kills none. Data; `page` prints it.

The tool ends with 1 while a reason is missing, or stands here for a mutant or a scenario that needs none, so this file follows
the matrix. "SHOULD": the scenarios about it note it, and fail it with `--strict` only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

LIE_AFTER_TROUBLE: Final = "The longer proof is its own caution: a false Off that long deceives the careful fencer too."

SURVIVORS: Final[Mapping[str, Mapping[str, str]]] = {
    "reference": {
        "proof-one-read": "Equal: one read spans no time, and a proof has to span `stable_for`.",
        "proof-two-after-trouble": "Equal unless a read is lost: in the longer span there is a third read.",
        "proof-no-longer-span": LIE_AFTER_TROUBLE,
        "proof-busy-no-trouble": LIE_AFTER_TROUBLE,
        "witness-unreadable-agrees": "Equal where a chassis has spoken before: the rule about silent ones covers it.",
        "witness-newcomer-kept": "SHOULD: a proof whose first read a chassis was not heard in is to begin anew.",
        "witness-vanished-agrees": "Equal here: the transport asks each chassis that it has asked once, linked or not.",
        "state-busy-counts": "SHOULD: a command that the BMC is too busy for three times is to be sent again.",
        "state-missed-read-voids": "No scenario loses a read together with its repeat, and in time again and again.",
        "state-trouble-forgotten": LIE_AFTER_TROUBLE,
        "state-repeat-no-trouble": LIE_AFTER_TROUBLE,
        "state-unreachable-endless": "No requirement says that a wrong address is to be told before the deadline.",
        "state-one-denial": "SHOULD: a command that was refused once is to be sent again.",
        "procedure-identity-not-required": "SHOULD: no claim for a machine that never shows the identity that was told.",
        "procedure-command-without-identity": "SHOULD: no command for a machine that never shows the identity that was told.",
        "procedure-no-commands-believed-once": "No run comes there: no BMC lists no way to the goal once, and one after that.",
        "procedure-transition-not-awaited": "Up to three commands for one ask are allowed.",
        "procedure-denied-never": "The transport ends the run after two refused log-ins in any case.",
        "procedure-other-way-not-tried": "SHOULD: where ForceOff is not known another way down is to be tried.",
        "procedure-failed-task-ignored": "SHOULD: the cause of a failed task is to be named.",
        "procedure-on-claimed-at-once": "SHOULD: a reboot that left its host off is to say so.",
        "procedure-second-half-believes-itself": "No run comes there on virtual time; AGENT-006 looks at it, as a process.",
        "procedure-poll-races": "SHOULD: a BMC is not to be flooded with reads.",
        "procedure-retry-after-ignored": "No requirement says when a read after Retry-After may come.",
        "plan-list-ignored": "SHOULD: a host with a button alone is to be switched on. Else a refusal leads to what is listed.",
        "plan-retry-after-ignored": "SHOULD: Retry-After is to be waited for before the next command.",
        "plan-accepted-not-repeated": "SHOULD: a ForceOff that was accepted and forgotten is to be sent again.",
        "plan-on-not-repeated": "SHOULD: an On that was accepted and forgotten is to be sent again.",
        "run-call-takes-all": "Equal but for an ActionInfo that is lost twice: each transport bounds every request itself.",
        "run-lost-read-is-final": "SHOULD: a fencer is to go on after a lost read.",
        "logins-no-gap": "SHOULD: refused log-ins are to be spaced.",
    },
    "careful": {
        "one-page": "SHOULD: a system on another page is to be found.",
        "other-systems-word": "Equal here: an answer to status that is neither on nor off counts as a failure of the fencer.",
        "one-command": "SHOULD: a command that was refused or lost is to be sent again.",
        "no-back-off": "The fencer sends three commands at most, however fast, and three are allowed.",
        "server-error-is-for-good": "SHOULD: a command that was answered with HTTP 500 is to be sent again.",
        "busy-not-awaited": "SHOULD: Retry-After is to be waited for before the next command.",
        "no-if-match": "SHOULD: a BMC that wants If-Match is to be given it.",
        "accepted-repeated": "An accepted command may be sent again; the fencer stays below the three that are allowed.",
        "failed-task-ignored": "SHOULD: the cause of a failed task is to be named.",
        "lost-read-raises": "SHOULD: a fencer is to go on after a lost read.",
        "one-try": "SHOULD: a fencer is to go on after a lost read.",
        "logs-in-again-and-again": "A refused log-in ends the run in any case; no scenario ends several sessions of one run.",
        "ipmi-busy-is-for-good": "The loop around it sends the command again after a second.",
        "ipmi-command-repeated": "Each repeat has the sequence number of the first, and this BMC executes it once.",
        "ipmi-session-kept": "SHOULD: a session is to be closed.",
        "ipmi-refusal-not-repeated": "SHOULD: a command that was refused once is to be sent again.",
        "ipmi-rakp-unchecked": "No BMC of the scenarios sends a wrong code in RAKP 2 and opens a session all the same.",
    },
}
"""By fencer and mutant."""

READ_FIRST: Final = "Both fencers read before they command and claim without one here; no mutant commands first."
HIDDEN: Final = "No fencer can know: both claim falsely without a change, so nothing is worse."
PASSWORD: Final = "No mutant changes how a password is given or written."
TLS: Final = "No mutant changes what is asked of TLS."

IDLE_SCENARIOS: Final[Mapping[str, str]] = {
    "STATE-001": READ_FIRST,
    "STATE-002": READ_FIRST,
    "STATE-003": READ_FIRST,
    "STATE-004": READ_FIRST,
    "STATE-005": READ_FIRST,
    "STATE-006": READ_FIRST,
    "STATE-014": READ_FIRST,
    "STATE-019": "Status and monitor read once; the mutants change what is made of several, and of words between.",
    "TRUTH-004": HIDDEN,
    "TRUTH-015": HIDDEN,
    "PROFILE-005": READ_FIRST,
    "FAULT-010": "No mutant claims anything without an answer; one says so later, and still before the deadline.",
    "AUTH-008": PASSWORD,
    "TLS-005": TLS,
    "TLS-006": TLS,
    "ID-005": "SHOULD: that a machine with another UUID is refused is noted, and fails with `--strict` only.",
    "ID-006": "No mutant changes what is taken for a member of a collection; one stops at the first page.",
    "ID-010": READ_FIRST,
    "ID-011": "Both fencers read the system that they were told, and no mutant reads another one.",
    "ID-012": "No mutant changes how an address is read.",
    "ID-026": "SHOULD: the mutants about it are noted, and fail with `--strict` only.",
    "IPMI-001": READ_FIRST,
    "IPMI-008": "No mutant takes silence over IPMI for an answer, or waits for it beyond the deadline.",
    "AGENT-009": PASSWORD,
    "MAINS-003": "The host is off when it is read and stays off: what the mutants change comes later.",
}
"""By scenario."""
