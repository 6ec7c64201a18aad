"""Probes on real sockets, commands and files: what they answer, that each ends in its time, and that none delays another."""

from __future__ import annotations

import os
import queue
import select
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from fencer.ha import probes
from fencer.ha.config import ExecProbe, FileProbe, HttpProbe, TcpProbe
from fencer.ha.file_looks import Looker, mount_of, mount_points
from fencer.ha.probe_loop import ProbeLoop
from fencer.ha.probes import AnyProbe, Heartbeat, ProbeFinding

LONG = 60.0
"""Seconds that only end a test that is in vain."""


class Loop:
    def __init__(self, base: Path) -> None:
        self.loop = ProbeLoop(base, 1.0, lambda: 5.0)

    def ask(self, *wanted: AnyProbe, timeout: float = LONG) -> Callable[[], ProbeFinding]:
        found: queue.SimpleQueue[ProbeFinding] = queue.SimpleQueue()
        self.loop.ask(wanted, timeout, found.put)
        return lambda: found.get(timeout=LONG)

    def answer(self, *wanted: AnyProbe, timeout: float = LONG) -> bool | None:
        return self.ask(*wanted, timeout=timeout)().answer


@pytest.fixture
def loop(tmp_path: Path) -> Iterator[Loop]:
    made = Loop(tmp_path)
    yield made
    made.loop.close()


class Silent:
    """Accepts connections and never answers."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = int(self.socket.getsockname()[1])
        self.http = HttpProbe(kind="http", url=f"http://127.0.0.1:{self.port}/")

    def close(self) -> None:
        self.socket.close()


@pytest.fixture
def silent() -> Iterator[Silent]:
    with closing(Silent()) as made:
        yield made


@pytest.fixture
def web() -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/garbage":
                self.wfile.write(b"\x00\x01 no http\n")
                return
            if self.path == "/early":
                self.wfile.write(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n\r\n")
                return
            self.send_response({"/alive": 200, "/who": 200 if self.headers.get("Authorization") else 401}.get(self.path, 404))
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield int(server.server_address[1])
    server.shutdown()
    server.server_close()


def http(port: int, path: str, status: int = 200, user: str = "") -> HttpProbe:
    return HttpProbe(kind="http", url=f"http://{user}127.0.0.1:{port}{path}", status=status)


def test_tcp_and_http_say_whether_the_host_answers(loop: Loop, web: int) -> None:
    expected: Sequence[tuple[AnyProbe, bool | None]] = [
        (TcpProbe(kind="tcp", host="127.0.0.1", port=web), True),
        (TcpProbe(kind="tcp", host="localhost", port=web), True),
        (TcpProbe(kind="tcp", host="127.0.0.1", port=1), False),
        (http(web, "/alive"), True),
        (http(web, "/nothing"), False),
        (http(web, "/nothing", 404), True),
        (http(web, "/early"), True),
        (http(web, "/garbage"), False),
        (http(web, "/who"), False),
        (http(web, "/who", user="me:pass@"), True),
        (HttpProbe(kind="http", url="http://127.0.0.1:1/"), False),
    ]
    for probe, answer in expected:
        assert loop.answer(probe) is answer, probe


def test_what_the_manager_cannot_ask_is_unknown(loop: Loop, web: int) -> None:
    for probe in (
        HttpProbe(kind="http", url="nonsense"),
        HttpProbe(kind="http", url="http://[::1/"),
        HttpProbe(kind="http", url="http://127.0.0.1:port/"),
        TcpProbe(kind="tcp", host="no-such-host.invalid", port=1),
        TcpProbe(kind="tcp", host="\ud800", port=1),
        ExecProbe(kind="exec", argv=["/no/such/program"]),
    ):
        assert loop.answer(probe) is None, probe


def test_a_server_without_tls_or_trust_is_unknown(loop: Loop, web: int) -> None:
    assert loop.answer(HttpProbe(kind="http", url=f"https://127.0.0.1:{web}/")) is None


@pytest.mark.long
def test_commands_say_yes_no_or_that_nobody_knows_and_one_that_hangs_is_killed_with_its_children(
    loop: Loop, tmp_path: Path
) -> None:
    words = {"true": True, "false": False, "exit 3": None, "kill -9 $$": None}
    for text, answer in words.items():
        assert loop.answer(ExecProbe(kind="exec", argv=["sh", "-c", text])) is answer, text
    hangs = "sleep 600 & echo $! > child; echo $$ > parent; wait"
    ready = loop.ask(ExecProbe(kind="exec", argv=["sh", "-c", hangs]), timeout=1.5)
    assert ready().answer is None
    for name in ("parent", "child"):
        assert _ends(int((tmp_path / name).read_text())), name


def _ends(pid: int) -> bool:
    """True when the process has ended; a signal takes effect a moment after it was sent."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], LONG)[0])
    finally:
        os.close(descriptor)


def test_one_that_passes_is_enough_and_unknown_is_never_dead(loop: Loop, web: int, silent: Silent) -> None:
    passed, failed = http(web, "/alive"), http(web, "/nothing")
    unknown = ExecProbe(kind="exec", argv=["sh", "-c", "exit 3"])
    assert loop.answer(silent.http, failed, passed) is True
    assert loop.answer(failed, unknown) is None
    assert loop.answer(failed, failed) is False
    assert loop.answer() is None


def test_a_host_that_accepts_and_never_answers_has_failed_when_its_time_is_over(loop: Loop, silent: Silent) -> None:
    assert loop.answer(silent.http, timeout=0.05) is False
    assert loop.answer(TcpProbe(kind="tcp", host="127.0.0.1", port=silent.port), timeout=LONG) is True


def test_150_agents_of_300_that_never_answer_delay_no_other_host(loop: Loop, web: int, silent: Silent) -> None:
    """The answers of the others come while all 150 still hang: their time would be over only after the end of this test."""
    hung = [loop.ask(silent.http, timeout=600.0) for _ in range(150)]
    others = [loop.ask(TcpProbe(kind="tcp", host="127.0.0.1", port=1)) for _ in range(150)]
    assert {ready().answer for ready in others} == {False}
    assert loop.answer(http(web, "/alive")) is True
    assert len(hung) == 150


def test_a_heartbeat_is_judged_by_its_change_and_never_by_its_age(loop: Loop, tmp_path: Path) -> None:
    beat, probe = tmp_path / "beat", FileProbe(kind="file", path="beat", max_age=1000.0)
    assert loop.answer(probe) is None, "no file: perhaps its share is not mounted"
    beat.touch()
    os.utime(beat, (4e9, 4e9))
    assert loop.answer(probe) is None, "seen for the first time; its clock is years ahead"
    os.utime(beat, (1.0, 1.0))
    found = loop.ask(probe)()
    assert (found.answer, found.changed_at is not None) == (True, True)
    assert loop.answer(probe) is True, "it has changed within the last 1000 s"
    beat.unlink()
    assert loop.answer(probe) is None


def test_the_time_of_a_heartbeat_runs_from_its_last_change() -> None:
    known: dict[str, Heartbeat] = {}
    seen = [probes.judge("p", stamp, 30.0, known, now) for stamp, now in (
        ("1", 0.0), ("1", 10.0), ("1", 30.0), ("2", 40.0), ("2", 60.0), ("2", 70.0), ("2", 500.0), ("3", 501.0),
    )]  # fmt: skip
    assert seen == [None, None, False, True, True, False, False, True]


def test_a_look_at_a_dead_share_is_given_up_and_the_share_is_asked_again_when_the_process_has_ended(
    loop: Loop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that reads its question and never answers stands for one that waits in `stat`."""
    (tmp_path / "beat").touch()
    probe = FileProbe(kind="file", path="beat", max_age=1000.0)
    monkeypatch.setattr("fencer.ha.file_looks.LOOKER", "import time; time.sleep(600)")
    first, second = loop.ask(probe, timeout=0.2), loop.ask(probe)
    assert first().answer is None
    assert second().answer is None, "all that ask for this share are answered at once"
    monkeypatch.undo()
    os.utime(tmp_path / "beat", (5.0, 5.0))
    for looker in loop.loop._lookers.values():
        looker._process.wait()
    assert loop.answer(probe) is None, "seen for the first time"
    os.utime(tmp_path / "beat", (6.0, 6.0))
    assert loop.answer(probe) is True


def test_a_looker_that_ends_answers_that_nobody_knows() -> None:
    said: list[str | None] = []
    with closing(Looker()) as looker:
        looker.ask("/", said.append)
        looker.give_up()
        looker.ask("/", said.append)
    assert said == [None, None]


def test_the_mount_point_of_a_path_is_found_without_touching_it() -> None:
    points = ["/mnt/share/deep", "/mnt/share", "/"]
    assert [mount_of(path, points) for path in ("/mnt/share/deep/x", "/mnt/share", "/mnt/shared/x", "/x")] == [
        "/mnt/share/deep", "/mnt/share", "/", "/",
    ]  # fmt: skip
    assert mount_points()[-1] == "/"


def test_more_commands_than_may_run_wait_their_turn(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fencer.ha.probe_loop.MAX_COMMANDS", 2)
    asked = [loop.ask(ExecProbe(kind="exec", argv=["true"])) for _ in range(8)]
    assert [ready().answer for ready in asked] == [True] * 8


def test_the_end_of_a_loop_ends_its_commands(tmp_path: Path) -> None:
    made = Loop(tmp_path)
    os.mkfifo(tmp_path / "started")
    made.ask(ExecProbe(kind="exec", argv=["sh", "-c", "echo $$ > started; exec sleep 600"]))
    pid = int((tmp_path / "started").read_text())
    made.loop.close()
    assert _ends(pid)


def test_a_hundred_sockets_are_given_back(loop: Loop, silent: Silent) -> None:
    before = len(os.listdir("/proc/self/fd"))
    with ExitStack() as stack:
        stack.callback(lambda: None)
        asked = [loop.ask(silent.http, timeout=0.05) for _ in range(100)]
        assert {ready().answer for ready in asked} == {False}
    assert len(os.listdir("/proc/self/fd")) <= before
