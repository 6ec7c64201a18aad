"""The command `fence-conformance`: plays the catalogue of fencing scenarios to a fencer and judges it by the truth.

Each command is a module of `conformance.commands`. A module is imported when its command is used, or for `--help`.
"""

from __future__ import annotations

import signal
import sys
from importlib import import_module
from pkgutil import iter_modules
from typing import Final

import click

from conformance import commands
from conformance.versions import our_version

PROGRAM: Final = "fence-conformance"
INTERRUPTED: Final = 130
EXAMPLES: Final = """
\b
Examples:
  fence-conformance init --adapter exec --out ci
  fence-conformance run --fencer ci/fencer.yaml --profile dell-idrac9,openbmc-x86 --tier 0
  fence-conformance explain STATE-001 FENCE-2 STUCK
  fence-conformance replay evidence
  fence-conformance compare last-week.json today.json

\b
Shell completion:
  eval "$(fence-conformance completion bash)"
"""


class CommandsInFiles(click.Group):
    """The commands are the modules of `conformance.commands`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(module.name.replace("_", "-") for module in iter_modules(commands.__path__))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        found = import_module(f"conformance.commands.{cmd_name.replace('-', '_')}").command
        return found if isinstance(found, click.Command) else None


@click.group(
    cls=CommandsInFiles, epilog=EXAMPLES, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}
)
@click.version_option(our_version(), prog_name=PROGRAM)
def cli() -> None:
    """Plays fencing scenarios to a fencer on emulated BMCs and judges it by what really happened to the host."""


def main() -> None:
    """The program. Usage errors exit 2, Ctrl-C exits 130."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # no fencer may outlive the suite
    try:
        code = cli.main(standalone_mode=False, prog_name=PROGRAM)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo(f"{PROGRAM}: stopped; every fencer has been ended", err=True)
        code = INTERRUPTED
    sys.exit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    main()
