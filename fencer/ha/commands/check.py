"""`fence-ha check`: asks every BMC once whether its host could be fenced now."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from fencer.ha.command_line import CONFIG, JSON, STATE, plain_errors
from fencer.ha.config import load_config
from fencer.ha.config_checks import missing_here
from fencer.ha.config_file import ConfigError
from fencer.ha.host_checks import run_check


@click.command("check", epilog="\b\nExamples:\n  fence-ha check ha.yaml\n  fence-ha check ha.yaml --json")
@CONFIG
@JSON
@STATE
def command(config: Path, json_lines: bool, state: Path | None) -> None:
    """Asks every BMC once whether its host could be fenced now; sends no power command.

    One line per host. Exit status 0: all can be fenced, 1: at least one cannot, 2: the configuration is wrong.
    """
    with plain_errors():
        loaded = load_config(config)
        if lacks := missing_here(loaded):
            raise ConfigError(lacks)
        sys.exit(run_check(loaded, state or loaded.state_file, json_lines))
