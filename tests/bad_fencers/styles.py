"""Careful fencers that go about it in another way. They have no defect: no scenario that is a MUST may fail one of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from careful import CarefulRedfish
from honest_ipmi import Ipmi, Session
from logins import BadAnswer


class ChassisFirst(CarefulRedfish):
    """Reads the chassis that it knows before the System, and the System only while they say Off."""

    def state(self) -> str | None:
        known = [self.witness_is_off(uri) for uri in list(self.witnesses)]
        return super().state() if all(known) or not self.target else "On"


class AsksHead(CarefulRedfish):
    """HEAD before the first GET, to see whether there is a service."""

    def locate(self) -> None:
        self.ask("HEAD", "/redfish/v1/")
        super().locate()


class WalksTheTree(CarefulRedfish):
    """Comes to the System from the service root, by every link, and looks at the Managers too."""

    def locate(self) -> None:
        root = self.get("/redfish/v1/")
        for name in ("Chassis", "Managers"):
            if name in root:
                self.get(root[name]["@odata.id"])
        super().locate()


class KeepsSession(CarefulRedfish):
    """One session for all that it asks, where there is one to be had."""

    def locate(self) -> None:
        basic = self.http.auth
        try:
            self.log_in()
        except BadAnswer:
            self.http.auth = basic
        super().locate()


class Selects(CarefulRedfish):
    """Asks for the properties that it needs, where the service has $select."""

    def locate(self) -> None:
        super().locate()
        self.selects = bool(self.get("/redfish/v1/").get("ProtocolFeaturesSupported", {}).get("SelectQuery"))

    def get(self, path: str) -> Any:
        wanted = "?$select=Id,UUID,PowerState,Actions,Links" if getattr(self, "selects", False) and path == self.system else ""
        return super().get(path + wanted)


class LongSettle(CarefulRedfish):
    """Off four times, over three seconds."""

    def is_off(self) -> bool:
        for left in range(3, -1, -1):
            if not self.means_off(self.state()):
                return False
            if left:
                time.sleep(1.0)
        return True


class PoliteFirst(CarefulRedfish):
    """Asks the operating system first where the BMC can, and forces when it has had no effect for a second."""

    def command(self, reset_type: str) -> None:
        if reset_type == "ForceOff" and self.sent == 1 and "GracefulShutdown" in self.reset_types:
            super().command("GracefulShutdown")
            self.give_up, self.task, self.next_send = "", "", time.monotonic() + 1.0
        else:
            super().command(reset_type)


class SlowPolls(CarefulRedfish):
    """Looks every 750 ms."""

    def look(self, reached: Callable[[], object]) -> bool:
        if self.sent:
            time.sleep(0.75)
        return super().look(reached)


class AsksTheDevice(Ipmi):
    """Get Device ID, Get Chassis Capabilities and the Self Test before anything else, as people's tools do."""

    def log_in(self, session: Session) -> None:
        super().log_in(session)
        for netfn, command in ((6, 0x01), (0, 0x00), (6, 0x04)):
            session.raw_command(netfn, command)


class PatientIpmi(Ipmi):
    """Waits two seconds between two reads of the state, and reads three times Off."""

    def is_off(self) -> bool:
        for left in (2, 1, 0):
            if not self.means_off(self.state()):
                return False
            if left:
                time.sleep(0.8)
        return True


STYLES = {
    kind.__name__: kind
    for kind in (
        ChassisFirst, AsksHead, WalksTheTree, KeepsSession, Selects, LongSettle, PoliteFirst, SlowPolls, AsksTheDevice,
        PatientIpmi,
    )
}  # fmt: skip
