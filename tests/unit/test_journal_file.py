"""The journal on disk: whole lines only, and never through a link or into a pipe."""

from __future__ import annotations

import os
import resource
import signal
from pathlib import Path

import pytest

from emulator.journal_file import JournalFile


def never(error: OSError) -> None:
    raise AssertionError(error)


def test_lines_are_written_at_once_and_an_old_journal_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    path.write_text("old\n" * 100)
    file = JournalFile(path, never)
    file.write("one")
    file.write("zwei \u00e4 \ud800")
    assert path.read_text() == "one\nzwei \u00e4 \\ud800\n"
    file.close()
    file.close()
    file.write("after the end")
    assert path.read_text().count("\n") == 2


def test_a_full_disk_leaves_whole_lines(tmp_path: Path) -> None:
    path, lost = tmp_path / "journal", []
    file = JournalFile(path, lost.append)
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        for _ in range(5):
            file.write("x" * 29)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert path.read_text() == ("x" * 29 + "\n") * 3
    assert len(lost) == 1


@pytest.mark.parametrize("kind", ["link", "dangling", "pipe", "pipe-with-a-reader"])
def test_links_and_pipes_are_refused_and_left_alone(tmp_path: Path, kind: str) -> None:
    path, target = tmp_path / "journal", tmp_path / "target"
    reader = None
    if kind.startswith("pipe"):
        os.mkfifo(path)
        if kind.endswith("reader"):
            reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    else:
        path.symlink_to(target)
        if kind == "link":
            target.write_text("precious")
    with pytest.raises(OSError, match=r"pipe|link") as caught:
        JournalFile(path, never)
    assert caught.value.filename == str(path)
    if kind == "link":
        assert target.read_text() == "precious"
    if kind == "dangling":
        assert not target.exists()
    if reader is not None:
        os.close(reader)


def test_a_device_takes_what_it_is_given() -> None:
    file = JournalFile(Path("/dev/null"), never)
    file.write("x")
    file.close()
