"""Seam protocol: the fault `redfish.trailing-slash`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal
from urllib.parse import quote

from emulator.core.faults.fault import Seam
from emulator.faults.protocol.redirect import Redirect
from emulator.faults.protocol.reply import HttpReply
from emulator.faults.registry import fault, param
from emulator.faults.seams import Asked


@fault("redfish.trailing-slash", example={"when": {"method": "POST"}, "params": {"status": 307}})
@dataclass(frozen=True, slots=True)
class TrailingSlash:
    """Redirects a path that does not end in a slash to the same path with one, on the same host (FAULT-014, FAULT-024). With the
    slash the request is served."""

    status: Literal[301, 302, 307, 308] = param("HTTP status", 308)
    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.PROTOCOL
    settles: ClassVar[tuple[str, ...]] = ()

    def instead(self, asked: Asked) -> HttpReply | Redirect | None:
        if asked.path.endswith("/"):
            return None
        return Redirect(f"{quote(asked.path)}/" + (f"?{asked.query}" if asked.query else ""), self.status)
