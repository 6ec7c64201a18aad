"""When a fault acts: what a client's request means, and conditions on it.

Each front end makes one `ClientRequest` per request, once, when it has parsed it, with the tables that will serve it. Faults, the
journal, gates and the conformance judge use that and never look at a URL. Triggers are semantic: "the second power command while
the rail is up", not "after 300 ms". `board` asks `When.matches`, in the emulator's thread.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Final, NamedTuple

from emulator.core.journal import Datum
from emulator.core.vocab import Rail, ResetType


class Intent(StrEnum):
    """What a request means, in every protocol."""

    POWER_COMMAND = "power-command"  # ComputerSystem.Reset, Chassis Control
    POWER_READ = "power-read"  # its answer says a power word of a host
    BMC_RESET = "bmc-reset"  # Manager.Reset, cold and warm reset
    LOGIN = "login"
    LOGOUT = "logout"
    WRITE = "write"  # changes anything else, or would if it were allowed
    READ = "read"
    OTHER = "other"


class Caching(StrEnum):
    """Whether a client lets a cache answer (RFC 9110 13.1.2, RFC 9111 5.2.1)."""

    PLAIN = "plain"  # it says nothing of caches
    CONDITIONAL = "conditional"  # If-None-Match: 304 will do
    FRESH = "fresh"  # Cache-Control: no-cache


class ClientRequest(NamedTuple):
    """One request of a client, with what triggers may depend on.

    `method` is the HTTP method, or "IPMI". `path` is the path as the server resolves it (decoded, without scheme, host, query and
    trailing slash), or the IPMI command in words ("chassis-control", "chassis-status", "rakp1"). `system` is the id of the system
    that it is about. `reset` is set for a power command whose ResetType or chassis control the protocol knows. `caching` is what
    an HTTP client says of caches.
    """

    protocol: str
    method: str
    path: str
    system: str | None = None
    reset: ResetType | None = None
    intent: Intent = Intent.OTHER
    caching: Caching = Caching.PLAIN

    def facts(self, path: str, **more: Datum) -> dict[str, Datum]:
        """The keys of the journal's `request` event: protocol, method, path, intent, what the protocol adds, and system and reset
        where there are any. `path` is the path as the client wrote it, clipped to PATH_KEPT characters."""
        told: dict[str, Datum] = {
            "protocol": self.protocol, "method": self.method[:METHOD_KEPT], "path": clipped(path), "intent": self.intent, **more
        }  # fmt: skip
        if self.system is not None:
            told["system"] = self.system
        if self.reset is not None:
            told["reset"] = self.reset
        return told


PATH_KEPT: Final = 512
METHOD_KEPT: Final = 32
"""Characters of a request's path and method that the journal keeps. A path may have 64 KB."""


def clipped(path: str) -> str:
    """The path, shortened for the journal."""
    return path if len(path) <= PATH_KEPT else f"{path[:PATH_KEPT]}... ({len(path)} characters)"


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """A condition on requests. A field that is not set matches everything; the first `skip` matches do not count, and of the
    others only each `every`-th does.

    `path` takes shell wildcards and is compared with the canonical path: every spelling of a URL that the server accepts matches.
    """

    protocol: str | None = None
    method: str | None = None
    path: str | None = None
    intent: Intent | None = None
    reset: tuple[ResetType, ...] = ()
    rail: Rail | None = None
    caching: Caching | None = None
    skip: int = 0
    every: int = field(default=1, metadata={"low": 1})

    def matches(self, request: ClientRequest, rail: Rail | None) -> bool:
        return (
            (self.protocol is None or self.protocol == request.protocol)
            and (self.method is None or self.method == request.method)
            and (self.path is None or fnmatchcase(without_slash(request.path), without_slash(self.path)))
            and (self.intent is None or self.intent is request.intent)
            and (not self.reset or request.reset in self.reset)
            and (self.rail is None or self.rail is rail)
            and (self.caching is None or self.caching is request.caching)
        )


def without_slash(path: str) -> str:
    """A path without its trailing slash; "/" stays."""
    return path[:-1] if len(path) > 1 and path.endswith("/") else path


ALWAYS = When()
