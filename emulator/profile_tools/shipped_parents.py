"""The profiles that a captured BMC may extend, as `nearest_parent` compares them. Reads files; called in the main thread."""

from __future__ import annotations

from emulator.profile_tools.nearest_parent import ParentCandidate
from profiles import loader
from profiles.build import build
from profiles.loader import Resolved
from profiles.model import Profile


def all_candidates() -> tuple[ParentCandidate, ...]:
    """All known profiles of BMCs, bases included. Raises ProfileError."""
    trees = {name: loader.resolve(name) for name in loader.all_names()}
    built = {name: _built(tree) for name, tree in trees.items()}
    return tuple(
        ParentCandidate(
            id=name,
            identity={
                "vendor": profile.identity.vendor,
                "product": profile.identity.product,
                "manufacturer": profile.identity.manufacturer,
                "model": profile.identity.model,
                "bmc_model": profile.identity.bmc_model,
                "bmc_firmware": profile.identity.bmc_firmware,
            },
            manager_id=profile.ids.manager,
            generation=_generation(name, trees),
        )
        for name, profile in built.items()
        if profile.feeder is None
    )


def parent_profile(name: str) -> Profile:
    """A profile to extend, also one that is only a base for others. Raises ProfileError."""
    return _built(loader.resolve(name))


def _built(tree: Resolved) -> Profile:
    return build(tree.root, tree.extends, {}, tree.files)


def _generation(name: str, trees: dict[str, Resolved]) -> int:
    """The number of profiles between one and the base of all."""
    above = trees[name].extends if name in trees else ()
    return 1 + max((_generation(each, trees) for each in above), default=-1)
