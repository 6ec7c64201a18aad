"""`fence-conformance completion`: a script that makes a shell complete fencers, profiles, scenarios, groups and files."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

EXAMPLES = """
\b
Examples:
  eval "$(fence-conformance completion bash)"                 in ~/.bashrc
  eval "$(fence-conformance completion zsh)"                  in ~/.zshrc, after compinit
  fence-conformance completion fish > ~/.config/fish/completions/fence-conformance.fish
"""


@click.command(epilog=EXAMPLES)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Prints the completion script for a shell."""
    program = context.find_root()
    script = get_completion_class(shell)
    assert script is not None
    click.echo(script(program.command, {}, "fence-conformance", "_FENCE_CONFORMANCE_COMPLETE").source())
