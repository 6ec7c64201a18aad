"""Finds paths under `resources.merge` and `resources.remove` of a profile that its BMC does not have; `profile lint` calls it.

The tree is that of a BMC with one system, or of a PDU or enclosure with all its parts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from emulator.core.bmc.view import SystemName
from emulator.core.errors import RackMisconfigured
from emulator.redfish.service.tree import Tree
from fencelab_yaml.errors import Mark, Problem, did_you_mean
from fencelab_yaml.source import YamlList, YamlMap, child, text_of
from profiles.loader import Resolved
from profiles.model import Profile


def check_resource_paths(resolved: Resolved, profile: Profile) -> Iterator[Problem]:
    """The paths that are not there, each with its place; and what else makes a tree impossible."""
    plain = replace(profile, resources=replace(profile.resources, merge={}, remove=()))
    try:
        paths = {node.path for node in Tree(plain, _systems(profile))}
    except RackMisconfigured as error:
        yield Problem(Mark(resolved.own.mark.file), "resources", str(error))
        return
    for path, place, mark in _named(resolved.root):
        if path.rstrip("/") not in paths:
            yield Problem(mark, place, f"this BMC has no resource {path}{did_you_mean(path, paths)}")


def _named(root: YamlMap) -> Iterator[tuple[str, str, Mark]]:
    merge, remove = child(root, "resources", "merge"), child(root, "resources", "remove")
    if isinstance(merge, YamlMap):
        yield from ((path, f"resources.merge.{path}", mark) for path, mark in merge.keys.items())
    for index, item in enumerate(remove.items if isinstance(remove, YamlList) else ()):
        if (path := text_of(item)) is not None:
            yield path, f"resources.remove[{index}]", item.mark


def _systems(profile: Profile) -> tuple[SystemName, ...]:
    ids = (profile.ids.system,) if profile.feeder is None else profile.feeder.outlets
    return tuple(SystemName(id=each, chassis_id=profile.ids.chassis, uuid="", serial="", host_name="") for each in ids)
