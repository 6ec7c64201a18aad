"""Reads Redfish resources within one call of a transport: each at most twice, and only as what was asked for.

`RedfishTransport` and `PduTransport` have one each and use it in the thread of `fencer.run`. Times are seconds.

Rules
  1. A request that brings nothing is sent once more within the call; not if the user was refused, and never to hide an answer
     about something else.
  2. A body counts only for the resource that was asked for (`redfish_bodies`).
"""

from __future__ import annotations

import time

from fencer.outcome import Cause, Failure
from fencer.redact import Redactor
from fencer.target import Limits, Target
from fencer.transport.base import CallFailed
from fencer.transport.redfish_auth import AuthenticatedHttp
from fencer.transport.redfish_bodies import SELECTABLE, KnownBodies, ResourceKind
from fencer.transport.redfish_errors import Json, http_failure
from fencer.transport.redfish_http import HttpResponse, left_until
from fencer.transport.refused_logins import RefusedLogins

REPEAT_AFTER_S = 0.1
NOT_REPEATED = frozenset({Cause.AUTH, Cause.LOCKED, Cause.PRIVILEGE, Cause.CONFIG})


class ResourceReader:
    """The connection to one Redfish service. `requests` and `repeated` count within the call that `begin` began."""

    def __init__(self, target: Target, limits: Limits, request: float, refused: RefusedLogins | None) -> None:
        """`request` bounds one HTTP request; the time-out of `begin` bounds all requests of a call together."""
        self.bmc = AuthenticatedHttp(target, limits.connect, refused)
        self.redact = Redactor([target.password], target.user)
        self.requests = self.repeated = 0
        self._selected = target.system is not None or bool(target.outlets)
        self._request = request
        self._bodies = KnownBodies()
        self._end = 0.0

    def begin(self, timeout: float) -> None:
        self._end = time.monotonic() + timeout
        self.requests = self.repeated = 0

    def request_end(self) -> float:
        return min(self._end, time.monotonic() + self._request)

    def get(self, path: str, kind: ResourceKind) -> HttpResponse:
        """Reads one resource, and once more if that fails. Raises CallFailed."""
        try:
            return self._get_once(path, kind)
        except CallFailed as error:
            if error.final or error.contradicts or error.failure.cause in NOT_REPEATED or left_until(self._end) < REPEAT_AFTER_S:
                raise
            first = error
        self.repeated += 1
        time.sleep(REPEAT_AFTER_S)
        try:
            return self._get_once(path, kind)
        except CallFailed as error:
            # No time was left for an answer: the first failure says more.
            raise first if error.failure.cause is Cause.TIMEOUT and left_until(self._end) == 0 else error from None

    def _get_once(self, path: str, kind: ResourceKind) -> HttpResponse:
        self.requests += 1
        answer = self.bmc.request("GET", path, self.request_end())
        self.requests += answer.requests - 1
        self.checked(path, answer, kind)
        return answer

    def checked(self, path: str, answer: HttpResponse, kind: ResourceKind) -> dict[str, Json]:
        """Returns the body if it is the resource that was asked for. Raises CallFailed."""
        what = f"GET {self.bmc.base}{path}"
        if not answer.ok:
            failure = http_failure(what, answer.status, answer.body, self.redact, command=False)
            raise CallFailed(failure, answer.retry_after)
        if answer.status != 200 or answer.json_error or not isinstance(answer.body, dict):
            words = f"HTTP {answer.status}" if answer.status != 200 else answer.json_error or "JSON that is no object"
            failure = Failure(cause=Cause.BAD_RESPONSE, text=f"{what} brought {words}")
            raise CallFailed(failure, contradicts=answer.ambiguous)
        objection = self._bodies.objection(path, answer.body, kind)
        if objection is not None:
            wrong_setting = kind in SELECTABLE and self._selected and not self._bodies.knows(path)
            is_other_kind = objection.endswith(f"not a {kind}")
            cause = Cause.CONFIG if wrong_setting and is_other_kind else Cause.BAD_RESPONSE
            failure = Failure(cause=cause, text=f"{what} brought {self.redact(objection)}")
            raise CallFailed(failure, final=cause is Cause.CONFIG, contradicts=True)
        return answer.body
