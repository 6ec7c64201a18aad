"""Every deviation that can be asked of an emulated BMC: one frozen dataclass per file, see docs/write-a-fault.md.

The folders are families. Every module in them is imported here, so that a new fault is one new file and nothing else.
"""

from importlib import import_module
from pkgutil import walk_packages

from emulator.faults.registry import fault, fault_class, fault_names, make_fault, param

for _module in walk_packages(__path__, f"{__name__}."):
    import_module(_module.name)

__all__ = ["fault", "fault_class", "fault_names", "make_fault", "param"]
