"""The fencer `powerman-httppower`: LLNL's powermand over its helper httppower, with one node.

The suite's python adapter runs `httppower`. It writes a configuration (mode 0600) into HOME, starts `powermand --stdio` on it and asks it
as powerman(1) would: `off t0`, `on t0`, `cycle t0`, `status t0`. The device specification has the steps of powerman's own
redfish-supermicro.dev: send the reset, wait, read once, expect the state; the wait is 10 s, theirs 30.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

ORDER: Final = {"off": "off", "on": "on", "reboot": "cycle", "status": "status"}
NODE: Final = "t0"
WAIT_S: Final = 10
SYSTEM: Final = "/redfish/v1/Systems/1"
"""Where powerman's specification looks for the system; used where the fencer is told none."""
DONE: Final = re.compile(r"^1\d\d .*completed", re.MULTILINE)
STATE: Final = re.compile(rf"^30\d (on|off|unknown):?\s*.*$|^3\d\d {NODE}: (on|off|unknown)", re.MULTILINE)
