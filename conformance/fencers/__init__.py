"""Finds a fencer definition by name (built in) or by file (a user's). The command line and the pytest plugin call `load`."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Final

from conformance.adapters.definition import Definition
from conformance.adapters.reading import read

HERE: Final = Path(__file__).resolve().parent


class UnknownFencer(Exception):
    """The user named a fencer that does not exist."""


def names() -> tuple[str, ...]:
    return tuple(sorted(file.stem for file in HERE.glob("*.yaml")))


def described() -> tuple[str, ...]:
    """One line for each built-in fencer: its name, and what has to be installed for it."""
    width = max(map(len, names()))
    return tuple(f"{name:<{width}}  needs {load(name).needs}" for name in names())


def load(name_or_file: str) -> Definition:
    """Returns the built-in fencer of that name, or the one in that file (a name with a slash, or ending in .yaml).

    Raises UnknownFencer, or FencerFileError with all mistakes in the file.
    """
    if "/" in name_or_file or name_or_file.endswith((".yaml", ".yml")):
        return read(Path(name_or_file))
    known = names()
    if name_or_file not in known:
        near = difflib.get_close_matches(name_or_file, known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(known)}"
        raise UnknownFencer(f"no fencer {name_or_file!r}{hint} (a file is named with its path: ./{name_or_file}.yaml)")
    return read(HERE / f"{name_or_file}.yaml", built_in=True)
