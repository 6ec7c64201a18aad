"""pyghmi's own server with one BMC whose host is on: `python tests/bench/ipmi_pyghmi_server.py ADDRESS PORT`."""

from __future__ import annotations

import sys

from pyghmi.ipmi import bmc


class AlwaysOn(bmc.Bmc):
    def get_power_state(self) -> int:
        return 1


AlwaysOn({"root": "calvin"}, port=int(sys.argv[2]), address=sys.argv[1])
AlwaysOn.listen()
