"""The journal on disk: one JSON object a line, whole lines, until the disk has no room. Written in the emulator's thread."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import TextIO


class JournalFile:
    def __init__(self, path: Path, lost: Callable[[OSError], object]) -> None:
        """Makes the file, or empties it. `lost(error)` is called once, when a line could not be written; the file ends there.

        Raises OSError.
        """
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        self._file: TextIO | None = os.fdopen(descriptor, "w", buffering=1, encoding="utf-8")
        self._lost = lost

    def write(self, line: str) -> None:
        if self._file is None:
            return
        try:
            self._file.write(line + "\n")
        except OSError as error:
            self.close()
            self._lost(error)

    def close(self) -> None:
        """May be repeated."""
        if self._file is not None:
            with contextlib.suppress(OSError):  # what could not be written before cannot be written now
                self._file.close()
            self._file = None
