"""The commands `bmc-emulator profile ...`, one file each. `NAME` is a shipped profile, a file or a folder.

A file is imported when its command is used, or for the help: most starts of `bmc-emulator` need none of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Final

import click

FILES: Final[Mapping[str, str]] = MappingProxyType(
    {
        **{name: name for name in ("show", "diff", "new", "lint", "check", "schema", "capture", "probe", "proxy")},
        "list": "list_profiles",
    }
)
"""The name of the function in the file of each command."""


class ProfileCommands(click.Group):
    """The commands are the files of this package that `FILES` names."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(FILES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in FILES:
            return None
        found = getattr(import_module(f"emulator.profile_commands.{cmd_name}"), FILES[cmd_name])
        return found if isinstance(found, click.Command) else None
