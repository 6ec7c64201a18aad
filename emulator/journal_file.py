"""The journal on disk: one JSON object a line, whole lines, until the disk has no room. Written in the emulator's thread."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path


class JournalFile:
    """Only whole lines stay in the file, also where the disk fills up in the middle of one."""

    def __init__(self, path: Path, lost: Callable[[OSError], object]) -> None:
        """Makes the file, or empties it. `lost(error)` is called once, when a line could not be written; the file ends there.

        Raises OSError; also for a link, which somebody else may have put there, and for a pipe, whose reader could stop the
        emulator.
        """
        flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            self._file: int | None = os.open(path, flags, 0o644)
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise OSError(errno.ELOOP, "a journal is not written through a link", str(path)) from None
            if error.errno == errno.ENXIO:
                raise _no_pipe(path) from None
            raise
        kind = os.fstat(self._file).st_mode
        if stat.S_ISFIFO(kind) or stat.S_ISSOCK(kind):
            os.close(self._file)
            raise _no_pipe(path)
        self._size: int | None = None  # bytes of whole lines; None: this is a device
        if stat.S_ISREG(kind):
            os.ftruncate(self._file, 0)
            self._size = 0
        self._lost = lost

    def write(self, line: str) -> None:
        if self._file is None:
            return
        data = line.encode("utf-8", "backslashreplace") + b"\n"
        written = 0
        try:
            while written < len(data):
                written += os.write(self._file, data[written:])
        except OSError as error:
            if self._size is not None:
                with contextlib.suppress(OSError):
                    os.ftruncate(self._file, self._size)
            self.close()
            self._lost(error)
            return
        if self._size is not None:
            self._size += written

    def close(self) -> None:
        """May be repeated."""
        if self._file is not None:
            with contextlib.suppress(OSError):  # what could not be written before cannot be written now
                os.close(self._file)
            self._file = None


def _no_pipe(path: Path) -> OSError:
    return OSError(errno.EINVAL, "a journal is not written to a pipe or a socket", str(path))
