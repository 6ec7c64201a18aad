"""The token of the API: one line in a file that only its owner can read. `fence-ha run` calls `load_or_make` at its start."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path
from typing import Final

SHORTEST: Final = 16
LONGEST: Final = 4096


class BadToken(Exception):
    """The token file cannot be used; the text says why."""


def load_or_make(file: Path) -> str:
    """Returns the token in the file. A file that does not exist is made, with a random token and mode 0600. Raises BadToken."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except FileExistsError:
        return load(file)
    except OSError as error:
        raise BadToken(f"the token file {file} cannot be made: {error.strerror}") from error
    token = secrets.token_urlsafe(32)
    with os.fdopen(descriptor, "w", encoding="ascii") as made:
        made.write(f"{token}\n")
    return token


def load(file: Path) -> str:
    """Returns the token in the file. Raises BadToken if others can read it, or if it is too short to be one."""
    try:
        with open(file, encoding="utf-8") as opened:
            mode = os.fstat(opened.fileno()).st_mode
            text = opened.read(LONGEST).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadToken(f"the token file {file} cannot be read: {getattr(error, 'strerror', None) or 'not text'}") from error
    if not stat.S_ISREG(mode) or mode & 0o077:
        raise BadToken(f"the token file {file} can be read by others: chmod 600 {file}")
    if len(text) < SHORTEST or not text.isascii() or not text.isprintable() or " " in text:
        raise BadToken(f"the token file {file} must hold one line of at least {SHORTEST} printable characters")
    return text
