"""fence_bmc as a process: stdin in, exit status out, and an end by signal."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress

import pytest

PASSWORD = "c4nary-pass"


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """A BMC that accepts connections and says nothing, not even in the TLS handshake."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(20)
        yield server


def start(server: socket.socket, **values: str) -> subprocess.Popen[str]:
    given = {
        "ip": "127.0.0.1", "ipport": str(server.getsockname()[1]), "username": "admin", "password": PASSWORD,
        "ssl_insecure": "1", "verbose": "1", **values,
    }  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-m", "fencer.agent"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdin is not None
    process.stdin.write("".join(f"{name}={value}\n" for name, value in given.items()))
    process.stdin.close()
    process.stdin = None
    return process


def end(process: subprocess.Popen[str]) -> tuple[str, str]:
    out, err = process.communicate(timeout=20)
    assert PASSWORD not in out + err
    assert "Traceback" not in err
    return out, err


def test_a_signal_ends_it_with_an_error_long_before_its_deadline(silent: socket.socket) -> None:
    process = start(silent, action="off", deadline="60")
    with closing(silent.accept()[0]):
        process.send_signal(signal.SIGTERM)
        _, err = end(process)
    assert process.returncode == 1
    assert "stopped by a signal" in err


@pytest.mark.long
@pytest.mark.parametrize("action", ["off", "status"])
def test_a_stalled_tls_handshake_ends_with_the_deadline(silent: socket.socket, action: str) -> None:
    process = start(silent, action=action, deadline="2")
    with closing(silent.accept()[0]):
        out, err = end(process)
    assert (process.returncode, out) == (1, "")
    assert err.splitlines()[-1].startswith("fence_bmc: timeout: ")


@pytest.mark.long
def test_no_credentials_leave_before_the_certificate_is_verified(silent: socket.socket) -> None:
    process = start(silent, action="status", deadline="3", ssl_insecure="0")
    hellos = []
    silent.settimeout(0.2)
    while process.poll() is None:
        with suppress(TimeoutError), closing(silent.accept()[0]) as connection:
            hellos.append(connection.recv(4096))
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    _, err = end(process)
    assert process.returncode == 1
    assert {hello[:1] for hello in hellos} == {b"\x16"}  # TLS records, and nothing else
    assert err.splitlines()[-1].startswith("fence_bmc: tls: ")


def shell(line: str) -> subprocess.CompletedProcess[str]:
    """The agent as a shell starts it: AGENT stands for it."""
    return subprocess.run(
        ["/bin/sh", "-c", line.replace("AGENT", f"{sys.executable} -m fencer.agent")],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_a_closed_standard_input_is_a_usage_error() -> None:
    done = shell("AGENT <&-")
    assert (done.returncode, done.stderr) == (1, "fence_bmc: config: standard input is closed, and there are no options\n")


@pytest.mark.parametrize("where", [">&-", "> /dev/full"])
def test_metadata_that_nobody_got_is_a_failure(where: str) -> None:
    assert shell(f"AGENT -o metadata {where}").returncode == 1
