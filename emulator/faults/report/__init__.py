"""Seam report: the host is as it is, and the BMC says something else of its power."""

from emulator.faults.report.says import Says

__all__ = ["Says"]
