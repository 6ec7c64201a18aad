"""A small fencer over Redfish. Replace it by yours: the test is what this example is about."""

from __future__ import annotations

import base64
import contextlib
import json
import time
import urllib.request


def off(url: str, username: str, password: str, *, give_up_after_s: float = 15.0) -> None:
    """Returns when the BMC has said Off twice, one second apart. Raises TimeoutError. `url` is that of the System."""
    login = {"Authorization": "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()}

    def power() -> object:
        with urllib.request.urlopen(urllib.request.Request(url, headers=login), timeout=5) as answer:
            return json.load(answer).get("PowerState")

    def confirmed() -> bool:
        if power() != "Off":
            return False
        time.sleep(1)
        return power() == "Off"

    if confirmed():
        return
    order = json.dumps({"ResetType": "ForceOff"}).encode()
    headers = login | {"Content-Type": "application/json"}
    action = urllib.request.Request(f"{url}/Actions/ComputerSystem.Reset", order, headers)
    with contextlib.suppress(OSError):  # whatever is answered to the command: the power state decides
        urllib.request.urlopen(action, timeout=5).close()
    end = time.monotonic() + give_up_after_s
    while time.monotonic() < end:
        if confirmed():
            return
        time.sleep(0.5)
    raise TimeoutError("the BMC does not say Off")
