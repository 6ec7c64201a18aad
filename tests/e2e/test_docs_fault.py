"""The examples of docs/write-a-fault.md run as they stand there."""

from __future__ import annotations

import base64
import json
import re
import ssl
import urllib.request
from collections import Counter
from pathlib import Path

from emulator import Endpoint
from emulator.faults import fault_class, fault_names

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "write-a-fault.md").read_text(encoding="utf-8")


def power_state(bmc: Endpoint) -> str:
    request = urllib.request.Request(bmc.redfish_url + bmc.systems[0].uri)
    word = base64.b64encode(f"{bmc.username}:{bmc.password}".encode()).decode()
    request.add_header("Authorization", f"Basic {word}")
    context = ssl.create_default_context(cafile=bmc.ca_file)
    with urllib.request.urlopen(request, timeout=20, context=context) as answer:
        return str(json.load(answer)["PowerState"])


def test_the_faults_of_the_page_act_as_it_says() -> None:
    names: dict[str, object] = {"power_state": power_state, "__name__": "page"}
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(compile(block, "write-a-fault.md", "exec", dont_inherit=True), names)
    assert (names["first"], names["second"], names["third"]) == ("On", "on", "On")
    fired = names["fired"]
    assert isinstance(fired, list)
    assert Counter(fired)["report.lowercase"] == 1
    assert Counter(fired)["report.noop"] >= 3
    assert {"report.noop", "report.lowercase"} <= set(fault_names())
    assert fault_class("report.noop") is names["Noop"]
