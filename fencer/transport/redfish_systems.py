"""Finds the System to act on in the Systems of a BMC (DSP0266). `RedfishTransport` calls it, and gives `get`, which reads a
resource once or twice within the call that it is in.

Rules
  1. Exactly one System, or an error: several without a selector, a selector that fits two, and members that the collection
     counts and does not name, are never guessed.
"""

from __future__ import annotations

from collections.abc import Callable

from fencer import identity
from fencer.outcome import Cause, Failure
from fencer.target import Target
from fencer.transport.base import CallFailed
from fencer.transport.redfish_auth import AuthenticatedHttp
from fencer.transport.redfish_bodies import ResourceKind
from fencer.transport.redfish_errors import Json, as_object, link_of, member_count, text_of
from fencer.transport.redfish_http import HttpResponse

MAX_PAGES = 20

Get = Callable[[str, ResourceKind], HttpResponse]


def resolve(target: Target, bmc: AuthenticatedHttp, get: Get) -> str:
    """Returns the path of the one System to act on. Raises CallFailed."""
    wanted = target.system
    if wanted and wanted.startswith(("/", "http://", "https://")):
        try:
            return bmc.path(wanted)
        except CallFailed as error:
            raise call_failed(Cause.CONFIG, f"the selected System: {error.failure.text}", final=True) from error
    members = members_of(target, bmc, get, strict=wanted is None)
    if wanted is None:
        if len(members) > 1:
            text = f"{bmc.base} has {len(members)} systems and none is selected: {', '.join(members)}"
            raise call_failed(Cause.CONFIG, text, final=True)
        if not members:
            raise call_failed(Cause.NOT_FOUND, f"{bmc.base} has no system")
        return members[0]
    named = [member for member in members if member.rstrip("/").rpartition("/")[2] == wanted]
    return named[0] if len(named) == 1 else _by_uuid(wanted, members, bmc, get)


def _by_uuid(wanted: str, members: list[str], bmc: AuthenticatedHttp, get: Get) -> str:
    lost: CallFailed | None = None
    found = []
    for member in members:
        try:
            body = as_object(get(member, ResourceKind.SYSTEM).body)
        except CallFailed as error:
            if error.final:
                raise
            lost = error
            continue
        uuid, own_id = text_of(body.get("UUID")), text_of(body.get("Id"))
        names = ([uuid] if uuid and not identity.is_blank(uuid) else []) + ([own_id] if own_id else [])
        if identity.canonical(wanted) in map(identity.canonical, names):
            found.append(member)
    if len(found) == 1:
        return found[0]
    if len(found) > 1:
        raise call_failed(Cause.CONFIG, f"{wanted} fits {len(found)} systems: {', '.join(found)}", final=True)
    if lost is not None:
        raise lost
    raise call_failed(Cause.NOT_FOUND, f"{bmc.base} has no system {wanted}; it has {', '.join(members) or 'none'}")


def members_of(target: Target, bmc: AuthenticatedHttp, get: Get, *, strict: bool) -> list[str]:
    """Returns the paths of all Systems. Raises CallFailed.

    `strict`: the number of members must be the one that the collection names (DSP0266, 9.4.2).
    """
    root = as_object(get(bmc.path(target.redfish_uri), ResourceKind.ROOT).body)
    bmc.read_sessions_uri(root)
    page: str | None = link_of(root.get("Systems"))
    if page is None:
        raise call_failed(Cause.NOT_FOUND, f"{bmc.base}{target.redfish_uri} links to no Systems")
    members: list[str] = []
    nameless = 0
    count: Json = None
    for _ in range(MAX_PAGES):
        body = as_object(get(bmc.path(page), ResourceKind.SYSTEMS).body)
        listed = body.get("Members")
        if not isinstance(listed, list):
            raise call_failed(Cause.NOT_FOUND, f"{page} lists no members")
        members += [bmc.path(uri) for uri in map(link_of, listed) if uri]
        nameless += sum(not link_of(member) for member in listed)
        count = body.get("Members@odata.count", count)
        page = text_of(body.get("Members@odata.nextLink"))
        if page is None:
            break
    members = list(dict.fromkeys(members))
    said = max(member_count(count) or 0, len(members) + nameless)
    if strict and page is None and said > len(members) > 0:
        text = f"{bmc.base} has {said} systems and names {len(members)} of them; none is selected"
        raise call_failed(Cause.CONFIG, text)
    if strict and page is not None:
        raise call_failed(Cause.CONFIG, f"{bmc.base} has more than {MAX_PAGES} pages of systems; none is selected")
    return members


def call_failed(cause: Cause, text: str, *, final: bool = False) -> CallFailed:
    return CallFailed(Failure(cause=cause, text=text), final=final)
