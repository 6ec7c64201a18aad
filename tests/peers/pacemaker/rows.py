"""The situations in which a real Pacemaker fences a node: one row each of docs/pacemaker-table.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

FaultMapping = Mapping[str, object]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One node with its BMC.

    `action` is stonith_admin's. `fails` is the cause that fence_bmc names where it cannot fence; None: it must succeed.
    `starts` says whether the device can be used at all. `levels` puts a second device, over IPMI, behind the first.
    """

    id: str
    what: str
    action: str = "off"
    profile: str = "dmtf-generic"
    power: str = "on"
    faults: Sequence[FaultMapping] = ()
    fails: str | None = None
    starts: bool = True
    password: str | None = None
    reader: bool = False
    levels: bool = False
    parameters: Mapping[str, str] = field(default_factory=dict)
    in_ci: bool = False


RESET = {"intent": "power-command"}

ROWS = (
    Row(id="good", what="a running host", in_ci=True),
    Row(id="reboot", what="a running host", action="reboot"),
    Row(id="alreadyoff", what="a host that is off; the BMC answers 409 to ForceOff", power="off", in_ci=True,
        faults=({"type": "redfish.reply", "when": RESET, "params": {"status": 409}, "must_fire": False},)),
    Row(id="conflict", what="409 to the first two ForceOff",
        faults=({"type": "redfish.reply", "when": RESET, "count": 2, "params": {"status": 409}},)),
    Row(id="busy", what="503 to the first ForceOff",
        faults=({"type": "redfish.reply", "when": RESET, "count": 1, "params": {"status": 503}},)),
    Row(id="lost", what="the answer to ForceOff is lost, and ForceOff is carried out", in_ci=True,
        faults=({"type": "wire.reset", "when": {"method": "POST"}, "count": 1, "params": {"executed": True}},)),
    Row(id="slow", what="every answer takes 2 s", faults=({"type": "wire.delay", "params": {"seconds": 2}},)),
    Row(id="neveroff", what="ForceOff is accepted and nothing happens", fails="timeout", in_ci=True,
        faults=({"type": "power.ignore"},), parameters={"power_timeout": "15"}),
    Row(id="password", what="a wrong password", fails="auth", starts=False, password="not-the-one", in_ci=True),
    Row(id="reader", what="a user who may only read", fails="privilege", reader=True),
    Row(id="early", what="openbmc-x86: the System says Off 4 to 15 s before the power is off", profile="openbmc-x86", in_ci=True),
    Row(id="levels", what="two levels: the HTTPS port of the BMC is closed, IPMI works", levels=True, starts=False,
        faults=({"type": "wire.refuse", "params": {"ipmi": False}},)),
    Row(id="late", what="the power goes off 80 s after ForceOff",  # 3 s of them are the profile's
        faults=({"type": "power.late", "params": {"seconds": 77}},),
        parameters={"power_timeout": "85", "pcmk_off_timeout": "90", "pcmk_reboot_timeout": "120"}),  # docs/pacemaker.md
    *(Row(id=f"four{number}", what="four nodes at once") for number in range(1, 5)),
)  # fmt: skip
BY_ID = {row.id: row for row in ROWS}
