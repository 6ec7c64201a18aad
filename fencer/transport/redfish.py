"""Reads and switches the power of a host over Redfish (DSP0266).

`fencer.run` calls it from one thread; times are seconds.

Rules
  1. It acts on exactly one System. Several Systems without a selector, or a selector that matches two, are an error.
  2. It reads the System's PowerState live each time. It asks the chassis that the System links to at the first read, and at
     every read that says Off; a chassis that was asked once is asked always. `fencer.witnesses` judges what they say.
  3. A body counts only for the resource that was asked for (`redfish_bodies`).
  4. A request of a read that brings nothing is sent once more within the read; not if the user was refused, and never to
     hide an answer about something else.
  5. It posts the reset once, to the action target that the System advertises.

Theory
  On some boards (OpenBMC on x86) the System says Off up to 15 s before the power is really off; the Chassis is correct.
  A shared enclosure, on the other hand, is On while any of its blades is On: use `ChassisCheck.OWN` there.
  While one chassis says On, the others need not be asked: so the one that contradicted last is asked first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from fencer import identity, witnesses
from fencer.events_effects import AllowedCommands, CommandAnswered, TaskStatus
from fencer.outcome import Cause, Failure, Member, Power, PowerCommand, Reading, Witness, WitnessState
from fencer.target import ChassisCheck, IdentityCheck, Limits, Target
from fencer.transport.base import CallFailed
from fencer.transport.redfish_bodies import (
    ResourceKind,
    chassis_in,
    identities_in,
    is_of_sibling,
    member_in,
    reset_types_in,
    witness_in,
)
from fencer.transport.redfish_errors import (
    Json,
    as_object,
    http_failure,
    is_wrong_parameter,
    link_of,
    monitor_failure,
    task_failure,
    text_of,
    word_of,
)
from fencer.transport.redfish_http import HttpResponse
from fencer.transport.redfish_reader import ResourceReader
from fencer.transport.redfish_systems import call_failed, members_of, resolve
from fencer.transport.refused_logins import RefusedLogins

PARALLEL_FROM = 3  # chassis in one read; so many are read over several connections at once
LOST = frozenset({Cause.UNREACHABLE, Cause.TIMEOUT, Cause.BUSY})
RESET = "#ComputerSystem.Reset"


class RedfishTransport:
    """The power of one System behind one Redfish service."""

    def __init__(
        self, target: Target, limits: Limits, request: float, now: Callable[[], float], refused: RefusedLogins | None = None
    ) -> None:
        """`request` bounds one HTTP request, in seconds; the time-out of a call bounds all its requests together."""
        self._target, self._limits = target, limits
        self._now = now
        self._reads = ResourceReader(target, limits, request, refused)
        self._bmc, self._redact = self._reads.bmc, self._reads.redact
        self._path: str | None = None  # of the System, once it is known
        self._system: dict[str, Json] = {}  # as last read
        self._etag: str | None = None
        self._wants_etag = False  # the BMC requires If-Match (it answered 412 or 428)
        self._identity_key: str | None = None
        self._chassis: tuple[str, ...] | None = None  # that were asked before; None before the first read

    @property
    def logged_in(self) -> bool:
        return self._bmc.logged_in

    def read(self, timeout: float) -> Reading:
        """Reads the PowerState of the System and of its linked chassis. Raises CallFailed."""
        self._reads.begin(timeout)
        try:
            if self._path is None:
                self._path = resolve(self._target, self._bmc, self._reads.get)
            at = self._now()
            answer = self._reads.get(self._path, ResourceKind.SYSTEM)
            self._system = as_object(answer.body)
            self._etag = answer.headers.get("etag") or text_of(self._system.get("@odata.etag"))
            shown = identities_in(self._system)
            matched = self._match_identity(shown)
            word = word_of(self._system.get("PowerState"))
            reading = Reading(
                power=Power.UNKNOWN,
                word=word,
                at=at,
                path="redfish",
                source=self._path,
                identity=self._target.identity if matched else self._identity(shown),
                witnesses=self._ask_witnesses(is_off=word == "Off"),
                shown=shown,
                identity_missing=not matched and self._requires_identity,
                requests=self._reads.requests,
                repeated=self._reads.repeated,
            )
            return witnesses.judged(reading, witnesses.WitnessMemory())
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
        self._reads.begin(timeout)
        action = as_object(as_object(self._system.get("Actions")).get(RESET))
        what = f"{command} at {self._path}"
        uri = text_of(action.get("target"))
        if not uri:
            return CommandAnswered(Failure(cause=Cause.UNSUPPORTED, text=f"{what}: the System has no {RESET[1:]} action now"))
        headers = {"If-Match": self._etag} if self._wants_etag and self._etag else {}
        try:
            path = self._bmc.path(uri)
            if self._path and is_of_sibling(path, self._path):
                raise call_failed(Cause.BAD_RESPONSE, f"its action leads to another System ({self._redact(path[:120])})")
            answer = self._bmc.request("POST", path, self._reads.request_end(), body={"ResetType": str(command)}, headers=headers)
        except CallFailed as lost:
            return CommandAnswered(replace(lost.failure, text=f"{what}: {lost.failure.text}"), lost.retry_after)
        finally:
            self._bmc.close_idle_connections()
        if answer.ok:
            return CommandAnswered(task=self._task_of(answer) if answer.status == 202 else None)
        if answer.status in (412, 428):
            self._wants_etag = not self._wants_etag
        failure = http_failure(what, answer.status, answer.body, self._redact, command=True)
        return CommandAnswered(failure, answer.retry_after, wrong_parameter=is_wrong_parameter(answer.status, failure))

    def read_task(self, task: str, timeout: float) -> TaskStatus:
        """Reads a task or its monitor once. One that does not exist any more has ended; one that cannot be read has not.

        A monitor of a failed task answers with the error of the command itself (DSP0266, 12.2).
        """
        self._reads.begin(timeout)
        try:
            answer = self._bmc.request("GET", task, self._reads.request_end())
        except CallFailed:
            return TaskStatus(ended=False)
        finally:
            self._bmc.close_idle_connections()
        if not answer.ok:
            failure = monitor_failure(task, answer.status, answer.body, self._redact)
            return TaskStatus(ended=answer.status in (404, 410) or failure is not None, failure=failure)
        return TaskStatus(*task_failure(task, answer.body, self._redact))

    def members(self, timeout: float) -> tuple[Member, ...]:
        """Lists all Systems, or the selected one. Raises CallFailed."""
        self._reads.begin(timeout)
        try:
            given = self._target, self._bmc, self._reads.get
            paths = [resolve(*given)] if self._target.system else members_of(*given, strict=False)
            return tuple(map(self._member, paths))
        finally:
            self._bmc.close_idle_connections()

    def close(self, timeout: float) -> None:
        self._bmc.close(timeout)

    # --- which System --------------------------------------------------------------------------------------------

    def _member(self, uri: str) -> Member:
        """Reads one System of a list. One that cannot be read is listed without name and power word."""
        try:
            body = as_object(self._reads.get(uri, ResourceKind.SYSTEM).body)
        except CallFailed as lost:
            if lost.final or lost.failure.cause in (Cause.AUTH, Cause.LOCKED):
                raise
            body = {}
        return member_in(body, uri)

    # --- which machine -------------------------------------------------------------------------------------------

    @property
    def _requires_identity(self) -> bool:
        return self._target.identity is not None and self._target.identity_check is IdentityCheck.REQUIRE

    def _match_identity(self, shown: identity.ShownIdentities) -> bool:
        """True if the expected identity is shown. Raises CallFailed if another one is shown in its place."""
        expected = self._target.identity
        if expected is None:
            return False
        for key, value in shown:
            if identity.canonical(value) == identity.canonical(expected):
                self._identity_key = key
                return True
        place = self._identity_key or ("UUID" if identity.is_uuid(expected) else "SerialNumber")
        if place in dict(shown):
            text = f"{self._path} shows {', '.join(value for _, value in shown)}, expected {expected}: not the same machine"
            raise CallFailed(Failure(cause=Cause.CONFIG, text=self._redact(text)), final=True)
        return False

    def _identity(self, shown: identity.ShownIdentities) -> str | None:
        """Returns always the same property, because some BMCs hide the UUID while the host is off."""
        if self._target.identity is not None:
            return None
        if self._identity_key is None and shown:
            self._identity_key = shown[0][0]
        return dict(shown).get(self._identity_key or "")

    # --- the chassis ---------------------------------------------------------------------------------------------

    def _ask_witnesses(self, *, is_off: bool) -> tuple[Witness, ...]:
        """Asks the chassis at the first read, and if the System says Off. Raises CallFailed if one is lost and it says Off."""
        if self._limits.chassis_check is ChassisCheck.IGNORE or not (is_off or self._chassis is None):
            return ()
        uris = tuple(dict.fromkeys((*(self._chassis or ()), *self._linked_chassis())))
        self._chassis = uris
        answers = self._read_together(uris) if len(uris) >= PARALLEL_FROM else {}
        found = []
        for uri in uris:
            found.append(self._ask_witness(uri, answers.get(uri), is_off=is_off))
            if is_off and (against := witnesses.contradiction(found, witnesses.WitnessMemory())):
                self._chassis = (against.uri, *(other for other in uris if other != against.uri))
                break
        return tuple(found)

    def _read_together(self, uris: Sequence[str]) -> dict[str, HttpResponse]:
        """Reads the chassis over several connections. What is lost or refused there is missing, and asked again alone."""
        paths = [path for uri in uris if (path := self._path_of(uri))]
        answers = self._bmc.get_many(paths, self._reads.request_end())
        self._reads.requests += len(paths)
        self._reads.repeated += sum(answer is None for answer in answers)
        by_path = dict(zip(paths, answers, strict=True))
        return {uri: answer for uri in uris if (answer := by_path.get(self._path_of(uri) or "")) is not None and answer.ok}

    def _path_of(self, uri: str) -> str | None:
        try:
            return self._bmc.path(uri)
        except CallFailed:
            return None

    def _linked_chassis(self) -> Sequence[str]:
        if self._limits.chassis_check is ChassisCheck.LISTED:
            return self._limits.chassis
        return chassis_in(self._system)

    def _ask_witness(self, uri: str, answer: HttpResponse | None, *, is_off: bool) -> Witness:
        try:
            path = self._bmc.path(uri)
            if answer is None:
                answer = self._reads.get(path, ResourceKind.CHASSIS)
            body = self._reads.checked(path, answer, ResourceKind.CHASSIS)
        except CallFailed as lost:
            if lost.final or (is_off and lost.failure.cause in LOST):
                raise
            failure = lost.failure
            return Witness(uri=uri, state=WitnessState.UNKNOWN, why=failure.code or failure.text)
        return witness_in(body, uri, self._limits.chassis_check)

    # --- the parts of a System -----------------------------------------------------------------------------------

    def _from_action_info(self, uri: str, timeout: float) -> Json:
        self._reads.begin(timeout)
        try:
            body = as_object(self._reads.get(self._bmc.path(uri), ResourceKind.ACTION_INFO).body)
        except CallFailed:
            return None
        finally:
            self._bmc.close_idle_connections()
        return reset_types_in(body)

    def _task_of(self, answer: HttpResponse) -> str | None:
        """Returns the URI of the task if the body is one: it says why it failed; else of its monitor."""
        body = as_object(answer.body)
        own = link_of(body)
        monitor = answer.headers.get("location") or text_of(body.get("TaskMonitor"))
        task = own if own and "TaskState" in body else monitor or own
        try:
            return self._bmc.path(task) if task else None
        except CallFailed:
            return None
