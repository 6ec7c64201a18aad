"""fence_bmc: the fencer as an agent after FenceAgentAPI, as Pacemaker, oVirt and people call it.

Exit status: 0 done (status: on), 2 a status was read and it is off, 1 every error, those of usage included.
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

DONE, FAILED, IS_OFF = 0, 1, 2
MOST_UNKNOWN = 10  # names of parameters to complain of; a file that is none of ours has thousands
WORDS = {
    "already-off": "Success: Already OFF",
    "powered-off": "Success: Powered OFF",
    "already-on": "Success: Already ON",
    "on": "Success: Powered ON",
    "restarted": "Success: Rebooted",
}


class Stopped(BaseException):
    """A signal that asks us to end; not an Exception, so that nothing on the way mistakes it for a BMC's doing."""


class _AgentParser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise BadSettings(message)


def main(argv: Sequence[str] | None = None) -> int:
    """The program. Never raises, never prints a traceback."""
    sys.excepthook = _last_words
    arguments = sys.argv[1:] if argv is None else list(argv)
    try:
        signal.signal(signal.SIGTERM, _stop)
        values = from_argv(arguments) if arguments else from_lines(_input())
        return _run(values)
    except BadSettings as error:
        _say(sys.stderr, f"fence_bmc: config: {error}")
    except (Stopped, KeyboardInterrupt):
        _say(sys.stderr, "fence_bmc: stopped by a signal before the power state was settled")
    return FAILED


def _run(values: Mapping[str, str]) -> int:
    if values.get("help"):
        _say(sys.stdout, _parser().format_help())
        return DONE
    if values.get("version"):
        _say(sys.stdout, f"fence_bmc {_version()}")
        return DONE
    if action_of(values) is Action.METADATA:
        return DONE if _say(sys.stdout, metadata()) else FAILED
    chosen = settings(values)
    assert chosen.target is not None
    hide = Redactor([chosen.target.password, chosen.target.kg.hex()], chosen.target.user)
    try:
        return _act(chosen, hide)
    except FenceError as error:
        return _fail(error.failure, hide)


def _act(chosen: AgentSettings, hide: Redactor) -> int:
    from fencer import run

    assert chosen.target is not None
    if chosen.action is Action.VALIDATE_ALL:
        return DONE
    if chosen.action in (Action.LIST, Action.LIST_STATUS):
        for member in run.list_hosts(chosen.target, chosen.limits):
            if not _say(sys.stdout, hide(f"{member},")):
                return FAILED
        return DONE
    if chosen.action is Action.DIAG:
        answer = run.send_diag(chosen.target, chosen.limits)
        if answer.failure is not None:
            return _fail(answer.failure, hide)
        _tell(chosen, "Diagnostic interrupt accepted; no BMC shows whether the host took it")
        return DONE
    if chosen.action is Action.REBOOT and chosen.method == "cycle":
        _say(sys.stderr, "fence_bmc: method=cycle is carried out as onoff: a cycle cannot be verified")
    if chosen.action in (Action.OFF, Action.REBOOT):
        time.sleep(chosen.delay)
    with ExitStack() as stack:
        observe = _observer(chosen, hide, stack)
        outcome = run.fence_target(chosen.action, chosen.target, chosen.limits, observe=observe)
    if chosen.evidence:
        _write_evidence(chosen.evidence, outcome, hide)
    for note in outcome.notes:
        _say(sys.stderr, hide(f"fence_bmc: {note}"))
    if outcome.failure is not None:
        return _fail(outcome.failure, hide)
    assert outcome.evidence is not None
    return _report(chosen, outcome, outcome.evidence)


def _report(chosen: AgentSettings, outcome: Outcome, evidence: Evidence) -> int:
    if chosen.action in (Action.STATUS, Action.MONITOR):
        off = evidence.readings[-1].power is Power.OFF
        if chosen.action is Action.STATUS:
            _tell(chosen, f"Status: {'OFF' if off else 'ON'}")
        return IS_OFF if off else DONE
    _tell(chosen, WORDS["restarted"] if chosen.action is Action.REBOOT else WORDS[evidence.how])
    return DONE if outcome.verdict is FenceVerdict.CONFIRMED else FAILED


# --- input --------------------------------------------------------------------------------------------------------


def _input() -> bytes:
    if sys.stdin is None:
        raise BadSettings("standard input is closed, and there are no options")
    return sys.stdin.buffer.read()


def from_lines(raw: bytes) -> dict[str, str]:
    """name=value lines; comments, blanks and unknown names are passed over, the last wins, one layer of quotes goes."""
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
    for name in tuple(unknown)[:MOST_UNKNOWN]:
        _say(sys.stderr, f"fence_bmc: unknown parameter {name!r} ignored")
    if len(unknown) > MOST_UNKNOWN:
        _say(sys.stderr, f"fence_bmc: {len(unknown) - MOST_UNKNOWN} more unknown parameters ignored")
    return values


def from_argv(arguments: Sequence[str]) -> dict[str, str]:
    """Options as those of fence-agents. Raises BadSettings."""
    known, rest = _parser().parse_known_args(arguments)
    if rest:
        raise BadSettings(f"unknown option {rest[0].partition('=')[0]!r}")
    values = {name: value for name, value in vars(known).items() if value is not None and name not in WITHOUT_EFFECT}
    if "password" in values:
        _say(sys.stderr, "fence_bmc: a password on the command line can be read by every user of this machine")
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
    for name in sorted(WITHOUT_EFFECT):  # with a value or without: some are switches there
        parser.add_argument("--" + name.replace("_", "-"), dest=name, nargs="?", help=argparse.SUPPRESS)
    return parser


# --- output -------------------------------------------------------------------------------------------------------


def sentence(failure: Failure) -> str:
    """One line: the class, the sentence, the BMC's own words."""
    own = [part for part in (failure.code, failure.message_id) if part and part not in failure.text]
    said = f" [{' '.join(own)}]" if own else ""
    words = f' BMC: "{failure.bmc_text}"' if failure.bmc_text else ""
    return f"{failure.cause}: {failure.text}{said}{words}"


def _fail(failure: Failure, hide: Redactor) -> int:
    _say(sys.stderr, hide(f"fence_bmc: {sentence(failure)}"))
    return FAILED


def _tell(chosen: AgentSettings, text: str) -> None:
    if not chosen.quiet:
        _say(sys.stdout, text)


def _say(stream: TextIO | None, text: str) -> bool:
    """One write, and whether it was taken; a reader who has gone changes nothing about what was done."""
    if stream is None:
        return False
    try:
        stream.write(text.encode("ascii", "backslashreplace").decode("ascii") + "\n")
        stream.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        return False
    return True


def _observer(chosen: AgentSettings, hide: Redactor, stack: ExitStack) -> Callable[[float, object], None] | None:
    streams: list[TextIO] = [sys.stderr] if chosen.verbose else []
    if chosen.debug_file:
        try:
            log = stack.enter_context(Path(chosen.debug_file).open("a", encoding="utf-8"))  # noqa: SIM115 (the stack closes it)
        except OSError as error:
            raise BadSettings(f"debug_file {chosen.debug_file} cannot be written ({error.strerror})") from error
        streams.append(log)
    if not streams:
        return None
    began = time.monotonic()

    def observe(at: float, what: object) -> None:
        _each(streams, hide(f"{at - began:7.3f} {what}"))

    return observe


def _each(streams: Iterable[TextIO], text: str) -> None:
    for stream in streams:
        _say(stream, text)


def _write_evidence(where: str, outcome: Outcome, hide: Redactor) -> None:
    import json
    from dataclasses import asdict

    text = hide(json.dumps(asdict(outcome), indent=1))
    if where == "-":
        _say(sys.stdout, text)
        return
    try:
        with open(os.open(where, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(text + "\n")
    except OSError as error:
        _say(sys.stderr, f"fence_bmc: the evidence could not be written to {where} ({error.strerror})")


def _version() -> str:
    try:
        return version("fencelab")
    except PackageNotFoundError:
        return "(not installed)"


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    raise Stopped


def _last_words(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """An error of our own: where, but not what, for its text may hold anything."""
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "nowhere"
    _say(sys.stderr, f"fence_bmc: internal error {kind.__name__} at {place}; nothing is known of the power state")


if __name__ == "__main__":
    sys.exit(main())
