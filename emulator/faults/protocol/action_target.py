"""Seam protocol: the fault `redfish.action-target`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import ClassVar, Final, Literal

from emulator.core.faults.fault import Seam
from emulator.faults.registry import fault, param
from emulator.faults.seams import Asked, HttpContent

RESET: Final = "/Actions/ComputerSystem.Reset"
MOVED: Final = "/Actions/Oem/Power.Reset"


@fault("redfish.action-target", example={"params": {"form": "moved"}})
@dataclass(frozen=True, slots=True)
class ActionTarget:
    """A System advertises its Reset action under another URI, as DSP0266 7.11 allows: with a trailing slash, as an absolute URI,
    or at another path, where alone it is served then (ID-008). As long as it is armed the usual path answers 404. What the BMC
    advertises with a slash at its end keeps it."""

    form: Literal["slash", "absolute", "moved"] = param(
        "slash: with a slash at its end; absolute: with scheme and host; moved: below Actions/Oem", "moved"
    )
    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.PROTOCOL

    def change_asked(self, answer: HttpContent, asked: Asked) -> HttpContent:
        try:
            told = json.loads(answer.body)
        except ValueError:
            return answer
        actions = told.get("Actions") if isinstance(told, dict) else None
        reset = actions.get("#ComputerSystem.Reset") if isinstance(actions, dict) else None
        if not isinstance(reset, dict) or "target" not in reset:
            return answer
        usual = str(reset["target"])
        plain = usual.removesuffix("/")
        match self.form:
            case "slash":
                reset["target"] = f"{plain}/"
            case "absolute":
                reset["target"] = f"{asked.scheme}://{asked.headers.get('host', '')}{usual}"
            case "moved":
                reset["target"] = plain.removesuffix(RESET) + MOVED + usual.removeprefix(plain)
        return answer._replace(body=json.dumps(told).encode())

    def served_at(self, path: str) -> str:
        """The path of the resource that a request for `path` reaches: the two paths of the action are exchanged."""
        plain = path.removesuffix("/")
        slash = path.removeprefix(plain)  # BMCs that advertise it want it
        if self.form == "moved" and plain.endswith(MOVED):
            return plain.removesuffix(MOVED) + RESET + slash
        if self.form == "moved" and plain.endswith(RESET):
            return plain.removesuffix(RESET) + MOVED + slash
        return path
