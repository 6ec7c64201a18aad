"""Converts HTTP statuses and Redfish error bodies to a Failure, and reads values from JSON of any shape.

The Redfish transport calls these functions.

Rules
  1. Pure. A status gives a cause class; it never gives a power state.
  2. The BMC's message id and text are kept, cut to MAX_TEXT_CHARS characters.
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
REFUSALS = frozenset({400, 409})  # for a power command: "not now" or "already in that state"; the status does not say which
NOT_SUPPORTED = re.compile(r"(ActionNotSupported|ActionParameterNotSupported|ActionParameterUnknown"
                           r"|ParameterValueNotInList|ParameterValueTypeError|ParameterValueFormatError)$")  # fmt: skip
SESSION_LIMIT = re.compile(r"(SessionLimitExceeded|RAC0218)$")
LOCKED = re.compile(r"locked", re.IGNORECASE)
WRONG_OR_LOCKED = re.compile(
    r"password[^.]*\bor\b[^.]*locked", re.IGNORECASE
)  # iBMC: one text for both; a password can be mended
PASSWORD_CHANGE = re.compile(r"PasswordChangeRequired$")
FAILED_TASKS = frozenset({"Exception", "Killed", "Cancelled", "Failed", "CompletedWithErrors"})
ENDED_TASKS = frozenset({"Completed", "RebootCompleted"})
MAX_TEXT_CHARS = 200


@dataclass(frozen=True, slots=True)
class RedfishMessage:
    """The first message of a Redfish error, verbatim."""

    id: str | None = None
    text: str | None = None


def as_object(value: Json) -> dict[str, Json]:
    """Returns `value` if it is a JSON object, otherwise an empty one. A BMC's JSON may have any shape."""
    return value if isinstance(value, dict) else {}


def text_of(value: Json) -> str | None:
    return value if isinstance(value, str) else None


def word_of(value: Json) -> str | None:
    """Returns a word or a name that is kept in every reading. A longer text than MAX_TEXT_CHARS is none of both, and is cut."""
    text = text_of(value)
    return text if text is None or len(text) <= MAX_TEXT_CHARS else f"{text[:MAX_TEXT_CHARS]}..."


def member_count(value: Json) -> int | None:
    """Returns `Members@odata.count`, which some BMCs write as 2.0 or "2"; None if it is no number."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def link_of(value: Json) -> str | None:
    """Returns the @odata.id of a link object."""
    return text_of(as_object(value).get("@odata.id"))


def message_of(body: Json, redact: Redactor) -> RedfishMessage:
    """Returns the message of an error body. Some BMCs write MessageID, omit ExtendedInfo, or send no body."""
    error = as_object(as_object(body).get("error"))
    infos = error.get("@Message.ExtendedInfo") or as_object(body).get("@Message.ExtendedInfo")
    info = as_object(infos[0]) if isinstance(infos, list) and infos else as_object(infos)
    message_id = text_of(info.get("MessageId")) or text_of(info.get("MessageID")) or text_of(error.get("code"))
    text = text_of(info.get("Message")) or text_of(error.get("message"))
    return RedfishMessage(_cut(message_id, redact), _cut(text, redact))


def _cut(text: str | None, redact: Redactor) -> str | None:
    """Redacts first and cuts afterwards: a secret that is cut in half would not be recognised."""
    return " ".join(redact(text).split())[:MAX_TEXT_CHARS] if text else None


def http_failure(what: str, status: int, body: Json, redact: Redactor, *, command: bool) -> Failure:
    """Returns the failure for an HTTP status that is not 2xx."""
    message = message_of(body, redact)
    cause = CAUSES.get(status, Cause.BAD_RESPONSE)
    if command and status in REFUSALS:
        unknown = status == 400 and message.id is not None and NOT_SUPPORTED.search(message.id)
        cause = Cause.UNSUPPORTED if unknown else Cause.CONFLICT
    if status in (401, 403):
        if message.id and PASSWORD_CHANGE.search(message.id):
            cause = Cause.AUTH
        elif LOCKED.search(f"{message.id} {message.text}") and not WRONG_OR_LOCKED.search(message.text or ""):
            cause = Cause.LOCKED
    if message.id and SESSION_LIMIT.search(message.id):
        cause = Cause.BUSY
    return Failure(
        cause=cause,
        text=f"{what} was answered with HTTP {status}",
        code=f"HTTP {status}",
        message_id=message.id,
        bmc_text=message.text,
    )


def is_wrong_parameter(status: int, failure: Failure) -> bool:
    """True if the BMC refused the ResetType itself, so that another ResetType may work."""
    return status == 400 and failure.cause is Cause.UNSUPPORTED


def monitor_failure(task: str, status: int, body: Json, redact: Redactor) -> Failure | None:
    """Returns the failure if a task monitor answers with the error of the command; None for what may be of this read alone."""
    message = message_of(body, redact)
    if status < 400 or status in (401, 403, 404, 408, 410, 429, 502, 503, 504) or (message.id is None and message.text is None):
        return None
    return Failure(
        cause=Cause.TASK_FAILED,
        text=f"the task {task} of the accepted command ended with HTTP {status}",
        code=f"HTTP {status}",
        message_id=message.id,
        bmc_text=message.text,
    )


def task_failure(task: str, body: Json, redact: Redactor) -> tuple[bool, Failure | None]:
    """Returns whether a task has ended, and its failure if it failed."""
    state = text_of(as_object(body).get("TaskState")) or text_of(as_object(body).get("JobState"))
    status = text_of(as_object(body).get("TaskStatus")) or "OK"
    if state in FAILED_TASKS or (state in ENDED_TASKS and status == "Critical"):
        messages = as_object(body).get("Messages")
        first = as_object(messages[0]) if isinstance(messages, list) and messages else {}
        text = f"the task {task} of the accepted command ended as {state} ({status})"
        words = text_of(first.get("Message")) or text_of(as_object(body).get("Message"))
        failure = Failure(
            cause=Cause.TASK_FAILED,
            text=text,
            message_id=_cut(text_of(first.get("MessageId")), redact),
            bmc_text=_cut(words, redact),
        )
        return True, failure
    return state in ENDED_TASKS, None
