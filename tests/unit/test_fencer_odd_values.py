"""Every parameter of fence_bmc with values that nobody should write: it takes them or refuses them, in one clear line."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from pathlib import Path

import pytest

from fencer import Limits, agent_input
from fencer.agent import host_names, main
from fencer.agent_input import read_stdin
from fencer.given import BadSettings
from fencer.outcome import Member
from fencer.parameters import PARAMETERS, WITHOUT_EFFECT
from fencer.settings import settings

pytestmark = pytest.mark.long


PASSWORD = "s3cret-pass"
GIVEN = {"ip": b"192.0.2.1", "username": b"admin", "password": PASSWORD.encode(), "action": b"validate-all"}
ODD = {
    "NUL": b"a\0b", "infinite": b"1e999", "no number": b"nan", "negative": b"-1", "huge": b"1e300", "nine": b"9" * 5000,
    "long": b"x" * 300_000, "other digits": "\u0663".encode(), "return": b"1\r2", "escape": b"\x1b[31mred", "bytes": b"\xff\xfe",
    "empty": b"", "blank": b"  ", "quote": b'"', "equals": b"a=b=c", "format": b"%s{}", "zero": b"0", "port": b"65536",
    "underscore": b"1_0", "hex": b"0x10", "slash": b"/", "comma": b",", "bracket": b"[::1", "zone": b"fe80::1%nosuch0",
    "uri": b"http://[::1", "elsewhere": b"https://user@evil.example/x", "shell": b"$(reboot)", "delete": b"/a\x7f\x01",
}  # fmt: skip
LINE = re.compile(r"fence_bmc: [ -~]{1,2100}")


@pytest.fixture(autouse=True)
def untouched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr("signal.signal", lambda number, handler: None)
    monkeypatch.chdir(tmp_path)


def feed(monkeypatch: pytest.MonkeyPatch, raw: bytes) -> int:
    with tempfile.TemporaryFile() as file:
        file.write(raw)
        file.seek(0)
        monkeypatch.setattr(sys, "stdin", file)
        return main([])


@pytest.mark.parametrize("protocol", [b"redfish", b"ipmi"])
@pytest.mark.parametrize("name", [parameter.name for parameter in PARAMETERS if parameter.name != "protocol"] + [*WITHOUT_EFFECT])
def test_an_odd_value_is_taken_or_refused_in_one_line(
    name: str, protocol: bytes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for what, value in ODD.items():
        given = {**GIVEN, "protocol": protocol, name: value}
        if name in ("password_file", "password_script"):
            del given["password"]
        status = feed(monkeypatch, b"".join(key.encode() + b"=" + text + b"\n" for key, text in given.items()))
        out, err = capsys.readouterr()
        assert status in (0, 1), (what, status)
        assert status == 0 or err.count("\n") == 1, (what, err)
        assert all(LINE.fullmatch(line) for line in err.splitlines()), (what, err[:300])
        assert PASSWORD not in out + err


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"stable_for": "50"}, "stable_for is 50 s, and power_timeout 50 s"),
        ({"power_wait": "20", "deadline": "15"}, "power_wait is 20 s, and deadline 15 s"),
        ({"delay": "1e300"}, "delay is '1e300'; it must be 0 to 1000000 seconds"),
        ({"redfish_uri": "redfish/v1"}, "redfish_uri is 'redfish/v1'; write a path"),
        ({"redfish_uri": "https://192.0.2.9/redfish/v1"}, "write a path"),
        ({"ip": "http://192.0.2.1"}, "the port in ip is '//192.0.2.1', not a whole number"),
        ({"ip": "192.0.2.1/x"}, "ip is '192.0.2.1/x', not a host name or address"),
        ({"ip": "admin@192.0.2.1"}, "not a host name or address"),
        ({"ip": "[::1"}, "an IPv6 address with its port is written as [::1]:443"),
        ({"ip": "[::1]x:5"}, "an IPv6 address with its port is written as [::1]:443"),
        ({"protocol": "ipmi", "ssl_fingerprint": "ab" * 32}, "ssl_fingerprint belongs to Redfish"),
        ({"protocol": "ipmi", "ssl_secure": "1"}, "ssl_secure belongs to Redfish"),
    ],
)
def test_what_could_not_work_or_would_protect_less_is_refused(given: dict[str, str], words: str) -> None:
    with pytest.raises(BadSettings, match=re.escape(words)):
        settings({"action": "off", "ip": "h", "username": "u", "password": "p", **given})


@pytest.mark.parametrize("name", ["deadline", "connect", "request", "stable_for", "power_wait", "graceful", "poll_max"])
@pytest.mark.parametrize("value", [float("inf"), float("nan"), 1e300, -1.0])
def test_limits_that_no_clock_can_keep_are_a_value_error(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=name):
        Limits(**{name: value})  # type: ignore[arg-type]


# --- standard input -----------------------------------------------------------------------------------------------------


def test_an_endless_standard_input_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with Path("/dev/zero").open("rb") as zeros:
        monkeypatch.setattr(sys, "stdin", zeros)
        with pytest.raises(BadSettings, match="more than 1048576 bytes"):
            read_stdin()


def test_a_standard_input_that_does_not_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    os.write(writer, b"action=off\n")
    monkeypatch.setattr(agent_input, "STDIN_WAIT_S", 0.05)
    with os.fdopen(reader, "rb") as pipe:
        monkeypatch.setattr(sys, "stdin", pipe)
        with pytest.raises(BadSettings, match="did not end within"):
            read_stdin()
    os.close(writer)


# --- what a host says of itself ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["node1 node2", "node1,node2", "node1;node2", "node1\nnode2", "\x1b[2J", "-x", "n\u00f6de", ""])
def test_a_name_that_is_no_host_name_is_not_listed(name: str) -> None:
    """Pacemaker takes each word of `list` for a node that this device can fence."""
    assert host_names(Member(plug="1", host_name=name)) == [""]
