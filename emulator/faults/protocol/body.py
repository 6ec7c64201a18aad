"""Seam protocol: the fault `redfish.body`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from emulator.core.faults.fault import Seam
from emulator.faults.registry import fault, param
from emulator.faults.seams import HttpContent

_HTML = b"<!DOCTYPE html><html><head><title>Error</title></head><body><h1>Service unavailable</h1></body></html>"
_BOM = b"\xef\xbb\xbf"


@fault("redfish.body", example={"when": {"method": "GET"}, "params": {"kind": "html"}})
@dataclass(frozen=True, slots=True)
class Body:
    """The status is right and the body is not what a client can read (FAULT-006, FAULT-007): a page of HTML, nothing, half the
    JSON, the JSON behind a byte order mark, or under another Content-Type. What was asked has been done."""

    kind: Literal["html", "empty", "half", "bom", "list", "text-type"] = param(
        "html: a page; empty: nothing; half: JSON that breaks off; bom: a byte order mark before it; list: the object in a list; "
        "text-type: as text/plain",
        "html",
    )
    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.PROTOCOL

    def change(self, answer: HttpContent) -> HttpContent:
        match self.kind:
            case "html":
                return _typed(answer, "text/html")._replace(body=_HTML)
            case "empty":
                return answer._replace(body=b"")
            case "half":
                return answer._replace(body=answer.body[: len(answer.body) // 2])
            case "bom":
                return answer._replace(body=_BOM + answer.body)
            case "list":
                return answer._replace(body=b"[" + answer.body + b"]")
            case "text-type":
                return _typed(answer, "text/plain")


def _typed(answer: HttpContent, media: str) -> HttpContent:
    kept = tuple(pair for pair in answer.headers if pair[0].lower() != "content-type")
    return answer._replace(headers=(*kept, ("Content-Type", media)))
