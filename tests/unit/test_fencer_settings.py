"""The parameters that say where fence_bmc writes, which chassis count, and which machine it must be."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from fencer.settings import BadSettings, settings
from fencer.target import ChassisCheck, IdentityCheck

GOOD = {"action": "status", "ip": "192.0.2.1", "username": "admin", "password": "c4nary pass"}


@pytest.mark.parametrize("name", ["evidence", "debug_file"])
def test_a_file_name_of_blanks_is_refused(name: str) -> None:
    with pytest.raises(BadSettings, match=f"{name} has only blanks"):
        settings({**GOOD, name: "  "}, {})


@pytest.mark.parametrize("name", ["evidence", "debug_file"])
@pytest.mark.parametrize("kind", ["a FIFO", "a folder", "a socket", "nowhere", "a loop"])
def test_what_cannot_be_written_is_refused_before_anything_is_sent(tmp_path: Path, name: str, kind: str) -> None:
    path = tmp_path / "x"
    match kind:
        case "a FIFO":
            os.mkfifo(path)
        case "a folder":
            path.mkdir()
        case "a socket":
            with socket.socket(socket.AF_UNIX) as server:
                server.bind(str(path))
        case "nowhere":
            path = tmp_path / "none" / "x"
        case _:
            path.symlink_to(path)
    with pytest.raises(BadSettings, match=f"{name} is "):
        settings({**GOOD, name: str(path)}, {})


@pytest.mark.parametrize("path", ["/dev/null", "new-file"])
def test_a_file_or_a_device_can_be_written(tmp_path: Path, path: str) -> None:
    assert settings({**GOOD, "evidence": str(tmp_path / path), "debug_file": str(tmp_path / path)}, {}).evidence


def test_chassis_check_may_be_a_list_of_uris() -> None:
    limits = settings({**GOOD, "chassis_check": "/redfish/v1/Chassis/1, /redfish/v1/Chassis/2"}, {}).limits
    assert limits.chassis_check is ChassisCheck.LISTED
    assert limits.chassis == ("/redfish/v1/Chassis/1", "/redfish/v1/Chassis/2")


def test_the_identity_may_be_asked_for_only_when_it_is_shown() -> None:
    target = settings({**GOOD, "identity": "SER-1", "identity_check": "when-shown"}, {}).target
    assert target is not None
    assert (target.identity, target.identity_check) == ("SER-1", IdentityCheck.WHEN_SHOWN)
