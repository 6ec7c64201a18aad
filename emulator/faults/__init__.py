"""Every deviation that can be asked of an emulated BMC: one frozen dataclass per file, see docs/write-a-fault.md.

The folders are families. Every module in them is imported here, so that a new fault is one new file and nothing else. The modules
beside them are not: `model` and `page` load pydantic, for those who need it.
"""

from importlib import import_module
from pkgutil import iter_modules, walk_packages

from emulator.faults.registry import fault, fault_class, fault_names, make_fault, param

for _family in iter_modules(__path__, f"{__name__}."):
    if _family.ispkg:
        for _module in walk_packages(import_module(_family.name).__path__, f"{_family.name}."):
            import_module(_module.name)

__all__ = ["fault", "fault_class", "fault_names", "make_fault", "param"]
