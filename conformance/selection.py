"""What a user names on the command line or to pytest: fencers, profiles, scenarios. Every mistake is one sentence."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Final

from conformance import catalogues, fencers
from conformance.adapters.definition import Definition
from conformance.adapters.reading import FencerFileError
from conformance.catalogues import Catalogue
from conformance.scenario import Scenario
from conformance.scenario_files.reading import ScenarioFileError, read_all
from conformance.scenarios import REGISTRY, groups_of
from profiles import loader
from profiles.errors import ProfileError
from profiles.model import Profile


class BadSelection(Exception):
    """The user named something that there is not, or a file that cannot be used."""


def split(words: Iterable[str]) -> tuple[str, ...]:
    """`a,b` and repeated options alike, each once."""
    return tuple(dict.fromkeys(part.strip() for word in words for part in word.split(",") if part.strip()))


def pick_fencers(words: Sequence[str]) -> tuple[Definition, ...]:
    try:
        return tuple(fencers.load(word) for word in split(words))
    except (fencers.UnknownFencer, FencerFileError) as error:
        raise BadSelection(str(error)) from None


USUAL_PROFILES: Final = ("dell-idrac9", "dmtf-generic", "openbmc-x86")
"""What a run takes where no profile is named: one BMC that refuses, one after the specification, one that says Off too early."""


def pick_profiles(words: Sequence[str]) -> dict[str, Profile]:
    """Profiles by the word that the user typed. `all` stands for every shipped profile that a BMC can have."""
    named = split(words)
    try:
        found = {name: loader.load(name) for name in (loader.names() if "all" in named else named)}
    except ProfileError as error:
        raise BadSelection(str(error)) from None
    for name, profile in found.items():
        if profile.feeder is not None:
            raise BadSelection(
                f"{name} is {profile.feeder.called}, and every scenario is about a BMC: name a profile of a BMC, or all"
            )
    return found


def pick_scenarios(words: Sequence[str], tier: int | None = None) -> tuple[Scenario, ...]:
    """Ids and groups, in the order of the catalogue; no words means all, empty ones mean none. `tier` keeps those up to it."""
    named = split(words)
    every = REGISTRY.all if wants_plugged_in(words) else REGISTRY.shipped
    groups = groups_of(every.values())
    known = (*every, *groups)
    for word in named:
        if word.upper() not in known:
            near = difflib.get_close_matches(word.upper(), known, n=3, cutoff=0.5)
            hint = f"; did you mean {' or '.join(near)}?" if near else f"; there are the groups {', '.join(groups)}"
            broken = "".join(f"; {sentence}" for sentence in REGISTRY.broken)
            raise BadSelection(f"no scenario or group {word!r}{hint} (fence-conformance list shows all){broken}")
    wanted = {word.upper() for word in named}
    chosen = [s for s in every.values() if not words or s.id in wanted or s.group in wanted]
    return tuple(s for s in chosen if tier is None or s.tier <= tier)


def pick_every_scenario(words: Sequence[str], files: Sequence[str], tier: int | None = None) -> tuple[Scenario, ...]:
    """Those of the user's files, after those that `words` name; all of the catalogue only where there are no files either."""
    named = pick_scenarios(words, tier) if words or not files else ()
    try:
        own = read_all(files)
    except ScenarioFileError as error:
        raise BadSelection(str(error)) from None
    taken = {scenario.id for scenario in named}
    return (*named, *(s for s in own if s.id not in taken and (tier is None or s.tier <= tier)))


def pick_catalogue(word: str | None) -> Catalogue | None:
    """The catalogue of that name; None without a name."""
    if word is None:
        return None
    if word not in catalogues.ALL:
        raise BadSelection(f"no catalogue {word!r}; there are: {', '.join(catalogues.ALL)}")
    return catalogues.ALL[word]


def wants_plugged_in(words: Sequence[str]) -> bool:
    """Whether plug-ins may provide scenarios that these words mean: all, a group, or an id that is not ours."""
    return not all(word.upper() in REGISTRY.shipped for word in split(words)) if words else True


def left_out(words: Sequence[str]) -> tuple[str, ...]:
    """Plug-ins that cannot be loaded and whose scenarios these words may mean, one sentence each."""
    return REGISTRY.broken if wants_plugged_in(words) else ()
