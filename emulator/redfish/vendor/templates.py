"""The JSON templates of a profile, filled for one tree: paths and bodies with `{system}`, `{serial}`, `{power:system}` ...

`overlay` calls `filled_templates` when a tree is built. Bodies are filled for each request, because the serial number differs
from BMC to BMC and the power word from moment to moment.

Holes
  {system} {chassis} {manager}   ids; a path with {system} or {chassis} stands for every system
  {member}                       each member that the tree has at that place of the path
  {serial} {uuid} {host_name}    of the system
  {power:system} {power:chassis} the PowerState that this view tells; the property goes where the BMC tells none
  {vars} {identity}              as everywhere in a profile
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from emulator.core.bmc.view import SystemName
from emulator.redfish.service.call import RedfishCall
from emulator.redfish.service.resource import Content, Snapshot
from emulator.redfish.service.shapes import Json
from profiles import template
from profiles.model import ABSENT, Profile, View

POWER: Final[Mapping[str, View]] = {"{power:system}": View.SYSTEM, "{power:chassis}": View.CHASSIS}
_GONE: Final = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class FilledTemplate:
    """One resource that a template describes. `tells`: the view whose power word is its PowerState."""

    path: str
    type: str | None
    content: Content
    system: str | None
    tells: View | None


def filled_templates(profile: Profile, names: tuple[SystemName, ...], known: tuple[str, ...]) -> Iterator[FilledTemplate]:
    """Every resource of every template. `known` are the paths of the tree without templates."""
    for pattern, body in profile.resources.templates.items():
        for name in names if "{system}" in pattern or "{chassis}" in pattern else names[:1]:
            ids = {"system": name.id, "chassis": name.chassis_id, "manager": profile.ids.manager}
            for path, member in _members(template.fill(pattern, {**ids, **profile.vars}), known):
                yield _filled_template(profile, path, body, name, ids | ({"member": member} if member else {}))


def _members(path: str, known: tuple[str, ...]) -> Iterator[tuple[str, str | None]]:
    """The path for each member that the tree has in place of `{member}`; the path itself where it has no such hole."""
    before, hole, after = path.partition("{member}")
    if not hole:
        yield path, None
        return
    for member in dict.fromkeys(
        found for other in known if other.startswith(before) and (found := other[len(before) :].partition("/")[0]) != "Members"
    ):
        yield before + member + after, member


def _filled_template(
    profile: Profile, path: str, body: Mapping[str, object], name: SystemName, ids: Mapping[str, str]
) -> FilledTemplate:
    views = tuple(view for hole, view in POWER.items() if _has(body, hole))
    told = body.get("PowerState")
    odata_type = body.get("@odata.type")

    def content(call: RedfishCall) -> Snapshot:
        words = {hole: call.power(name.id, view) for hole, view in POWER.items() if view in views}
        now = call.view.system(name.id)
        known = {**profile.vars, **ids, "serial": now.serial, "uuid": now.uuid, "host_name": now.host_name}

        def make() -> Json:
            filled = _filled(body, known, words)
            assert isinstance(filled, dict)
            return filled

        return Snapshot((now, tuple(words.items())), make)

    return FilledTemplate(
        path=path,
        type=odata_type if isinstance(odata_type, str) else None,
        content=content,
        system=name.id if views else None,
        tells=POWER.get(told) if isinstance(told, str) else None,
    )


def _has(value: object, hole: str) -> bool:
    if isinstance(value, Mapping):
        return any(_has(inner, hole) for inner in value.values())
    if isinstance(value, list | tuple):
        return any(_has(inner, hole) for inner in value)
    return value == hole


def _filled(value: object, known: Mapping[str, str], words: Mapping[str, str | None]) -> object:
    if isinstance(value, str):
        if value not in words:
            return template.fill(value, known)
        return _GONE if words[value] == ABSENT else words[value]
    if isinstance(value, Mapping):
        pairs = ((template.fill(key, known), _filled(inner, known, words)) for key, inner in value.items())
        return {key: inner for key, inner in pairs if inner is not _GONE}
    if isinstance(value, list | tuple):
        return [inner for item in value if (inner := _filled(item, known, words)) is not _GONE]
    return value
