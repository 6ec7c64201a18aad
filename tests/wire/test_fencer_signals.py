"""fence_bmc as a process that is stopped in the middle of an action: it logs out, says one line, and leaves no session."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from emulator import Emulator, HostSpec
from emulator.core.journal import EventKind
from fencer import agent, run
from profiles import load
from tests.commands import PATIENCE, environment
from tests.emulator_bed import started


@pytest.fixture
def start() -> Iterator[Callable[..., Emulator]]:
    yield from started(load("openbmc-x86"))  # its hosts take seconds to go off


def asked(emulator: Emulator, **more: str) -> subprocess.Popen[str]:
    endpoint = emulator.endpoints["node1"]
    given = {
        "action": "off", "ip": endpoint.host, "username": endpoint.username, "password": endpoint.password, "ssl_insecure": "1",
        "ipport": str(endpoint.redfish_port), "auth_method": "session", "output": "json", **more,
    }  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-m", "fencer.agent"], env=environment(), text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    process.stdin.write("".join(f"{name}={value}\n" for name, value in given.items()))
    process.stdin.close()
    process.stdin = None
    return process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_after_the_power_command_logs_out_and_says_that_nothing_is_settled(
    start: Callable[..., Emulator], number: signal.Signals
) -> None:
    emulator = start(HostSpec(), tls=True)
    commanded = threading.Event()
    emulator.subscribe(lambda event: commanded.set() if event.kind is EventKind.COMMAND else None)
    process = asked(emulator)
    assert commanded.wait(PATIENCE)
    process.send_signal(number)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert err == "fence_bmc: timeout: stopped by a signal before the power state was settled\n"
    result = json.loads(out)
    assert (result["exit"], result["verdict"], result["commands_sent"]) == (1, None, None)
    assert [event.data["what"] for event in emulator.journal if event.kind is EventKind.SESSION] == ["opened", "closed"]


def test_a_signal_whose_exception_is_lost_in_a_finaliser_stops_the_next_step(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def steps(*_: object, observe: Callable[[float, object], None], **__: object) -> None:
        observe(0.0, "a step")
        with contextlib.suppress(agent.StoppedBySignal):
            agent._on_signal(signal.SIGINT, None)
        observe(0.0, "a step")
        raise AssertionError("the action goes on after a signal")

    monkeypatch.setattr(run, "fence_target", steps)
    monkeypatch.setattr(signal, "signal", lambda number, handler: None)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setenv("FENCE_PASSWORD", "p")
    assert agent.main(["--action", "off", "--ip", "192.0.2.1", "--username", "u"]) == 1
    assert "stopped by a signal" in capsys.readouterr().err
