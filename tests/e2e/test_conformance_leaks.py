"""The search for passwords: found wherever a fencer puts them, never led astray, and bounded."""

from __future__ import annotations

import os
import socket
import stat
import tempfile
import time
from base64 import b64encode
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from conformance import directory_listings, leaks, run_directory
from conformance.directory_listings import SeenDirectory
from conformance.leaks import Leaks, search
from conformance.run_directory import RunDirectory, read_regular, remove, used_bytes

SECRET = "Zq7-0123456789ab"
Searching = Callable[..., Leaks]
DEEP = 1_500
MEMORY = Path("/dev/shm")


class Places:
    """Where a fencer may write: its HOME, its own directory, a shared temporary directory."""

    def __init__(self, top: Path) -> None:
        self.run, self.beside, self.shared = RunDirectory(top / f"{run_directory.PREFIX}1"), top / "fencer", top / "shared"
        for place in (self.run.home, self.run.watch, self.beside, self.shared):
            place.mkdir(parents=True)
        self.since = time.time()

    def search(self, **more: object) -> Leaks:
        return search((SECRET,), self.run, self.beside, self.since, **more)  # type: ignore[arg-type]


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    made = Places(tmp_path)
    monkeypatch.setattr(leaks, "TEMPORARY", (str(made.shared),))
    monkeypatch.setattr(tempfile, "tempdir", str(made.shared))
    return made


def write(path: Path, text: str = SECRET) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def nest(top: Path, levels: int) -> None:
    """Directories in directories, far beyond the longest path."""
    at = os.open(top, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir("deep", dir_fd=at)
        below = os.open("deep", os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = below
    os.close(at)


def test_a_fencer_that_leaves_no_password_is_clean(places: Places) -> None:
    write(places.run.home / "log", "done")
    write(places.beside / "state" / "last", "off")
    write(places.shared / "agent.pid", "17")
    write(places.run.watch / "argv")  # the suite's own
    write(places.run.watch / "bin" / "ipmitool")
    assert places.search() == Leaks(files=(), unsearched=(), conduct=())


def test_a_password_file_of_the_suites_own_is_no_leak(places: Places) -> None:
    write(places.shared / "fencelab-x1" / "target.password")
    assert places.search(ours=places.shared / "fencelab-x1").files == ()
    assert places.search(ours=places.shared / "fencelab-x").files != ()
    assert places.search().files != ()


def test_passwords_are_found_in_all_places(places: Places) -> None:
    write(places.run.home / "a" / "b" / "log")
    write(places.run.path / "aside" / "log")
    write(places.beside / "state" / "x" / "log", f"{{'auth': '{b64encode(f'root:{SECRET}'.encode()).decode()}'}}")
    shared = write(places.shared / "agent" / "log", "%5A" + SECRET[1:])
    assert set(places.search().files) == {"HOME/a/b/log", "HOME/../aside/log", "state/x/log", str(shared)}


def test_a_time_stamp_that_was_set_back_hides_nothing(places: Places) -> None:
    for place in (places.beside, places.shared):
        os.utime(write(place / "log"), (1, 1))
    assert set(places.search().files) == {"log", f"{places.shared}/log"}


def test_in_shared_places_old_directories_are_searched_as_far_as_they_are_near(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leaks, "COARSE_S", 0.0)
    for path in ("a/log", "a/b/log", "a/c/log"):
        write(places.shared / path, "nothing")
    old = (places.shared / "a" / "c" / "log").stat().st_ctime
    while (now := write(places.beside / "clock").stat().st_ctime) <= old:  # the kernel's own clock stamps files
        pass
    places.since = now
    (places.beside / "clock").unlink()
    for path in ("a/log", "a/b/new/x/log", "a/c/log", "new/x/y/log"):
        write(places.shared / path)
    found = {name.removeprefix(f"{places.shared}/") for name in places.search().files}
    assert found == {"a/log", "a/b/new/x/log", "new/x/y/log"}


def test_a_directory_that_has_not_changed_is_listed_once_and_its_files_are_looked_at_each_time(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory_listings, "SETTLED_S", -1.0)
    listed: list[str] = []
    scandir = os.scandir

    def scanned(at: int) -> object:
        listed.append(os.readlink(f"/proc/self/fd/{at}"))
        return scandir(at)

    monkeypatch.setattr(os, "scandir", scanned)
    old, new = write(places.shared / "old" / "log", "nothing"), places.shared / "new" / "log"
    write(new, "nothing")
    write(places.shared / "gone" / "log", "nothing")
    outside = write(places.run.path / "watch" / "log").parent
    for _ in range(2):
        assert places.search().files == ()
    assert listed.count(str(old.parent)) == 1
    old.write_text(SECRET)
    write(new.with_name("log.1"))
    (places.shared / "gone").rename(places.shared / "moved")
    (places.shared / "gone").symlink_to(outside)
    assert set(places.search().files) == {str(old), str(new.with_name("log.1"))}
    assert listed.count(str(old.parent)) == 1
    assert listed.count(str(new.parent)) == 2


def test_a_directory_that_became_a_link_meanwhile_is_not_entered(places: Places) -> None:
    outside = write(places.run.home / "log").parent
    directory = SeenDirectory(str(places.shared / "a"), "", 0, outside.parent.stat())
    (places.shared / "a").symlink_to(outside)
    with pytest.raises(OSError, match="directory"):
        list(directory_listings.Listings().entries(directory))


def test_what_was_there_before_is_not_held_against_it(places: Places) -> None:
    write(places.beside / "credentials")
    write(places.shared / "credentials")
    places.since = time.time() + 1000
    assert places.search().files == ()


def test_the_file_of_another_cell_is_not_held_against_it(places: Places) -> None:
    write(places.shared / "log", "Zq7-ba9876543210")
    write(places.shared / f"{run_directory.PREFIX}2" / "home" / "log", "Zq7-ba9876543210")
    assert places.search().files == ()


def test_a_file_without_permissions_is_searched(places: Places) -> None:
    write(places.run.home / "a" / "log").chmod(0)
    (places.run.home / "a").chmod(0)
    places.run.home.chmod(0)
    assert places.search().files == ("HOME/a/log",)


def test_links_are_not_followed(places: Places, tmp_path: Path) -> None:
    outside = write(tmp_path / "outside" / "log")
    for place in (places.run.home, places.beside, places.shared):
        (place / "file").symlink_to(outside)
        (place / "directory").symlink_to(outside.parent)
    assert places.search().files == ()
    assert outside.read_text() == SECRET
    assert stat.S_IMODE(outside.parent.stat().st_mode) != 0o700


@pytest.mark.parametrize("target", ["/", "/proc", "/dev"])
def test_a_home_that_became_a_link_is_told_and_not_followed(places: Places, target: str) -> None:
    places.run.home.rename(places.run.path / "old")
    write(places.run.path / "old" / "log")
    places.run.home.symlink_to(target)
    found = places.search()
    assert found.conduct == (f"replaced its HOME by a link to {target}",)
    assert found.files == ("HOME/../old/log",)
    assert remove(places.run.path)
    assert Path(target).is_dir()


def test_a_home_that_is_gone_or_something_else_is_told(places: Places) -> None:
    places.run.home.rmdir()
    assert places.search().conduct == ("removed its HOME",)
    os.mkfifo(places.run.home)
    assert places.search().conduct == ("replaced its HOME by something that is no directory",)


def test_pipes_sockets_and_devices_neither_block_nor_count(places: Places) -> None:
    os.mkfifo(places.run.home / "pipe")
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(f"/proc/self/fd/{os.open(places.run.home, os.O_RDONLY)}/socket")
    if os.geteuid() == 0:
        os.mknod(places.run.home / "zero", 0o600 | stat.S_IFCHR, os.makedev(1, 5))
    assert places.search() == Leaks(files=(), unsearched=(), conduct=())
    assert read_regular(places.run.home / "pipe", 10) is None
    assert remove(places.run.path)


@pytest.mark.skipif(not os.access(MEMORY, os.W_OK), reason="a disk takes milliseconds for each directory")
def test_thousands_of_nested_directories_are_said_and_removed() -> None:
    top = Path(tempfile.mkdtemp(dir=MEMORY))
    try:
        deep = Places(top)
        nest(deep.run.home, DEEP)
        assert f"HOME: directories deeper than {leaks.HOME.depth} levels were not searched" in deep.search().unsearched
    finally:
        assert remove(top)
    assert not top.exists()


def test_too_many_files_are_said(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaks, "HOME", leaks.Bounds(32, 10, 2.0))
    for number in range(12):
        write(places.run.home / str(number), "nothing")
    assert places.search().unsearched == ("HOME: only the first 10 entries were searched",)


def test_a_search_that_takes_too_long_is_given_up_and_said(places: Places) -> None:
    write(places.run.home / "log")
    ticks = count(step=10)
    found = places.search(clock=lambda: float(next(ticks)))
    assert "HOME: the search was ended after 2 s" in found.unsearched
    assert found.files == ()


def test_the_end_of_a_large_file_is_said_not_to_be_searched(places: Places) -> None:
    large = write(places.run.home / "large", "nothing")
    os.truncate(large, leaks.LARGEST + 1)
    assert places.search().unsearched == ("HOME/large: only the first 4 MB were searched",)


def test_a_tree_without_permissions_is_removed(places: Places) -> None:
    write(places.run.home / "a" / "b" / "c").chmod(0)
    for directory in ("a/b", "a", "."):
        (places.run.home / directory).chmod(0)
    assert remove(places.run.path)


def test_removing_follows_no_link(places: Places, tmp_path: Path) -> None:
    kept = write(tmp_path / "kept" / "file")
    (places.run.home / "link").symlink_to(kept.parent)
    assert remove(places.run.path)
    assert kept.exists()


def test_removing_gives_up_in_time(places: Places) -> None:
    nest(places.run.home, 50)
    ticks = count(step=1)
    assert not remove(places.run.path, within_s=20.0, clock=lambda: float(next(ticks)))
    assert remove(places.run.path)


def test_a_mounted_directory_is_not_removed(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = places.shared / "mountinfo"
    mounts.write_text(f"1 2 3:4 / {places.run.home}/data rw - ext4 x rw\n")
    monkeypatch.setattr(run_directory, "MOUNTS", mounts)
    write(places.run.home / "data" / "file")
    assert not remove(places.run.path)
    assert (places.run.home / "data" / "file").exists()


def test_the_size_of_a_home_is_measured_as_far_as_it_goes(places: Places) -> None:
    (places.run.home / "a").mkdir()
    (places.run.home / "a" / "big").write_bytes(b"x" * 2_000_000)
    assert used_bytes(places.run.home) >= 2_000_000
    assert used_bytes(places.run.home / "none") == 0
    assert used_bytes(places.run.home, entries=1) < 2_000_000
