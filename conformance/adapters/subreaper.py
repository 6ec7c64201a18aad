"""The two processes between the suite and a fencer, so that nothing which the fencer starts can get away. Standard library only.

`adapters.process` starts a Python with this module alone, once per run of a fencer: `REPORT MODE LOG PROGRAM ARGUMENT...`. That
is the *outer* process. It starts the *inner* one, which starts the fencer and reaps what comes after it. Both end when nothing is
left below them.

Mode     | the inner process                              | a fencer's signals reach
---------+------------------------------------------------+------------------------------------------------------------
isolated | is process 1 of a PID namespace with its /proc | its own namespace; the kernel shields process 1 from SIGKILL
confined | is a subreaper, as the outer process is        | what it has started (Landlock), where the kernel can do that
open     | the same                                       | everything that its user may signal

REPORT is the number of a descriptor, on which they write lines:

    refused REASON       there can be no namespace; nothing has been started
    lacks WORD REASON    one protection that this machine does not give
    inner PID            the inner process, in the suite's numbers
    fencer PID           the fencer, in the inner process's numbers
    signal NUMBER        something sent a signal to one of the two
    inner-ended          the inner process was killed; the outer one has taken over
    errno NUMBER         the program cannot be started
    exit CODE            the fencer has ended (negative: the signal)

LOG is a file for the command lines of what the fencer starts, in the form of the stand-ins (`programs.py`): arguments end with
NUL, records with RS. They come from the kernel's process events (proc connector), which the kernel tells in the machine's first
namespaces only.
"""

from __future__ import annotations

import _socket  # `socket` takes 10 ms to import
import ctypes
import os
import resource
import select
import struct
import sys

TYPE_CHECKING = False  # `typing` takes 4 ms to import
if TYPE_CHECKING:
    import signal
    from typing import NoReturn
else:
    import _signal as signal  # `signal` takes 8 ms to import, as does `contextlib`

ISOLATED, CONFINED, OPEN = "isolated", "confined", "open"
FILE_BYTES = 256 << 20
PROCESSES, REFUSED_BEYOND = 256, 320
"""Limits of a fencer: bytes of one file; processes at once, and how many the kernel lets it have until the suite sees it."""
LOG_BYTES, EVENTS_AT_ONCE = 16_000_000, 1_000

PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS, PR_SET_CHILD_SUBREAPER = 1, 38, 36
CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWPID = 0x00020000, 0x10000000, 0x20000000
MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REC, MS_PRIVATE = 2, 4, 8, 16384, 1 << 18
LANDLOCK_CREATE_RULESET, LANDLOCK_RESTRICT_SELF = 444, 446  # the same on every architecture
LANDLOCK_CREATE_RULESET_VERSION, LANDLOCK_SCOPE_SIGNAL, LANDLOCK_ABI_OF_SCOPES = 1, 2, 6
NETLINK_CONNECTOR, CN_IDX_PROC, CN_VAL_PROC = 11, 1, 1
PROC_CN_MCAST_LISTEN, PROC_CN_MCAST_IGNORE, PROC_EVENT_EXEC = 1, 2, 2
EVENT_AT, EXEC_PID_AT, EXEC_END = 36, 52, 60
"""Where the event, and the process of an exec event, begin behind the netlink and connector headers (linux/cn_proc.h)."""

IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)
NOTICED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM)

libc = ctypes.CDLL(None, use_errno=True)


def tell(report: int, line: str) -> None:
    try:  # noqa: SIM105
        os.write(report, f"{line}\n".encode())
    except OSError:
        pass  # the suite has given up on this run


def why() -> str:
    """What the last call of libc failed of."""
    return os.strerror(ctypes.get_errno())


# -- the namespace -------------------------------------------------------------------------------------------------------------


def unshare() -> str:
    """Puts the children of this process into a PID namespace, as an ordinary user with a user namespace. A reason, or ""."""
    user, group = os.geteuid(), os.getegid()
    if libc.unshare(CLONE_NEWPID | (CLONE_NEWUSER if user else 0)) != 0:
        return why()
    if user:
        try:
            for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
                with open(f"/proc/self/{name}", "w") as file:
                    file.write(text)
        except OSError as error:
            return f"{error.filename}: {error.strerror}"
        resource.setrlimit(resource.RLIMIT_NPROC, (REFUSED_BEYOND, REFUSED_BEYOND))  # counted in the new namespace alone
    return ""


def own_proc() -> str:
    """Mounts a /proc that shows the new namespace, for this process and its children only. A reason, or ""."""
    if libc.unshare(CLONE_NEWNS) != 0 or libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None) != 0:
        return why()
    return why() if libc.mount(b"proc", b"/proc", b"proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, None) != 0 else ""


# -- the fencer ----------------------------------------------------------------------------------------------------------------


def confine() -> str:
    """From here on this process can signal only what it starts. A reason, or ""."""
    if libc.syscall(LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), LANDLOCK_CREATE_RULESET_VERSION) < LANDLOCK_ABI_OF_SCOPES:
        return "this kernel has no Landlock that scopes signals"
    scopes = (ctypes.c_uint64 * 3)(0, 0, LANDLOCK_SCOPE_SIGNAL)
    rules = libc.syscall(LANDLOCK_CREATE_RULESET, scopes, ctypes.c_size_t(ctypes.sizeof(scopes)), 0)
    if rules < 0:
        return why()
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    return why() if libc.syscall(LANDLOCK_RESTRICT_SELF, rules, 0) != 0 else ""


def limit(what: int, value: int) -> None:
    hard = resource.getrlimit(what)[1]
    least = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(what, (least, least))


def become(argv: list[str], report: int, mode: str) -> NoReturn:
    """Becomes the fencer: a session of its own, limits, and the signals as any program expects them."""
    os.setsid()
    limit(resource.RLIMIT_FSIZE, FILE_BYTES)
    limit(resource.RLIMIT_CORE, 0)  # a core holds the password
    try:
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("1000")  # where memory runs out the fencer goes first
    except OSError:
        pass
    for number in IGNORED_BY_PYTHON:
        signal.signal(number, signal.SIG_DFL)
    if mode == CONFINED and (reason := confine()):
        tell(report, f"lacks signal-scope {reason}")
    if mode == OPEN:
        tell(report, "lacks signal-scope switched off")
    try:
        os.execv(argv[0], argv)
    except OSError as error:
        tell(report, f"errno {error.errno}")
        os._exit(127)


# -- the two watchers ----------------------------------------------------------------------------------------------------------


def release_pipes() -> None:
    """The fencer's standard streams are not held open by who watches it."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)


def inner(argv: list[str], report: int, mode: str) -> None:
    """Starts the fencer and reaps until nothing is left."""
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if mode == ISOLATED:
        if reason := own_proc():
            return tell(report, f"refused {reason}")
    else:
        libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    fencer = os.fork()
    if fencer == 0:
        become(argv, report, mode)
    tell(report, f"fencer {fencer}")
    release_pipes()
    while True:
        try:
            pid, status = os.wait()
        except ChildProcessError:
            return None
        if pid == fencer:
            tell(report, f"exit {os.waitstatus_to_exitcode(status)}")


def reap(first: int, report: int) -> None:
    """Reaps until nothing is left below the outer process. Without a namespace it inherits what the inner one leaves behind."""
    while True:
        try:
            pid, status = os.wait()
        except ChildProcessError:
            return
        code = os.waitstatus_to_exitcode(status)
        if pid != first:
            tell(report, f"ended {pid} {code}")
        elif code < 0:
            tell(report, "inner-ended")


# -- process events ------------------------------------------------------------------------------------------------------------


class ExecEvents:
    """Notes the command line of whatever is executed in one PID namespace. Raises OSError where the kernel does not tell."""

    def __init__(self, log: str) -> None:
        self._log, self._room = open(log, "ab", buffering=0), LOG_BYTES  # noqa: SIM115 - until this process ends
        self.socket = _socket.socket(_socket.AF_NETLINK, _socket.SOCK_DGRAM | _socket.SOCK_NONBLOCK, NETLINK_CONNECTOR)
        self.socket.bind((0, CN_IDX_PROC))
        self._order(struct.pack("=I", PROC_CN_MCAST_LISTEN))
        try:
            self.socket.recv(4096)  # the answer is there at once, or never
        except BlockingIOError:
            raise OSError("the kernel tells no process events here") from None
        self._order(struct.pack("=II", PROC_CN_MCAST_LISTEN, PROC_EVENT_EXEC))  # kernels before 6.6 go on telling of everything

    def _order(self, order: bytes) -> None:
        body = struct.pack("=IIIIHH", CN_IDX_PROC, CN_VAL_PROC, 0, 0, len(order), 0) + order
        self.socket.send(struct.pack("=IHHII", 16 + len(body), 3, 0, 0, 0) + body)

    def follow(self, first: int) -> str:
        """Until the process `first` ends, which makes its namespace end. Why some may have been missed, or ""."""
        mine, missed = "", ""
        try:  # noqa: SIM105
            mine = os.readlink("/proc/self/ns/pid_for_children")
        except OSError:
            pass
        try:  # a program that ends within a millisecond has to be looked at now
            os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(1))
        except OSError:
            missed = "without real-time priority they are read too late"
        end = os.pidfd_open(first)
        poller = select.poll()
        poller.register(self.socket, select.POLLIN)
        poller.register(end, select.POLLIN)
        while True:
            ready = [descriptor for descriptor, _ in poller.poll()]
            try:
                for _ in range(EVENTS_AT_ONCE):
                    self._note(self.socket.recv(4096), mine)
            except BlockingIOError:
                pass
            except OSError:  # ENOBUFS: the machine starts programs faster than this
                missed = "there were too many of them"
            if end in ready:
                try:  # noqa: SIM105
                    self._order(struct.pack("=I", PROC_CN_MCAST_IGNORE))
                except OSError:
                    pass
                return missed

    def _note(self, message: bytes, mine: str) -> None:
        if len(message) < EXEC_END or struct.unpack_from("=I", message, EVENT_AT)[0] != PROC_EVENT_EXEC:
            return
        (pid,) = struct.unpack_from("=i", message, EXEC_PID_AT)
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                line = file.read(65536)
            space = os.readlink(f"/proc/{pid}/ns/pid")
        except OSError:
            return  # it is gone
        if line and space == mine:
            self._room -= len(line) + 1
            if self._room < 0:
                raise OSError("more command lines than are kept")
            self._log.write(line + b"\x1e")


def main(report: int, mode: str, log: str, argv: list[str]) -> None:
    """The outer process."""
    os.set_inheritable(report, False)
    for number in NOTICED:
        signal.signal(number, lambda number, _frame: tell(report, f"signal {number}"))
    events: ExecEvents | None = None
    if mode == ISOLATED:
        try:
            events = ExecEvents(log)
        except OSError as error:
            tell(report, f"lacks exec-events {error.strerror or error}")
        if reason := unshare():
            return tell(report, f"refused {reason}")
    else:
        tell(report, "lacks exec-events they are only read for a namespace")
        libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    first = os.fork()
    if first == 0:
        return inner(argv, report, mode)
    tell(report, f"inner {first}")
    release_pipes()
    if events is not None and (missed := events.follow(first)):
        tell(report, f"lacks exec-events {missed}")
    return reap(first, report)


def start() -> None:
    """What `process` calls in the new process."""
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4:])
