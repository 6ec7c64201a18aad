"""Every deviation that can be asked of an emulated BMC. One small frozen dataclass each; see docs/write-a-fault.md."""

from emulator.faults import power, protocol, report, wire
from emulator.faults.registry import fault, fault_class, fault_names, make_fault

__all__ = ["fault", "fault_class", "fault_names", "make_fault", "power", "protocol", "report", "wire"]
