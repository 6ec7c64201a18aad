"""Authentication for Redfish (DSP0266 section 13): Basic or a session, and a log-out at the end.

`RedfishTransport` calls it from one thread, except `get_many`, which uses threads of its own. Times are seconds of the
monotonic clock.

Rules
  1. Refused log-ins are counted, Basic and session together (`refused_logins`). After the last one no credentials leave.
     Refused credentials that are sent again without an answer count as refused once more.
  2. An expired session is opened again, once per request. If the session table is full, Basic is used.
  3. A refusal is called "auth" only if the BMC judged the credentials. A full session table on a BMC without Basic is "busy".
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from fencer.outcome import Cause
from fencer.redact import Redactor
from fencer.target import Auth, Target
from fencer.transport.base import CallFailed
from fencer.transport.redfish_errors import Json, as_object, http_failure, link_of
from fencer.transport.redfish_http import BmcHttp, HttpResponse, left_until
from fencer.transport.refused_logins import RefusedLogins

PARALLEL_CONNECTIONS = 4
JUDGEMENTS = frozenset({Cause.AUTH, Cause.LOCKED})


class AuthenticatedHttp:
    """HTTP calls to one BMC with its credentials."""

    def __init__(self, target: Target, connect: float, refused: RefusedLogins | None = None) -> None:
        """`connect` bounds one connect, in seconds. `refused` counts the refused log-ins of all transports of a run."""
        self._http = BmcHttp(target, connect)
        self.base = self._http.base
        self._target = target
        self._connect = connect
        self._sessions = target.redfish_uri.rstrip("/") + "/SessionService/Sessions"
        self._use_session = target.auth is Auth.SESSION
        self._has_basic = True  # False once the BMC refused Basic and did not offer it
        self._session: str | None = None
        self._no_session: CallFailed | None = None  # why Basic is used although sessions were wanted
        self._refused = refused or RefusedLogins()
        self._redact = Redactor([target.password], target.user)

    @property
    def logged_in(self) -> bool:
        return self._session is not None

    def path(self, uri: str) -> str:
        return self._http.path(uri)

    def read_sessions_uri(self, root: dict[str, Json]) -> None:
        """Takes the URI of the Sessions collection from the service root."""
        uri = link_of(as_object(root.get("Links")).get("Sessions"))
        if uri:
            self._sessions = self.path(uri)

    def request(
        self, method: str, path: str, end: float, *, body: Json = None, headers: dict[str, str] | None = None
    ) -> HttpResponse:
        """Sends one request; logs in first if needed. Raises CallFailed, also if the BMC refuses the credentials."""
        if self._use_session and self._http.token is None:
            self._log_in(end)
        had_token = self._http.token is not None
        if not had_token:
            self._refused.wait(end)
        answer = self._exchange(method, path, end, body=body, headers=headers)
        if answer.status == 401 and had_token:  # the session has expired
            self._http.token = self._session = None
            self._log_in(end)
            answer = self._exchange(method, path, end, body=body, headers=headers)
        if answer.status not in (401, 403):
            return answer
        failure = http_failure(f"{method} {self.base}{path}", answer.status, answer.body, self._redact, command=False)
        if failure.cause not in JUDGEMENTS:
            return answer
        refusal = self._refused.add(failure)
        if self._http.token is None and "basic" not in answer.headers.get("www-authenticate", "").lower():
            self._has_basic = False
            if self._no_session is not None:  # Basic was never judged: the full session table is the cause
                self._use_session = True
                raise self._no_session
            if self._target.auth is Auth.AUTO and not self._use_session:
                self._use_session = True
                return self._after_basic(refusal, method, path, end, body=body, headers=headers)
        raise refusal

    def _after_basic(
        self, refusal: CallFailed, method: str, path: str, end: float, *, body: Json, headers: dict[str, str] | None
    ) -> HttpResponse:
        """The BMC has no Basic: opens a session in the same call, if there is time for the pause between two log-ins."""
        if left_until(end) <= (refusal.retry_after or 0):
            raise refusal
        return self.request(method, path, end, body=body, headers=headers)

    def _exchange(
        self,
        method: str,
        path: str,
        end: float,
        *,
        body: Json = None,
        headers: dict[str, str] | None = None,
        credentials: bool = True,
    ) -> HttpResponse:
        """One request with credentials, in its body or beside it. Raises CallFailed."""
        try:
            answer = self._http.request(method, path, end, body=body, headers=headers, credentials=credentials)
        except CallFailed as lost:
            raise self._refused.unanswered(lost) from lost
        if answer.ok:
            self._refused.accepted()
        elif answer.status not in (401, 403):
            self._refused.answered()
        return answer

    def _log_in(self, end: float) -> None:
        """Opens a session. If the BMC gives none, Basic is used from now on, where the BMC has Basic. Raises CallFailed."""
        self._refused.wait(end)
        body: Json = {"UserName": self._target.user, "Password": self._target.password}
        answer = self._exchange("POST", self._sessions, end, body=body, credentials=False)
        token = answer.headers.get("x-auth-token")
        if answer.ok and token:
            self._http.token = token
            location = answer.headers.get("location") or link_of(answer.body)
            self._session = self.path(location) if location else None
            return
        what = f"POST {self.base}{self._sessions}"
        failure = http_failure(what, answer.status, answer.body, self._redact, command=False)
        if failure.cause in JUDGEMENTS:
            raise self._refused.add(failure)
        self._no_session = CallFailed(failure, answer.retry_after)
        if not self._has_basic or failure.cause is Cause.PRIVILEGE:
            raise self._no_session
        self._use_session = False

    def get_many(self, paths: Sequence[str], end: float) -> list[HttpResponse | None]:
        """Reads several resources over PARALLEL_CONNECTIONS connections. None where there was no complete answer by `end`.

        The first 401 ends the reading on all connections.
        """
        from concurrent.futures import ThreadPoolExecutor  # only hosts with many chassis need it, and it costs 20 ms

        lanes = [BmcHttp(self._target, self._connect, self._http.tls) for _ in range(min(PARALLEL_CONNECTIONS, len(paths)))]
        answers: list[HttpResponse | None] = [None] * len(paths)
        refused = threading.Event()

        def read_lane(number: int) -> None:
            lane = lanes[number]
            lane.token = self._http.token
            try:
                for index in range(number, len(paths), len(lanes)):
                    if refused.is_set():
                        return
                    try:
                        answers[index] = answer = lane.request("GET", paths[index], end)
                    except CallFailed:
                        return
                    if answer.status == 401:
                        refused.set()
            finally:
                lane.close()

        with ThreadPoolExecutor(max_workers=len(lanes)) as pool:
            try:
                list(pool.map(read_lane, range(len(lanes))))
            except RuntimeError:  # this machine gives no thread: what is missing is asked one after the other
                refused.set()
            except BaseException:  # a signal: the threads end after the request that they have begun
                refused.set()
                raise
        return answers

    def close_idle_connections(self) -> None:
        self._http.close_idle_connections()

    def close(self, timeout: float) -> None:
        """Logs out within `timeout` seconds. If that fails, the BMC ends the session by its own time-out."""
        try:
            if self._session is not None and timeout > 0:
                self._http.request("DELETE", self._session, time.monotonic() + timeout)
        except CallFailed:
            pass
        finally:
            self._http.token = self._session = None
            self._http.close()
