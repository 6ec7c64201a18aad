"""Seam power: the command is answered as usual, and the host does something else."""

from emulator.faults.power.gate import Gated
from emulator.faults.power.ignore import Ignore
from emulator.faults.power.late import Late

__all__ = ["Gated", "Ignore", "Late"]
