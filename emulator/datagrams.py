"""The way of an IPMI datagram between the socket and the BMC: faults of the seam datagram, shut ports, the vendor's latency.

The front ends send every datagram through `DatagramPath`, in the emulator's thread. Without faults and latency it goes straight
on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from emulator.core.bmc.view import BmcView
from emulator.core.faults.fault import Fault, Seam
from emulator.core.faults.trigger import ClientRequest
from emulator.core.rack import Rack
from emulator.core.timers import Timer
from emulator.faults.seams import DatagramFault, Passage, PortFault
from emulator.latency import Latency
from profiles.model import Span

MAX_HELD: Final = 4096
"""Datagrams on their way at a time, of all BMCs; more are lost, as in a network."""

Go = Callable[[bytes], object]


@dataclass(slots=True, eq=False)
class _Held:
    way: tuple[str, str]  # BMC and direction
    data: bytes
    go: Go
    holder: str  # the arming that holds it; empty: the vendor's latency
    behind_next: bool
    timer: Timer | None = field(default=None)


class DatagramPath:
    def __init__(self, rack: Rack, latency: Latency) -> None:
        self._rack = rack
        self._latency = latency
        self._held: list[_Held] = []
        rack.faults.on_change(self._changed)

    def arrives(self, name: str, data: bytes, go: Go) -> None:
        """A datagram for a BMC; `go(data)` hands it over, now, later, twice or never."""
        self._pass(name, "in", data, 0.0, go)

    def leaves(self, name: str, data: bytes, go: Go) -> None:
        """A datagram of a BMC on its way to a client."""
        self._pass(name, "out", data, self._latency.of(self._rack.unit(name).profile), go)

    def forget(self, name: str) -> None:
        """The BMC leaves the rack: what is on its way is lost."""
        for held in [held for held in self._held if held.way[0] == name]:
            self._drop(held)

    def _pass(self, name: str, direction: str, data: bytes, late_s: float, go: Go) -> None:
        if not self._rack.unit(name).faults.armings and not late_s and not self._held:
            go(data)
            return
        view = BmcView(self._rack, name)
        if any(isinstance(fault, PortFault) and fault.ipmi for fault in view.standing(Seam.PORT)):
            return
        passages: tuple[Passage, ...] = (Passage(data, late_s),)
        holder = ""
        for fault_id, fault, _ in view.fired(Seam.DATAGRAM, _request(direction), concerns=_going(direction)):
            assert isinstance(fault, DatagramFault)
            holder = fault_id
            passages = tuple(
                Passage(then.data, first.after_s + then.after_s, first.behind_next or then.behind_next)
                for first in passages
                for then in fault.passages(first.data, self._roll)
            )
        for passage in passages:
            self._send(_Held((name, direction), passage.data, go, holder, passage.behind_next), passage.after_s)

    def _send(self, held: _Held, after_s: float) -> None:
        if after_s <= 0:
            held.go(held.data)
            self._let_behind(held.way)
        elif len(self._held) < MAX_HELD:
            self._held.append(held)
            held.timer = self._rack.after(after_s, lambda: self._release(held))

    def _release(self, held: _Held) -> None:
        if held in self._held:
            self._drop(held)
            held.go(held.data)
            self._let_behind(held.way)

    def _let_behind(self, way: tuple[str, str]) -> None:
        """Somebody has just gone this way: who waits for that goes now."""
        for held in [held for held in self._held if held.behind_next and held.way == way]:
            self._drop(held)
            held.go(held.data)

    def _drop(self, held: _Held) -> None:
        self._held.remove(held)
        if held.timer is not None:
            held.timer.cancel()

    def _changed(self, name: str, fault_id: str, disarmed: bool) -> None:
        """A disarmed fault holds nothing back any more."""
        if disarmed:
            for held in [held for held in self._held if held.holder == fault_id]:
                self._release(held)

    def _roll(self) -> float:
        return self._rack.draw(Span(0.0, 1.0))


def _request(direction: str) -> ClientRequest:
    return ClientRequest(protocol="ipmi", method="UDP", path=direction)


def _going(direction: str) -> Callable[[Fault], bool]:
    return lambda fault: isinstance(fault, DatagramFault) and fault.direction in (direction, "both")
