"""Seam protocol: the fault `redfish.if-match`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from emulator.core.faults.fault import Seam
from emulator.faults.protocol.redirect import Redirect
from emulator.faults.protocol.reply import HttpReply
from emulator.faults.registry import fault, param
from emulator.faults.seams import Asked


@fault("redfish.if-match", example={"when": {"intent": "power-command"}, "params": {"wants": "absent"}})
@dataclass(frozen=True, slots=True)
class IfMatch:
    """Is particular about If-Match: a request without the current entity tag of its system is refused (FAULT-012), or one with
    any tag (FAULT-013). "*" counts as the current tag."""

    wants: Literal["current", "absent"] = param(
        "current: the header must be there and match; absent: it must not be there", "current"
    )
    missing: Literal[412, 428] = param("HTTP status where the header must be there and is not; a wrong one is always 412", 428)
    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.PROTOCOL
    settles: ClassVar[tuple[str, ...]] = ("if-match",)

    def instead(self, asked: Asked) -> HttpReply | Redirect | None:
        sent = asked.headers.get("if-match")
        if self.wants == "absent":
            return None if sent is None else _failed("The header If-Match is not allowed for an action.")
        if sent is None and self.missing == 428:
            text = "A precondition header is required to change this resource."
            return HttpReply(status=428, message_id="Base.1.8.PreconditionRequired", text=text)
        if sent is None or not _names(sent, asked.etag):
            return _failed("The ETag supplied did not match the current ETag of the resource.")
        return None


def _failed(text: str) -> HttpReply:
    return HttpReply(status=412, message_id="Base.1.8.PreconditionFailed", text=text)


def _names(sent: str, etag: str | None) -> bool:
    tags = {tag.strip().removeprefix("W/") for tag in sent.split(",")}
    return "*" in tags or (etag is not None and etag.removeprefix("W/") in tags)
