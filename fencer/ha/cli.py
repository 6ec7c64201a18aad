"""The command `fence-ha`: runs a manager, shows the hosts and the timeline, and takes requests of an operator.

Each command is a module of `fencer.ha.commands`. A module is imported when its command is used, or for `--help`.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

import click

from fencer.ha import commands

EXAMPLES = """\b
Examples:
  fence-ha sample > ha.yaml
  fence-ha run ha.yaml --json
  fence-ha status ha.yaml
  fence-ha confirm ha.yaml node1 --fence-id node1-f1 --reason 'pulled both cords' --who alice
"""


class CommandsInFiles(click.Group):
    """The commands are the modules of `fencer.ha.commands`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(module.name.replace("_", "-") for module in iter_modules(commands.__path__))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        found = import_module(f"fencer.ha.commands.{cmd_name.replace('-', '_')}").command
        return found if isinstance(found, click.Command) else None


@click.group(
    cls=CommandsInFiles,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog=EXAMPLES,
)
@click.version_option(package_name="fencelab", prog_name="fence-ha")
def main() -> None:
    """Watches hosts, proves that a silent one is off before its VMs start elsewhere, and says what it knows."""


if __name__ == "__main__":
    main()
