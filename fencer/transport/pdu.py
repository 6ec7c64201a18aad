"""Reads and switches the outlets of a host on a PDU over Redfish (DSP0268: PowerEquipment, PowerDistribution, Outlet).

`fencer.run` calls it from one thread; times are seconds.

Rules
  1. It acts on exactly the outlets that were named. One that is not there, or a name that two PDUs have, fails every read, so
     nothing is commanded.
  2. Each read asks every outlet, live. Off is said only if each of them says exactly Off, and On only if each says On.
  3. A command is sent to every outlet, whatever the others answered; what it answers proves nothing.

Theory
  A host with two power supplies has two cords, and lives on with one. So the outlets are one device: a fence that cut all but one
  has cut nothing. That an outlet is off does not show which machine hangs on it: the names are the operator's word.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from fencer import witnesses
from fencer.events_effects import AllowedCommands, CommandAnswered, TaskStatus
from fencer.outcome import MIXED_WORD, Cause, Failure, Member, Power, PowerCommand, Reading, Witness, WitnessState
from fencer.target import Limits, Target
from fencer.transport.base import CallFailed
from fencer.transport.redfish_bodies import ResourceKind, is_of_sibling
from fencer.transport.redfish_errors import Json, as_object, http_failure, link_of, member_count, text_of, word_of
from fencer.transport.redfish_reader import ResourceReader
from fencer.transport.redfish_systems import MAX_PAGES, call_failed
from fencer.transport.refused_logins import RefusedLogins

MAX_NAMES = 60  # of outlets in a message
CONTROL = "#Outlet.PowerControl"
WORDS: Mapping[PowerCommand, str] = {PowerCommand.FORCE_OFF: "Off", PowerCommand.ON: "On"}
"""The PowerState of Outlet.PowerControl for each command that an outlet knows."""
PDU_COLLECTIONS = ("RackPDUs", "FloorPDUs", "TransferSwitches", "PowerShelves", "Switchgear")
"""The links of PowerEquipment to collections of PowerDistribution."""


class PduTransport:
    """All outlets of one host behind one Redfish service."""

    def __init__(
        self, target: Target, limits: Limits, request: float, now: Callable[[], float], refused: RefusedLogins | None = None
    ) -> None:
        """`request` bounds one HTTP request, in seconds; the time-out of a call bounds all its requests together."""
        self._target, self._now = target, now
        self._reads = ResourceReader(target, limits, request, refused)
        self._bmc = self._reads.bmc
        self._paths: tuple[str, ...] = ()  # of the outlets, once they are known
        self._bodies: dict[str, dict[str, Json]] = {}  # of each outlet, as last read
        self._etags: dict[str, str | None] = {}
        self._wants_etag = False  # the PDU requires If-Match (it answered 412 or 428)

    @property
    def logged_in(self) -> bool:
        return self._bmc.logged_in

    def read(self, timeout: float) -> Reading:
        """Reads the PowerState of every outlet. Raises CallFailed."""
        self._reads.begin(timeout)
        try:
            if not self._paths:
                self._paths = self._resolve()
            at = self._now()
            asked = tuple(self._read_outlet(path) for path in self._paths)
            reading = Reading(
                power=Power.UNKNOWN,
                word=word_of_all([witness.word for witness in asked]),
                at=at,
                path="pdu",
                source=self._source,
                witnesses=asked,
                requests=self._reads.requests,
                repeated=self._reads.repeated,
            )
            return witnesses.judged(reading, witnesses.WitnessMemory())
        finally:
            self._bmc.close_idle_connections()

    def allowed_commands(self, timeout: float) -> AllowedCommands:
        """On and ForceOff, as far as every outlet takes them. Call it after `read`."""
        found = frozenset(WORDS)
        for path, body in self._bodies.items():
            action = as_object(as_object(body.get("Actions")).get(CONTROL))
            if not text_of(action.get("target")):
                return AllowedCommands(listed=True, source=f"{path} has no {CONTROL[1:]} action and")
            values = action.get("PowerState@Redfish.AllowableValues")
            if isinstance(values, list) and values:
                found = frozenset(command for command in found if WORDS[command] in values)
        return AllowedCommands(found, listed=True, source=self._source)

    def command(self, command: PowerCommand, timeout: float) -> CommandAnswered:
        """Posts one PowerControl to every outlet, and returns the first failure of them if there is one."""
        word = WORDS.get(command)
        if word is None or not self._target.outlets:
            what = f"an outlet takes no {command}" if word is None else "no outlet is named, and never all of a PDU are switched"
            return CommandAnswered(Failure(cause=Cause.UNSUPPORTED, text=what))
        end = time.monotonic() + timeout
        answers = []
        try:
            for position, path in enumerate(self._paths):
                self._reads.begin(max(end - time.monotonic(), 0.0) / (len(self._paths) - position))
                answers.append(self._control(path, word))
        finally:
            self._bmc.close_idle_connections()
        return next((answer for answer in answers if answer.failure is not None), CommandAnswered())

    def read_task(self, task: str, timeout: float) -> TaskStatus:
        """No command returns a task here: the outlets are read instead."""
        return TaskStatus(ended=True)

    def members(self, timeout: float) -> tuple[Member, ...]:
        """Lists all outlets of the PDU, each with its UserLabel. Raises CallFailed."""
        self._reads.begin(timeout)
        try:
            return tuple(map(self._member, self._all_outlets()))
        finally:
            self._bmc.close_idle_connections()

    def close(self, timeout: float) -> None:
        self._bmc.close(timeout)

    # --- which outlets ---------------------------------------------------------------------------------------------

    @property
    def _source(self) -> str:
        names = ", ".join(name_of(path) for path in self._paths)
        return f"{self._bmc.base}: outlet{'' if len(self._paths) == 1 else 's'} {names}"

    def _resolve(self) -> tuple[str, ...]:
        """Returns the paths of the named outlets; without names that of the first one, for `monitor`. Raises CallFailed."""
        listed = self._all_outlets()
        if not listed:
            raise call_failed(Cause.NOT_FOUND, f"{self._bmc.base} has no outlet")
        if not self._target.outlets:
            return listed[:1]
        found = tuple(self._find(name, listed) for name in self._target.outlets)
        if len(set(found)) < len(found):
            text = f"outlets {', '.join(self._target.outlets)} name {len(set(found))} outlets only: {', '.join(found)}"
            raise call_failed(Cause.CONFIG, text, final=True)
        return found

    def _find(self, name: str, listed: Sequence[str]) -> str:
        if name.startswith(("/", "http://", "https://")):
            try:
                wanted = self._bmc.path(name).rstrip("/")
            except CallFailed as error:
                raise call_failed(Cause.CONFIG, f"the outlet {name}: {error.failure.text}", final=True) from error
            fitting = [path for path in listed if path.rstrip("/") == wanted]
        else:
            fitting = [path for path in listed if name_of(path) == name]
        if len(fitting) > 1:
            text = f"{self._bmc.base} has {len(fitting)} outlets {name}: write the URI of one, {' or '.join(fitting)}"
            raise call_failed(Cause.CONFIG, text, final=True)
        if not fitting:
            names = ", ".join(name_of(path) for path in listed[:MAX_NAMES]) + (" ..." if len(listed) > MAX_NAMES else "")
            text = f"{self._bmc.base} has no outlet {name[:80]!r}; it has {self._reads.redact(names)}"
            raise call_failed(Cause.CONFIG, text, final=True)
        return fitting[0]

    def _all_outlets(self) -> tuple[str, ...]:
        root = as_object(self._reads.get(self._bmc.path(self._target.redfish_uri), ResourceKind.ROOT).body)
        self._bmc.read_sessions_uri(root)
        equipment_uri = link_of(root.get("PowerEquipment"))
        if equipment_uri is None:
            text = f"{self._bmc.base}{self._target.redfish_uri} links to no PowerEquipment: this is no PDU"
            raise call_failed(Cause.NOT_FOUND, text)
        equipment = as_object(self._reads.get(self._bmc.path(equipment_uri), ResourceKind.POWER_EQUIPMENT).body)
        found: list[str] = []
        for name in PDU_COLLECTIONS:
            collection = link_of(equipment.get(name))
            for pdu in self._members_of(collection, ResourceKind.PDUS) if collection else ():
                outlets = link_of(as_object(self._reads.get(pdu, ResourceKind.PDU).body).get("Outlets"))
                found += self._members_of(outlets, ResourceKind.OUTLETS) if outlets else ()
        return tuple(dict.fromkeys(found))

    def _members_of(self, uri: str, kind: ResourceKind) -> tuple[str, ...]:
        """The members of a collection, over all of its pages. Raises CallFailed if it names fewer than it counts."""
        members: list[str] = []
        page: str | None = uri
        count: Json = None
        for _ in range(MAX_PAGES):
            body = as_object(self._reads.get(self._bmc.path(page), kind).body) if page else {}
            listed = body.get("Members")
            if not isinstance(listed, list):
                raise call_failed(Cause.BAD_RESPONSE, f"{page} lists no members")
            members += [self._bmc.path(member) for member in map(link_of, listed) if member]
            count = body.get("Members@odata.count", count)
            page = text_of(body.get("Members@odata.nextLink"))
            if page is None:
                break
        if page is not None or (member_count(count) or 0) > len(members):
            raise call_failed(Cause.BAD_RESPONSE, f"{uri} names {len(members)} members, and has more")
        return tuple(members)

    def _member(self, path: str) -> Member:
        """Reads one outlet of a list. One that cannot be read is listed without label and power word."""
        try:
            body = as_object(self._reads.get(path, ResourceKind.OUTLET).body)
        except CallFailed as lost:
            if lost.final or lost.failure.cause in (Cause.AUTH, Cause.LOCKED):
                raise
            body = {}
        return Member(plug=name_of(path), host_name=word_of(body.get("UserLabel")), word=word_of(body.get("PowerState")))

    # --- one outlet ------------------------------------------------------------------------------------------------

    def _read_outlet(self, path: str) -> Witness:
        answer = self._reads.get(path, ResourceKind.OUTLET)
        body = as_object(answer.body)
        self._bodies[path] = body
        self._etags[path] = answer.headers.get("etag") or text_of(body.get("@odata.etag"))
        word = word_of(body.get("PowerState"))
        if word is not None:
            return Witness(uri=path, state=WitnessState.SAYS, word=word, kind=witnesses.OUTLET)
        why = "has no PowerState" if "PowerState" not in body else "says null"
        return Witness(uri=path, state=WitnessState.UNKNOWN, why=why, kind=witnesses.OUTLET)

    def _control(self, path: str, word: str) -> CommandAnswered:
        what = f"PowerState {word} at {path}"
        action = as_object(as_object(self._bodies.get(path, {}).get("Actions")).get(CONTROL))
        uri, etag = text_of(action.get("target")), self._etags.get(path)
        if not uri:
            return CommandAnswered(Failure(cause=Cause.UNSUPPORTED, text=f"{what}: the outlet has no {CONTROL[1:]} action now"))
        headers = {"If-Match": etag} if self._wants_etag and etag else {}
        try:
            to = self._bmc.path(uri)
            if is_of_sibling(to, path):
                raise call_failed(Cause.BAD_RESPONSE, f"its action leads to another outlet ({self._reads.redact(to[:120])})")
            answer = self._bmc.request("POST", to, self._reads.request_end(), body={"PowerState": word}, headers=headers)
        except CallFailed as lost:
            return CommandAnswered(replace(lost.failure, text=f"{what}: {lost.failure.text}"), lost.retry_after)
        if answer.ok:
            return CommandAnswered()
        if answer.status in (412, 428):
            self._wants_etag = not self._wants_etag
        failure = http_failure(what, answer.status, answer.body, self._reads.redact, command=True)
        return CommandAnswered(failure, answer.retry_after)


def name_of(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]


def word_of_all(words: Sequence[str | None]) -> str | None:
    """The word of several outlets together: On or Off if all say so, MIXED_WORD if only some say On; else the first that is not
    Off."""
    said = frozenset(words)
    if said in ({"On"}, {"Off"}):
        return words[0]
    if "On" in said:
        return MIXED_WORD
    return next((word for word in words if word != "Off"), None)
