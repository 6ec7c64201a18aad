"""Reads and switches the power of a host over Redfish (DSP0266).

`fencer.run` calls it from one thread; times are seconds.

Rules
  1. It acts on exactly one System. Several Systems without a selector, or a selector that matches two, are an error.
  2. It reads the System's PowerState live each time. If that is Off, it also reads each chassis linked from the System.
  3. It posts the reset once, to the action target that the System advertises.

Theory
  On some boards (OpenBMC on x86) the System says Off up to 15 s before the power is really off; the Chassis is correct.
  A shared enclosure, on the other hand, is On while any of its blades is On: use `ChassisCheck.OWN` there.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from fencer.events_effects import AllowedCommands, CommandAnswered, TaskStatus
from fencer.outcome import Cause, Failure, PowerCommand, Reading, power_of
from fencer.redact import Redactor
from fencer.target import ChassisCheck, Limits, Target
from fencer.transport.base import CallFailed
from fencer.transport.redfish_auth import AuthenticatedHttp
from fencer.transport.redfish_errors import Json, as_object, http_failure, link_of, task_failure, text_of
from fencer.transport.redfish_http import HttpResponse

MAX_PAGES = 20
IDENTITY_KEYS = ("UUID", "SerialNumber", "SKU")
RESET = "#ComputerSystem.Reset"


class RedfishTransport:
    """The power of one System behind one Redfish service."""

    def __init__(self, target: Target, limits: Limits, request: float, now: Callable[[], float]) -> None:
        """`request` bounds one HTTP request, in seconds; the time-out of a call bounds all its requests together."""
        self._target = target
        self._request = request
        self._redact = Redactor([target.password], target.user)
        self._chassis_check = limits.chassis_check
        self._now = now
        self._bmc = AuthenticatedHttp(target, limits.connect)
        self._path: str | None = None  # of the System, once it is known
        self._system: dict[str, Json] = {}  # as last read
        self._etag: str | None = None
        self._wants_etag = False  # the BMC requires If-Match (it answered 412 or 428)
        self._identity_key: str | None = None
        self._requests = 0
        self._end = 0.0

    def read(self, timeout: float) -> Reading:
        """Reads the PowerState of the System and of its linked chassis. Raises CallFailed."""
        self._begin(timeout)
        try:
            if self._path is None:
                self._path = self._resolve()
            at = self._now()
            answer = self._get(self._path)
            self._system = as_object(answer.body)
            self._etag = answer.headers.get("etag") or text_of(self._system.get("@odata.etag"))
            self._check_kind()
            self._check_identity()
            word = text_of(self._system.get("PowerState"))
            chassis = self._chassis_word() if word == "Off" else None
            return Reading(
                power=power_of(word, chassis),
                word=word,
                at=at,
                path="redfish",
                source=self._path,
                chassis_word=chassis,
                identity=self._identity(),
                requests=self._requests,
            )
        finally:
            self._bmc.close_idle_connections()

    def allowed_commands(self, timeout: float) -> AllowedCommands:
        """Returns the allowable ResetTypes, inline or from ActionInfo. `listed` is False if the BMC names none."""
        source = self._path or ""
        action = as_object(as_object(self._system.get("Actions")).get(RESET))
        if not text_of(action.get("target")):
            return AllowedCommands(listed=True, source=f"{source} has no {RESET[1:]} action and")
        values = action.get("ResetType@Redfish.AllowableValues")
        info = text_of(action.get("@Redfish.ActionInfo"))
        if values is None and info:
            values = self._from_action_info(info, timeout)
        if not isinstance(values, list) or not values:
            return AllowedCommands(source=source)
        return AllowedCommands(frozenset(value for value in values if isinstance(value, str)), listed=True, source=source)

    def command(self, command: PowerCommand, timeout: float) -> CommandAnswered:
        """Posts one reset to the advertised target."""
        self._begin(timeout)
        action = as_object(as_object(self._system.get("Actions")).get(RESET))
        what = f"{command} at {self._path}"
        headers = {"If-Match": self._etag} if self._wants_etag and self._etag else {}
        try:
            path = self._bmc.path(text_of(action.get("target")) or "")
            answer = self._bmc.request("POST", path, self._left(), body={"ResetType": str(command)}, headers=headers)
        except CallFailed as call_failed:
            failure = replace(call_failed.failure, text=f"{what}: {call_failed.failure.text}")
            return CommandAnswered(failure, call_failed.retry_after)
        finally:
            self._bmc.close_idle_connections()
        if answer.ok:
            return CommandAnswered(task=self._task_of(answer) if answer.status == 202 else None)
        if answer.status in (412, 428):
            self._wants_etag = not self._wants_etag
        return CommandAnswered(self._refusal(what, answer, command=True), answer.retry_after)

    def read_task(self, task: str, timeout: float) -> TaskStatus:
        """Reads a task once. A task that does not exist any more has ended; one that cannot be read has not."""
        self._begin(timeout)
        try:
            answer = self._bmc.request("GET", task, self._left())
        except CallFailed:
            return TaskStatus(ended=False)
        finally:
            self._bmc.close_idle_connections()
        if not answer.ok:
            return TaskStatus(ended=answer.status in (404, 410))
        return TaskStatus(*task_failure(task, answer.body, self._redact))

    def members(self, timeout: float) -> tuple[str, ...]:
        """Lists the URIs of all Systems. Raises CallFailed."""
        self._begin(timeout)
        try:
            return tuple(self._members())
        finally:
            self._bmc.close_idle_connections()

    def close(self) -> None:
        self._bmc.close()

    # --- which System --------------------------------------------------------------------------------------------

    def _resolve(self) -> str:
        wanted = self._target.system
        if wanted and wanted.startswith(("/", "http://", "https://")):
            return self._bmc.path(wanted)
        members = self._members()
        if wanted is None:
            if len(members) > 1:
                text = f"{self._bmc.base} has {len(members)} systems and none is selected: {', '.join(members)}"
                raise _call_failed(Cause.CONFIG, text)
            if not members:
                raise _call_failed(Cause.NOT_FOUND, f"{self._bmc.base} has no system")
            return members[0]
        named = [member for member in members if member.rstrip("/").rpartition("/")[2] == wanted]
        return named[0] if len(named) == 1 else self._by_uuid(wanted, members)

    def _by_uuid(self, wanted: str, members: list[str]) -> str:
        call_failed: CallFailed | None = None
        found = []
        for member in members:
            try:
                body = as_object(self._get(member).body)
            except CallFailed as error:
                call_failed = error
                continue
            if wanted.casefold() in (str(body.get("UUID")).casefold(), str(body.get("Id")).casefold()):
                found.append(member)
        if len(found) == 1:
            return found[0]
        if len(found) > 1:
            raise _call_failed(Cause.CONFIG, f"{wanted} fits {len(found)} systems: {', '.join(found)}")
        if call_failed is not None:
            raise call_failed
        text = f"{self._bmc.base} has no system {wanted}; it has {', '.join(members) or 'none'}"
        raise _call_failed(Cause.NOT_FOUND, text)

    def _members(self) -> list[str]:
        root = as_object(self._get(self._target.redfish_uri).body)
        self._bmc.read_sessions_uri(root)
        page: str | None = link_of(root.get("Systems"))
        if page is None:
            raise _call_failed(Cause.NOT_FOUND, f"{self._bmc.base}{self._target.redfish_uri} links to no Systems")
        members: list[str] = []
        for _ in range(MAX_PAGES):
            body = as_object(self._get(self._bmc.path(page)).body)
            listed = body.get("Members")
            if not isinstance(listed, list):
                raise _call_failed(Cause.NOT_FOUND, f"{page} lists no members")
            members += [self._bmc.path(uri) for uri in map(link_of, listed) if uri]
            page = text_of(body.get("Members@odata.nextLink"))
            if page is None:
                break
        return list(dict.fromkeys(members))

    def _check_kind(self) -> None:
        kind = text_of(self._system.get("@odata.type"))
        if kind is not None and not kind.startswith("#ComputerSystem."):
            raise _call_failed(Cause.CONFIG, f"{self._path} is a {kind.lstrip('#').partition('.')[0]}, not a ComputerSystem")

    def _check_identity(self) -> None:
        expected = self._target.identity
        shown = [value for key in IDENTITY_KEYS if (value := text_of(self._system.get(key)))]
        if expected and expected.casefold() not in [value.casefold() for value in shown]:
            text = f"{self._path} shows {', '.join(shown) or 'no identity'}, expected {expected}: not the same machine"
            raise _call_failed(Cause.CONFIG, text)

    def _identity(self) -> str | None:
        """Returns always the same property, because some BMCs hide the UUID while the host is off."""
        if self._identity_key is None:
            keys = [key for key in IDENTITY_KEYS if text_of(self._system.get(key))]
            self._identity_key = keys[0] if keys else None
        return text_of(self._system.get(self._identity_key)) if self._identity_key else None

    # --- the parts of a System -----------------------------------------------------------------------------------

    def _chassis_word(self) -> str | None:
        """Returns the first PowerState of a linked chassis other than Off, else Off; None if no chassis has one."""
        if self._chassis_check is ChassisCheck.IGNORE:
            return None
        links = as_object(self._system.get("Links")).get("Chassis")
        word: str | None = None
        for uri in map(link_of, links if isinstance(links, list) else []):
            if uri is None:
                continue
            try:
                body = as_object(self._get(self._bmc.path(uri)).body)
            except CallFailed as call_failed:
                if call_failed.failure.cause is Cause.NOT_FOUND:  # the link leads to no resource, so there is no word
                    continue
                raise
            systems = as_object(body.get("Links")).get("ComputerSystems")
            if self._chassis_check is ChassisCheck.OWN and isinstance(systems, list) and len(systems) > 1:
                continue
            state = body.get("PowerState")
            if state is not None and state != "Off":
                return str(state)
            word = word or text_of(state)
        return word

    def _from_action_info(self, uri: str, timeout: float) -> Json:
        self._begin(timeout)
        try:
            body = as_object(self._get(self._bmc.path(uri)).body)
        except CallFailed:
            return None
        finally:
            self._bmc.close_idle_connections()
        parameters = body.get("Parameters")
        for parameter in map(as_object, parameters if isinstance(parameters, list) else []):
            if parameter.get("Name") == "ResetType":
                return parameter.get("AllowableValues")
        return None

    def _task_of(self, answer: HttpResponse) -> str | None:
        body = as_object(answer.body)
        task = answer.headers.get("location") or text_of(body.get("TaskMonitor")) or text_of(body.get("@odata.id"))
        try:
            return self._bmc.path(task) if task else None
        except CallFailed:
            return None

    # --- one call ------------------------------------------------------------------------------------------------

    def _begin(self, timeout: float) -> None:
        self._end = time.monotonic() + timeout
        self._requests = 0

    def _left(self) -> float:
        return min(self._end - time.monotonic(), self._request)

    def _refusal(self, what: str, answer: HttpResponse, *, command: bool) -> Failure:
        return http_failure(what, answer.status, answer.body, self._redact, command=command)

    def _get(self, path: str) -> HttpResponse:
        answer = self._bmc.request("GET", path, self._left())
        self._requests += answer.requests
        what = f"GET {self._bmc.base}{path}"
        if not answer.ok:
            raise CallFailed(self._refusal(what, answer, command=False), answer.retry_after)
        if answer.json_error or not isinstance(answer.body, dict):
            raise _call_failed(Cause.BAD_RESPONSE, f"{what} brought {answer.json_error or 'JSON that is no object'}")
        return answer


def _call_failed(cause: Cause, text: str) -> CallFailed:
    return CallFailed(Failure(cause=cause, text=text))
