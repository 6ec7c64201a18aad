"""BMCs without sockets on a virtual clock: a client in the same thread talks to them through a `Transport`.

    with SocketlessEmulator([UnitSpec(name="node1", profile=load("dell-idrac9"))]) as emulator:
        transport, clock = emulator.client("node1")
        print(transport.http("GET", emulator.endpoints["node1"].redfish_url + "/redfish/v1").status)

Everything else is `Emulator`: the same Redfish service and IPMI responder, faults, gates, latency and journal. Time passes only
while a client waits, and two emulators with one seed and one client write the same journal, byte for byte. One thread.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from emulator.assembly import Emulator
from emulator.core.clock import VirtualClock
from emulator.core.rack import UnitSpec
from emulator.endpoints import Endpoint
from emulator.frontends import Place
from emulator.surroundings import Reusable, Surroundings, on_virtual_time, reusable
from emulator.transport import Transport, TransportClock
from emulator.wire.virtual_loop import VirtualLoop
from emulator.wire.virtual_network import VirtualNetwork

HTTPS_PORT: Final = 443
IPMI_PORT: Final = 623
LIMIT_S: Final = 3600.0
"""How long a client may wait in all, unless `client` is told otherwise: what never answers must not hang a test."""
FIRST_ADDRESS: Final = (198 << 24) + (18 << 16) + 1
"""198.18.0.0/15 is for benchmarks (RFC 2544): no real BMC has such an address."""


class SocketlessEmulator(Emulator):
    """Emulated BMCs for clients in the same thread; a context manager, to be entered once. Hosts are virtual."""

    def __init__(
        self,
        units: Sequence[UnitSpec],
        *,
        seed: int = 0,
        places: Mapping[str, Place] | None = None,
        tls: bool = True,
        refuse: frozenset[str] = frozenset(),
        latency: bool = True,
        journal_path: Path | None = None,
        reused: Reusable | None = None,
    ) -> None:
        """As for `Emulator`. BMC n has the address 198.18.0.n and the ports 443 and 623, unless `places` says otherwise.

        `reused` is what `reusable()` has made and an earlier emulator has used: it saves most of the start.
        """
        all_places = {
            unit.name: Place(listen=virtual_address(n), redfish_port=HTTPS_PORT, ipmi_port=IPMI_PORT)
            for n, unit in enumerate(units)
        }
        all_places.update(places or {})
        super().__init__(
            units, seed=seed, places=all_places, tls=tls, refuse=refuse, latency=latency, journal_path=journal_path,
            reused=reused,
        )  # fmt: skip
        self._virtual_clock = VirtualClock()
        self._virtual_loop = VirtualLoop(self._virtual_clock)
        self._virtual_network = VirtualNetwork(self._virtual_loop)
        self._added = len(units)

    def _make_surroundings(self) -> Surroundings:
        reused = self._reused or reusable()
        return on_virtual_time(self._virtual_clock, self._virtual_loop, self._virtual_network, self._seed, reused)

    def client(self, name: str, *, limit_s: float = LIMIT_S) -> tuple[Transport, TransportClock]:
        """A client's side of everything; `datagram` goes to this BMC. After `limit_s` virtual seconds it raises OutOfTime."""
        endpoint = self.endpoints[name]
        clock = TransportClock(self._virtual_loop, self._virtual_loop.now() + limit_s)
        return Transport(self._virtual_network, clock, (endpoint.ipmi_host, endpoint.ipmi_port)), clock

    def advance(self, seconds: float) -> None:
        """Lets virtual time pass."""
        self._virtual_loop.run_until(self._virtual_loop.now() + seconds)

    def add(self, spec: UnitSpec, place: Place | None = None) -> Endpoint:
        """As `Emulator.add`, at the next address."""
        self._added += 1
        return super().add(
            spec, place or Place(listen=virtual_address(self._added - 1), redfish_port=HTTPS_PORT, ipmi_port=IPMI_PORT)
        )

    def _wait_for(self, event: threading.Event, timeout_s: float) -> bool:
        return self._virtual_loop.run_until(self._virtual_loop.now() + timeout_s, event.is_set)


def virtual_address(n: int) -> str:
    """The address of the n-th BMC, counted from 0."""
    number = FIRST_ADDRESS + n
    return ".".join(str(number >> shift & 255) for shift in (24, 16, 8, 0))
