"""Seam protocol: the fault `redfish.property`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import ClassVar, Literal

from emulator.core.faults.fault import Seam
from emulator.faults.registry import fault, param
from emulator.faults.seams import HttpContent


@fault(
    "redfish.property", example={"when": {"path": "/redfish/v1/Systems/*"}, "params": {"property": "PowerState", "what": "null"}}
)
@dataclass(frozen=True, slots=True)
class Property:
    """One property of the answer's JSON is missing, null, in other letters, or has another value (STATE-011, STATE-013, ID-021).
    An answer without it goes out as it is. What was asked has been done."""

    property: str = param("its name at the top level of the answer, or a path such as Links/Chassis", "PowerState")
    what: Literal["missing", "null", "lower", "upper", "blanks", "value", "json"] = param(
        "missing, null, its text in lower or upper case or between blanks, `value` as text, or `value` as JSON", "missing"
    )
    value: str = param("what is in its place, for what=value and what=json", "")
    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.PROTOCOL

    def wrong_param(self) -> tuple[str, str] | None:
        try:
            json.loads(self.value if self.what == "json" else "0")
        except (ValueError, RecursionError):
            return "value", f"must be JSON for what=json, not '{self.value[:60]}'"
        return None

    def change(self, answer: HttpContent) -> HttpContent:
        try:
            told = json.loads(answer.body)
        except ValueError:
            return answer
        *way, last = self.property.split("/")
        inner = told
        for step in way:
            inner = inner.get(step) if isinstance(inner, dict) else None
        if not isinstance(inner, dict) or last not in inner:
            return answer
        word = inner[last]
        match self.what:
            case "missing":
                del inner[last]
            case "null":
                inner[last] = None
            case "lower":
                inner[last] = str(word).lower()
            case "upper":
                inner[last] = str(word).upper()
            case "blanks":
                inner[last] = f" {word} "
            case "value":
                inner[last] = self.value
            case "json":
                inner[last] = self.value if self.wrong_param() else json.loads(self.value)
        return answer._replace(body=json.dumps(told).encode())
