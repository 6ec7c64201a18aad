"""Health probes (does the host answer?) and activity probes (does the host still write?), each as a small coroutine.

`ProbeLoop` runs them, all in one thread. A coroutine yields what it waits for (`DescriptorWait`, `Lookup`, `FileLook`) and
returns the answer. Times are seconds.

Rules
  1. A probe answers True, False, or None for unknown. None never counts as a dead host.
  2. False means that the host was asked and did not answer. If the manager could not ask (no such name, no route, no file
     descriptor, a certificate that it does not trust, a command that does not end), nobody knows.
  3. A heartbeat is judged by change, not by its age: clocks of two machines may differ. A file that cannot be found is unknown,
     because its share may not be mounted.
"""

from __future__ import annotations

import base64
import errno
import os
import signal
import socket
import ssl
import subprocess
from collections.abc import Generator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from fencer.ha.config import ExecProbe, FileProbe, HttpProbe, TcpProbe

AnyProbe = TcpProbe | HttpProbe | FileProbe | ExecProbe

UNKNOWN_EXIT = 3
"""The result of an `exec` probe with this exit status, or that cannot be run, is unknown."""

MAX_ANSWER = 65536
"""Bytes that are read of an HTTP answer, to find its status."""

CANNOT_ASK = frozenset(
    {
        errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EACCES, errno.EPERM, errno.ENETUNREACH, errno.ENETDOWN,
        errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EINVAL,
    }
)  # fmt: skip
"""Errors of this machine, not of the host."""


@dataclass(frozen=True, slots=True)
class DescriptorWait:
    """Until the descriptor can be read, or written."""

    descriptor: int
    write: bool = False


@dataclass(frozen=True, slots=True)
class Lookup:
    """Until the name is looked up. Sends back a list of addresses; empty: nobody knows the name."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class FileLook:
    """Until somebody has looked at the file. Sends back its state, or None if that cannot be had."""

    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeFinding:
    """What a round of probes has found. `began`: its start by the manager's clock; None: it could not be run.

    `changed_at`: True was answered because a heartbeat was seen to change then; None: otherwise.
    """

    began: float | None
    answer: bool | None
    changed_at: float | None = None


ProbeAddress = tuple[int, str, int]
ProbePause = DescriptorWait | Lookup | FileLook
Coming = list[ProbeAddress] | str | None
Probing = Generator[ProbePause, Coming, bool | None]
"""What a probe is while it runs. It may be closed at any time, and gives back what it holds."""


@dataclass(slots=True)
class Heartbeat:
    """One heartbeat file as it was seen last. `since`: when this state was first seen; `changed`: it was seen to change."""

    stamp: str
    since: float
    changed: bool = False


def late_answer(probe: AnyProbe) -> bool | None:
    """The answer of a probe that has not ended in its time. A host that accepts and never answers does not answer."""
    return False if isinstance(probe, TcpProbe | HttpProbe) else None


# -- tcp and http


def tcp(host: str, port: int) -> Probing:
    opened = yield from _connected(host, port)
    if not isinstance(opened, socket.socket):
        return opened
    opened.close()
    return True


@cache
def _trust() -> ssl.SSLContext:
    return ssl.create_default_context()


def http(probe: HttpProbe) -> Probing:
    parts = urlsplit(probe.url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return None
    port = parts.port or (443 if parts.scheme == "https" else 80)
    opened = yield from _connected(parts.hostname, port)
    if not isinstance(opened, socket.socket):
        return opened
    try:
        if parts.scheme == "https":
            opened = _trust().wrap_socket(opened, server_hostname=parts.hostname, do_handshake_on_connect=False)
            yield from _handshake(opened)
        yield from _send(opened, _request(parts))
        status = yield from _status(opened)
    except ssl.SSLError:
        return None
    except OSError:
        return False
    finally:
        opened.close()
    return status == probe.status


def _connected(host: str, port: int) -> Generator[ProbePause, Coming, socket.socket | bool | None]:
    """Returns a socket, or what it means that there is none."""
    addresses = yield Lookup(host, port)
    answer: bool | None = None
    for family, address, at in addresses if isinstance(addresses, list) else ():
        try:
            sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        except OSError:
            return None
        done = False
        try:
            code = sock.connect_ex((address, at))
            if code == errno.EINPROGRESS:
                yield DescriptorWait(sock.fileno(), write=True)
                code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if code == 0:
                done = True
                return sock
        finally:
            if not done:
                sock.close()
        if code not in CANNOT_ASK:
            answer = False
    return answer


def _handshake(sock: ssl.SSLSocket) -> Generator[ProbePause, Coming, None]:
    while True:
        try:
            sock.do_handshake()
            return
        except ssl.SSLWantReadError:
            yield DescriptorWait(sock.fileno())
        except ssl.SSLWantWriteError:
            yield DescriptorWait(sock.fileno(), write=True)


def _request(parts: SplitResult) -> bytes:
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    host = parts.netloc.rpartition("@")[2]
    lines = [f"GET {target} HTTP/1.1", f"Host: {host}", "Accept: */*", "Connection: close"]
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        lines.append(f"Authorization: Basic {base64.b64encode(pair.encode()).decode()}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _send(sock: socket.socket, data: bytes) -> Generator[ProbePause, Coming, None]:
    while data:
        try:
            data = data[sock.send(data) :]
        except (BlockingIOError, ssl.SSLWantWriteError):
            yield DescriptorWait(sock.fileno(), write=True)
        except ssl.SSLWantReadError:
            yield DescriptorWait(sock.fileno())


def _status(sock: socket.socket) -> Generator[ProbePause, Coming, int | None]:
    """The status of the answer, after any 1xx; None if there is no HTTP answer."""
    text = b""
    while len(text) < MAX_ANSWER:
        try:
            more = sock.recv(4096)
        except (BlockingIOError, ssl.SSLWantReadError):
            yield DescriptorWait(sock.fileno())
            continue
        except ssl.SSLWantWriteError:
            yield DescriptorWait(sock.fileno(), write=True)
            continue
        text += more
        while b"\n" in text:
            words = text.partition(b"\n")[0].split()
            if len(words) < 2 or not words[0].startswith(b"HTTP/") or not words[1].isdigit():
                return None
            if not words[1].startswith(b"1"):
                return int(words[1])
            _, end, rest = text.partition(b"\r\n\r\n")
            if not end:
                break
            text = rest
        if not more:
            return None
    return None


# -- exec


def command(probe: ExecProbe, base: Path) -> Probing:
    """Runs a command in a session of its own, so that everything that it has started is killed with it."""
    try:
        process = subprocess.Popen(
            probe.argv, cwd=base, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
    except OSError:
        return None
    descriptor = -1
    try:
        descriptor = os.pidfd_open(process.pid)
        yield DescriptorWait(descriptor)
        code = process.wait()
    finally:
        if descriptor >= 0:
            os.close(descriptor)
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return None if code == UNKNOWN_EXIT or code < 0 else code == 0


# -- file


def file(path: Path, max_age: float, known: dict[str, Heartbeat], now: float) -> Probing:
    """True if the file has changed within `max_age` seconds, as this process has seen it. `known` remembers every file."""
    stamp = yield FileLook(str(path))
    if not isinstance(stamp, str):
        return None
    return judge(str(path), stamp, max_age, known, now)


def judge(path: str, stamp: str, max_age: float, known: dict[str, Heartbeat], now: float) -> bool | None:
    """Compares the state of a heartbeat file with what was seen before. None: it was not watched for long enough."""
    seen = known.get(path)
    if seen is None or seen.stamp != stamp:
        known[path] = Heartbeat(stamp, now, changed=seen is not None)
        return None if seen is None else True
    if now - seen.since >= max_age:
        return False
    return True if seen.changed else None
