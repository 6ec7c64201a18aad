"""fence_bmc: powers a host off and on through its BMC, as a fence agent after FenceAgentAPI.

Pacemaker, oVirt or a person starts it, one process per action; it has one main thread. Exit status: 0 the action
succeeded (status: the host is on), 2 `status` read Off, 1 every error, errors of usage included.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import FrameType, TracebackType
from typing import NoReturn, TextIO

from fencer.metadata import metadata
from fencer.outcome import Action, Evidence, Failure, FenceVerdict, Outcome, Power
from fencer.parameters import BY_NAME, PARAMETERS, WITHOUT_EFFECT, ParameterKind
from fencer.redact import Redactor
from fencer.settings import AgentSettings, BadSettings, action_of, settings
from fencer.target import FenceError

EXIT_OK, EXIT_FAILED, EXIT_OFF = 0, 1, 2
MAX_UNKNOWN_NAMES = 10  # unknown parameters that are named in warnings; a wrong input file may have thousands
SUCCESS_LINES = {
    "already-off": "Success: Already OFF",
    "powered-off": "Success: Powered OFF",
    "already-on": "Success: Already ON",
    "on": "Success: Powered ON",
    "restarted": "Success: Rebooted",
}


class StoppedBySignal(BaseException):
    """SIGTERM arrived. Not an Exception, so that no handler of BMC errors catches it."""


class _AgentParser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise BadSettings(message)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one action and returns the exit status. Never raises and never prints a traceback."""
    sys.excepthook = _report_internal_error
    arguments = sys.argv[1:] if argv is None else list(argv)
    try:
        signal.signal(signal.SIGTERM, _on_sigterm)
        values = parameters_from_argv(arguments) if arguments else parameters_from_lines(_read_stdin())
        return _run(values)
    except BadSettings as error:
        _write_line(sys.stderr, f"fence_bmc: config: {error}")
    except (StoppedBySignal, KeyboardInterrupt):
        _write_line(sys.stderr, "fence_bmc: stopped by a signal before the power state was settled")
    return EXIT_FAILED


def _run(values: Mapping[str, str]) -> int:
    if values.get("help"):
        _write_line(sys.stdout, _parser().format_help())
        return EXIT_OK
    if values.get("version"):
        _write_line(sys.stdout, f"fence_bmc {_version()}")
        return EXIT_OK
    if action_of(values) is Action.METADATA:
        return EXIT_OK if _write_line(sys.stdout, metadata()) else EXIT_FAILED
    agent_settings = settings(values)
    assert agent_settings.target is not None
    redact = Redactor([agent_settings.target.password, agent_settings.target.kg.hex()], agent_settings.target.user)
    try:
        return _perform(agent_settings, redact)
    except FenceError as error:
        return _fail(error.failure, redact)


def _perform(agent_settings: AgentSettings, redact: Redactor) -> int:
    from fencer import run

    assert agent_settings.target is not None
    if agent_settings.action is Action.VALIDATE_ALL:
        return EXIT_OK
    if agent_settings.action in (Action.LIST, Action.LIST_STATUS):
        for member in run.list_hosts(agent_settings.target, agent_settings.limits):
            if not _write_line(sys.stdout, redact(f"{member},")):
                return EXIT_FAILED
        return EXIT_OK
    if agent_settings.action is Action.DIAG:
        answer = run.send_diag(agent_settings.target, agent_settings.limits)
        if answer.failure is not None:
            return _fail(answer.failure, redact)
        _print_unless_quiet(agent_settings, "Diagnostic interrupt accepted; no BMC shows whether the host took it")
        return EXIT_OK
    if agent_settings.action is Action.REBOOT and agent_settings.method == "cycle":
        _write_line(sys.stderr, "fence_bmc: method=cycle is carried out as onoff: a cycle cannot be verified")
    if agent_settings.action in (Action.OFF, Action.REBOOT):
        time.sleep(agent_settings.delay)
    with ExitStack() as stack:
        observe = _observer(agent_settings, redact, stack)
        outcome = run.fence_target(agent_settings.action, agent_settings.target, agent_settings.limits, observe=observe)
    if agent_settings.evidence:
        _write_evidence(agent_settings.evidence, outcome, redact)
    for note in outcome.notes:
        _write_line(sys.stderr, redact(f"fence_bmc: {note}"))
    if outcome.failure is not None:
        return _fail(outcome.failure, redact)
    assert outcome.evidence is not None
    return _report(agent_settings, outcome, outcome.evidence)


def _report(agent_settings: AgentSettings, outcome: Outcome, evidence: Evidence) -> int:
    if agent_settings.action in (Action.STATUS, Action.MONITOR):
        off = evidence.readings[-1].power is Power.OFF
        if agent_settings.action is Action.STATUS:
            _print_unless_quiet(agent_settings, f"Status: {'OFF' if off else 'ON'}")
        return EXIT_OFF if off else EXIT_OK
    _print_unless_quiet(
        agent_settings, SUCCESS_LINES["restarted"] if agent_settings.action is Action.REBOOT else SUCCESS_LINES[evidence.how]
    )
    return EXIT_OK if outcome.verdict is FenceVerdict.CONFIRMED else EXIT_FAILED


# --- input --------------------------------------------------------------------------------------------------------


def _read_stdin() -> bytes:
    if sys.stdin is None:
        raise BadSettings("standard input is closed, and there are no options")
    return sys.stdin.buffer.read()


def parameters_from_lines(raw: bytes) -> dict[str, str]:
    """Parses name=value lines from standard input (FenceAgentAPI).

    Skips comments and blank lines, warns of unknown names, and removes one pair of double quotes around a value. If a name
    is given twice, the last value counts.
    """
    values: dict[str, str] = {}
    unknown: dict[str, None] = {}
    for line in raw.decode("utf-8", "surrogateescape").split("\n"):
        line = line.removesuffix("\r").lstrip()
        if not line.strip() or line.startswith("#"):
            continue
        name, _, value = line.partition("=")
        if len(value) > 1 and value[0] == value[-1] == '"':
            value = value[1:-1]
        name = name.strip()
        parameter = BY_NAME.get(name.replace("-", "_"))
        if parameter is not None:
            values[parameter.name] = value
        elif name == "nodename":
            values["nodename"] = value
        elif name.replace("-", "_") not in WITHOUT_EFFECT:
            unknown[name[:60]] = None
    for name in tuple(unknown)[:MAX_UNKNOWN_NAMES]:
        _write_line(sys.stderr, f"fence_bmc: unknown parameter {name!r} ignored")
    if len(unknown) > MAX_UNKNOWN_NAMES:
        _write_line(sys.stderr, f"fence_bmc: {len(unknown) - MAX_UNKNOWN_NAMES} more unknown parameters ignored")
    return values


def parameters_from_argv(arguments: Sequence[str]) -> dict[str, str]:
    """Parses command line options, named as in fence-agents. Raises BadSettings."""
    known, rest = _parser().parse_known_args(arguments)
    if rest:
        raise BadSettings(f"unknown option {rest[0].partition('=')[0]!r}")
    values = {name: value for name, value in vars(known).items() if value is not None and name not in WITHOUT_EFFECT}
    if "password" in values:
        _write_line(sys.stderr, "fence_bmc: a password on the command line can be read by every user of this machine")
    return values


def _parser() -> _AgentParser:
    parser = _AgentParser(prog="fence_bmc", description=__doc__, add_help=False, allow_abbrev=False)
    for parameter in PARAMETERS:
        flags = [f"-{parameter.short}"] if parameter.short else []
        names = [parameter.long, *("--" + alias.replace("_", "-") for alias in parameter.aliases)]
        text = parameter.text.replace("%", "%%")
        if parameter.kind is ParameterKind.BOOLEAN:
            parser.add_argument(*flags, *names, dest=parameter.name, action="store_const", const="1", help=text)
        else:
            parser.add_argument(*flags, *names, dest=parameter.name, metavar="VALUE", help=text)
    for name in sorted(WITHOUT_EFFECT):  # value optional: some of these are switches in fence-agents
        parser.add_argument("--" + name.replace("_", "-"), dest=name, nargs="?", help=argparse.SUPPRESS)
    return parser


# --- output -------------------------------------------------------------------------------------------------------


def failure_line(failure: Failure) -> str:
    """Formats a failure as one line: cause class, sentence, codes, and the BMC's own text."""
    own = [part for part in (failure.code, failure.message_id) if part and part not in failure.text]
    codes = f" [{' '.join(own)}]" if own else ""
    bmc_text = f' BMC: "{failure.bmc_text}"' if failure.bmc_text else ""
    return f"{failure.cause}: {failure.text}{codes}{bmc_text}"


def _fail(failure: Failure, redact: Redactor) -> int:
    _write_line(sys.stderr, redact(f"fence_bmc: {failure_line(failure)}"))
    return EXIT_FAILED


def _print_unless_quiet(agent_settings: AgentSettings, text: str) -> None:
    if not agent_settings.quiet:
        _write_line(sys.stdout, text)


def _write_line(stream: TextIO | None, text: str) -> bool:
    """Writes one line and returns whether that worked. A closed pipe raises nothing: the action itself was done."""
    if stream is None:
        return False
    try:
        stream.write(text.encode("ascii", "backslashreplace").decode("ascii") + "\n")
        stream.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        return False
    return True


def _observer(agent_settings: AgentSettings, redact: Redactor, stack: ExitStack) -> Callable[[float, object], None] | None:
    streams: list[TextIO] = [sys.stderr] if agent_settings.verbose else []
    if agent_settings.debug_file:
        try:
            log = stack.enter_context(Path(agent_settings.debug_file).open("a", encoding="utf-8"))  # noqa: SIM115 (the stack closes it)
        except OSError as error:
            raise BadSettings(f"debug_file {agent_settings.debug_file} cannot be written ({error.strerror})") from error
        streams.append(log)
    if not streams:
        return None
    began = time.monotonic()

    def observe(at: float, what: object) -> None:
        _write_to_all(streams, redact(f"{at - began:7.3f} {what}"))

    return observe


def _write_to_all(streams: Iterable[TextIO], text: str) -> None:
    for stream in streams:
        _write_line(stream, text)


def _write_evidence(where: str, outcome: Outcome, redact: Redactor) -> None:
    import json
    from dataclasses import asdict

    text = redact(json.dumps(asdict(outcome), indent=1))
    if where == "-":
        _write_line(sys.stdout, text)
        return
    try:
        with open(os.open(where, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(text + "\n")
    except OSError as error:
        _write_line(sys.stderr, f"fence_bmc: the evidence could not be written to {where} ({error.strerror})")


def _version() -> str:
    try:
        return version("fencelab")
    except PackageNotFoundError:
        return "(not installed)"


def _on_sigterm(number: int, frame: FrameType | None) -> NoReturn:
    raise StoppedBySignal


def _report_internal_error(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """sys.excepthook: prints the place of an internal error, but not its text, which could contain a password."""
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "nowhere"
    _write_line(sys.stderr, f"fence_bmc: internal error {kind.__name__} at {place}; nothing is known of the power state")


if __name__ == "__main__":
    sys.exit(main())
