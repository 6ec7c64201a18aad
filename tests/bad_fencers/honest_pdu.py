"""The careful fencer at the outlets of a PDU, and the same with one planted defect each."""

from __future__ import annotations

from typing import Any

import requests
from careful import BUSY, CarefulRedfish
from honest import Failed

EQUIPMENT = "/redfish/v1/PowerEquipment"
WORDS = {"ForceOff": "Off", "On": "On"}


class CarefulPdu(CarefulRedfish):
    """All outlets of one host: it is off when each of them says exactly Off."""

    def locate(self) -> None:
        shown = {
            uri.rpartition("/")[2]: uri for pdu in self.listed(self.get(EQUIPMENT)["RackPDUs"]) for uri in self.outlets_of(pdu)
        }
        self.outlets = self.chosen(self.bmc["outlets"].split(","), shown)

    def chosen(self, names: list[str], shown: dict[str, str]) -> list[str]:
        if missing := [name for name in names if name not in shown]:
            raise Failed(f"config: the PDU has no outlet {', '.join(missing)}")
        return [shown[name] for name in names]

    def outlets_of(self, pdu: str) -> list[str]:
        return self.listed(self.get(pdu)["Outlets"])

    def listed(self, link: Any) -> list[str]:
        return [member["@odata.id"] for member in self.get(link["@odata.id"])["Members"]]

    def state(self) -> str | None:
        return self.together([self.get(uri).get("PowerState") for uri in self.outlets])

    def together(self, words: list[str | None]) -> str | None:
        """Off only if all say so, On if one does; else the first word that is neither."""
        if "On" in words:
            return "On"
        return next((word for word in words if word != "Off"), "Off")

    def post(self, reset_type: str) -> requests.Response:
        """Every outlet gets the command. The answer that matters most is that of one that is to be asked again."""
        answers = [self.switch(uri, WORDS[reset_type]) for uri in self.outlets]
        return max(answers, key=lambda answer: (answer.status_code in BUSY, answer.status_code))

    def switch(self, uri: str, word: str) -> requests.Response:
        return self.ask("POST", f"{uri}/Actions/Outlet.PowerControl", json={"PowerState": word})


class FirstOutlet(CarefulPdu):
    """Knows of one cord."""

    def chosen(self, names: list[str], shown: dict[str, str]) -> list[str]:
        return super().chosen(names, shown)[:1]


class WholePdu(CarefulPdu):
    """Switches everything that hangs on the PDU."""

    def chosen(self, names: list[str], shown: dict[str, str]) -> list[str]:
        return list(shown.values())


class AnyOutlet(CarefulPdu):
    """One outlet that is off is enough for it."""

    def together(self, words: list[str | None]) -> str | None:
        return "Off" if "Off" in words else super().together(words)


class NullOutletIsOff(CarefulPdu):
    """Takes null for off."""

    def together(self, words: list[str | None]) -> str | None:
        return "On" if "On" in words else "Off"


class LeavesOutUnknown(CarefulPdu):
    """An outlet that is not there is none of its business."""

    def chosen(self, names: list[str], shown: dict[str, str]) -> list[str]:
        return [shown[name] for name in names if name in shown]


class BelievesThePdu(CarefulPdu):
    """Reads nothing back: what every outlet has accepted is done."""

    def off(self) -> str | bool | None:
        self.locate()
        if any(self.switch(uri, "Off").status_code >= 300 for uri in self.outlets):
            raise Failed("conflict-other: an outlet has refused")
        return None


class OffPduIsFailed(CarefulPdu):
    """Wants to have switched it off itself."""

    def off(self) -> str | bool | None:
        self.locate()
        if self.state() == "Off":
            raise Failed("conflict-other: the outlets are off already")
        return super().off()


class BusyPduIsFailed(CarefulPdu):
    def answered(self, status: int) -> None:
        if status in BUSY:
            raise Failed(f"busy: HTTP {status}")
        super().answered(status)


class SilentPduIsOff(CarefulPdu):
    def unreachable(self, error: Exception) -> str | bool | None:
        return None


MUTANTS: dict[str, type[CarefulPdu]] = {
    cls.__name__: cls
    for cls in (
        FirstOutlet, WholePdu, AnyOutlet, LeavesOutUnknown, BelievesThePdu, OffPduIsFailed, BusyPduIsFailed, SilentPduIsOff,
        NullOutletIsOff,
    )
}  # fmt: skip
