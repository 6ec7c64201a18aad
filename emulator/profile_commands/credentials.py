"""Options of the commands that talk to a real BMC: who asks, and whom to trust. A password never stands in the command line."""

from __future__ import annotations

import base64
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

import click

from emulator.serve import fail

PASSWORD_VARIABLE: Final = "BMC_PASSWORD"
_LONGEST: Final = 4096

Decorated = TypeVar("Decorated", bound=Callable[..., object])


def credential_options(command: Decorated) -> Decorated:
    """Adds --user, --password-file, --password-env, --cacert, --insecure and --timeout."""
    options = (
        click.option("--user", help="The account. Its password comes from --password-file, from a variable, or is asked for."),
        click.option("--password-file", type=click.Path(dir_okay=False, path_type=Path), help="A file with the password."),
        click.option(
            "--password-env",
            default=PASSWORD_VARIABLE,
            show_default=True,
            metavar="NAME",
            help="The variable that holds the password.",
        ),
        click.option("--cacert", type=click.Path(dir_okay=False, path_type=Path), help="Trust this authority (PEM)."),
        click.option("--insecure", is_flag=True, help="Trust every certificate: most BMCs have one that they signed themselves."),
        click.option(
            "--timeout",
            "timeout_s",
            default=30.0,
            type=click.FloatRange(0.1, 600),
            show_default=True,
            help="Seconds for one answer.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def password_for(user: str | None, file: Path | None, variable: str) -> str | None:
    """The password of --user; None without --user. Ends the command where there is none."""
    if user is None:
        return None
    if file is not None:
        try:
            with file.open(encoding="utf-8") as stream:
                password = stream.read(_LONGEST).rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            fail(f"{file}: {getattr(error, 'strerror', None) or 'not text'}")
    elif (found := os.environ.get(variable)) is not None:
        password = found
    elif sys.stdin.isatty():
        password = click.prompt(f"Password of {user}", hide_input=True, err=True)
    else:
        fail(f"no password for {user}: set {variable}, or give --password-file FILE")
    if not password:
        fail(f"the password of {user} is empty")
    return password


def forms_of(user: str | None, password: str | None) -> tuple[str, ...]:
    """The texts in which a password may come back: itself, and in the header of basic authentication."""
    if user is None or password is None:
        return ()
    return password, base64.b64encode(f"{user}:{password}".encode()).decode(), base64.b64encode(password.encode()).decode()
