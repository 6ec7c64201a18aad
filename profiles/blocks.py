"""The format's name, the words of its tables, and which blocks need evidence."""

from __future__ import annotations

from typing import Final

FORMAT: Final = "profile/1"
STATES: Final = ("On", "Off")
CHASSIS_COMMANDS: Final = ("down", "up", "cycle", "reset", "diag", "soft")

EVIDENCE_BY_KEY: Final = (
    "identity",
    "messages",
    "errors",
    "http",
    "auth",
    "tasks",
    "bmc_reset",
    "timing",
    "inventory",
    "pdu",
    "enclosure",
    "managers",
    "versions",
    "resources",
)
"""Blocks in which every key needs evidence. `power` and `ipmi` have tables with evidence in each cell."""

EVIDENCE_IN: Final = {
    "power": ("advertise", "reset_types", "effects", "on_os_down", "target", "chassis"),
    "ipmi": ("lan", "device", "cipher_suites"),
}

EVIDENCE_ALSO: Final = {"power.advertise": "reset_types", "power.on_os_down": "effects"}
"""Pairs of keys with the same source: the evidence of the second key is also that of the first."""
