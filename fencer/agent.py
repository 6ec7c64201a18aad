"""fence_bmc: powers a host off and on through its BMC, as a fence agent after FenceAgentAPI.

Pacemaker, oVirt or a person starts it, one process per action; it has one main thread. Exit status: 0 the action
succeeded (status: the host is on), 2 `status` read Off, 1 every error, errors of usage included.

It may be called by the names in `fencer.drop_in.PROGRAMS`, as links to fence_bmc.
"""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from types import FrameType, TracebackType
from typing import NoReturn, TextIO

from fencer import agent_output
from fencer.agent_input import parameters_from_lines, read_stdin
from fencer.agent_output import failure_line, write_line, write_text
from fencer.drop_in import PROGRAMS, program_name
from fencer.given import AGENT, BadSettings, GivenValues
from fencer.outcome import Action, Cause, Failure, FenceVerdict, Member, Outcome, Power
from fencer.redact import Redactor
from fencer.settings import AgentSettings, action_of, settings
from fencer.target import FenceError, Limits

__all__ = ["failure_line", "main", "parameters_from_lines"]

EXIT_OK, EXIT_FAILED, EXIT_OFF = 0, 1, 2
EXIT_RESERVE_S = 0.1  # from the last log-out to the end of the process
STOPPING_SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
PLUG = re.compile(r"[^\s,;]+")  # Pacemaker takes what stands between blanks, commas and semicolons as names
SUCCESS_LINES = {
    "already-off": "Success: Already OFF",
    "powered-off": "Success: Powered OFF",
    "already-on": "Success: Already ON",
    "on": "Success: Powered ON",
    "restarted": "Success: Rebooted",
}
STATUS_WORDS = {"On": "ON", "Off": "OFF"}


class StoppedBySignal(BaseException):
    """A stopping signal arrived. Not an Exception, so that no handler of BMC errors catches it."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one action and returns the exit status. Never raises and never prints a traceback."""
    sys.excepthook = _report_internal_error
    arguments = sys.argv[1:] if argv is None else list(argv)
    program = program_name(sys.argv[0])
    values = GivenValues(program=program)
    commands_sent: int | None = 0
    try:
        _listen_for_signals()
        if arguments:
            from fencer.agent_options import parameters_from_argv

            values = parameters_from_argv(arguments, program)
            if "password" in values:
                write_line(sys.stderr, "fence_bmc: a password on the command line can be read by every user of this machine")
        else:
            values = parameters_from_lines(read_stdin(), program)
        return _run(values)
    except BadSettings as error:
        failure = Failure(cause=Cause.CONFIG, text=str(error))
    except (StoppedBySignal, KeyboardInterrupt):  # KeyboardInterrupt: SIGINT before _listen_for_signals
        failure = Failure(cause=Cause.TIMEOUT, text="stopped by a signal before the power state was settled")
        commands_sent = None
    write_line(sys.stderr, f"fence_bmc: {failure_line(failure)}")
    if values.get("output") == "json":
        word, redact = values.get("action", "reboot"), Redactor([values.get("password", "")], values.get("username", ""))
        line = agent_output.result_text(
            program=program, version=_version(), action=word, exit_status=EXIT_FAILED,
            redact=redact, failure=failure, commands_sent=commands_sent,
        )  # fmt: skip
        write_text(sys.stdout, line)
    return EXIT_FAILED


def _run(values: GivenValues) -> int:
    if values.get("help"):
        from fencer.agent_options import help_text

        return _print(help_text(values.program))
    if values.get("version"):
        return _print(f"fence_bmc {_version()}")
    if values.get("links") is not None:
        return _make_links(values["links"])
    action = action_of(values)
    if action in (Action.METADATA, Action.MANPAGE):
        from fencer.metadata import manpage, metadata

        return _print(metadata(values.program) if action is Action.METADATA else manpage(values.program))
    agent_settings = settings(values)
    assert agent_settings.target is not None
    redact = Redactor([agent_settings.target.password, agent_settings.target.kg.hex()], agent_settings.target.user)
    for note in agent_settings.notes:
        write_line(sys.stderr, redact(f"fence_bmc: {note}"))
    report = _Report(values.program, agent_settings, redact, warnings=agent_settings.notes)
    try:
        return _perform(agent_settings, report)
    except FenceError as error:
        return report.failed(error.failure)


def _print(text: str) -> int:
    return EXIT_OK if write_text(sys.stdout, text) else EXIT_FAILED


def _perform(agent_settings: AgentSettings, report: _Report) -> int:
    from fencer import run

    target, action = agent_settings.target, agent_settings.action
    assert target is not None
    if action is Action.VALIDATE_ALL:
        return report.succeeded()
    if action in (Action.LIST, Action.LIST_STATUS):
        members = run.list_hosts(target, _left(agent_settings.limits))
        return report.listed(members, with_status=action is Action.LIST_STATUS)
    if action is Action.DIAG:
        answer = run.send_diag(target, _left(agent_settings.limits))
        if answer.failure is not None:
            return report.failed(answer.failure)
        return report.succeeded("Diagnostic interrupt accepted; no BMC shows whether the host took it")
    if action is Action.REBOOT and agent_settings.method == "cycle":
        report.warn("method=cycle is carried out as onoff: a cycle cannot be verified")
    limits = _left(agent_settings.limits)
    if action in (Action.OFF, Action.REBOOT):
        time.sleep(agent_settings.delay)
    with ExitStack() as stack:
        observe = _observer(agent_settings, report.redact, stack)
        if action is Action.MONITOR:
            from fencer.device_check import check_device

            check = check_device(target, limits, observe)
            for warning in check.warnings:
                report.warn(warning)
            return report.failed(check.failure, check.outcome) if check.failure else report.succeeded("", check.outcome)
        outcome = run.fence_target(action, target, limits, observe=observe)
    if agent_settings.evidence:
        _write_evidence(agent_settings, outcome, report)
    for note in outcome.notes:
        report.warn(note)
    if action is Action.STATUS and outcome.readings:
        from fencer.device_check import warnings_of

        for warning in warnings_of(outcome.readings[-1]):
            report.warn(warning)
    if outcome.failure is not None:
        return report.failed(outcome.failure, outcome)
    return report.finished(outcome)


def _left(limits: Limits) -> Limits:
    """Takes the age of this process off the deadline, which counts from the start of the process."""
    spent = _process_age() + EXIT_RESERVE_S
    return replace(limits, deadline=max(limits.deadline - spent, limits.deadline / 2))


def _process_age() -> float:
    """Seconds since this process was started (proc(5), /proc/self/stat); 0 where the kernel does not say."""
    try:
        with open("/proc/self/stat", "rb") as file:
            began = int(file.read().rpartition(b")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")
        return max(time.clock_gettime(time.CLOCK_BOOTTIME) - began, 0.0)
    except (OSError, ValueError, IndexError):
        return 0.0


class _Report:
    """Prints the result of one run, as text or as JSON, and returns the exit status."""

    def __init__(self, program: str, agent_settings: AgentSettings, redact: Redactor, warnings: Sequence[str]) -> None:
        self._program = program
        self._settings = agent_settings
        self._warnings = list(warnings)
        self.redact = redact

    def warn(self, text: str) -> None:
        self._warnings.append(text)
        write_line(sys.stderr, self.redact(f"fence_bmc: {text}"))

    def failed(self, failure: Failure, outcome: Outcome | None = None) -> int:
        write_line(sys.stderr, self.redact(f"fence_bmc: {failure_line(failure)}"))
        return self._end(EXIT_FAILED, "", outcome, failure)

    def succeeded(self, text: str = "", outcome: Outcome | None = None) -> int:
        return self._end(EXIT_OK, text, outcome)

    def finished(self, outcome: Outcome) -> int:
        """Reports a confirmed outcome of off, on, reboot or status."""
        evidence = outcome.evidence
        if outcome.verdict is not FenceVerdict.CONFIRMED or evidence is None:
            return self._end(EXIT_FAILED, "", outcome)
        if outcome.action is Action.STATUS:
            off = evidence.readings[-1].power is Power.OFF
            return self._end(EXIT_OFF if off else EXIT_OK, f"Status: {'OFF' if off else 'ON'}", outcome)
        rebooted = outcome.action is Action.REBOOT
        return self._end(EXIT_OK, SUCCESS_LINES["restarted" if rebooted else evidence.how], outcome)

    def listed(self, members: Sequence[Member], *, with_status: bool) -> int:
        """Prints the lines of list and list-status. Pacemaker takes the plug and the host name as names of nodes."""
        if self._settings.json:
            hosts = [{"plug": member.plug, "host_name": member.host_name, "power": member.word} for member in members]
            return self._end(EXIT_OK, "", None, hosts=hosts)
        for member in members:
            if not PLUG.fullmatch(member.plug):
                self.warn(f"the host {member.plug!r} is not listed: its name has a blank, a comma or a semicolon")
                continue
            names = host_names(member)
            for name in names if not with_status else names[:1]:
                status = f",{STATUS_WORDS.get(member.word or '', 'unknown')}" if with_status else ""
                if not write_line(sys.stdout, self.redact(f"{member.plug},{name}{status}")):
                    return EXIT_FAILED
        return EXIT_OK

    def _end(
        self,
        exit_status: int,
        text: str,
        outcome: Outcome | None = None,
        failure: Failure | None = None,
        hosts: Sequence[Mapping[str, str | None]] | None = None,
    ) -> int:
        for number in STOPPING_SIGNALS:  # the exit status is that of the lines that are printed now
            signal.signal(number, signal.SIG_IGN)
        if self._settings.json:
            line = agent_output.result_text(
                program=self._program, version=_version(), action=str(self._settings.action), exit_status=exit_status,
                redact=self.redact, outcome=outcome, failure=failure, warnings=self._warnings, hosts=hosts,
            )  # fmt: skip
            return exit_status if write_text(sys.stdout, line) else EXIT_FAILED
        if text and not self._settings.quiet:
            write_line(sys.stdout, text)
        return exit_status


def host_names(member: Member) -> list[str]:
    """The names by which a cluster may know a host: as the BMC shows it, and without its domain.

    The operating system of the host sets this name. One that is no host name is left out: with a blank or a comma in it a
    host could name other nodes, and Pacemaker would take this device for theirs.
    """
    name = (member.host_name or "").strip()
    return list(dict.fromkeys([name, name.partition(".")[0]])) if HOST_NAME.fullmatch(name) else [""]


# --- files and the process ----------------------------------------------------------------------------------------


def _observer(agent_settings: AgentSettings, redact: Redactor, stack: ExitStack) -> Callable[[float, object], None]:
    """Is called with every step of the procedure. Writes it down where that is wanted, and notices a signal that was lost."""
    from fencer.events_effects import Finish

    streams: list[TextIO] = [sys.stderr] if agent_settings.verbose else []
    if agent_settings.debug_file:
        try:
            log = stack.enter_context(open(agent_settings.debug_file, "a", encoding="utf-8"))  # noqa: SIM115 (the stack closes it)
        except OSError as error:
            raise BadSettings(f"debug_file {agent_settings.debug_file} cannot be written ({error.strerror})") from error
        streams.append(log)
    began = time.monotonic()

    def observe(at: float, what: object) -> None:
        if streams:
            _write_to_all(streams, redact(f"{at - began:7.3f} {what}"))
        if _signals_seen and not isinstance(what, Finish):
            raise StoppedBySignal

    return observe


def _write_to_all(streams: Iterable[TextIO], text: str) -> None:
    for stream in streams:
        write_line(stream, text)


def _write_evidence(agent_settings: AgentSettings, outcome: Outcome, report: _Report) -> None:
    where = agent_settings.evidence or ""
    text = agent_output.outcome_text(outcome, report.redact)
    if where == "-":
        if not agent_settings.json:  # there the object on standard output has the evidence
            write_text(sys.stdout, text)
        return
    try:
        with open(os.open(where, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(text + "\n")
    except OSError as error:
        report.warn(f"the evidence could not be written to {where} ({error.strerror})")


def _make_links(folder: str) -> int:
    """Makes a link to this command for each name in PROGRAMS. Raises BadSettings if one cannot be made."""
    command = os.path.realpath(sys.argv[0])
    if os.path.basename(command) != AGENT or not os.access(command, os.X_OK):
        raise BadSettings("--links works only for the installed command fence_bmc")
    for name in PROGRAMS:
        path = os.path.join(folder, name)
        try:
            if os.path.islink(path) and os.path.realpath(path) == command:
                continue
            os.symlink(command, path)
        except OSError as error:
            raise BadSettings(f"--links: {path} cannot be made ({error.strerror})") from error
        write_line(sys.stdout, path)
    return EXIT_OK


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("fencelab")
    except PackageNotFoundError:
        return "(not installed)"


_signals_seen: list[int] = []
"""The stopping signals since `_listen_for_signals`. Python drops an exception that is raised in a finaliser, and a signal handler
may run in one: then the next step of the procedure finds the signal here."""


def _listen_for_signals() -> None:
    _signals_seen.clear()
    for number in STOPPING_SIGNALS:
        if number != signal.SIGINT or signal.getsignal(number) is not signal.SIG_IGN:  # a shell's background job ignores SIGINT
            signal.signal(number, _on_signal)


def _on_signal(number: int, frame: FrameType | None) -> NoReturn:
    """Stops the action once. A second signal does not cut the log-out short, which takes no more than `run.LOGOUT_S`."""
    _signals_seen.append(number)
    for stopping in STOPPING_SIGNALS:
        signal.signal(stopping, signal.SIG_IGN)
    raise StoppedBySignal


def _report_internal_error(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """sys.excepthook: prints the place of an internal error, but not its text, which could contain a password."""
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}" if trace else "nowhere"
    write_line(sys.stderr, f"fence_bmc: internal error {kind.__name__} at {place}; nothing is known of the power state")


if __name__ == "__main__":
    sys.exit(main())
