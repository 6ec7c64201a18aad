"""When a fault acts: a client's request as far as triggers may look into it, and conditions on it.

Triggers are semantic: "the second POST of a reset while the rail is up", not "after 300 ms". Front ends make one `ClientRequest`
per request; `board` asks `When.matches`.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import NamedTuple

from emulator.core.vocab import Rail, ResetType


class ClientRequest(NamedTuple):
    """One request of a client, with what triggers may depend on.

    `method` is the HTTP method, or "IPMI". `path` is the URL path without a query, or the IPMI command in words
    ("chassis-control", "chassis-status", "rakp1"). `reset` is set where the request is a power command.
    """

    protocol: str
    method: str
    path: str
    system: str | None = None
    reset: ResetType | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """A condition on requests. A field that is not set matches everything; `path` takes shell wildcards; the first `skip`
    matches do not count."""

    protocol: str | None = None
    method: str | None = None
    path: str | None = None
    reset: tuple[ResetType, ...] = ()
    rail: Rail | None = None
    skip: int = 0

    def matches(self, request: ClientRequest, rail: Rail | None) -> bool:
        return (
            (self.protocol is None or self.protocol == request.protocol)
            and (self.method is None or self.method == request.method)
            and (self.path is None or fnmatchcase(request.path, self.path))
            and (not self.reset or request.reset in self.reset)
            and (self.rail is None or self.rail is rail)
        )


ALWAYS = When()
