"""The driver of virtual hosts, which exist only as a state in the rack.

`Rack.order` calls it in the emulator's one thread. A cut, a start and a reset take effect at once; a running OS needs the unit's
`os_shutdown` time, in seconds, to go down.
"""

from __future__ import annotations

from collections.abc import Mapping

from emulator.core.rack import Rack
from emulator.core.truth.host import News, Order
from emulator.core.vocab import Os, Rail

AT_ONCE: Mapping[Order, News] = {Order.CUT: News.WENT_DOWN, Order.ENERGISE: News.CAME_UP}
NEEDS_RAIL: Mapping[Order, News] = {Order.RESET: News.WAS_RESET, Order.CRASH: News.OS_CRASHED}
NEEDS_OS: Mapping[Order, News] = {Order.ASK_SHUTDOWN: News.OS_WENT_DOWN, Order.ASK_REBOOT: News.OS_BOOTED}


class VirtualHosts:
    """A `HostDriver`. A hung OS never obeys a graceful request; a reset of a host without power does nothing."""

    def __init__(self, rack: Rack) -> None:
        self._rack = rack

    def perform(self, unit: str, system: str, order: Order, cause: int) -> None:
        state = self._rack.unit(unit).system(system)
        if order in AT_ONCE:
            self._rack.news(unit, system, AT_ONCE[order], cause)
        elif order in NEEDS_RAIL and state.host.rail is Rail.UP:
            self._rack.news(unit, system, NEEDS_RAIL[order], cause)
        elif order in NEEDS_OS and state.host.os is Os.RUNNING:
            incarnation = state.host.incarnation

            def answer() -> None:
                if state.host.incarnation == incarnation and state.host.os is Os.RUNNING:
                    self._rack.news(unit, system, NEEDS_OS[order], cause)

            delay = self._rack.draw(self._rack.unit(unit).os_shutdown)
            if delay <= 0:
                answer()
            else:
                self._rack.after(delay, answer)
