"""Requests that one vendor refuses and others allow: `refusals` of a profile.

`service.service` asks for each authenticated request, before the operation runs, in the emulator's thread.
"""

from __future__ import annotations

from emulator.redfish.service.call import ProfileRefusal, ProfileReply, RedfishCall, RegistryError, parse_object
from emulator.redfish.service.patterns import any_matches
from profiles.model import Profile, RefusedRequest

LICENCE = "licence"
"""The key of `vars` that says which licence a BMC has. A rack can give each unit another one."""


def check_refusals(call: RedfishCall, profile: Profile, path: str) -> None:
    """Raises ProfileRefusal for a request that the profile refuses. `path` is that of the resource."""
    rule = refusal(call, profile, "GET" if call.incoming.method == "HEAD" else call.incoming.method, path)
    if rule is not None:
        raise ProfileRefusal(ProfileReply(rule.reply, {"reset_type": call.request.reset or ""}))


def refusal(call: RedfishCall, profile: Profile, method: str, path: str) -> RefusedRequest | None:
    """The rule by which the profile refuses this method on this path to this client; None where it does not.

    $expand asks it for each resource that it would put in place of a reference.
    """
    for rule in profile.refusals:
        if method in rule.methods and any_matches(rule.paths, path) and _holds(rule, call, profile):
            return rule
    return None


def _holds(rule: RefusedRequest, call: RedfishCall, profile: Profile) -> bool:
    if rule.roles and (call.requester is None or call.requester.role not in rule.roles):
        return False
    if rule.without_licence is not None and profile.vars.get(LICENCE) == rule.without_licence:
        return False
    return not rule.properties or _names_one(rule.properties, call)


def _names_one(properties: tuple[str, ...], call: RedfishCall) -> bool:
    """Whether the body has one of these properties: `Boot/BootOrder` is a property of an object in the body."""
    try:
        body: object = parse_object(call.incoming.read_body())
    except RegistryError:
        return False
    for name in properties:
        value = body
        for step in name.split("/"):
            value = value.get(step, _GONE) if isinstance(value, dict) else _GONE
        if value is not _GONE:
            return True
    return False


_GONE = object()
