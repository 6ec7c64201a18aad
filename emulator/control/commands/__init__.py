"""The commands of `bmc-emulator` that control a running emulator, one file each."""

from __future__ import annotations

import click

from emulator.control.commands.add import add
from emulator.control.commands.clock import clock
from emulator.control.commands.fault import fault
from emulator.control.commands.journal import journal
from emulator.control.commands.ls import ls
from emulator.control.commands.mute import mute, unmute
from emulator.control.commands.power import power
from emulator.control.commands.remove import remove
from emulator.control.commands.show import show
from emulator.control.commands.stop import stop

COMMANDS: tuple[click.Command, ...] = (ls, show, power, fault, mute, unmute, clock, journal, add, remove, stop)
