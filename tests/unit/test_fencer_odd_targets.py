"""`fencer.fence` raises nothing, whatever the target says."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from fencer import Auth, FenceVerdict, Limits, Protocol, Target, fence, power_on, reset, run
from fencer.transport import redfish_reader

QUICK = Limits(deadline=0.4, connect=0.2)
GOOD = {"host": "127.0.0.1", "port": 1, "user": "u", "password": "p"}
ODD: list[dict[str, object]] = [
    {"host": "a\0b"}, {"host": "x" * 300}, {"host": "\udcff"}, {"host": "ü" * 80}, {"host": "::1"}, {"host": "fe80::1%nope"},
    {"host": "[::1"}, {"host": "a b"}, {"host": "127.0.0.1/x"}, {"host": "127.0.0.1\r\nX: y"},
    {"url": "http://[::1"}, {"url": "http://127.0.0.1:99999"}, {"url": "http://127.0.0.1:1/\r\nX: y"}, {"url": "http://\udcff:1"},
    {"user": "a\r\nX: y"}, {"user": "\udcff"}, {"user": "é" * 9}, {"password": "\0"}, {"password": "\udcff\n"},
    {"redfish_uri": "http://[::1"}, {"redfish_uri": "http://elsewhere.invalid/"}, {"redfish_uri": ""}, {"redfish_uri": "\r\n"},
    {"redfish_uri": "/\udcff"}, {"system": "//"}, {"system": "/\r\n"}, {"system": "/\udcff", "url": "http://127.0.0.1:1"},
    {"ca_file": "/"}, {"ca_file": "\0"}, {"ca_file": __file__}, {"identity": "\udcff"}, {"auth": Auth.SESSION},
]  # fmt: skip


class PausesCostNothing:
    """The monotonic clock, moved on by each pause instead of waiting for it. In seconds."""

    def __init__(self) -> None:
        self._paused_s = 0.0

    def now(self) -> float:
        return time.monotonic() + self._paused_s

    def sleep(self, seconds: float) -> None:
        self._paused_s += seconds


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "MonotonicClock", PausesCostNothing)
    monkeypatch.setattr(redfish_reader, "REPEAT_AFTER_S", 0.0)


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
@pytest.mark.parametrize("protocol", Protocol)
def test_an_odd_target_is_a_failure_and_no_exception(odd: dict[str, object], protocol: Protocol) -> None:
    target = Target(**{**GOOD, "protocol": protocol, **odd})  # type: ignore[arg-type]
    for act in (fence, power_on, reset):
        outcome = act(target, QUICK)
        assert outcome.verdict is FenceVerdict.UNKNOWN
        assert outcome.failure is not None
        assert outcome.commands_sent == 0


def test_what_permit_or_observe_raises_passes_through(tmp_path: Path) -> None:
    def observe(at: float, what: object) -> None:
        raise LookupError

    with pytest.raises(LookupError):
        fence(Target(**GOOD), QUICK, observe=observe)  # type: ignore[arg-type]
