"""`fence-ha backup`, `restore` and `count`."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from click.testing import CliRunner, Result

from fencer.ha.cli import main
from fencer.ha.record import HostRecord
from fencer.ha.sqlite_store import SqliteStore
from fencer.ha.states import HAState
from tests.unit.test_ha_config import HOST, written


def test_a_back_up_is_restored_and_the_vms_are_counted_by_hand(tmp_path: Path) -> None:
    config, copy = written(tmp_path, f"hosts: [{HOST}]"), tmp_path / "copy.db"
    with closing(SqliteStore(tmp_path / "fence-ha.db")) as store:
        store.register_all([(HostRecord(host=name, state=HAState.AVAILABLE), [f"on-{name}"]) for name in "ab"])

    def command(*words: str) -> Result:
        return CliRunner().invoke(main, [words[0], str(config), *words[1:]])

    assert command("backup", str(copy)).exit_code == 0
    again = command("backup", str(copy))
    assert (again.exit_code, "exists already" in again.output) == (2, True)
    assert "not to be counted" in command("count", "a", "--none").output
    assert "fence-ha count" in command("restore", str(copy)).output
    assert "no VM is started before the VMs of these hosts are counted: a, b" in command("status").output
    assert command("count", "a").exit_code == command("count", "a", "--none", "--vm", "v").exit_code == 2
    assert "still to be counted: b" in command("count", "a", "--vm", "on-b").output
    assert "may be started again" in command("count", "b", "--none").output
    with closing(SqliteStore(tmp_path / "fence-ha.db")) as store:
        assert store.placements()["on-b"] == "a"
    missing = command("restore", str(tmp_path / "nothing.db"))
    assert (missing.exit_code, "is gone" in missing.output) == (2, True)
