"""The honest fencer for Redfish as a BMC with bad days needs it: it tries again what may pass, and knows when to stop.

Trouble before the first command is tried again a few times; after it, until time is up. What a BMC answers to a command decides
only whether it is sent again: the power state is read in between. `mutants_of_faults` breaks its parts one at a time.
"""

from __future__ import annotations

import math
import signal
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import FrameType
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from honest import PAUSE_S, Failed, Redfish

BUDGET_S = 9.0
LOG_OUT_S = 1.0
MOST_COMMANDS = 3
MOST_REDIRECTS = 3
BUSY = (429, 503)
KEEPS_METHOD = (307, 308)
FOR_GOOD = ("config:", "auth:", "privilege:", "unsupported:")
LOST = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)


class Overdue(Exception):
    """Time is up. No OSError: no library may take it for trouble of its own."""


class Terminated(Exception):
    """SIGTERM has come."""


class SameOriginSession(requests.Session):
    """Follows redirects on one origin only, and those of a POST only where it stays a POST; else they are the answer."""

    def __init__(self, may_follow: Callable[[str, str], bool]) -> None:
        super().__init__()
        self.may_follow = may_follow

    def request(self, method: str, url: str, **more: Any) -> requests.Response:  # type: ignore[override]
        for _ in range(MOST_REDIRECTS):
            answer = super().request(method, url, **{**more, "allow_redirects": False})
            target = urljoin(url, answer.headers.get("Location", ""))
            if not 300 <= answer.status_code < 400 or target == url:
                return answer
            if method != "GET" and answer.status_code not in KEEPS_METHOD:
                return answer
            if not self.may_follow(url, target):
                raise Failed(f"bad-response: redirected to another place, {target}")
            url = target
        raise Failed("bad-response: redirected again and again")


class CarefulRedfish(Redfish):
    """One BMC over Redfish."""

    headers: Mapping[str, str] = {"Accept": "application/json", "OData-Version": "4.0", "Cache-Control": "no-cache"}
    tries = 3
    busy_tries = 12

    def __init__(self, bmc: Mapping[str, str]) -> None:
        super().__init__(bmc)
        self.http = self.same_settings(self.careful_session())
        self.http.headers.update(self.headers)
        self.until = time.monotonic() + BUDGET_S
        self.sent = 0
        self.next_send = -math.inf
        self.give_up = ""
        self.task = ""
        self.etag = ""
        self.last: requests.Response | None = None

    def careful_session(self) -> requests.Session:
        return SameOriginSession(self.may_follow)

    def same_settings(self, session: requests.Session) -> requests.Session:
        session.auth, session.verify, session.trust_env = self.http.auth, self.http.verify, False
        return session

    def may_follow(self, url: str, target: str) -> bool:
        return urlsplit(url)[:2] == urlsplit(target)[:2]

    # -- asks ----------------------------------------------------------------------------------------------------------

    def run(self, action: str) -> str | bool | None:
        signal.signal(signal.SIGALRM, self.overdue)
        signal.signal(signal.SIGTERM, self.terminated)
        signal.setitimer(signal.ITIMER_REAL, BUDGET_S)
        try:
            return super().run(action)
        except Overdue:
            raise Failed(f"timeout: not done within {BUDGET_S} s; {self.trouble}") from None
        except Terminated:
            raise Failed("terminated: SIGTERM") from None
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise Failed(f"bad-response: {error!r}") from error
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)

    def log_out(self) -> None:
        """Does not wait long, whatever has been."""
        signal.setitimer(signal.ITIMER_REAL, LOG_OUT_S)
        with suppress(Overdue, *LOST):
            super().log_out()

    def overdue(self, number: int, frame: FrameType | None) -> None:
        raise Overdue

    def terminated(self, number: int, frame: FrameType | None) -> None:
        raise Terminated

    def off(self) -> str | bool | None:
        self.locate()
        return self.bring("Off", self.is_off, self.reset_type)

    def on(self) -> str | bool | None:
        self.locate()
        return self.bring("On", lambda: self.state() == "On", "On")

    def reboot(self) -> str | bool | None:
        self.off()
        self.sent, self.next_send, self.give_up = 0, -math.inf, ""
        try:
            self.bring("On", lambda: self.state() == "On", "On")
        except (Failed, Overdue, *LOST) as error:
            self.stays_off(error)
        return None

    def stays_off(self, error: Exception) -> None:
        """The old run has ended, which is what a reboot is for."""
        print(f"warning: the host is off and stays off: {error}", file=sys.stderr)

    # -- parts ---------------------------------------------------------------------------------------------------------

    def bring(self, goal: str, reached: Any, reset_type: str) -> None:
        """Reads and commands in turn until the goal is read, or time is up."""
        while time.monotonic() < self.until:
            if self.look(reached):
                return
            if self.give_up:
                raise Failed(self.give_up)
            if self.sent < MOST_COMMANDS and time.monotonic() >= self.next_send:
                self.sent += 1
                self.command(reset_type)
            self.follow_task()
            time.sleep(PAUSE_S)
        raise Failed(f"{self.trouble}: the host was not {goal} within {BUDGET_S} s")

    def look(self, reached: Any) -> bool:
        """After a command a read that fails says nothing, and the next one may succeed; unless it failed for good."""
        try:
            return bool(reached())
        except (Failed, *LOST) as error:
            if not self.sent or str(error).startswith(FOR_GOOD):
                raise
            return False

    def command_off(self) -> None:
        self.command(self.reset_type)

    def command(self, reset_type: str) -> None:
        if self.reset_types and reset_type not in self.reset_types:
            raise Failed(f"unsupported: the BMC has no {reset_type}")
        self.next_send = time.monotonic() + self.backoff()
        try:
            self.last = self.post(reset_type)
        except requests.Timeout:
            self.trouble, self.next_send = "timeout", time.monotonic() + self.backoff()
            return
        except requests.ConnectionError:
            self.trouble = "unreachable"
            self.dropped()
            return
        self.answered(self.last.status_code)

    def take_action(self, action: Any) -> None:
        """Once: what a system can do does not change while it is fenced."""
        if not self.target and not self.reset_types:
            super().take_action(action)

    def backoff(self) -> float:
        return float(2 ** (self.sent - 1))

    def answered(self, status: int) -> None:
        assert self.last is not None
        if status < 300:
            self.trouble, self.next_send = "timeout", math.inf
            self.task = self.last.headers.get("Location", "") if status == 202 else ""
        elif status < 400:
            self.give_up = f"bad-response: the reset was redirected (HTTP {status})"
        elif status in (401, 403):
            self.give_up = f"{'privilege' if status == 403 else 'auth'}: the account may not reset the system ({status})"
        elif status in BUSY:
            self.trouble = f"busy: HTTP {status}"
            self.next_send = time.monotonic() + self.asked_wait(self.last, 2.0)
        elif status in (412, 428):
            self.trouble = f"precondition: HTTP {status}"
            self.next_send = time.monotonic()
            self.etag = "" if self.etag else str(self.ask("GET", self.system).headers.get("ETag", ""))
        elif status in (400, 409):
            self.trouble = f"conflict-other (HTTP {status})"
        else:
            self.trouble = f"bad-response: HTTP {status}"

    def asked_wait(self, answer: requests.Response, otherwise: float) -> float:
        wait = answer.headers.get("Retry-After", "")
        return float(wait) if wait.isdigit() else otherwise

    def follow_task(self) -> None:
        """A task can say early that nothing will come of it, and never that the host is off."""
        if not self.task:
            return
        try:
            answer = self.ask("GET", self.task)
            told = answer.json() if answer.content else {}
        except (*LOST, ValueError):
            return
        ended = told.get("TaskState", told.get("JobState")) if isinstance(told, dict) else None
        if ended in ("Exception", "Killed", "Cancelled", "Failed") or (answer.status_code >= 400 and answer.status_code != 404):
            self.give_up = f"task-failed: the task ended as {ended or answer.status_code}"
        if answer.status_code != 202 and ended not in ("New", "Pending", "Starting", "Running"):
            self.task = ""

    def members(self) -> list[str]:
        for tries in range(1, self.tries + 1):
            try:
                return super().members()
            except Failed as error:
                if tries == self.tries or "has no system" not in str(error):
                    raise
                self.no_members()
                time.sleep(0.5)
        raise AssertionError("the last try ends it")

    def no_members(self) -> None:
        """The list is empty."""

    # -- one request -----------------------------------------------------------------------------------------------------

    def get(self, path: str) -> Any:
        """One read, tried again where the trouble may pass."""
        tries = 0
        while True:
            tries += 1
            try:
                answer = self.ask("GET", path)
            except requests.Timeout:
                if tries >= 2:
                    raise
                continue
            except LOST:
                if tries >= self.tries and not self.sent:
                    raise
                if time.monotonic() >= self.until:
                    raise
                time.sleep(0.3)
                continue
            if answer.status_code == 200 and (told := self.parsed(answer)) is not None:
                return told
            if (wait := self.worth_another(answer, tries)) is None:
                return self.unusable(answer, path)
            time.sleep(wait)

    def parsed(self, answer: requests.Response) -> Any:
        """The object in the body; None where there is none."""
        try:
            told = answer.json()
        except ValueError:
            return None
        return told if isinstance(told, dict) else None

    def worth_another(self, answer: requests.Response, tries: int) -> float | None:
        """Seconds until the next try; None for no other."""
        status = answer.status_code
        if status in BUSY:
            return self.asked_wait(answer, 0.5) if tries < self.busy_tries else None
        if status == 401:
            return 2.0 if tries < min(2, self.tries) else None
        return 0.3 if tries < self.tries else None

    def unusable(self, answer: requests.Response, path: str) -> Any:
        status = answer.status_code
        if status == 401:
            return self.unauthorized(path)
        self.expect_success(answer)
        raise Failed(f"bad-response: HTTP {status}, and no JSON object")

    def expect_success(self, answer: requests.Response) -> None:
        if 300 <= answer.status_code < 400:
            raise Failed(f"bad-response: redirected (HTTP {answer.status_code})")
        super().expect_success(answer)

    def post(self, reset_type: str) -> requests.Response:
        headers = {"If-Match": self.etag} if self.etag else {}
        return self.ask("POST", self.action_target(), json={"ResetType": reset_type}, headers=headers)
