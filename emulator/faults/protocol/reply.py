"""Seam protocol: the fault `redfish.reply`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from emulator.core.faults.fault import Seam
from emulator.faults.registry import fault, param
from emulator.faults.seams import EXECUTED


@fault("redfish.reply", example={"when": {"method": "POST"}, "params": {"status": 503, "headers": {"Retry-After": "3"}}})
@dataclass(frozen=True, slots=True)
class HttpReply:
    """Answers with another status and body than the BMC would (FAULT-001, FAULT-004, FAULT-005, STATE-007).

    The body is an error in the profile's own shape with `message_id` and `text` in it; for a status below 400 without `text` it
    is empty. `raw` and `body` replace it, and `reply` gives the whole answer.
    """

    status: int = param("HTTP status; with `reply` that one's counts", 200, low=100, high=599)
    message_id: str = param("of the message in the error body", "Base.1.8.GeneralError")
    text: str = param("of that message; empty: what the registry says", "")
    headers: Mapping[str, str] = param("more headers", {})
    raw: bytes | None = param("the body as it goes out, as text", None)
    executed: bool = param(EXECUTED, False)
    body: Mapping[str, object] | None = param("the body as JSON", None)
    reply: str | None = param("an answer out of the profile's own `replies`, by its key", None)
    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.PROTOCOL
