"""A fencer with one planted mistake: it takes 400, 409 and 0xD5 for "already off".

This is the obvious but wrong repair of the already-off deadlock. The suite's python adapter calls `fence` in a process of its
own. It sends first and verifies after every other answer, so that it shows only this one mistake.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping
from typing import Final

import requests
import urllib3
from pyghmi.ipmi.command import Command

ALREADY_OFF_HTTP: Final = (400, 409)
NOT_IN_STATE: Final = 0xD5
BUDGET_S: Final = 15.0
PAUSE_S: Final = 0.5
REQUEST_S: Final = 5.0


class NotOff(Exception):
    """The host is not proved off."""


def fence(action: str, bmc: Mapping[str, str]) -> str | None:
    warnings.simplefilter("ignore", urllib3.exceptions.InsecureRequestWarning)
    side = _Ipmi(bmc) if bmc["protocol"] == "ipmi" else _Redfish(bmc)
    if action == "status":
        return side.state()
    if side.force_off_is_conflict():
        return None
    until = time.monotonic() + BUDGET_S
    while time.monotonic() < until:
        if side.state() == "off":
            return None
        time.sleep(PAUSE_S)
    raise NotOff(f"timeout: the host was still on after {BUDGET_S:g} s")


class _Redfish:
    def __init__(self, bmc: Mapping[str, str]) -> None:
        self._auth = (bmc["user"], bmc["password"])
        self._verify = not bmc["insecure"]
        self._url = bmc["url"]
        self._system = self._url + (bmc["system_uri"] or self._get(f"{self._url}/redfish/v1/Systems")["Members"][0]["@odata.id"])

    def _get(self, url: str) -> dict[str, list[dict[str, str]]]:
        answer = requests.get(url, auth=self._auth, verify=self._verify, timeout=REQUEST_S)
        answer.raise_for_status()
        body: dict[str, list[dict[str, str]]] = answer.json()
        return body

    def state(self) -> str:
        return "off" if str(self._get(self._system)["PowerState"]) == "Off" else "on"

    def force_off_is_conflict(self) -> bool:
        target = f"{self._system}/Actions/ComputerSystem.Reset"
        answer = requests.post(target, json={"ResetType": "ForceOff"}, auth=self._auth, verify=self._verify, timeout=REQUEST_S)
        if answer.status_code in ALREADY_OFF_HTTP:
            return True
        answer.raise_for_status()
        return False


class _Ipmi:
    def __init__(self, bmc: Mapping[str, str]) -> None:
        self._bmc = Command(
            bmc=bmc["ipmi_host"], userid=bmc["user"], password=bmc["password"], port=int(bmc["ipmi_port"]), keepalive=False
        )

    def state(self) -> str:
        return str(self._bmc.get_power()["powerstate"])

    def force_off_is_conflict(self) -> bool:
        answer = self._bmc.raw_command(netfn=0x00, command=0x02, data=(0x00,))
        if answer.get("code") == NOT_IN_STATE:
            return True
        if "error" in answer:
            raise NotOff(str(answer["error"]))
        return False
