"""An atheris target: `python tests/fuzz/ipmi_packets.py [CORPUS_DIRECTORY]`, after `pip install atheris`.

One BMC takes packet after packet, between them a session of a client that knows the password. Nothing may raise, and the session
goes on. Without atheris it says so and ends with status 4.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))


def main() -> int:
    try:
        import atheris
    except ImportError:
        print("atheris is missing: pip install atheris", file=sys.stderr)
        return 4
    with atheris.instrument_imports(include=["emulator.ipmi"]):
        from emulator.ipmi.responder import IpmiResponder
    from emulator.core.rack import UnitSpec
    from tests.conftest import make_bench, tiny_profile
    from tests.ipmi_client import PEER, Client

    bench = make_bench(UnitSpec(name="node1", profile=tiny_profile()))
    bmc = IpmiResponder(bench.view(), entropy=os.urandom)
    client = Client(lambda datagram: [data for data, _peer in bmc.receive(datagram, PEER)]).login()

    def one(data: bytes) -> None:
        bmc.receive(data, PEER)
        if len(data) > 10:
            bmc.receive(data[:6] + client.managed + data[10:], PEER)
        answer = client.command(0, 1)
        assert answer is not None
        assert answer[0] == 0

    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
