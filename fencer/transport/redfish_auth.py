"""Basic or a session, and always a log-out.

Rules
  1. A wrong password is offered once per way of logging in, and a second way only where the BMC does not offer the
     first: one run must not lock an account.
  2. A session that expired is opened again, once per call. A full session table is no reason not to fence: Basic then.
"""

from __future__ import annotations

import time

from fencer.outcome import Cause
from fencer.redact import Redactor
from fencer.target import Auth, Target
from fencer.transport.base import Unread
from fencer.transport.redfish_http import BmcHttp, HttpResponse
from fencer.transport.redfish_words import Json, link_of, refusal, table

LOGOUT = 2.0  # seconds


class Authenticated:
    """HTTP calls with credentials."""

    def __init__(self, target: Target, connect: float) -> None:
        self._http = BmcHttp(target, connect)
        self.base = self._http.base
        self._target = target
        self._sessions = target.redfish_uri.rstrip("/") + "/SessionService/Sessions"
        self._wanted = target.auth is Auth.SESSION
        self._session: str | None = None
        self._hide = Redactor([target.password], target.user)

    def path(self, uri: str) -> str:
        return self._http.path(uri)

    def learn_sessions(self, root: dict[str, Json]) -> None:
        """Takes the sessions' URI from the service root."""
        uri = link_of(table(root.get("Links")).get("Sessions"))
        if uri:
            self._sessions = self.path(uri)

    def request(
        self, method: str, path: str, timeout: float, *, body: Json = None, headers: dict[str, str] | None = None
    ) -> HttpResponse:
        """One call. Raises Unread."""
        end = time.monotonic() + timeout
        if self._wanted and self._http.token is None:
            self._wanted = self._log_in(end - time.monotonic())
        answer = self._http.request(method, path, end - time.monotonic(), body=body, headers=headers)
        if answer.status == 401 and self._worth_a_session(answer) and self._log_in(end - time.monotonic()):
            self._wanted = True
            answer = self._http.request(method, path, end - time.monotonic(), body=body, headers=headers)
        return answer

    def _worth_a_session(self, answer: HttpResponse) -> bool:
        if self._http.token is not None:  # expired
            self._http.token = self._session = None
            return True
        offered = answer.headers.get("www-authenticate", "")
        return self._target.auth is Auth.AUTO and not self._wanted and "basic" not in offered.lower()

    def _log_in(self, timeout: float) -> bool:
        """True with a session, False where Basic must do."""
        body: Json = {"UserName": self._target.user, "Password": self._target.password}
        answer = self._http.request("POST", self._sessions, timeout, body=body, credentials=False)
        token = answer.headers.get("x-auth-token")
        if answer.ok and token:
            self._http.token = token
            location = answer.headers.get("location") or link_of(answer.body)
            self._session = self.path(location) if location else None
            return True
        what = f"POST {self.base}{self._sessions}"
        failure = refusal(what, answer.status, answer.body, self._hide, command=False)
        if failure.cause in (Cause.AUTH, Cause.PRIVILEGE, Cause.LOCKED):
            raise Unread(failure, answer.retry_after)
        return False

    def rest(self) -> None:
        self._http.rest()

    def close(self) -> None:
        """Logs out; a BMC that does not let us is left to its own time-out."""
        try:
            if self._session is not None:
                self._http.request("DELETE", self._session, LOGOUT)
        except Unread:
            pass
        finally:
            self._http.token = self._session = None
            self._http.close()
