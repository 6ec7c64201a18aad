"""What `capture`, `probe` and `proxy` share: the profile to extend, and the few resources that a BMC shows of itself."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from emulator.serve import fail

if TYPE_CHECKING:
    from emulator.profile_tools.identity_facts import Facts
    from emulator.profile_tools.json_values import JsonObject
    from emulator.profile_tools.probe_run import RedfishLink
    from emulator.profile_tools.resource_tree import ResourceTree
    from profiles.model import Profile

NO_PARENT: Final = "dmtf-generic"
"""What is extended where no profile is like the BMC."""
_OWN: Final = ("Systems", "Managers", "Chassis")


def slug(name: str) -> str:
    """The name of a folder as an id: small letters, digits and -."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:63] or "captured"


def as_path(place: Path) -> str:
    """A file or folder as a command takes it for a path and not for the name of a profile."""
    return str(place) if place.is_absolute() or str(place).startswith(".") else f"./{place}"


def nearest_profile(name: str | None, facts: Facts) -> Profile:
    """The profile of that name, else the one most like the facts. Ends the command where it has mistakes."""
    from emulator.profile_tools.nearest_parent import nearest
    from emulator.profile_tools.shipped_parents import all_candidates, parent_profile
    from profiles.errors import ProfileError

    try:
        return parent_profile(name or nearest(facts, all_candidates(), NO_PARENT))
    except ProfileError as error:
        fail(str(error))


def own_resources(redfish: RedfishLink | None, known: dict[str, JsonObject]) -> ResourceTree:
    """The service root, and the collections of systems, managers and chassis with their members: enough to know a BMC by."""
    from emulator.profile_tools.probe_run import body_of
    from emulator.profile_tools.resource_tree import ROOT, ResourceTree, link, links, service_path
    from emulator.profile_tools.walk import NoAnswer

    resources = dict(known)

    def read(uri: str | None) -> JsonObject:
        path = service_path(uri or "")
        if path is None or redfish is None:
            return {}
        try:
            resources[path] = body_of(redfish, uri or "")
        except NoAnswer:
            return {}
        return resources[path]

    root = read(f"{ROOT}/")
    for name in _OWN:
        for uri in links(read(link(root, name)), "Members"):
            read(uri)
    return ResourceTree(resources=resources)
