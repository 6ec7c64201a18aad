"""Files in which running emulators say where their control listener is, and with which token.

`ControlListener` writes one when it opens and removes it when it closes; `ControlClient` and the commands read them. Only the
user who runs the emulator can read the folder and its files.

Rules
  1. The folder is `$XDG_RUNTIME_DIR/fencelab`, else `fencelab-UID` in the temporary directory. It is used only if it is a
     folder of this user's own, no link, with no right for anybody else.
  2. A file appears whole, under its name, with mode 0600.
  3. A file whose process has ended is removed by whoever finds it. A process that got the same number later has another start
     time.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

FORMAT: Final = "control/1"
SUFFIX: Final = ".control.json"
_MAX_BYTES: Final = 65_536


class FolderRefused(Exception):
    """The folder for the files is not safe, or cannot be made. One sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceFile:
    """A running emulator. `born` is when its process started, in clock ticks since the machine's start (proc(5), field 22)."""

    name: str
    pid: int
    born: int
    host: str
    port: int
    token: str

    def __repr__(self) -> str:
        return f"InstanceFile({self.name!r}, pid={self.pid}, host={self.host!r}, port={self.port})"  # without the token


def folder() -> Path:
    """The folder, made where it is missing. Raises FolderRefused."""
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    path = Path(runtime) / "fencelab" if os.path.isabs(runtime) else Path(tempfile.gettempdir()) / f"fencelab-{os.geteuid()}"
    try:
        with contextlib.suppress(FileExistsError):
            path.mkdir(mode=0o700)
        found = path.lstat()
    except OSError as error:
        raise FolderRefused(f"{path}: {(error.strerror or str(error)).lower()}") from None
    if not stat.S_ISDIR(found.st_mode):
        raise FolderRefused(f"{path} is no folder: remove it")
    if found.st_uid != os.geteuid():
        raise FolderRefused(f"{path} belongs to user {found.st_uid}, not to you: set XDG_RUNTIME_DIR to a folder of your own")
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise FolderRefused(f"{path} is open to other users (mode {stat.S_IMODE(found.st_mode):04o}): chmod 700 it")
    return path


def write(instance: InstanceFile) -> Path:
    """Writes the file of this process. Raises FolderRefused."""
    try:
        return _write(instance)
    except FileNotFoundError:  # another emulator has ended just now, and has removed the folder
        return _write(instance)


def remove(path: Path) -> None:
    """Removes the file of this process, and the folder where it was the last one."""
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
        path.parent.rmdir()


def _write(instance: InstanceFile) -> Path:
    home = folder()
    path = home / f"{instance.pid}-{instance.port}{SUFFIX}"
    hidden = home / f".{instance.pid}-{secrets.token_hex(8)}"
    try:
        descriptor = os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump({"schema": FORMAT, **asdict(instance)}, file)
        hidden.rename(path)
    except FileNotFoundError:
        raise
    except OSError as error:
        hidden.unlink(missing_ok=True)
        raise FolderRefused(f"{path}: {(error.strerror or str(error)).lower()}") from None
    return path


def running() -> list[InstanceFile]:
    """All emulators of this user that run, by name and process. Files of those that have ended are removed. Raises
    FolderRefused."""
    return sorted(_running(folder()), key=lambda instance: (instance.name, instance.pid))


def _running(home: Path) -> Iterator[InstanceFile]:
    for path in home.glob(f"*{SUFFIX}"):
        instance = _read(path)
        if instance is not None and birth_of(instance.pid) == instance.born:
            yield instance
        elif instance is not None:
            path.unlink(missing_ok=True)


def _read(path: Path) -> InstanceFile | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
                return None
            data = json.loads(file.read(_MAX_BYTES))
        if data.pop("schema") != FORMAT:
            return None
        made = InstanceFile(**data)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
    return made if isinstance(made.pid, int) and isinstance(made.port, int) else None


def birth_of(pid: int) -> int | None:
    """When a process started; None: there is none."""
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        return int(after_name[19])
    except (OSError, ValueError, IndexError):
        return None
