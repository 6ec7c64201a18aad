"""What HTTP statuses and Redfish messages amount to.

Rules
  1. Pure. A status names a cause class; it never names a power state.
  2. The BMC's own message id and words are kept, cut to a length that fits a log line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from fencer.outcome import Cause, Failure
from fencer.redact import Redactor

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

CAUSES: Mapping[int, Cause] = {
    401: Cause.AUTH,
    403: Cause.PRIVILEGE,
    404: Cause.NOT_FOUND,
    405: Cause.UNSUPPORTED,
    408: Cause.TIMEOUT,
    410: Cause.NOT_FOUND,
    412: Cause.PRECONDITION,
    423: Cause.LOCKED,
    428: Cause.PRECONDITION,
    429: Cause.BUSY,
    501: Cause.UNSUPPORTED,
    503: Cause.BUSY,
}
REFUSALS = frozenset({400, 409})  # of a command: "not now" or "already so", nobody can tell which
NOT_SUPPORTED = re.compile(r"(ActionNotSupported|ActionParameterNotSupported|ActionParameterUnknown"
                           r"|ParameterValueNotInList|ParameterValueTypeError|ParameterValueFormatError)$")  # fmt: skip
LOCKED = re.compile(r"locked", re.IGNORECASE)
PASSWORD_CHANGE = re.compile(r"PasswordChangeRequired$")
FAILED_TASKS = frozenset({"Exception", "Killed", "Cancelled", "Failed", "CompletedWithErrors"})
ENDED_TASKS = frozenset({"Completed", "RebootCompleted"})
LONGEST = 200


@dataclass(frozen=True, slots=True)
class RedfishMessage:
    """The first message of a Redfish error, as the BMC put it."""

    id: str | None = None
    text: str | None = None


def table(value: Json) -> dict[str, Json]:
    """The value if it is an object, else an empty one: a BMC's JSON may have any shape."""
    return value if isinstance(value, dict) else {}


def text_of(value: Json) -> str | None:
    return value if isinstance(value, str) else None


def link_of(value: Json) -> str | None:
    """The URI behind a link object."""
    return text_of(table(value).get("@odata.id"))


def message_of(body: Json, hide: Redactor) -> RedfishMessage:
    """The message of an error body; some BMCs write MessageID, some leave ExtendedInfo out, some have no body."""
    error = table(table(body).get("error"))
    infos = error.get("@Message.ExtendedInfo") or table(body).get("@Message.ExtendedInfo")
    info = table(infos[0]) if isinstance(infos, list) and infos else table(infos)
    message_id = text_of(info.get("MessageId")) or text_of(info.get("MessageID")) or text_of(error.get("code"))
    text = text_of(info.get("Message")) or text_of(error.get("message"))
    return RedfishMessage(_cut(message_id, hide), _cut(text, hide))


def _cut(text: str | None, hide: Redactor) -> str | None:
    """Hides first: what is left of a secret after the cut would not be recognised."""
    return " ".join(hide(text).split())[:LONGEST] if text else None


def refusal(what: str, status: int, body: Json, hide: Redactor, *, command: bool) -> Failure:
    """A status that is not success, as a failure."""
    message = message_of(body, hide)
    cause = CAUSES.get(status, Cause.BAD_RESPONSE)
    if command and status in REFUSALS:
        unknown = status == 400 and message.id is not None and NOT_SUPPORTED.search(message.id)
        cause = Cause.UNSUPPORTED if unknown else Cause.CONFLICT
    if status in (401, 403):
        if message.id and PASSWORD_CHANGE.search(message.id):
            cause = Cause.AUTH
        elif LOCKED.search(f"{message.id} {message.text}"):
            cause = Cause.LOCKED
    return Failure(
        cause=cause,
        text=f"{what} was answered with HTTP {status}",
        code=f"HTTP {status}",
        message_id=message.id,
        bmc_text=message.text,
    )


def task_failure(task: str, body: Json, hide: Redactor) -> tuple[bool, Failure | None]:
    """Whether a task has ended, and how it failed if it did."""
    state = text_of(table(body).get("TaskState")) or text_of(table(body).get("JobState"))
    status = text_of(table(body).get("TaskStatus")) or "OK"
    if state in FAILED_TASKS or (state in ENDED_TASKS and status == "Critical"):
        messages = table(body).get("Messages")
        first = table(messages[0]) if isinstance(messages, list) and messages else {}
        text = f"the task {task} of the accepted command ended as {state} ({status})"
        words = text_of(first.get("Message")) or text_of(table(body).get("Message"))
        failure = Failure(
            cause=Cause.TASK_FAILED, text=text, message_id=_cut(text_of(first.get("MessageId")), hide), bmc_text=_cut(words, hide)
        )
        return True, failure
    return state in ENDED_TASKS, None
