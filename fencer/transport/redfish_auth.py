"""Authentication for Redfish (DSP0266 section 13): Basic or a session, and a log-out at the end.

`RedfishTransport` calls it from one thread; times are seconds.

Rules
  1. A wrong password is sent at most once by Basic and once by a session, and by the second way only if the BMC does not
     offer the first: one run must not lock an account.
  2. An expired session is opened again, once per call. If the session table is full, Basic is used.
"""

from __future__ import annotations

import time

from fencer.outcome import Cause
from fencer.redact import Redactor
from fencer.target import Auth, Target
from fencer.transport.base import CallFailed
from fencer.transport.redfish_errors import Json, as_object, http_failure, link_of
from fencer.transport.redfish_http import BmcHttp, HttpResponse

LOGOUT_TIMEOUT_S = 2.0


class AuthenticatedHttp:
    """HTTP calls to one BMC with its credentials."""

    def __init__(self, target: Target, connect: float) -> None:
        self._http = BmcHttp(target, connect)
        self.base = self._http.base
        self._target = target
        self._sessions = target.redfish_uri.rstrip("/") + "/SessionService/Sessions"
        self._use_session = target.auth is Auth.SESSION
        self._session: str | None = None
        self._redact = Redactor([target.password], target.user)

    def path(self, uri: str) -> str:
        return self._http.path(uri)

    def read_sessions_uri(self, root: dict[str, Json]) -> None:
        """Takes the URI of the Sessions collection from the service root."""
        uri = link_of(as_object(root.get("Links")).get("Sessions"))
        if uri:
            self._sessions = self.path(uri)

    def request(
        self, method: str, path: str, timeout: float, *, body: Json = None, headers: dict[str, str] | None = None
    ) -> HttpResponse:
        """Sends one request; logs in first if needed. Raises CallFailed."""
        end = time.monotonic() + timeout
        if self._use_session and self._http.token is None:
            self._use_session = self._log_in(end - time.monotonic())
        answer = self._http.request(method, path, end - time.monotonic(), body=body, headers=headers)
        if answer.status == 401 and self._should_open_session(answer) and self._log_in(end - time.monotonic()):
            self._use_session = True
            answer = self._http.request(method, path, end - time.monotonic(), body=body, headers=headers)
        return answer

    def _should_open_session(self, answer: HttpResponse) -> bool:
        if self._http.token is not None:  # expired
            self._http.token = self._session = None
            return True
        offered = answer.headers.get("www-authenticate", "")
        return self._target.auth is Auth.AUTO and not self._use_session and "basic" not in offered.lower()

    def _log_in(self, timeout: float) -> bool:
        """Opens a session. False if the BMC gave none, so that Basic must be used. Raises CallFailed if it refused the user."""
        body: Json = {"UserName": self._target.user, "Password": self._target.password}
        answer = self._http.request("POST", self._sessions, timeout, body=body, credentials=False)
        token = answer.headers.get("x-auth-token")
        if answer.ok and token:
            self._http.token = token
            location = answer.headers.get("location") or link_of(answer.body)
            self._session = self.path(location) if location else None
            return True
        what = f"POST {self.base}{self._sessions}"
        failure = http_failure(what, answer.status, answer.body, self._redact, command=False)
        if failure.cause in (Cause.AUTH, Cause.PRIVILEGE, Cause.LOCKED):
            raise CallFailed(failure, answer.retry_after)
        return False

    def close_idle_connections(self) -> None:
        self._http.close_idle_connections()

    def close(self) -> None:
        """Logs out. If that fails, the BMC ends the session by its own time-out."""
        try:
            if self._session is not None:
                self._http.request("DELETE", self._session, LOGOUT_TIMEOUT_S)
        except CallFailed:
            pass
        finally:
            self._http.token = self._session = None
            self._http.close()
