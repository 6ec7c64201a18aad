"""One power command that was watched on a real BMC: what it answered, and when which view said what. Pure.

`probe_run` and `exchanges` make these records; `power_table` makes cells from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from emulator.profile_tools.json_values import Json, JsonObject, object_at, objects_at, text_at, texts_at
from profiles.model import View


@dataclass(frozen=True, slots=True)
class ViewChange:
    """A view says another word from now on. `at_s`: seconds after the command was sent; None: JSON null, or no such property."""

    at_s: float
    view: View
    word: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedTask:
    """The task that an answer promised. `start` and `end` are TaskStates; None where nobody saw them.

    `after_s`: seconds from the command to the first read that showed the end. `answer` holds what the task said at its end.
    """

    start: str | None = None
    end: str | None = None
    after_s: float = 0.0
    answer: ObservedReply | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedReply:
    """An HTTP answer to a reset, with its first message."""

    status: int
    message_id: str | None = None
    text: str | None = None
    args: tuple[str, ...] = ()
    severity: str | None = None
    resolution: str | None = None
    task: ObservedTask | None = None

    @property
    def is_accepted(self) -> bool:
        """A success, and no task that ended otherwise than Completed."""
        return self.status < 300 and (self.task is None or self.task.end in (None, "Completed"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedCommand:
    """`word` is a ResetType, or with `code` a Chassis Control of IPMI (down, up, cycle, reset, diag, soft). `views` were read."""

    before: str
    word: str
    reply: ObservedReply | None = None
    code: int | None = None
    changes: tuple[ViewChange, ...] = ()
    views: frozenset[View] = frozenset({View.SYSTEM})

    @property
    def cell(self) -> tuple[str, str]:
        """State and word, by which a cell is known in its table."""
        return self.before, self.word

    @property
    def after(self) -> str:
        """Where the System ended."""
        words = [change.word for change in self.changes if change.view is View.SYSTEM and change.word in ("On", "Off")]
        return words[-1] or self.before if words else self.before


def reply_of(status: int, body: Json) -> ObservedReply:
    """The answer to a reset, with the first message of its body."""
    message = _message(body)
    return ObservedReply(
        status=status,
        message_id=text_at(message, "MessageId") or text_at(message, "MessageID"),
        text=text_at(message, "Message"),
        args=texts_at(message, "MessageArgs"),
        severity=text_at(message, "MessageSeverity") or text_at(message, "Severity"),
        resolution=text_at(message, "Resolution"),
    )


def _message(body: Json) -> JsonObject:
    error = object_at(body, "error")
    for holder in (error, body):
        if messages := objects_at(holder, "@Message.ExtendedInfo"):
            return messages[0]
    code = text_at(error, "code")
    return {"MessageId": code, "Message": text_at(error, "message")} if code else {}


def changes_between(
    before: Mapping[View, str | None], reads: list[tuple[float, Mapping[View, str | None]]]
) -> tuple[ViewChange, ...]:
    """The changes in a series of reads; each read is a time and the views that answered."""
    said = dict(before)
    changes = []
    for at_s, words in reads:
        for view, word in words.items():
            if view not in said or said[view] != word:
                said[view] = word
                changes.append(ViewChange(at_s, view, word))
    return tuple(changes)
