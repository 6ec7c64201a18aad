"""Why a mutant survives, and why a scenario kills none. Data; `page` prints it.

The tool ends with 1 while a reason is missing, or stands here for a mutant or a scenario that needs none, so this file follows
the matrix. "SHOULD": the scenarios about it note it, and fail it with `--strict` only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

LIE_AFTER_TROUBLE: Final = "No scenario has a BMC that first loses a request and then says Off for longer than `stable_for`."

SURVIVORS: Final[Mapping[str, Mapping[str, str]]] = {
    "reference": {
        "proof-one-read": "Equal: one read spans no time, and a proof has to span `stable_for`.",
        "proof-two-after-trouble": "Equal unless a read is lost: in the longer span there is a third read.",
        "proof-no-longer-span": LIE_AFTER_TROUBLE,
        "proof-busy-no-trouble": LIE_AFTER_TROUBLE,
        "proof-span-ignored": "A MUST asks for a second read, and does not say how long after the first.",
        "witness-unreadable-agrees": "Equal where a chassis has spoken before: the rule about silent ones covers it.",
        "witness-newcomer-kept": "No scenario has a chassis that speaks for the first time after the first Off.",
        "witness-first-alone": "No BMC of the scenarios links one System to two chassis that say different words.",
        "witness-vanished-agrees": "Equal here: the transport asks each chassis that it has asked once, linked or not.",
    },
    "careful": {
        "no-space-between-reads": "A MUST asks for a second read, and does not say how long after the first.",
        "either-read-will-do": "Found by a hunt; IPMI-018 is of that find, and was not played here yet.",
        "silent-chassis-never-agrees": "The Chassis of this BMC says its power; one whose does not was not played yet.",
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
        "ipmi-rakp-unchecked": "No BMC of the scenarios sends a wrong code in RAKP 2 and opens a session all the same.",
    },
}
"""By fencer and mutant."""

IDLE_SCENARIOS: Final[Mapping[str, str]] = {}
"""By scenario."""
