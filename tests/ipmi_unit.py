"""One BMC's IPMI side in a unit test: datagrams in, datagrams out, no socket."""

from __future__ import annotations

import os
from collections.abc import Callable

from emulator.ipmi.responder import IpmiResponder
from tests.conftest import Bench
from tests.ipmi_client import PEER

STATUS = (0, 1)
CONTROL = (0, 2)


def responder(bench: Bench, name: str = "node1", **settings: object) -> IpmiResponder:
    return IpmiResponder(bench.view(name), entropy=os.urandom, **settings)  # type: ignore[arg-type]


def to(bmc: IpmiResponder, peer: tuple[str, int] = PEER) -> Callable[[bytes], list[bytes]]:
    return lambda datagram: [data for data, _peer in bmc.receive(datagram, peer)]
