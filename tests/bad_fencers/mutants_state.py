"""More fencers with one planted defect each: about states, lies, witnesses and reboots (STATE, TRUTH, PROFILE)."""

from __future__ import annotations

import sys
import time
from typing import Any

import requests
from honest import PAUSE_S, Failed, Redfish
from logins import BadAnswer
from mutants import Claimed, ClaimOn2xx, IgnoresChassis

LOST = (requests.ConnectionError, requests.Timeout, BadAnswer, ValueError)


class SendsFirst(Redfish):
    """Sends a command whatever the state is; verifies afterwards."""

    def off(self) -> str | bool | None:
        self.locate()
        self.command_off()
        return super().off()


class ErrorIsOff(SendsFirst):
    """Takes a server error of a reset for already off."""

    def answered(self, status: int) -> None:
        if status == 500:
            raise Claimed
        super().answered(status)


class SendsFirstAndClaims(SendsFirst, ClaimOn2xx):
    pass


class NotOnIsOff(Redfish):
    """Answers status as CloudStack does: what is not On is off."""

    def status(self) -> str:
        self.locate()
        return "on" if self.state() == "On" else "off"


class OnConflictIsFailed(Redfish):
    """Sends On whatever the state is, and takes a conflict for a failure."""

    def on(self) -> str | bool | None:
        self.locate()
        self.command_on()
        return super().on()

    def answered(self, status: int) -> None:
        if status == 409:
            raise Failed("conflict-other: HTTP 409")


class BootingIsFailed(Redfish):
    def means_off(self, word: str | None) -> bool:
        if word == "PoweringOn":
            raise Failed("bad-response: PoweringOn")
        return super().means_off(word)


class ReadsThenRefusedIsFailed(Redfish):
    """Reads first, and gives up on any refusal."""

    def answered(self, status: int) -> None:
        if status >= 300:
            raise Failed(f"conflict-other: HTTP {status}")


class BelievesItsCommand(Redfish):
    """Looks five times after its command, and takes it for done."""

    looks = 0

    def is_off(self) -> bool:
        if self.sent:
            self.looks += 1
        return super().is_off() or self.looks >= 5


class FirstOff(Redfish):
    """One word of Off is enough for it."""

    def is_off(self) -> bool:
        return self.means_off(self.state())


class FirstWord(FirstOff, IgnoresChassis):
    """One word of Off of the System."""


class SilenceConfirms(IgnoresChassis):
    """A second read that is lost is as good as Off."""

    def is_off(self) -> bool:
        if not self.means_off(self.state()):
            return False
        time.sleep(1.0)
        try:
            return self.means_off(self.state())
        except LOST:
            return True


class GivesUpWhenStale(Redfish):
    """Five reads of On after its command, and it gives up."""

    looks = 0

    def is_off(self) -> bool:
        self.looks += bool(self.sent)
        if self.looks > 5:
            raise Failed("timeout: still on")
        return super().is_off()


class GracefulOnly(Redfish):
    reset_type = "GracefulShutdown"


class ManagerCounts(Redfish):
    """Takes the PowerState of the BMC for that of the host."""

    def state(self) -> str | None:
        uri = self.get("/redfish/v1/Managers")["Members"][0]["@odata.id"]
        word: str | None = self.get(uri)["PowerState"]
        return word


class UnreadableWitnessAgrees(Redfish):
    """A chassis that cannot be read is no objection."""

    def witness_is_off(self, uri: str) -> bool:
        try:
            told = self.get(uri)
        except LOST:
            return True
        return told.get("PowerState", "On") == "Off"


class SilentWitnessAgrees(Redfish):
    def witness_is_off(self, uri: str) -> bool:
        return self.get(uri).get("PowerState", "Off") == "Off"


class NullWitnessAgrees(Redfish):
    def witness_is_off(self, uri: str) -> bool:
        return self.get(uri).get("PowerState", "On") in ("Off", None)


class ForgetsItsWitnesses(Redfish):
    """Asks only the chassis that are linked now."""

    def chassis_is_off(self, body: Any) -> bool:
        self.witnesses.clear()
        return super().chassis_is_off(body)


class FirstLinkedChassis(Redfish):
    """Asks only the first chassis that the system links to."""

    def chassis_is_off(self, body: Any) -> bool:
        return super().chassis_is_off({"Links": {"Chassis": body["Links"]["Chassis"][:1]}})


class LateWitnessAgrees(Redfish):
    """What a chassis says for the first time counts at once, however late that is."""

    def witness_is_off(self, uri: str) -> bool:
        if not self.witnesses.get(uri):
            self.witnesses.pop(uri, None)
        return super().witness_is_off(uri)


class ReadsOverOtherBody(Redfish):
    """Asks again where the answer is about another resource, as if nothing had been."""

    def state(self) -> str | None:
        while True:
            try:
                return super().state()
            except Failed:
                time.sleep(PAUSE_S)


class TrustsNotModified(Redfish):
    """Saves bandwidth: If-None-Match, and the old body on 304."""

    def get(self, path: str) -> Any:
        kept: dict[str, tuple[str, Any]] = self.__dict__.setdefault("kept", {})
        tag, body = kept.get(path, ("", None))
        answer = self.http.get(self.url(path), headers={"If-None-Match": tag} if tag else {}, timeout=self.request_s)
        if answer.status_code == 304:
            return body
        answer.raise_for_status()
        kept[path] = (answer.headers.get("ETag", ""), answer.json())
        return answer.json()


class LetsCachesAnswer(Redfish):
    def locate(self) -> None:
        del self.http.headers["Cache-Control"]
        super().locate()


class LostOnIsFailed(Redfish):
    """A reboot has failed for it when the host is not on again, though its old run has ended."""

    def reboot(self) -> str | bool | None:
        self.off()
        self.command_on()
        for _ in range(5):
            if self.state() == "On":
                return None
            time.sleep(PAUSE_S)
        raise Failed("timeout: not on again")


class RestartAndClaim(Redfish):
    """ForceRestart is accepted, so the host has been rebooted."""

    def reboot(self) -> str | bool | None:
        self.locate()
        self.post("ForceRestart")
        return None


class SaysSuccess(Redfish):
    def run(self, action: str) -> str | bool | None:
        try:
            return super().run(action)
        except Failed:
            print("Success: Powered OFF", file=sys.stderr)
            raise


MUTANTS: dict[str, type[Redfish]] = {
    kind.__name__: kind
    for kind in (
        SendsFirst, ErrorIsOff, SendsFirstAndClaims, NotOnIsOff, OnConflictIsFailed, BootingIsFailed, ReadsThenRefusedIsFailed,
        BelievesItsCommand, FirstOff, FirstWord, SilenceConfirms, GivesUpWhenStale, GracefulOnly, ManagerCounts,
        UnreadableWitnessAgrees, SilentWitnessAgrees, NullWitnessAgrees, ForgetsItsWitnesses, FirstLinkedChassis,
        LateWitnessAgrees, ReadsOverOtherBody, TrustsNotModified, LetsCachesAnswer, LostOnIsFailed, RestartAndClaim, SaysSuccess,
    )
}  # fmt: skip
