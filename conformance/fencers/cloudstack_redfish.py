"""Apache CloudStack's Redfish out-of-band driver as a regression fencer: the same requests and conclusions, mistakes included.

The suite's python adapter calls `fence` in a process of its own. As in CloudStack, it always uses the first member of Systems
and Basic authentication; OFF sends GracefulShutdown and never ForceOff; any 2xx is success; it does not read the state again;
no request has a time-out; it does not read the body of the answer to a POST.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Final

import requests
import urllib3

RESET: Final = {"off": "GracefulShutdown", "on": "On", "reboot": "ForceRestart"}


class RedfishError(Exception):
    """The error text of CloudStack's log."""


def fence(action: str, bmc: Mapping[str, str]) -> str | None:
    """Performs one action; returns its claim for the suite's python adapter."""
    warnings.simplefilter("ignore", urllib3.exceptions.InsecureRequestWarning)
    with requests.Session() as http:
        http.auth = (bmc["user"], bmc["password"])
        http.verify = not bmc["insecure"]
        http.trust_env = False
        system = f"{bmc['url']}/redfish/v1/Systems/{_first_member(http, bmc['url'])}"
        if action == "status":
            return "on" if _json(http, system)["PowerState"] == "On" else "off"
        target = f"{system}/Actions/ComputerSystem.Reset"
        answer = http.post(target, json={"ResetType": RESET[action]}, allow_redirects=False, timeout=None)
        if not 200 <= answer.status_code < 300:
            raise RedfishError(f"Failed to execute System power command; HTTP {answer.status_code} from {target}")
        return None


def _first_member(http: requests.Session, url: str) -> str:
    members = _json(http, f"{url}/redfish/v1/Systems")["Members"]
    assert isinstance(members, list)
    return str(members[0]["@odata.id"]).rstrip("/").rsplit("/", 1)[-1]


def _json(http: requests.Session, url: str) -> dict[str, object]:
    answer = http.get(url, timeout=None)
    if answer.status_code != 200:
        raise RedfishError(f"Failed to get System power state; HTTP {answer.status_code} from {url}")
    body: dict[str, object] = answer.json()
    return body
