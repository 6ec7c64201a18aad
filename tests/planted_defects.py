"""Thirty planted defects that only deviations of a BMC reveal: where it does as its profile says, fencers with them do as well.

`tests/unit/test_hunt_planted.py` gives each search the deviation that reveals it; the nightly hunt gives it no hint, and counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from conformance.vocabulary import Protocol, Verdict

REDFISH, IPMI = Protocol.REDFISH, Protocol.IPMI
UNSAFE, HANG, STUCK = Verdict.UNSAFE, Verdict.HANG, Verdict.STUCK
CAREFUL, PLAIN = "", "KnowsNoUuid"
"""The fencers of which mutants are made: the careful one, and the plain one (this mutant's defect has no part in a hunt)."""


class Planted(NamedTuple):
    """A mutant of `tests/bad_fencers`, and the deviation that reveals it. `base` is the same fencer without the defect."""

    mutant: str
    protocol: Protocol
    deviation: str
    verdict: Verdict
    base: str = CAREFUL
    deviations: int = 1


PLANTED: Final = (
    Planted("ConflictIsOff", REDFISH, "conflict", UNSAFE),
    Planted("UnknownIsOff", REDFISH, "powering-off", UNSAFE),
    Planted("PoweringOffIsOff", REDFISH, "powering-off", UNSAFE),
    Planted("DropIsDone", REDFISH, "lost-request", UNSAFE),
    Planted("UnreachableIsOff", REDFISH, "lost-request", UNSAFE),
    Planted("OneReadIsEnough", REDFISH, "early-off", UNSAFE),
    Planted("IgnoresChassis", REDFISH, "early-off", UNSAFE, deviations=2),
    Planted("SilentIsOff", REDFISH, "ignored", UNSAFE),
    Planted("TaskIsOff", REDFISH, "task-fails", UNSAFE),
    Planted("EndOfTaskIsOff", REDFISH, "task-fails", UNSAFE),
    Planted("UnavailableIsOff", REDFISH, "busy", UNSAFE),
    Planted("NotFoundIsOff", REDFISH, "not-found", UNSAFE),
    Planted("BadRequestIsOff", REDFISH, "bad-request", UNSAFE),
    Planted("UnauthorizedIsOff", REDFISH, "locked-out", UNSAFE),
    Planted("One401IsOff", REDFISH, "locked-out", UNSAFE),
    Planted("GoneIsOff", REDFISH, "gone", UNSAFE),
    Planted("UnreadableIsOff", REDFISH, "unreadable", UNSAFE),
    Planted("LateIsOff", REDFISH, "ignored", UNSAFE),
    Planted("MissingIsOff", REDFISH, "silent", UNSAFE, deviations=4),
    Planted("NotInStateIsOff", IPMI, "conflict", UNSAFE),
    Planted("BusyIsOff", IPMI, "busy", UNSAFE),
    Planted("RefusedIsOff", IPMI, "conflict", UNSAFE),
    Planted("SilenceIsOff", IPMI, "hang", UNSAFE),
    Planted("TrustsSilence", IPMI, "deaf", UNSAFE),
    Planted("IgnoresCompletion", IPMI, "gone", UNSAFE),
    Planted("NoTimeout", REDFISH, "hang", HANG),
    Planted("TriesOnce", REDFISH, "lost-answer", STUCK),
    Planted("SendsOnce", REDFISH, "busy", STUCK),
    Planted("ReadsThenRefusedIsFailed", REDFISH, "busy", STUCK, base=PLAIN),
    Planted("NoRepeat", IPMI, "lost-answer", STUCK),
)
NOT_FOUND: Final[Mapping[str, str]] = {
    "MissingIsOff": "System and Chassis have to be silent in two reads each: four deviations at a time",
}
