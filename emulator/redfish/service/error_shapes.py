"""The error object, message ids and replies of one profile.

`service.app` makes one ErrorShapes per profile; `service.service` turns every error and every reply of the profile into an
HttpAnswer with it.

Rules
  1. The shape is data: the profile gives the fields and their order, and the templates of `error.code` and `error.message`.
  2. Templates contain `{name}` and nothing else. Every template is tried when the app is made, so no client meets a missing name.
  3. A reply with any status may contain a message: some vendors put a success into an error object too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from emulator.core.errors import RackMisconfigured
from emulator.faults.protocol import HttpReply
from emulator.faults.protocol.redirect import Redirect
from emulator.redfish.power.taskbook import TASK_BEGINS, TASK_ENDS, task_style
from emulator.redfish.service.call import JSON_TYPE, HeaderList, HttpAnswer, ProfileReply, RegistryError, RegistryMessage
from emulator.redfish.service.json_form import writer_of
from emulator.redfish.service.messages import BASE_MESSAGES, GENERAL_ERROR, available_message
from emulator.redfish.service.shapes import Json
from profiles.data import thawed
from profiles.model import MessageTemplate, Profile, ReplyTemplate

DEFAULT_BASE: Final = "1.13"
_HOLE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorMessage:
    """A message with all its arguments filled in."""

    id: str
    text: str | None
    args: tuple[str, ...] = ()
    severity: str | None = None
    resolution: str | None = None
    related: tuple[str, ...] = ()


TYPE: Final = "@odata.type"
FIELDS: Final[Mapping[str, Callable[[ErrorMessage], object]]] = {
    TYPE: lambda message: None,  # the profile says it
    "Message": lambda message: message.text,
    "MessageId": lambda message: message.id,
    "MessageID": lambda message: message.id,
    "MessageArgs": lambda message: list(message.args),
    "MessageArgs@odata.count": lambda message: len(message.args),
    "MessageSeverity": lambda message: message.severity,
    "Severity": lambda message: message.severity,
    "Resolution": lambda message: message.resolution,
    "RelatedProperties": lambda message: list(message.related),
    "RelatedProperties@odata.count": lambda message: len(message.related),
}
"""The properties that an entry of @Message.ExtendedInfo may have. A property with the value None is left out."""


def fill(template: str, values: Mapping[str, str]) -> str:
    """The template with its holes filled. Raises KeyError for a name that is not in `values`."""
    return _HOLE.sub(lambda hole: values[hole[1]], template)


class ErrorShapes:
    """The answers of one profile. Raises RackMisconfigured for a profile with an unknown field, message, task state or name."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self.base = profile.vars.get("base", DEFAULT_BASE)
        self.fixed: HeaderList = (
            ("OData-Version", "4.0"),
            ("Cache-Control", "no-cache"),
            *((("Server", profile.http.server_header),) if profile.http.server_header else ()),
        )
        self.written = writer_of(profile.http)
        self._check()

    # -- answers --------------------------------------------------------------------------------------------------------

    def error_answer(self, error: RegistryError) -> HttpAnswer:
        filled = [self.base_message(each.message, each.args, each.related) for each in error.messages]
        return self._body(error.http_status, error.headers, self.error_object(*filled), filled[0].id)

    def entries(self, messages: Sequence[RegistryMessage]) -> list[Json]:
        """@Message.ExtendedInfo for these messages, in this vendor's shape."""
        return [self._entry(self.base_message(each.message, each.args, each.related)) for each in messages]

    def error(self, status: int, message: ErrorMessage) -> HttpAnswer:
        return self._answer(status, (), message)

    def message(self, key: str, values: Mapping[str, str]) -> ErrorMessage:
        """A message from the profile's own list."""
        return self._vendor_message(self._profile.messages[key], {**self._profile.vars, **values})

    def profile_reply(self, reply: ProfileReply) -> HttpAnswer:
        """A reply from the profile's own list. Its headers win over the headers of `reply`."""
        template = self._profile.replies[reply.reply]
        known = {**self._profile.vars, **reply.values}
        own = tuple((name, fill(value, known)) for name, value in template.headers.items())
        named = {name.lower() for name, _ in own}
        headers = own + tuple((name, value) for name, value in reply.headers if name.lower() not in named)
        message = self._vendor_message(self._profile.messages[template.message], known) if template.message else None
        if template.text is not None:
            return HttpAnswer(template.status, (*self.fixed, *headers), template.text.encode())
        if template.body == "empty" or (template.body is None and message is None):
            return HttpAnswer(template.status, self.fixed + headers, message_id=message.id if message else None)
        if template.body is not None:
            return self._body(template.status, headers, thawed(template.body), message.id if message else None)
        assert message is not None
        return self._answer(template.status, headers, message)

    def fault(self, fault: HttpReply | Redirect) -> HttpAnswer:
        """The answer of an armed fault."""
        if isinstance(fault, Redirect):
            return HttpAnswer(fault.status, (*self.fixed, ("Location", fault.location)))
        headers = tuple(fault.headers.items())
        if fault.reply is not None:
            return self.profile_reply(ProfileReply(fault.reply, {"reset_type": ""}, headers))
        if fault.raw is not None:
            return HttpAnswer(fault.status, self.fixed + headers, fault.raw)
        if fault.body is not None:
            return self._body(fault.status, headers, thawed(fault.body), None)
        if not fault.text and fault.status < 400:
            return HttpAnswer(fault.status, self.fixed + headers)
        known = BASE_MESSAGES.get(fault.message_id.rpartition(".")[2], BASE_MESSAGES[GENERAL_ERROR])
        message = ErrorMessage(
            id=fault.message_id, text=fault.text or known.text, severity=known.severity, resolution=known.resolution
        )
        return self._answer(fault.status, headers, message)

    def finished(self, answer: HttpAnswer) -> HttpAnswer:
        """The answer with the headers that this BMC sends with every answer."""
        if answer.headers[: len(self.fixed)] == self.fixed:  # those of a representation
            return answer
        named = {name.lower() for name, _ in answer.headers}
        missing = tuple((name, value) for name, value in self.fixed if name.lower() not in named)
        return HttpAnswer(answer.status, (*missing, *answer.headers), answer.body, answer.message_id)

    def base_message(self, name: str, args: tuple[str, ...], related: tuple[str, ...] = ()) -> ErrorMessage:
        name = available_message(name, self.base)
        message = BASE_MESSAGES[name]
        args = args[: message.arguments]
        text = message.text
        for n, arg in enumerate(args, start=1):
            text = text.replace(f"%{n}", arg, 1)
        return ErrorMessage(
            id=f"Base.{self.base}.{name}",
            text=text,
            args=args,
            severity=message.severity,
            resolution=message.resolution,
            related=related,
        )

    # -- shapes ---------------------------------------------------------------------------------------------------------

    def error_object(self, message: ErrorMessage, *more: ErrorMessage) -> Json:
        shape = self._profile.errors
        known = {**self._profile.vars, "message_id": message.id, "message_text": message.text or ""}
        code, summary = fill(shape.code, known), fill(shape.summary, known)
        entries = [self._entry(each) for each in (message, *more)]
        body: Json = {"error": {"code": code, "message": summary, "@Message.ExtendedInfo": entries}}
        if shape.top_level is not None:
            body |= {"Messages": entries, **{name.capitalize(): text for name, text in shape.top_level.items()}}
        return body

    def _entry(self, message: ErrorMessage) -> Json:
        shape = self._profile.errors
        found = ((name, shape.entry_type if name == TYPE else FIELDS[name](message)) for name in shape.fields)
        return {name: value for name, value in found if value is not None}

    def _answer(self, status: int, headers: HeaderList, message: ErrorMessage) -> HttpAnswer:
        return self._body(status, headers, self.error_object(message), message.id)

    def _body(self, status: int, headers: HeaderList, body: object, message_id: str | None) -> HttpAnswer:
        headers = (*self.fixed, ("Content-Type", JSON_TYPE), *headers)
        return HttpAnswer(status, headers, self.written(body), message_id)

    def _vendor_message(self, message: MessageTemplate, values: Mapping[str, str]) -> ErrorMessage:
        args = tuple(fill(arg, values) for arg in message.args)
        known = {**values, **{f"arg{n}": arg for n, arg in enumerate(args)}}
        return ErrorMessage(
            id=fill(message.id, known),
            text=None if message.text is None else fill(message.text, known),
            args=args,
            severity=message.severity,
            resolution=message.resolution,
        )

    # -- checks ---------------------------------------------------------------------------------------------------------

    def _check(self) -> None:
        name = self._profile.id
        if unknown := [field for field in self._profile.errors.fields if field not in FIELDS]:
            raise RackMisconfigured(f"profile {name}: errors.fields names {unknown[0]!r}, which no message has")
        for key, reply in self._profile.replies.items():
            self._check_reply(key, reply)
        self._try("errors", lambda: self.error_object(ErrorMessage(id="", text=None)))

    def _check_reply(self, key: str, reply: ReplyTemplate) -> None:
        where = f"profile {self._profile.id}: replies.{key}"
        if reply.task is not None:
            self._check_task(where, reply.task)
        if reply.message is not None and reply.message not in self._profile.messages:
            raise RackMisconfigured(f"{where} names the message {reply.message!r}, which messages does not have")
        self._try(f"replies.{key}", lambda: self.profile_reply(ProfileReply(key, {"reset_type": ""})))

    def _check_task(self, where: str, task: Mapping[str, object]) -> None:
        if task_style(self._profile) == "none":
            raise RackMisconfigured(f"{where} answers with a task, and tasks.style is none")
        for key, known in (("start", TASK_BEGINS), ("end", TASK_ENDS)):
            state = task.get(key)
            if state not in known:
                raise RackMisconfigured(f"{where} has the task state {state!r}, which is none of {', '.join(known)}")
        message = task.get("message")
        if message is not None and message not in self._profile.messages:
            raise RackMisconfigured(f"{where} names the message {message!r}, which messages does not have")
        if message is not None:
            self._try(where, lambda: self.message(str(message), {"reset_type": ""}))

    def _try(self, where: str, fill_in: Callable[[], object]) -> None:
        try:
            fill_in()
        except KeyError as error:
            raise RackMisconfigured(
                f"profile {self._profile.id}: {where} uses {{{error.args[0]}}}, which neither vars nor the request gives"
            ) from None
