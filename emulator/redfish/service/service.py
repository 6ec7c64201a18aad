"""The Redfish service of one BMC: takes a request and returns an answer.

`service.app` makes one Service per BMC with its first request, and calls `answer` for each request in the emulator's thread.

Rules
  1. Order: journal, faults, credentials, existence, method, OData version, conditions, then the resource itself. Nothing else
     runs between these steps, so a condition still holds when the write that it guards happens.
  2. Each request asks for armed faults exactly once, because a question counts as a firing.
  3. The journal gets no secrets: only the kind of authentication, and the user name if that user exists.
"""

from __future__ import annotations

import json
from collections.abc import Hashable
from dataclasses import replace

from emulator.core.bmc.eventlog import LogEntry
from emulator.core.bmc.presence import Being, Presence
from emulator.core.faults.fault import Seam
from emulator.core.journal import EventKind
from emulator.core.power.system import Look
from emulator.redfish.accounts.auth import AuthMethod, Credentials, authenticate, check_password_age, credentials_of, demand
from emulator.redfish.events.event_messages import write_event
from emulator.redfish.power.tasks import accept_as_task
from emulator.redfish.service import query
from emulator.redfish.service.bmc import RedfishBmc
from emulator.redfish.service.call import (
    HttpAnswer,
    Incoming,
    MessageReply,
    OperationResult,
    ProfileRefusal,
    ProfileReply,
    RedfishCall,
    RegistryError,
    ResourceBody,
)
from emulator.redfish.service.changed_content import changed_by
from emulator.redfish.service.entity import Entity
from emulator.redfish.service.error_shapes import ErrorMessage, ErrorShapes
from emulator.redfish.service.etag import etag_of, matches
from emulator.redfish.service.fault_answers import answer_of, instead_of_service
from emulator.redfish.service.intents import POWER_STATE, READS, Exchange, classify, looks_of
from emulator.redfish.service.json_form import as_asked, lacks_slash
from emulator.redfish.service.negotiation import acceptable
from emulator.redfish.service.paths import system_path
from emulator.redfish.service.patterns import any_matches, if_match_rule
from emulator.redfish.service.rerouting import answering, rerouted
from emulator.redfish.service.resource import Resource, schema_of
from emulator.redfish.service.shapes import Json
from emulator.redfish.service.tree import Tree
from emulator.redfish.vendor.refusals import check_refusals, refusal
from profiles.model import ABSENT

_SCHEMAS = "http://redfish.dmtf.org/schemas/v1"


class Service:
    """The service of one BMC. It caches representations until the state of their resource changes."""

    def __init__(self, view: RedfishBmc, tree: Tree, shapes: ErrorShapes) -> None:
        self._view = view
        self._profile = view.profile
        self._tree = tree
        self._shapes = shapes
        self._cache: dict[str, tuple[Hashable, int, Entity]] = {}

    def logged(self, entry: LogEntry) -> None:
        """The app calls this when the BMC has written a log entry."""
        self._view.logged(entry)

    def end(self) -> None:
        """The BMC leaves the rack."""
        self._view.events.boot()

    def classify(self, incoming: Incoming) -> Exchange:
        """What a request means. Nothing has been done about it yet."""
        return classify(self._view, self._tree, rerouted(self._view.standing(Seam.PROTOCOL), incoming))

    def answer(self, incoming: Incoming, exchange: Exchange | None = None, presence: Presence | None = None) -> HttpAnswer:
        """Journals the request, serves it, journals the answer.

        A caller that gives an `exchange` has classified the request, and reports its looks to the core itself. One that gives a
        `presence` has asked whether the BMC answers, which is asked once for a request.
        """
        view = self._view
        view.advance()
        known = exchange or self.classify(incoming)
        request = known.request
        credentials = credentials_of(view, incoming)
        told = credentials.journal_facts(view, in_clear=exchange is not None and incoming.scheme == "http")
        seq = view.record_request(request, incoming.path, **told)
        call = RedfishCall(view=view, incoming=incoming, request=request, seq=seq, exists=self._exists, presence=presence)
        answer = self._answer_with_faults(call, known.resource, credentials)
        if call.late_s:
            answer = replace(answer, late_s=call.late_s)
        wait = next((value for name, value in answer.headers if name.lower() == "retry-after"), None)
        after = {} if wait is None else {"retry_after": wait}
        view.record(EventKind.RESPONSE, seq, status=answer.status, message_id=answer.message_id, **after)
        if exchange is not None:
            exchange.seq, exchange.looks = seq, tuple(call.looks)
        elif call.looks:
            view.told(call.looks, seq)
        return answer

    def refuse(self, refusal: RegistryError) -> HttpAnswer:
        """The error answer to a request that the app could not hand to `answer`, in this vendor's shape."""
        return self._shapes.error_answer(refusal)

    def _exists(self, path: str) -> bool:
        resource = self._tree.find(self._view, path)
        return resource is not None and resource.content is not None

    def _answer_with_faults(self, call: RedfishCall, resource: Resource | None, credentials: Credentials) -> HttpAnswer:
        if resource is not None and lacks_slash(
            self._profile.http, call.incoming.path
        ):  # a fault is about the answer of a resource, and a redirect is none
            return self._answer_without_faults(call, resource, credentials)
        fired = self._view.faults(Seam.PROTOCOL, call.request, call.seq)
        instead = instead_of_service(fired, call, self._system_etag) if fired else None
        if instead is not None and not instead.executed:
            return answer_of(instead, call, self._shapes)
        resource = answering(fired, resource, lambda path: self._tree.find(self._view, path))
        answer = self._answer_without_faults(call, resource, credentials)
        if instead is not None or answer.status == 304 or call.incoming.method == "HEAD":
            call.looks.clear()  # the client does not get the body
        return changed_by(fired, call, answer) if instead is None else answer_of(instead, call, self._shapes)

    def _system_etag(self, call: RedfishCall) -> str | None:
        resource = self._tree.find(call.view, system_path(self._profile, call.request.system or ""))
        return None if resource is None else self._entity(call, resource).etag

    def _answer_without_faults(self, call: RedfishCall, resource: Resource | None, credentials: Credentials) -> HttpAnswer:
        try:
            self._check_presence(call)
            if resource is not None and lacks_slash(self._profile.http, call.incoming.path):
                query_part = f"?{call.incoming.query}" if call.incoming.query else ""
                location = f"{call.incoming.path}/{query_part}"
                return self._shapes.finished(HttpAnswer(self._profile.http.slash_status, (("Location", location),)))
            done = self._dispatch(call, resource, credentials)
        except RegistryError as refusal:
            return self._shapes.error_answer(refusal)
        except ProfileRefusal as refusal:
            return self._shapes.profile_reply(refusal.reply)
        answer = self._http_answer(call, done)
        return replace(answer, body=as_asked(self._profile.http, call.incoming.path, answer.body))

    def _http_answer(self, call: RedfishCall, done: OperationResult) -> HttpAnswer:
        match done:
            case ProfileReply():
                task = self._profile.replies[done.reply].task
                return self._shapes.profile_reply(done) if task is None else accept_as_task(call, done, task, self._shapes)
            case ResourceBody():
                return self._resource_answer(call, done)
            case MessageReply():
                message = ErrorMessage(
                    id=done.id, text=done.text, args=done.args, severity=done.severity, resolution=done.resolution
                )
                return self._shapes.error(done.status, message)
            case HttpAnswer():
                return self._shapes.finished(done)

    def _dispatch(self, call: RedfishCall, resource: Resource | None, credentials: Credentials) -> OperationResult:
        method, path = call.incoming.method, call.incoming.path
        operation = resource.operations.get(method) if resource is not None else None
        outside = path != "/redfish" and not path.startswith("/redfish/")
        free = outside or (resource is not None and (resource.open or (operation is not None and operation.needs is None)))
        # A query may expand an open resource into protected ones. Credentials are then verified, if the client sent any.
        if not free or (call.incoming.query and credentials.method is not AuthMethod.NONE):
            call.requester = authenticate(call, credentials, self._profile)
            check_password_age(call)
        call.found = resource
        if resource is None:
            missing = self._profile.http.not_found
            raise RegistryError(404, "ResourceMissingAtURI", path) if missing is None else ProfileRefusal(ProfileReply(missing))
        readable = method in READS and resource.readable
        if operation is None and not readable:
            raise RegistryError(405, "OperationNotAllowed", headers=(("Allow", ", ".join(resource.methods)),))
        self._check_odata_version(call)
        if self._profile.refusals:
            check_refusals(call, self._profile, resource.path)
        if operation is None:
            return self._read(call, resource)
        if operation.needs is not None:
            demand(call, operation.needs)
        self._check_if_match(call, resource)
        done = operation.do(call)
        if self._succeeded(done):
            self._after_write(call, resource, done)
        return done

    def _after_write(self, call: RedfishCall, resource: Resource, done: OperationResult) -> None:
        """After a create, change or delete: gives the resource a new revision and emits an event."""
        method, view = call.incoming.method, call.view
        where = done.path if isinstance(done, ResourceBody) else resource.path
        if isinstance(done, ResourceBody) and done.status == 201:
            made = self._tree.find(view, where)
            name, odata_type = "ResourceCreated", made.type if made is not None else None
            if made is not None and "PATCH" in made.operations:
                view.new_revision(where)
        elif method == "PATCH" and isinstance(done, ResourceBody):
            name, odata_type = "ResourceChanged", resource.type
            if where != resource.path:
                view.drop_revision(resource.path)
            view.new_revision(where)
        elif method == "DELETE":
            name, odata_type = "ResourceRemoved", resource.type
            view.drop_revision(where)
        else:
            return
        event = write_event(name, where, odata_type, call.seq)
        if (name, event.kind) != ("ResourceCreated", "EventDestination"):  # a new subscription gets no event about itself
            view.events.emit(event)

    def _succeeded(self, done: OperationResult) -> bool:
        return (self._profile.replies[done.reply].status if isinstance(done, ProfileReply) else done.status) < 300

    def _resource_answer(self, call: RedfishCall, done: ResourceBody) -> HttpAnswer:
        """The resource after an operation, with messages about the properties that were refused."""
        resource = self._tree.find(call.view, done.path)
        assert resource is not None, f"{done.path} was written and is not there"
        entity = self._entity(call, resource)
        self._note_look(call, resource, entity)
        headers = tuple(pair for pair in entity.headers if pair[0] != "Allow") + done.headers
        if not done.messages:
            return HttpAnswer(done.status, headers, entity.body)
        body = json.loads(entity.body) | {"@Message.ExtendedInfo": self._shapes.entries(done.messages)}
        return HttpAnswer(done.status, headers, self._shapes.written(body), done.messages[0].message)

    # -- reading ---------------------------------------------------------------------------------------------------------

    def _read(self, call: RedfishCall, resource: Resource) -> OperationResult:
        headers = call.incoming.headers
        if not acceptable(headers.get("accept"), resource.media):
            raise RegistryError(406, "HeaderInvalid", "Accept")
        if not resource.may_read(call):
            raise RegistryError(403, "InsufficientPrivilege")
        if resource.read is not None:
            return resource.read(call)
        asked = query.parse(call.incoming.query, self._profile)
        if asked.only:
            resource = self._only_member(call, resource)
        if asked:
            entity = self._queried(call, resource, asked)
        else:
            entity = self._entity(call, resource)
            self._note_look(call, resource, entity)
        condition = headers.get("if-none-match")
        if condition is not None and matches(condition, entity.etag):
            return HttpAnswer(304, tuple(pair for pair in entity.headers if pair[0] != "Content-Type"))
        return HttpAnswer(200, entity.headers, entity.body)

    def _note_look(self, call: RedfishCall, resource: Resource, entity: Entity) -> None:
        """Notes a look: the client gets this representation, and with it the power word that it contains."""
        if resource.tells is not None and resource.system is not None and entity.power != ABSENT:
            call.looks.append(Look(resource.system, resource.tells, entity.power))

    def _entity(self, call: RedfishCall, resource: Resource) -> Entity:
        assert resource.content is not None
        state, make_body = resource.content(call)
        revision = call.view.revision(resource.path)
        cached = self._cache.get(resource.path) if resource.cached else None
        if cached is not None and cached[0] == state and cached[1] == revision:
            return cached[2]
        entity = self._render(resource, make_body(), revision)
        if resource.cached:
            self._cache[resource.path] = (state, revision, entity)
        return entity

    def _render(self, resource: Resource, plain: Json | bytes, revision: int) -> Entity:
        if isinstance(plain, bytes):
            return self._representation(resource, plain, self._tag(resource, plain), opaque=True)
        body = self._shapes.written(plain)
        etag = self._tag(resource, body + b"%d" % revision if revision else body)
        if etag is not None and (resource.tagged or "PATCH" in resource.operations):
            body = self._shapes.written({"@odata.etag": etag, **plain})
        word = plain.get(POWER_STATE, ABSENT) if resource.tells is not None else ABSENT
        return self._representation(resource, body, etag, power=word if word is None else str(word))

    def _tag(self, resource: Resource, content: bytes) -> str | None:
        only = self._profile.http.etag_on
        if resource.type is None or (only is not None and not any_matches(only, resource.path)):
            return None
        return etag_of(self._profile.http.etag, content)

    def _representation(
        self, resource: Resource, body: bytes, etag: str | None, *, opaque: bool = False, power: str | None = ABSENT
    ) -> Entity:
        headers = [
            *self._shapes.fixed,
            ("Allow", ", ".join(resource.methods)),
            ("Content-Type", f"{resource.media}; charset=utf-8"),
        ]
        if resource.type is not None:
            headers.append(("Link", f"<{_SCHEMAS}/{schema_of(resource.type)}.json>; rel=describedby"))
        if etag is not None:
            headers.append(("ETag", etag))
        return Entity(body, etag, tuple(headers), opaque, power)

    # -- queries ---------------------------------------------------------------------------------------------------------

    def _queried(self, call: RedfishCall, resource: Resource, asked: query.Query) -> Entity:
        own = self._entity(call, resource)
        if own.opaque:
            raise RegistryError(400, "QueryNotSupportedOnResource")
        plain: Json = json.loads(own.body)
        shown = [(resource, own.power)]  # what the answer is made of
        if asked.shapes_members:
            here = f"{resource.path}?{call.incoming.query}"
            plain = query.select_members(plain, asked, here, lambda path: self._fetched(call, path, shown))
        if asked.expand is not None:
            plain = query.expanded(plain, asked.expand, asked.levels, lambda path: self._fetched(call, path, shown))
        if asked.select:
            plain = query.selected(plain, asked.select)
        # A query for parts of a body or of a collection drops some of what was fetched.
        words = query.power_words(plain) if asked.select or asked.shapes_members else None
        call.looks += looks_of(shown, words)
        body = self._shapes.written(plain)
        # Selected properties keep the tag of the resource, so that If-Match works. A body with other resources has its own tag.
        alone = asked.expand is None and not asked.shapes_members
        return self._representation(resource, body, own.etag if alone else self._tag(resource, body))

    def _fetched(self, call: RedfishCall, path: str, shown: list[tuple[Resource, str | None]]) -> bytes | None:
        """The body that $expand puts in place of a reference, with its tag; None if this client may not read it.

        Adds the resource and its power word to `shown`.
        """
        resource = self._tree.find(call.view, path)
        if resource is None or resource.content is None or (call.requester is None and not resource.open):
            return None
        if refusal(call, self._profile, "GET", resource.path) is not None:
            return None
        if call.requester is not None and not resource.may_read(call):
            return None
        entity = self._entity(call, resource)
        if entity.opaque:
            return None
        shown.append((resource, entity.power))
        return entity.body

    def _only_member(self, call: RedfishCall, resource: Resource) -> Resource:
        """The member of a collection that has exactly one; else the collection itself (DSP0266 7.3)."""
        members = resource.body_now(call).get("Members")
        if not isinstance(members, list):
            raise RegistryError(400, "QueryNotSupportedOnResource")
        if len(members) != 1:
            return resource
        member = self._tree.find(call.view, members[0]["@odata.id"])
        if member is None or not member.may_read(call):
            raise RegistryError(403, "InsufficientPrivilege")
        return member

    # -- presence --------------------------------------------------------------------------------------------------------

    def _check_presence(self, call: RedfishCall) -> None:
        """Raises the profile's reply while a BMC that has just started is not ready.

        Our own wire is silent while a BMC is away, so its requests never come here. Other WSGI servers cannot be silent: they get
        503 (RegistryError).
        """
        presence = call.presence or call.view.presence()
        match presence.being:
            case Being.NOT_READY if not presence.resets or call.request.reset in presence.resets:
                raise ProfileRefusal(ProfileReply(presence.reply or self._profile.bmc_reset.reply))
            case Being.DEAF:
                seconds = str(max(1, round(presence.seconds or 60)))
                raise RegistryError(503, "ServiceTemporarilyUnavailable", seconds, headers=(("Retry-After", seconds),))

    # -- conditions ------------------------------------------------------------------------------------------------------

    def _check_odata_version(self, call: RedfishCall) -> None:
        rule = self._profile.http.odata_version
        sent = call.incoming.headers.get("odata-version")
        if rule is not None and sent is not None and sent.strip() != rule["only"]:
            raise ProfileRefusal(ProfileReply(rule["otherwise"]))

    def _check_if_match(self, call: RedfishCall, resource: Resource) -> None:
        rule = if_match_rule(self._profile.http.if_match, call.incoming.method, resource.path)
        if rule is None:
            return
        guarded = self._guarded(call, resource)
        sent = call.incoming.headers.get("if-match")
        if guarded is None:
            return
        if sent is None and rule.required:
            missing = rule.missing
            raise RegistryError(428, "PreconditionRequired") if missing is None else ProfileRefusal(ProfileReply(missing))
        if sent is not None and not matches(sent, self._entity(call, guarded).etag):
            raise ProfileRefusal(ProfileReply(rule.mismatch))

    def _guarded(self, call: RedfishCall, resource: Resource) -> Resource | None:
        """The resource whose tag If-Match means: of an action the resource that has it; None for a new member and a log-in."""
        if call.incoming.method == "POST" and "/Actions/" not in resource.path:
            return None
        path, action, _ = resource.path.partition("/Actions/")
        owner = self._tree.find(call.view, path) if action else resource
        return owner if owner is not None and owner.content is not None else None
