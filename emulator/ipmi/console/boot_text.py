"""What a host writes on its serial port, as far as its BMC notices: power, boots, shutdowns, crashes.

A hung operating system is not noticed: its console simply stands still, as a real one does. Nobody is logged in on it, so what a
client types is taken and nothing answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from emulator.core.bmc.boot import BootTarget
from emulator.core.bmc.eventlog import LogEntry, LogKind
from emulator.core.bmc.view import BmcView
from profiles.model import ABSENT

NEW_LINE = "\r\n"


def _firmware(view: BmcView) -> list[str]:
    identity = view.profile.identity
    known = [word for word in (identity.manufacturer, identity.model) if word != ABSENT]
    bios = f"BIOS {identity.bios_version}" if identity.bios_version != ABSENT else "BIOS"
    return ["", " ".join(known) or "System", f"{bios}, serial number {view.first_system().serial}", "Memory test ... passed"]


def _boot(view: BmcView) -> list[str]:
    last, host = view.boot.last(), view.chassis.host_name()
    source = "the first boot option" if last is None or last.target is BootTarget.NONE else f"{last.target} (boot override)"
    return [*_firmware(view), f"Booting from {source} ...", f"{host}: starting services", f"{host}: ready", "", f"{host} login: "]


def _said(*lines: str) -> Callable[[BmcView], list[str]]:
    return lambda _view: ["", *lines, ""]


LINES: Mapping[LogKind, Callable[[BmcView], list[str]]] = {
    LogKind.BOOT: _boot,
    LogKind.OS_SHUTDOWN: _said("The system is going down.", "Stopping services ... done", "Power down."),
    LogKind.OS_CRASH: _said("Kernel panic: not syncing", "End of trace"),
}


def text(view: BmcView, entry: LogEntry) -> str:
    """What an event puts on the console of the first system; nothing for most."""
    if entry.kind not in LINES or entry.system != view.first_id:
        return ""
    return NEW_LINE.join(LINES[entry.kind](view))
