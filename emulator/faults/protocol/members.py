"""Seam protocol: the fault `redfish.members`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import ClassVar, Final, Literal

from emulator.core.faults.fault import Seam
from emulator.faults.registry import fault, param
from emulator.faults.seams import Asked, HttpContent

NEXT_PAGE: Final = "page=2"
COUNT: Final = "Members@odata.count"


@fault("redfish.members", example={"when": {"path": "/redfish/v1/Systems"}, "params": {"what": "reversed"}})
@dataclass(frozen=True, slots=True)
class Members:
    """A collection lists its members otherwise: none, in another order, over two pages, fewer than it counts, one without a URI,
    or as an object instead of a list (ID-003, ID-006, ID-007, ID-015, ID-019). Another answer goes out as it is."""

    what: Literal["empty", "object", "reversed", "rotated", "paged", "short", "blank"] = param(
        "empty: none; object: the first one in place of the list; reversed: the last one first; rotated: the last one before "
        "the others; paged: `first` of them and a link to the rest; short: `first` of them, the count as before; blank: the last "
        "one is {}",
        "empty",
    )
    first: int = param("members that stay, for paged and short", 1, low=0)
    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.PROTOCOL

    def change_asked(self, answer: HttpContent, asked: Asked) -> HttpContent:
        try:
            told = json.loads(answer.body)
        except ValueError:
            return answer
        members = told.get("Members") if isinstance(told, dict) else None
        if not isinstance(members, list):
            return answer
        match self.what:
            case "empty":
                told |= {"Members": [], COUNT: 0}
            case "object":
                told["Members"] = members[0] if members else {}
            case "reversed":
                told["Members"] = members[::-1]
            case "rotated":
                told["Members"] = [*members[-1:], *members[:-1]]
            case "paged" if NEXT_PAGE in asked.query:
                told["Members"] = members[self.first :]
            case "paged":
                told |= {"Members": members[: self.first], "Members@odata.nextLink": f"{asked.path}?{NEXT_PAGE}"}
            case "short":
                told["Members"] = members[: self.first]
            case "blank":
                told["Members"] = [*members[:-1], {}]
        return answer._replace(body=json.dumps(told).encode())
