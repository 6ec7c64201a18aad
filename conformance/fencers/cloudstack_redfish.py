"""Apache CloudStack's Redfish out-of-band driver as a regression fencer: the same requests and conclusions, mistakes included.

The suite's python adapter calls `fence` in a process of its own. As in CloudStack, it always uses the first member of Systems
and Basic authentication; OFF sends GracefulShutdown and never ForceOff; any 2xx is success; it does not read the state again;
no request has a time-out; it does not read the body of the answer to a POST. After an I/O error it repeats any request twice,
2 s apart, a POST too. For its status PoweringOn is On and PoweringOff is Off; every other word and null is an error.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Mapping
from typing import Final

import requests
import urllib3

RESET: Final = {"off": "GracefulShutdown", "on": "On", "reboot": "ForceRestart"}
STATUS: Final = {"On": "on", "PoweringOn": "on", "Off": "off", "PoweringOff": "off"}
TRIES: Final = 3
PAUSE_S: Final = 2.0


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
            return _status(_json(http, system).get("PowerState"))
        target = f"{system}/Actions/ComputerSystem.Reset"
        body = {"ResetType": RESET[action]}
        answer = _repeated(lambda: http.post(target, json=body, allow_redirects=False, timeout=None))
        if not 200 <= answer.status_code < 300:
            raise RedfishError(f"Failed to execute System power command; HTTP {answer.status_code} from {target}")
        return None


def _status(word: object) -> str:
    if not isinstance(word, str) or word not in STATUS:
        raise RedfishError(f"Failed to get System power state; {word!r} is no power state")
    return STATUS[word]


def _repeated(send: Callable[[], requests.Response]) -> requests.Response:
    """The answer; after an I/O error the same request again. Raises RedfishError after the third."""
    for left in reversed(range(TRIES)):
        try:
            return send()
        except requests.ConnectionError as error:
            if not left:
                raise RedfishError(f"Failed to execute HTTP request after {TRIES} attempts: {error}") from error
            time.sleep(PAUSE_S)
    raise AssertionError("the last try returns or raises")


def _first_member(http: requests.Session, url: str) -> str:
    members = _json(http, f"{url}/redfish/v1/Systems")["Members"]
    assert isinstance(members, list)
    return str(members[0]["@odata.id"]).rstrip("/").rsplit("/", 1)[-1]


def _json(http: requests.Session, url: str) -> dict[str, object]:
    answer = _repeated(lambda: http.get(url, timeout=None))
    if answer.status_code != 200:
        raise RedfishError(f"Failed to get System power state; HTTP {answer.status_code} from {url}")
    body: dict[str, object] = answer.json()
    return body
