"""Reads the password of the BMC from where the user keeps it. `fencer.settings` calls it once, before any network I/O."""

from __future__ import annotations

import os
from collections.abc import Mapping

from fencer.given import BadSettings, GivenValues

SCRIPT_TIMEOUT_S = 10.0


def password(given: GivenValues, environment: Mapping[str, str]) -> str:
    """Returns the first of password, password_script, password_file, FENCE_PASSWORD. An empty `password` counts as given.

    Raises BadSettings.
    """
    if "password" in given:
        return given["password"]
    if given.get("password_script"):
        return _from_script(given["password_script"], given.spelled("password_script"))
    if given.get("password_file"):
        path = given["password_file"]
        try:
            with open(path, "rb") as file:
                line = file.readline()
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else error
            raise BadSettings(f"{given.spelled('password_file')} {path} cannot be read ({why})") from error
        return line.removesuffix(b"\n").removesuffix(b"\r").decode("utf-8", "surrogateescape")
    if "FENCE_PASSWORD" in environment:
        return environment["FENCE_PASSWORD"]
    raise BadSettings("password is missing: give password, password_script, password_file or FENCE_PASSWORD")


def _from_script(text: str, name: str) -> str:
    """Runs a program with arguments, as in a shell, but without one: `$`, `;` and `|` mean nothing."""
    import subprocess

    command = _words(text, name)
    script = command[0]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=SCRIPT_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise BadSettings(f"{name} {script} did not end within {SCRIPT_TIMEOUT_S:g} s") from error
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise BadSettings(f"{name} {script} cannot be run ({why})") from error
    if done.returncode != 0:
        raise BadSettings(f"{name} {script} ended with status {done.returncode}")
    return done.stdout.rstrip(b"\r\n").decode("utf-8", "surrogateescape")


def _words(text: str, name: str) -> list[str]:
    """Returns the program and its arguments. A path with blanks that exists is one word."""
    import shlex

    if os.path.exists(text):
        return [text]
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise BadSettings(f"{name} cannot be split into a program and its arguments ({error})") from error
    if not words:
        raise BadSettings(f"{name} names no program")
    return words
