"""Seams wire and port: the bytes of an answer, or their absence; ports that do not answer."""

from emulator.faults.plans import WireFault
from emulator.faults.wire.delay import Delay
from emulator.faults.wire.drip import Drip
from emulator.faults.wire.hang import Silent
from emulator.faults.wire.reset import Drop
from emulator.faults.wire.truncate import Truncate

__all__ = ["Delay", "Drip", "Drop", "Silent", "Truncate", "WireFault"]
