"""Why a mutant survives, and why a scenario kills none. Data; `page` prints it.

The tool ends with 1 while a reason is missing, or stands here for a mutant or a scenario that needs none, so this file follows
the matrix. "SHOULD": the scenarios about it note it, and fail it with `--strict` only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

LIE_AFTER_TROUBLE: Final = "The longer proof is its own caution: a false Off that long deceives the careful fencer too."
NEVER_SHOWN: Final = "No scenario has a BMC that never shows the identity that the fencer was told to look for."
BUTTON_ONLY: Final = "No scenario has a host that is on and can be switched by a button alone."

SURVIVORS: Final[Mapping[str, Mapping[str, str]]] = {
    "reference": {
        "proof-one-read": "Equal: one read spans no time, and a proof has to span `stable_for`.",
        "proof-two-after-trouble": "Equal unless a read is lost: in the longer span there is a third read.",
        "proof-no-longer-span": LIE_AFTER_TROUBLE,
        "proof-busy-no-trouble": LIE_AFTER_TROUBLE,
        "witness-unreadable-agrees": "Equal where a chassis has spoken before: the rule about silent ones covers it.",
        "witness-newcomer-kept": "No scenario has a chassis that speaks for the first time after the first Off.",
        "witness-first-alone": "No BMC of the scenarios links one System to two chassis that say different words.",
        "witness-vanished-agrees": "Equal here: the transport asks each chassis that it has asked once, linked or not.",
        "state-busy-counts": "No scenario has a BMC that is busy more than three times and takes the command after that.",
        "state-missed-read-voids": "No scenario loses a read together with its repeat, and in time again and again.",
        "state-other-answer-kept": "A gap: no scenario has the body of another system between two false words of Off.",
        "state-trouble-forgotten": LIE_AFTER_TROUBLE,
        "state-repeat-no-trouble": LIE_AFTER_TROUBLE,
        "state-unreachable-endless": "No requirement says that a wrong address is to be told before the deadline.",
        "state-one-denial": "No scenario has a BMC that refuses a command for good once and takes it after that.",
        "procedure-identity-not-required": NEVER_SHOWN,
        "procedure-command-without-identity": NEVER_SHOWN,
        "procedure-no-commands-believed-once": "No run comes there: no BMC lists no way to the goal once, and one after that.",
        "procedure-transition-not-awaited": "Up to three commands for one ask are allowed.",
        "procedure-denied-never": "The transport ends the run after two refused log-ins in any case.",
        "procedure-other-way-not-tried": "No scenario has a BMC that does not know ForceOff and takes a graceful shutdown.",
        "procedure-failed-task-ignored": "SHOULD: the cause of a failed task is to be named.",
        "procedure-on-claimed-at-once": "SHOULD: a reboot that left its host off is to say so.",
        "procedure-second-half-believes-itself": "No run comes there on virtual time; AGENT-006 looks at it, as a process.",
        "procedure-poll-races": "SHOULD: a BMC is not to be flooded with reads.",
        "procedure-retry-after-ignored": "No requirement says when a read after Retry-After may come.",
        "plan-list-ignored": "Not explained yet: no scenario notices a command that is not listed.",
        "plan-button-blind": BUTTON_ONLY,
        "plan-button-again": BUTTON_ONLY,
        "plan-retry-after-ignored": "SHOULD: Retry-After is to be waited for before the next command.",
        "plan-accepted-not-repeated": "No scenario has a BMC that accepts a ForceOff, forgets it, and obeys the next one.",
        "plan-on-not-repeated": "No scenario has a BMC that accepts an On, forgets it, and obeys the next one.",
        "run-call-takes-all": "Not explained yet: no scenario notices one request that is given all the time.",
        "run-lost-read-is-final": "SHOULD: a fencer is to go on after a lost read.",
        "redfish-sibling-accepted": "A gap: no scenario has an action that leads to the system beside it.",
        "logins-no-gap": "SHOULD: refused log-ins are to be spaced.",
    },
    "careful": {
        "one-chassis-is-enough": "No BMC of the scenarios links one System to two chassis that say different words.",
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

IDLE_SCENARIOS: Final[Mapping[str, str]] = {}
"""By scenario."""
