"""What fence_bmc prints: lines for Pacemaker and people, and one JSON object for programs. `fencer.agent` calls it.

Rules
  1. Everything passes the Redactor: a line as a whole; in JSON the texts that may come from the BMC, never keys or our own
     words, so that the object stays readable whatever the password is.
  2. A closed pipe raises nothing: the action itself was done.
  3. A line stays one line, whatever a BMC or a user wrote: control characters are shown as `\\x1b`, long texts are cut.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import TextIO

from fencer.outcome import Evidence, Failure, Outcome
from fencer.redact import Redactor

JsonValue = str | int | float | bool | None | Mapping[str, "JsonValue"] | Sequence["JsonValue"]

FORMAT = "fence_bmc/1"
MAX_LINE_CHARS = 2000
CONTROL_CHARACTERS: Mapping[int, str] = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))}
OUR_WORDS = frozenset({"how", "chassis_check", "path", "kind"})
"""Fields of the outcome whose text is one of ours."""


def write_line(stream: TextIO | None, text: str) -> bool:
    """Writes one line for people in ASCII and returns whether that worked."""
    cut = text if len(text) <= MAX_LINE_CHARS else f"{text[:MAX_LINE_CHARS]} ... ({len(text)} characters)"
    return write_text(stream, cut.translate(CONTROL_CHARACTERS))


def write_text(stream: TextIO | None, text: str) -> bool:
    """Writes a document of any length in ASCII and returns whether that worked."""
    if stream is None:
        return False
    try:
        stream.write(text.encode("ascii", "backslashreplace").decode("ascii") + "\n")
        stream.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        return False
    return True


def failure_line(failure: Failure) -> str:
    """Formats a failure as one line: cause class, sentence, codes, and the BMC's own text."""
    own = [part for part in (failure.code, failure.message_id) if part and part not in failure.text]
    codes = f" [{' '.join(own)}]" if own else ""
    bmc_text = f' BMC: "{failure.bmc_text}"' if failure.bmc_text else ""
    return f"{failure.cause}: {failure.text}{codes}{bmc_text}"


def outcome_text(outcome: Outcome, redact: Redactor) -> str:
    """Returns the outcome with its evidence as JSON, for the parameter `evidence`."""
    import json

    return json.dumps(plain(outcome, redact), indent=1)


def result_text(
    *,
    program: str,
    version: str,
    action: str,
    exit_status: int,
    redact: Redactor,
    outcome: Outcome | None = None,
    failure: Failure | None = None,
    warnings: Sequence[str] = (),
    hosts: Sequence[Mapping[str, str | None]] | None = None,
) -> str:
    """Returns the object of `output=json`, on one line.

    `verdict` and `power` are of the action as a whole; `failure` is null on success. `hosts` is there for list and list-status.
    """
    import json

    failure = failure or (outcome.failure if outcome else None)
    result: dict[str, JsonValue] = {
        "format": FORMAT,
        "agent": program,
        "version": version,
        "action": action,
        "exit": exit_status,
        "verdict": str(outcome.verdict) if outcome else None,
        "power": _power(outcome),
        "commands_sent": outcome.commands_sent if outcome else 0,
        "failure": plain(failure, redact),
        "evidence": plain(outcome.evidence if outcome else None, redact),
        "readings": plain(outcome.readings if outcome else (), redact),
        "warnings": [redact(text) for text in warnings],
    }
    if hosts is not None:
        result["hosts"] = [{key: None if text is None else redact(text) for key, text in host.items()} for host in hosts]
    return json.dumps(result)


def _power(outcome: Outcome | None) -> str | None:
    """The power state at the end, if the last reading shows one."""
    evidence: Evidence | None = outcome.evidence if outcome else None
    readings = evidence.readings if evidence else outcome.readings if outcome else ()
    return str(readings[-1].power) if readings else None


def plain(value: object, redact: Redactor, name: str = "") -> JsonValue:
    """Converts dataclasses, enumerations and tuples to what JSON has."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, str):
        return value if name in OUR_WORDS else redact(value)
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name), redact, field.name) for field in fields(value)}
    if isinstance(value, (tuple, list)):
        return [plain(item, redact, name) for item in value]
    raise TypeError(f"{type(value).__name__} has no JSON form")
