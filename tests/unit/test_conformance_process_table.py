"""The process table is read while its processes end."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from conformance.adapters import process_table
from conformance.adapters.watcher_report import WatcherReport


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Adds a process: its children, its state."""
    monkeypatch.setattr(process_table, "PROC", str(tmp_path))

    def add(pid: int, *children: int, state: str = "S", name: str = "a b) c") -> None:
        thread = tmp_path / str(pid) / "task" / str(pid)
        thread.mkdir(parents=True)
        (thread / "children").write_text("".join(f"{child} " for child in children))
        (thread.parent.parent / "stat").write_text(f"{pid} ({name}) {state} 1 1")
        (thread.parent.parent / "cmdline").write_bytes(b"tool\0-P\0\0")
        (thread.parent.parent / "comm").write_text(f"{name}\n")
        (thread.parent.parent / "environ").write_bytes(f"HOME=/run/{pid}\0".encode())

    return add


def test_all_generations_are_found(table: Callable[..., None]) -> None:
    table(1, 2, 3)
    table(2, 4)
    table(3)
    table(4)
    assert sorted(process_table.descendants(1)) == [2, 3, 4]
    assert process_table.command_line(2) == ("tool", "-P", "")
    assert process_table.name(2) == "a b) c"


def test_a_process_that_ends_meanwhile_is_left_out(table: Callable[..., None]) -> None:
    table(1, 2, 3)
    table(3, 4)
    table(4)
    assert sorted(process_table.descendants(1)) == [2, 3, 4]
    assert process_table.descendants(9) == ()
    assert process_table.command_line(2) == ()
    assert process_table.name(2) == ""
    assert not process_table.is_stopped(2)


@pytest.mark.parametrize("number", [errno.ENOENT, errno.ESRCH, errno.EACCES])
def test_a_directory_that_vanishes_while_it_is_read_fails_nothing(
    table: Callable[..., None], monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """Any of the reads may be the one that fails."""
    table(1, 2)
    table(2, 3, state="T")
    table(3)
    real_listdir, real_open = os.listdir, open
    for failing in range(8):
        calls = 0

        def lost(failing: int = failing) -> None:
            nonlocal calls
            calls += 1
            if calls == failing + 1:
                raise OSError(number, os.strerror(number))

        def listdir(path: str, lost: Callable[[], None] = lost) -> list[str]:
            lost()
            return real_listdir(path)

        def opened(path: str, mode: str, lost: Callable[[], None] = lost) -> object:
            lost()
            return real_open(path, mode)

        monkeypatch.setattr(process_table.os, "listdir", listdir)
        monkeypatch.setattr(process_table, "open", opened, raising=False)
        assert set(process_table.descendants(1)) <= {2, 3}
        process_table.is_stopped(2)
        process_table.with_environment("/run/2")


def test_states_and_environments_are_read(table: Callable[..., None]) -> None:
    table(1)
    table(2, state="T")
    assert not process_table.is_stopped(1)
    assert process_table.is_stopped(2)
    assert process_table.with_environment("/run/2") == (2,)


def test_what_the_watchers_write_may_be_anything() -> None:
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    report = WatcherReport(reader)
    os.write(writer, b"inner 5\nfencer 7\nlacks exec-events no such thing\nsignal 15\nsignal 15\nex")
    report.read()
    assert (report.inner, report.lacks, report.signals, report.is_final) == (5, {"exec-events": "no such thing"}, [15], False)
    os.write(writer, b"it 3\nexit 0\n")
    report.read()
    assert (report.exit, report.nonsense, report.is_final) == (3, False, True)
    for line in (b"exit\n", b"signal 999\n", b"lacks all of it\n", b"\xff\xfe\n", b"\n", b"ended 1\n"):
        report.nonsense = False
        os.write(writer, line)
        report.read()
        assert report.nonsense, line
    os.close(writer)
    report.read()
    assert report.is_closed
    report.close()
