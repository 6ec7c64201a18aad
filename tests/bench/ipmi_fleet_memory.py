"""How many bytes of memory a BMC takes: `python -m tests.bench.ipmi_fleet_memory COUNT` prints "machine ipmi" in bytes.

Machine: what the rack keeps of a BMC and its host. IPMI: what is added once somebody has spoken to it and left. Measured in a
process of its own, over COUNT BMCs, against a hundred.
"""

from __future__ import annotations

import gc
import os
import random
import sys
from pathlib import Path

from emulator.core.bmc.view import BmcView
from emulator.core.clock import VirtualClock
from emulator.core.journal import Journal
from emulator.core.rack import Rack, UnitSpec
from emulator.ipmi.responder import IpmiResponder
from profiles import load
from tests.ipmi_client import Client

PEER = ("127.0.0.1", 40000)


def resident() -> int:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def rack(count: int, clock: VirtualClock) -> Rack:
    profile = load("dell-idrac9")
    units = [UnitSpec(name=f"bmc-{n}", profile=profile) for n in range(count)]
    return Rack(units, clock=clock, journal=Journal(clock, 1000), dice=random.Random(1), make_token=lambda: "")


def responders(of: Rack) -> list[IpmiResponder]:
    made = []
    for name in of.units:
        bmc = IpmiResponder(BmcView(of, name), entropy=os.urandom)
        client = Client(lambda datagram, bmc=bmc: [d for d, _ in bmc.receive(datagram, PEER)], user="root", password="calvin")
        client.login()
        client.command(0, 1)
        client.close()
        bmc.tick(of.now)
        made.append(bmc)
    return made


def main(count: int) -> None:
    clock = VirtualClock()
    warm = rack(100, clock)
    kept = [responders(warm)]
    before = resident()
    whole = rack(count, clock)
    machines = resident()
    kept.append(responders(whole))
    print((machines - before) // count, (resident() - machines) // count)


if __name__ == "__main__":
    main(int(sys.argv[1]))
