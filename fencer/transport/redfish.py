"""A host's power through Redfish (DSP0266).

Rules
  1. One System, or none: several without a selector are refused, a name that fits two is refused, nothing is guessed.
  2. The System's PowerState is read live each time; when it says Off, so are the chassis that it links to.
  3. The reset is posted to the target that the System advertises, once.

Theory
  On some boards (OpenBMC on x86) the System says Off while the chassis is still energised, for up to 15 s. Of the two
  only the chassis is about power. A shared enclosure, on the other hand, is On as long as any of its blades is:
  `ChassisCheck.OWN` is for those.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from fencer.events_effects import CommandAnswered, Offers, TaskSaid
from fencer.outcome import Cause, Failure, PowerCommand, Reading, power_of
from fencer.redact import Redactor
from fencer.target import ChassisCheck, Limits, Target
from fencer.transport.base import Unread
from fencer.transport.redfish_auth import Authenticated
from fencer.transport.redfish_http import HttpResponse
from fencer.transport.redfish_words import Json, link_of, refusal, table, task_failure, text_of

MOST_PAGES = 20
IDENTITY_KEYS = ("UUID", "SerialNumber", "SKU")
RESET = "#ComputerSystem.Reset"


class RedfishTransport:
    """One System behind one Redfish service."""

    def __init__(self, target: Target, limits: Limits, request: float, now: Callable[[], float]) -> None:
        """`request` bounds every single HTTP request, in seconds; the time-out of a call bounds all of its requests."""
        self._target = target
        self._request = request
        self._hide = Redactor([target.password], target.user)
        self._chassis_check = limits.chassis_check
        self._now = now
        self._bmc = Authenticated(target, limits.connect)
        self._path: str | None = None  # of the System, once it is known
        self._system: dict[str, Json] = {}  # as last read
        self._etag: str | None = None
        self._wants_etag = False  # the BMC asked for If-Match
        self._identity_key: str | None = None
        self._requests = 0
        self._end = 0.0

    def read(self, timeout: float) -> Reading:
        """The PowerState, with what the linked chassis say. Raises Unread."""
        self._begin(timeout)
        try:
            if self._path is None:
                self._path = self._resolve()
            at = self._now()
            answer = self._get(self._path)
            self._system = table(answer.body)
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
            self._bmc.rest()

    def offers(self, timeout: float) -> Offers:
        """The allowable ResetTypes, inline or through ActionInfo. A BMC that does not say so is taken to allow any."""
        source = self._path or ""
        action = table(table(self._system.get("Actions")).get(RESET))
        if not text_of(action.get("target")):
            return Offers(listed=True, source=f"{source} has no {RESET[1:]} action and")
        values = action.get("ResetType@Redfish.AllowableValues")
        info = text_of(action.get("@Redfish.ActionInfo"))
        if values is None and info:
            values = self._from_action_info(info, timeout)
        if not isinstance(values, list) or not values:
            return Offers(source=source)
        return Offers(frozenset(value for value in values if isinstance(value, str)), listed=True, source=source)

    def command(self, command: PowerCommand, timeout: float) -> CommandAnswered:
        """Posts one reset to the advertised target."""
        self._begin(timeout)
        action = table(table(self._system.get("Actions")).get(RESET))
        what = f"{command} at {self._path}"
        headers = {"If-Match": self._etag} if self._wants_etag and self._etag else {}
        try:
            path = self._bmc.path(text_of(action.get("target")) or "")
            answer = self._bmc.request("POST", path, self._left(), body={"ResetType": str(command)}, headers=headers)
        except Unread as unread:
            failure = replace(unread.failure, text=f"{what}: {unread.failure.text}")
            return CommandAnswered(failure, unread.retry_after)
        finally:
            self._bmc.rest()
        if answer.ok:
            return CommandAnswered(task=self._task_of(answer) if answer.status == 202 else None)
        if answer.status in (412, 428):
            self._wants_etag = not self._wants_etag
        return CommandAnswered(self._refusal(what, answer, command=True), answer.retry_after)

    def follow(self, task: str, timeout: float) -> TaskSaid:
        """A task that is gone or cannot be read says nothing."""
        self._begin(timeout)
        try:
            answer = self._bmc.request("GET", task, self._left())
        except Unread:
            return TaskSaid(ended=False)
        finally:
            self._bmc.rest()
        if not answer.ok:
            return TaskSaid(ended=answer.status in (404, 410))
        return TaskSaid(*task_failure(task, answer.body, self._hide))

    def members(self, timeout: float) -> tuple[str, ...]:
        """The URIs of all Systems. Raises Unread."""
        self._begin(timeout)
        try:
            return tuple(self._members())
        finally:
            self._bmc.rest()

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
                raise _unread(Cause.CONFIG, text)
            if not members:
                raise _unread(Cause.NOT_FOUND, f"{self._bmc.base} has no system")
            return members[0]
        named = [member for member in members if member.rstrip("/").rpartition("/")[2] == wanted]
        return named[0] if len(named) == 1 else self._by_uuid(wanted, members)

    def _by_uuid(self, wanted: str, members: list[str]) -> str:
        unread: Unread | None = None
        found = []
        for member in members:
            try:
                body = table(self._get(member).body)
            except Unread as error:
                unread = error
                continue
            if wanted.casefold() in (str(body.get("UUID")).casefold(), str(body.get("Id")).casefold()):
                found.append(member)
        if len(found) == 1:
            return found[0]
        if len(found) > 1:
            raise _unread(Cause.CONFIG, f"{wanted} fits {len(found)} systems: {', '.join(found)}")
        if unread is not None:
            raise unread
        text = f"{self._bmc.base} has no system {wanted}; it has {', '.join(members) or 'none'}"
        raise _unread(Cause.NOT_FOUND, text)

    def _members(self) -> list[str]:
        root = table(self._get(self._target.redfish_uri).body)
        self._bmc.learn_sessions(root)
        page: str | None = link_of(root.get("Systems"))
        if page is None:
            raise _unread(Cause.NOT_FOUND, f"{self._bmc.base}{self._target.redfish_uri} links to no Systems")
        members: list[str] = []
        for _ in range(MOST_PAGES):
            body = table(self._get(self._bmc.path(page)).body)
            listed = body.get("Members")
            if not isinstance(listed, list):
                raise _unread(Cause.NOT_FOUND, f"{page} lists no members")
            members += [self._bmc.path(uri) for uri in map(link_of, listed) if uri]
            page = text_of(body.get("Members@odata.nextLink"))
            if page is None:
                break
        return list(dict.fromkeys(members))

    def _check_kind(self) -> None:
        kind = text_of(self._system.get("@odata.type"))
        if kind is not None and not kind.startswith("#ComputerSystem."):
            raise _unread(Cause.CONFIG, f"{self._path} is a {kind.lstrip('#').partition('.')[0]}, not a ComputerSystem")

    def _check_identity(self) -> None:
        expected = self._target.identity
        shown = [value for key in IDENTITY_KEYS if (value := text_of(self._system.get(key)))]
        if expected and expected.casefold() not in [value.casefold() for value in shown]:
            text = f"{self._path} shows {', '.join(shown) or 'no identity'}, expected {expected}: not the same machine"
            raise _unread(Cause.CONFIG, text)

    def _identity(self) -> str | None:
        """Always the same property: some BMCs hide the UUID of a host that is off."""
        if self._identity_key is None:
            keys = [key for key in IDENTITY_KEYS if text_of(self._system.get(key))]
            self._identity_key = keys[0] if keys else None
        return text_of(self._system.get(self._identity_key)) if self._identity_key else None

    # --- the parts of a System -----------------------------------------------------------------------------------

    def _chassis_word(self) -> str | None:
        """The first PowerState of a linked chassis that is not Off, else Off; None if no chassis says anything."""
        if self._chassis_check is ChassisCheck.IGNORE:
            return None
        links = table(self._system.get("Links")).get("Chassis")
        word: str | None = None
        for uri in map(link_of, links if isinstance(links, list) else []):
            if uri is None:
                continue
            try:
                body = table(self._get(self._bmc.path(uri)).body)
            except Unread as unread:
                if unread.failure.cause is Cause.NOT_FOUND:  # a dangling link contradicts nothing
                    continue
                raise
            systems = table(body.get("Links")).get("ComputerSystems")
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
            body = table(self._get(self._bmc.path(uri)).body)
        except Unread:
            return None
        finally:
            self._bmc.rest()
        parameters = body.get("Parameters")
        for parameter in map(table, parameters if isinstance(parameters, list) else []):
            if parameter.get("Name") == "ResetType":
                return parameter.get("AllowableValues")
        return None

    def _task_of(self, answer: HttpResponse) -> str | None:
        body = table(answer.body)
        task = answer.headers.get("location") or text_of(body.get("TaskMonitor")) or text_of(body.get("@odata.id"))
        try:
            return self._bmc.path(task) if task else None
        except Unread:
            return None

    # --- one call ------------------------------------------------------------------------------------------------

    def _begin(self, timeout: float) -> None:
        self._end = time.monotonic() + timeout
        self._requests = 0

    def _left(self) -> float:
        return min(self._end - time.monotonic(), self._request)

    def _refusal(self, what: str, answer: HttpResponse, *, command: bool) -> Failure:
        return refusal(what, answer.status, answer.body, self._hide, command=command)

    def _get(self, path: str) -> HttpResponse:
        answer = self._bmc.request("GET", path, self._left())
        self._requests += answer.requests
        what = f"GET {self._bmc.base}{path}"
        if not answer.ok:
            raise Unread(self._refusal(what, answer, command=False), answer.retry_after)
        if answer.garbled or not isinstance(answer.body, dict):
            raise _unread(Cause.BAD_RESPONSE, f"{what} brought {answer.garbled or 'JSON that is no object'}")
        return answer


def _unread(cause: Cause, text: str) -> Unread:
    return Unread(Failure(cause=cause, text=text))
