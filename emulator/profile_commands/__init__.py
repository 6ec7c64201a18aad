"""The commands `bmc-emulator profile ...`, one file each. `NAME` is a shipped profile or a file."""

from __future__ import annotations

import click

from emulator.profile_commands.capture import capture
from emulator.profile_commands.check import check
from emulator.profile_commands.diff import diff
from emulator.profile_commands.lint import lint
from emulator.profile_commands.list import list_profiles
from emulator.profile_commands.new import new
from emulator.profile_commands.probe import probe
from emulator.profile_commands.proxy import proxy
from emulator.profile_commands.schema import schema
from emulator.profile_commands.show import show

COMMANDS: tuple[click.Command, ...] = (list_profiles, show, diff, new, lint, check, schema, capture, probe, proxy)
