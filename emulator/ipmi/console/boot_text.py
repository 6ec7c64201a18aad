"""The text that a host writes on its serial port when it boots, shuts down or crashes.

`Sol` calls it for each new log entry, in the emulator's one thread. A hung operating system writes nothing. What a client types
has no effect, because nobody is logged in on the console.
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
    """The text for a log entry on the console of the first system; "" for most entries."""
    if entry.kind not in LINES or entry.system != view.first_id:
        return ""
    return NEW_LINE.join(LINES[entry.kind](view))
