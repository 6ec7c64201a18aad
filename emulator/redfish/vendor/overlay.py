"""What a profile's `resources` and `versions` change in a tree: JSON templates, merge patches, removed paths, schema versions.

`service.tree` calls `in_versions` and `overlaid` when a tree is built, and lays a captured tree over it between the two. The
changed contents run in the emulator's thread, for each request.

Rules
  1. Order: schema versions, the captured tree, templates, merge, remove.
  2. A template for a path that exists is merged into its body; any other makes a new resource. A new resource whose parent is a
     collection becomes a member of it, unless the collection links to it in another property.
  3. A removed path goes with all that is below it and with every link to any of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from emulator.core.bmc.view import SystemName
from emulator.core.errors import RackMisconfigured
from emulator.redfish.inventory.versions import without_newer
from emulator.redfish.service.bmc import RedfishBmc
from emulator.redfish.service.call import RedfishCall
from emulator.redfish.service.resource import Content, Resource, Snapshot
from emulator.redfish.service.shapes import Json
from emulator.redfish.vendor.templates import FilledTemplate, filled_templates
from profiles.data import thawed
from profiles.model import Profile

Nodes = dict[str, Resource]
BodyChange = Callable[[RedfishCall, Json], Json]


def overlaid(nodes: Nodes, profile: Profile, names: tuple[SystemName, ...]) -> Nodes:
    """The same tree with the profile's changes. Raises RackMisconfigured for a path that this BMC does not have."""
    found = dict(nodes)
    for template in filled_templates(profile, names, tuple(nodes)):
        above = template.path.rpartition("/")[0]
        patches = (profile.resources.templates.get(above), profile.resources.merge.get(above))
        _lay(found, template, listed=not any(_links_to(template.path, patch) for patch in patches))
    for path, patch in profile.resources.merge.items():
        found[path] = _changed(_existing(found, path, profile), partial(_with_patch, patch))
    return _without(found, profile) if profile.resources.remove else found


def _existing(nodes: Nodes, path: str, profile: Profile) -> Resource:
    node = nodes.get(path)
    if node is None or node.content is None:
        raise RackMisconfigured(f"profile {profile.id}: resources names {path}, which this BMC does not have")
    return node


def _changed(node: Resource, change: BodyChange) -> Resource:
    """The resource with `change` applied to its body."""
    content = node.content
    if content is None:
        return node

    def snapshot(call: RedfishCall) -> Snapshot:
        state, make_body = content(call)

        def body() -> Json | bytes:
            plain = make_body()
            return plain if isinstance(plain, bytes) else change(call, plain)

        return Snapshot(state, body)

    return replace(node, content=snapshot)


# -- schema versions ----------------------------------------------------------------------------------------------------


def versioned(odata_type: str, versions: Mapping[str, str]) -> str:
    """ "#Processor.v1_7_0.Processor" where `versions` says v1_7_0 for Processor; else as it was."""
    if odata_type.count(".") != 2:
        return odata_type
    schema, _, name = odata_type.removeprefix("#").split(".")
    return f"#{schema}.{versions[schema]}.{name}" if schema in versions else odata_type


def in_versions(nodes: Nodes, profile: Profile) -> Nodes:
    """Resources of our own in the schema versions that the profile names. A captured tree has those of its BMC."""
    return {path: _in_version(node, profile.versions) for path, node in nodes.items()} if profile.versions else nodes


def _in_version(node: Resource, versions: Mapping[str, str]) -> Resource:
    """The resource in the schema version that the profile names, and its members that come and go."""
    if node.type is not None and (odata_type := versioned(node.type, versions)) != node.type:
        node = _changed(replace(node, type=odata_type), partial(_with_type, odata_type))
    if node.member is None:
        return node
    member = node.member

    def found(view: RedfishBmc, name: str) -> Resource | None:
        one = member(view, name)
        return None if one is None else _in_version(one, versions)

    return replace(node, member=found)


def _with_type(odata_type: str, call: RedfishCall, body: Json) -> Json:
    return without_newer(odata_type, body) | {"@odata.type": odata_type}


# -- templates ----------------------------------------------------------------------------------------------------------


def _lay(nodes: Nodes, template: FilledTemplate, *, listed: bool) -> None:
    """Merges a template into the resource at its path, or makes a new one of it. `listed`: as a member of its collection."""
    node = nodes.get(template.path)
    if node is not None and node.content is not None:
        nodes[template.path] = _merged_with(node, template)
        return
    operations = node.operations if node is not None else {}
    nodes[template.path] = Resource(
        path=template.path, type=template.type, content=template.content, system=template.system, tells=template.tells,
        operations=operations,
    )  # fmt: skip
    parent = nodes.get(template.path.rpartition("/")[0])
    if listed and parent is not None and (parent.type or "").endswith("Collection") and parent.member is None:
        nodes[parent.path] = _changed(parent, partial(_with_member, template.path))


def _links_to(path: str, value: object) -> bool:
    if isinstance(value, Mapping):
        return value.get("@odata.id") == path or any(_links_to(path, inner) for inner in value.values())
    return isinstance(value, list | tuple) and any(_links_to(path, inner) for inner in value)


def _merged_with(node: Resource, template: FilledTemplate) -> Resource:
    content: Content = node.content  # type: ignore[assignment]  # the caller has looked

    def snapshot(call: RedfishCall) -> Snapshot:
        state, make_body = content(call)
        more, make_more = template.content(call)

        def body() -> Json | bytes:
            plain = make_body()
            return plain if isinstance(plain, bytes) else _patched(plain, make_more())

        return Snapshot((state, more), body)

    return replace(node, content=snapshot, type=template.type or node.type)


def _with_member(path: str, call: RedfishCall, body: Json) -> Json:
    members = body.get("Members")
    grown = [*(members if isinstance(members, list) else []), {"@odata.id": path}]
    return body | {"Members": grown, "Members@odata.count": len(grown)}


# -- merge and remove ---------------------------------------------------------------------------------------------------


def _with_patch(patch: object, call: RedfishCall, body: Json) -> Json:
    return _patched(body, patch)


def _patched(body: Json, patch: object) -> Json:
    merged = merged_patch(body, patch)
    assert isinstance(merged, dict)
    return merged


def merged_patch(target: object, patch: object) -> object:
    """JSON Merge Patch, RFC 7396."""
    if not isinstance(patch, Mapping):
        return thawed(patch)
    merged: dict[str, object] = dict(target) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merged_patch(merged.get(name), value)
    return merged


def _without(nodes: Nodes, profile: Profile) -> Nodes:
    roots = tuple(path.rstrip("/") for path in profile.resources.remove)
    for path in roots:
        if path not in nodes:
            raise RackMisconfigured(f"profile {profile.id}: resources names {path}, which this BMC does not have")
    below = tuple(f"{path}/" for path in roots)
    kept = {path: node for path, node in nodes.items() if path not in roots and not path.startswith(below)}

    def is_gone(path: str) -> bool:
        plain = path.partition("#")[0].rstrip("/")
        return plain in roots or plain.startswith(below)

    def pruned(call: RedfishCall, body: Json) -> Json:
        return without_links(body, is_gone)

    return {path: _changed(node, pruned) for path, node in kept.items()}


def without_links(body: Json, is_gone: Callable[[str], bool]) -> Json:
    """The body without links to paths that are gone; the counts of lists follow, and so do actions on such a path."""

    def gone(value: object) -> bool:
        if not isinstance(value, dict):
            return False
        link = value.get("@odata.id") if value.keys() == {"@odata.id"} else value.get("target")
        return isinstance(link, str) and is_gone(link)

    pruned: Json = {}
    for name, value in body.items():
        if gone(value):
            continue
        if isinstance(value, list):
            value = [without_links(item, is_gone) if isinstance(item, dict) else item for item in value if not gone(item)]
        elif isinstance(value, dict):
            value = without_links(value, is_gone)
        pruned[name] = value
    for name, value in pruned.items():
        if isinstance(value, list) and f"{name}@odata.count" in pruned:
            pruned[f"{name}@odata.count"] = len(value)
    return pruned
