"""The careful fencer with one planted defect each: what goes wrong where a BMC has bad days."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping
from typing import Any

import requests
from careful import BUSY, CarefulRedfish, Overdue
from honest import Failed, Redfish
from mutants import Claimed
from spellings import SessionAuth

# -- claims that nobody has read -------------------------------------------------------------------------------------------


class AnyAnswerIsOff(CarefulRedfish):
    def answered(self, status: int) -> None:
        raise Claimed


class RedirectIsOff(CarefulRedfish):
    """Takes a redirect for an answer, and that for success."""

    def may_follow(self, url: str, target: str) -> bool:
        raise Claimed

    def expect_success(self, answer: requests.Response) -> None:
        if 300 <= answer.status_code < 400:
            raise Claimed
        super().expect_success(answer)

    def answered(self, status: int) -> None:
        if 300 <= status < 400:
            raise Claimed
        super().answered(status)


class FollowsWithGet(CarefulRedfish):
    """Follows every redirect of a POST as libraries do, with a GET, and takes its 200 for the answer to the reset."""

    def careful_session(self) -> requests.Session:
        return requests.Session()

    def answered(self, status: int) -> None:
        if status == 200:
            raise Claimed
        super().answered(status)


class FollowsAnywhere(CarefulRedfish):
    """And takes whatever answers there for the system that it was told."""

    def check_machine(self, body: Any) -> None:
        """Any will do."""

    def may_follow(self, url: str, target: str) -> bool:
        return True


class LeaksElsewhere(CarefulRedfish):
    """Knows that an answer from elsewhere is worth nothing, and has sent the password there by then."""

    def may_follow(self, url: str, target: str) -> bool:
        requests.get(target, auth=(self.bmc["user"], self.password), verify=False, timeout=self.request_s)
        return False


class BrokenTlsIsOff(CarefulRedfish):
    tries = 1

    def unverified(self, error: Exception) -> str | bool | None:
        raise Claimed


class UnavailableIsOff(CarefulRedfish):
    def worth_another(self, answer: requests.Response, tries: int) -> float | None:
        if answer.status_code in BUSY:
            raise Claimed
        return super().worth_another(answer, tries)


class UnreadableIsOff(CarefulRedfish):
    def unusable(self, answer: requests.Response, path: str) -> Any:
        raise Claimed


class One401IsOff(CarefulRedfish):
    def worth_another(self, answer: requests.Response, tries: int) -> float | None:
        if answer.status_code == 401:
            raise Claimed
        return super().worth_another(answer, tries)


class NotFoundIsOff(CarefulRedfish):
    def worth_another(self, answer: requests.Response, tries: int) -> float | None:
        if answer.status_code == 404:
            raise Claimed
        return super().worth_another(answer, tries)


class NoSystemIsOff(CarefulRedfish):
    def no_members(self) -> None:
        raise Claimed


class EndOfTaskIsOff(CarefulRedfish):
    """Believes a task, however it ended."""

    def follow_task(self) -> None:
        followed = self.task
        super().follow_task()
        if followed and not self.task:
            raise Claimed


class LateIsOff(CarefulRedfish):
    """Calls it off when time is up: "it must be by now"."""

    def bring(self, goal: str, reached: Any, reset_type: str) -> None:
        try:
            super().bring(goal, reached, reset_type)
        except (Failed, Overdue):
            raise Claimed from None


# -- goals that were in reach ----------------------------------------------------------------------------------------------


class NoHeaders(CarefulRedfish):
    headers: Mapping[str, str] = {"Accept": ""}


class AlwaysIfMatch(CarefulRedfish):
    def post(self, reset_type: str) -> requests.Response:
        self.etag = '"1"'
        return super().post(reset_type)


class NeedsTask(CarefulRedfish):
    """Waits for the end of a task and then fails or claims; whoever has no task to wait for fails."""

    def answered(self, status: int) -> None:
        super().answered(status)
        if not self.task:
            raise Failed("task-failed: 202 without Location")

    def bring(self, goal: str, reached: Any, reset_type: str) -> None:
        self.command(reset_type)
        while self.task:
            self.follow_task()
            time.sleep(0.2)
        super().bring(goal, reached, reset_type)


class RebootWantsOn(CarefulRedfish):
    def stays_off(self, error: Exception) -> None:
        raise error

    def answered(self, status: int) -> None:
        super().answered(status)
        if status == 409:
            self.give_up = "conflict-other: HTTP 409"


# -- time ------------------------------------------------------------------------------------------------------------------


class TimesOutPerByte(Redfish):
    """Gives every recv() its time, and all of them together none."""

    request_s = 8.0


class CountsIterations(Redfish):
    """Polls twenty times, however long each takes."""

    request_s = None

    def off(self) -> str | bool | None:
        self.locate()
        self.command_off()
        for _ in range(20):
            if self.is_off():
                return None
        raise Failed("timeout: still on after 20 reads")


class IgnoresSigterm(CarefulRedfish):
    def run(self, action: str) -> str | bool | None:
        started = time.monotonic()
        try:
            return super().run(action)
        finally:
            time.sleep(max(0.0, 12 - (time.monotonic() - started)))

    def terminated(self, number: int, frame: Any) -> None:
        """Goes on."""


class LeavesSession(SessionAuth, CarefulRedfish):
    """Does not log out where SIGTERM ends it."""

    def terminated(self, number: int, frame: Any) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTERM)


# -- SHOULDs ---------------------------------------------------------------------------------------------------------------


class TriesOnce(CarefulRedfish):
    tries = 1
    busy_tries = 1


class SendsOnce(CarefulRedfish):
    def command(self, reset_type: str) -> None:
        super().command(reset_type)
        self.next_send = float("inf")


class SendsAtOnce(CarefulRedfish):
    """Repeats a command without a look and without a wait."""

    def command(self, reset_type: str) -> None:
        for _ in range(3):
            super().command(reset_type)
            if self.trouble == "timeout":
                return


class RebootLeavesOff(CarefulRedfish):
    def reboot(self) -> str | bool | None:
        return self.off()


MUTANTS = {
    kind.__name__: kind
    for kind in (
        AnyAnswerIsOff, BrokenTlsIsOff, RedirectIsOff, FollowsWithGet, FollowsAnywhere, LeaksElsewhere, UnavailableIsOff,
        UnreadableIsOff, One401IsOff, NotFoundIsOff, NoSystemIsOff, EndOfTaskIsOff, LateIsOff, NoHeaders, AlwaysIfMatch,
        NeedsTask, RebootWantsOn, TimesOutPerByte, CountsIterations, IgnoresSigterm, LeavesSession, TriesOnce, SendsOnce,
        SendsAtOnce, RebootLeavesOff,
    )
}  # fmt: skip
