"""BMCs that behave like real ones, with a ground-truth journal.

from emulator import Emulator, HostSpec, UnitSpec
from profiles import load

with Emulator([UnitSpec(name="node1", profile=load("dell-idrac9"), hosts=(HostSpec(power="off"),))]) as emulator:
    print(emulator.endpoints["node1"].redfish_url)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from emulator.assembly import Emulator, Endpoint, SystemRef
    from emulator.core.clock import VirtualClock
    from emulator.core.journal import Event, Journal
    from emulator.core.rack import HostSpec, UnitSpec

__all__ = ["Emulator", "Endpoint", "Event", "HostSpec", "Journal", "SystemRef", "UnitSpec", "VirtualClock"]

_HOME = {
    "Emulator": "emulator.assembly",
    "Endpoint": "emulator.assembly",
    "SystemRef": "emulator.assembly",
    "VirtualClock": "emulator.core.clock",
    "Event": "emulator.core.journal",
    "Journal": "emulator.core.journal",
    "HostSpec": "emulator.core.rack",
    "UnitSpec": "emulator.core.rack",
}


def __getattr__(name: str) -> object:
    # Lazy: a user of one room (or the pytest plugin) does not pay for Flask and pyghmi.
    if name in _HOME:
        from importlib import import_module

        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module 'emulator' has no attribute {name!r}")
