"""Files that say where a running emulator is controlled: who may read them, and what becomes of old ones."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from emulator.control import instance_files
from emulator.control.instance_files import FolderRefused, InstanceFile, birth_of, folder, remove, running, write

TOKEN = "correct-horse-battery"


@pytest.fixture
def here() -> InstanceFile:
    return InstanceFile(name="rack", pid=os.getpid(), born=birth_of(os.getpid()) or 0, host="127.0.0.1", port=4711, token=TOKEN)


@pytest.fixture(autouse=True)
def runtime(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return tmp_path


def test_what_is_written_is_found_and_only_its_user_can_read_it(here: InstanceFile, runtime: Path) -> None:
    path = write(here)
    assert running() == [here]
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert TOKEN not in repr(here)
    remove(path)
    remove(path)
    assert list(runtime.iterdir()) == []


def test_the_folder_stays_while_another_emulator_is_in_it(here: InstanceFile, runtime: Path) -> None:
    first, second = write(here), write(replace(here, port=4712))
    remove(first)
    assert [each.port for each in running()] == [4712]
    remove(second)
    assert list(runtime.iterdir()) == []


@pytest.mark.parametrize("value", ["", "relative"])
def test_without_a_runtime_folder_it_is_one_of_the_users_own_under_the_temporary_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, value: str
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", value)
    monkeypatch.setattr(instance_files.tempfile, "gettempdir", lambda: str(tmp_path))
    assert folder() == tmp_path / f"fencelab-{os.geteuid()}"


def test_files_of_processes_that_have_ended_are_removed(here: InstanceFile) -> None:
    old = write(replace(here, born=here.born - 1))
    assert running() == []
    assert not old.exists()
    assert birth_of(2**22 + 1) is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": "control/2"}', '{"schema": "control/1", "name": "x"}', "\u0000"])
def test_what_is_no_such_file_is_passed_over(here: InstanceFile, text: str) -> None:
    write(here)
    stranger = folder() / f"1-1{instance_files.SUFFIX}"
    stranger.write_text(text)
    assert running() == [here]
    assert stranger.exists()


def test_links_and_pipes_are_not_followed(here: InstanceFile, tmp_path: Path) -> None:
    write(here)
    target = tmp_path / "target"
    target.write_text(
        json.dumps({"schema": "control/1", "name": "x", "pid": here.pid, "born": here.born, "host": "h", "port": 1, "token": "t"})
    )
    (folder() / f"2-2{instance_files.SUFFIX}").symlink_to(target)
    os.mkfifo(folder() / f"3-3{instance_files.SUFFIX}")
    assert running() == [here]


def test_a_folder_that_others_can_open_is_refused(runtime: Path, here: InstanceFile) -> None:
    (runtime / "fencelab").mkdir()
    (runtime / "fencelab").chmod(0o750)
    with pytest.raises(FolderRefused, match=r"open to other users \(mode 0750\)"):
        write(here)


def test_a_folder_of_somebody_else_is_refused(monkeypatch: pytest.MonkeyPatch, here: InstanceFile) -> None:
    folder()
    monkeypatch.setattr(instance_files.os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(FolderRefused, match="belongs to user"):
        write(here)


def test_a_link_in_the_place_of_the_folder_is_refused(runtime: Path, tmp_path: Path, here: InstanceFile) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (runtime / "fencelab").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FolderRefused, match="is no folder"):
        write(here)


def test_a_folder_that_cannot_be_made_is_said_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, here: InstanceFile) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "missing"))
    with pytest.raises(FolderRefused, match="no such file or directory"):
        write(here)


def test_a_folder_that_vanishes_is_made_again(monkeypatch: pytest.MonkeyPatch, here: InstanceFile) -> None:
    once = iter([FileNotFoundError()])
    real = instance_files._write

    def vanishing(instance: InstanceFile) -> Path:
        if (error := next(once, None)) is not None:
            raise error
        return real(instance)

    monkeypatch.setattr(instance_files, "_write", vanishing)
    assert write(here).exists()
