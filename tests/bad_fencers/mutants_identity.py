"""The honest fencer with one planted defect each, in how it finds the system that is meant, and its Reset action."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from honest import Failed, Redfish
from honest_ipmi import Ipmi


class KnowsNoUuid(Redfish):
    """The defects below would be noticed by the UUID alone."""

    def check_machine(self, body: Any) -> None:
        pass


class RemembersPosition(KnowsNoUuid):
    """Remembers which member the system was, and reads that one."""

    def locate(self) -> None:
        super().locate()
        self.position = self.members().index(self.system)

    def state(self) -> str | None:
        self.system = self.members()[self.position]
        return super().state()


class IgnoresSelector(KnowsNoUuid):
    """Always takes the first member."""

    def locate(self) -> None:
        self.system = self.members()[0]


class FallsBackToFirst(KnowsNoUuid):
    def locate(self) -> None:
        super().locate()
        if self.system not in self.members():
            self.system = self.members()[0]


class TakesFirstUnseen(Redfish):
    """Trusts that there is a member."""

    def members(self) -> list[str]:
        return [member["@odata.id"] for member in self.get("/redfish/v1/Systems")["Members"]]

    def choose(self, uris: list[str]) -> str:
        return uris[0]


class FixedActionPath(Redfish):
    def action_target(self) -> str:
        return f"{self.system}/Actions/ComputerSystem.Reset"


class JoinsTarget(Redfish):
    """Puts scheme and host before whatever the action says."""

    def url(self, path: str) -> str:
        return self.bmc["url"] + path


class ForcesAnyway(Redfish):
    def take_action(self, action: Any) -> None:
        super().take_action(action)
        self.reset_types = []


class NeedsListedTypes(Redfish):
    def command_off(self) -> None:
        if self.reset_type not in self.reset_types:
            raise Failed(f"unsupported: the BMC has no {self.reset_type}")
        super().command_off()


class PressesButton(Redfish):
    """Off is the power button, whatever the state."""

    def off(self) -> str | bool | None:
        self.locate()
        self.post("PushPowerButton")
        return None


class ReadsEveryMember(Redfish):
    def locate(self) -> None:
        super().locate()
        for uri in self.members():
            self.get(uri)


class JoinsHostAndPort(Redfish):
    def url(self, path: str) -> str:
        return f"https://{self.bmc['host']}:{self.bmc['port']}{path}"


class AnyBody(Redfish):
    def check_resource(self, body: Any) -> None:
        pass


class FollowsItsAction(Redfish):
    """Sends the reset wherever the action leads."""

    def check_owner(self, owner: str) -> None:
        pass


class NeedsNoUuid(Redfish):
    """Knows a UUID, and does without it where none is shown."""

    def no_uuid(self) -> None:
        pass


class PushesUnlessOff(Redfish):
    """Pushes the power button where it has read another word than Off."""

    reset_type = "PushPowerButton"


class PushesAgain(PushesUnlessOff):
    """Pushes it where it has read On, and once more where nobody knows what became of it."""

    def command_off(self) -> None:
        if self.state() == "On":
            super().command_off()

    def dropped(self) -> None:
        self.refused_at = time.monotonic()


class IgnoresCount(Redfish):
    def all_shown(self, uris: list[str], counted: int) -> None:
        pass


class StrictUuid(Redfish):
    """Compares the UUID letter for letter, zeros as well."""

    def check_machine(self, body: Any) -> None:
        if body.get("UUID", "") != self.bmc["uuid"]:
            raise Failed("config: this is another machine")


class IgnoresBridge(Ipmi):
    def __init__(self, bmc: Mapping[str, str]) -> None:
        super().__init__({**bmc, "ipmi_target": ""})


MUTANTS = {
    kind.__name__: kind
    for kind in (
        KnowsNoUuid, RemembersPosition, IgnoresSelector, FallsBackToFirst, TakesFirstUnseen, FixedActionPath, JoinsTarget,
        ForcesAnyway, NeedsListedTypes, PressesButton, ReadsEveryMember, JoinsHostAndPort, AnyBody,
        FollowsItsAction, NeedsNoUuid, PushesUnlessOff, PushesAgain, IgnoresCount, StrictUuid, IgnoresBridge,
    )
}  # fmt: skip
