"""Query parameters of DSP0266 section 7.3: the ones that are advertised work, the others that begin with $ are refused.

Rules
  1. A profile says what its firmware offers; what is advertised is that and what is built here, never more.
  2. An unknown parameter without a $ is ignored, one with a $ is 501.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, quote, urlencode

from emulator.redfish.service.call import RegistryError, shown
from emulator.redfish.service.condition import Condition, compiled
from emulator.redfish.service.shapes import Json
from profiles.model import Profile

EXPAND_KINDS: Final[Mapping[str, str]] = {"*": "expand_all", ".": "no_links", "~": "links"}
_EXPAND = re.compile(r"([.~*])(?:\(\$levels=(\d{1,4})\))?")
_KEPT: Final = frozenset({"Members", "Members@odata.count", "Members@odata.nextLink"})
DEFAULT_MAX_LEVELS: Final = 6


@dataclass(frozen=True, slots=True)
class Query:
    only: bool = False
    select: tuple[str, ...] = ()
    expand: str | None = None  # one of EXPAND_KINDS
    levels: int = 1
    condition: Condition | None = None
    skip: int = 0
    top: int | None = None

    def __bool__(self) -> bool:
        return self.only or bool(self.select) or self.expand is not None or self.shapes_members

    @property
    def shapes_members(self) -> bool:
        """Whether it is about which members of a collection are shown."""
        return self.condition is not None or self.skip > 0 or self.top is not None


NO_QUERY: Final = Query()


def feature_flags(profile: Profile, version: tuple[int, int, int]) -> Json:
    """ProtocolFeaturesSupported of a service root of this version."""
    features = profile.http.features
    expand: Json = {
        "ExpandAll": bool(features.get("expand_all")),
        "Levels": bool(features.get("levels")),
        "Links": bool(features.get("links")),
        "NoLinks": bool(features.get("no_links")),
    }
    if expand["Levels"]:
        expand["MaxLevels"] = max_levels(profile)
    flags: Json = {
        "ExpandQuery": expand,
        "FilterQuery": bool(features.get("filter")),
        "SelectQuery": bool(features.get("select")),
    }
    if version >= (1, 4, 0):
        flags |= {"OnlyMemberQuery": bool(features.get("only")), "ExcerptQuery": False}
    if version >= (1, 17, 0) and features.get("top_skip"):
        flags["TopSkipQuery"] = True
    return flags


def max_levels(profile: Profile) -> int:
    return int(profile.http.features.get("max_levels", DEFAULT_MAX_LEVELS))


def parse(text: str, profile: Profile) -> Query:
    """Raises Refusal (400, 501)."""
    if not text:
        return NO_QUERY
    features = profile.http.features
    only, levels = False, 1
    select: tuple[str, ...] = ()
    expand: str | None = None
    condition: Condition | None = None
    skip, top = 0, None
    for name, value in parse_qsl(text, keep_blank_values=True):
        if name == "only" and features.get("only"):
            if value:
                raise RegistryError(400, "QueryParameterValueFormatError", shown(value), name)
            only = True
        elif name == "$select" and features.get("select"):
            select = _select(value)
        elif name == "$expand" and any(features.get(kind) for kind in EXPAND_KINDS.values()):
            expand, levels = _expand(value, profile)
        elif name == "$filter" and features.get("filter"):
            condition = compiled(value)
        elif name == "$skip" and features.get("top_skip"):
            skip = _count(name, value)
        elif name == "$top" and features.get("top_skip"):
            top = _count(name, value)
        elif name.startswith("$"):
            # The message has no argument of its own; naming the parameter is what makes it useful.
            raise RegistryError(501, "QueryNotSupported", related=(shown(name),))
    query = Query(only, select, expand, levels, condition, skip, top)
    if only and (select or expand or query.shapes_members):
        raise RegistryError(400, "QueryCombinationInvalid")
    return query


def _select(value: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in value.split(","))
    if not all(names):
        raise RegistryError(400, "QueryParameterValueFormatError", shown(value), "$select")
    return names


def _expand(value: str, profile: Profile) -> tuple[str, int]:
    match = _EXPAND.fullmatch(value)
    features = profile.http.features
    if match is None or not features.get(EXPAND_KINDS[match[1]]) or (match[2] and not features.get("levels")):
        raise RegistryError(400, "QueryParameterValueFormatError", shown(value), "$expand")
    levels = int(match[2] or 1)
    most = max_levels(profile)
    if not 1 <= levels <= most:
        raise RegistryError(400, "QueryParameterOutOfRange", str(levels), "$levels", f"1-{most}")
    return match[1], levels


def _count(name: str, value: str) -> int:
    if not value.isascii() or not value.isdigit() or len(value) > 9:
        raise RegistryError(400, "QueryParameterValueFormatError", shown(value), name)
    return int(value)


# -- what they do to a body ---------------------------------------------------------------------------------------------


def expanded(body: Json, kind: str, levels: int, fetch: Callable[[str], Json | None]) -> Json:
    """References replaced by what they lead to, where `fetch` gives it; to any reference on the last level nothing is done."""

    def walk(value: object, inside_links: bool) -> object:
        if isinstance(value, list):
            return [walk(item, inside_links) for item in value]
        if not isinstance(value, dict):
            return value
        if value.keys() == {"@odata.id"}:
            wanted = kind == "*" or (kind == "~") == inside_links
            found = fetch(str(value["@odata.id"])) if wanted else None
            if found is None:
                return value
            return expanded(found, kind, levels - 1, fetch) if levels > 1 else found
        return {name: walk(item, inside_links or name == "Links") for name, item in value.items()}

    return {name: walk(item, name == "Links") for name, item in body.items()}


def of_members(body: Json, asked: Query, here: str, fetch: Callable[[str], Json | None]) -> Json:
    """A collection with the members that were asked for. The count is that of all that fit, as DSP0266 7.3.3 has it.

    `here` is path and query of the request: the next page is asked for in the same way. Raises Refusal (400) for what is no
    collection.
    """
    members = body.get("Members")
    if not isinstance(members, list):
        raise RegistryError(400, "QueryNotSupportedOnResource")
    if asked.condition is not None:
        fits = asked.condition
        members = [member for member in members if (found := fetch(member["@odata.id"])) is not None and fits(found)]
    end = len(members) if asked.top is None else asked.skip + asked.top
    page = body | {"Members@odata.count": len(members), "Members": members[asked.skip : end]}
    if end < len(members) and asked.top:
        page["Members@odata.nextLink"] = _next_page(here, end, asked.top)
    return page


def _next_page(here: str, skip: int, top: int) -> str:
    path, _, text = here.partition("?")
    kept = [pair for pair in parse_qsl(text, keep_blank_values=True) if pair[0] not in ("$skip", "$top")]
    return f"{path}?{urlencode([*kept, ('$skip', skip), ('$top', top)], safe='$()*,', quote_via=quote)}"


def power_words(body: object) -> Iterator[tuple[str, str | None]]:
    """URI and PowerState of every resource in a body that says one."""
    if isinstance(body, dict):
        if "PowerState" in body and "@odata.id" in body:
            yield str(body["@odata.id"]), body["PowerState"]
        for value in body.values():
            yield from power_words(value)
    elif isinstance(body, list):
        for item in body:
            yield from power_words(item)


def selected(body: Json, names: tuple[str, ...]) -> Json:
    """The chosen properties, what identifies the resource, and in a collection its members, each cut the same way."""
    if "*" in names:
        return body
    wanted: dict[str, set[str]] = {}
    for name in names:
        first, _, rest = name.partition("/")
        wanted.setdefault(first, set()).add(rest)
    cut: Json = {}
    for name, value in body.items():
        if name == "Members" and isinstance(value, list):
            cut[name] = [selected(item, names) if isinstance(item, dict) else item for item in value]
        elif name.startswith("@odata.") or name in _KEPT:
            cut[name] = value
        elif name.partition("@")[0] in wanted:
            deeper = wanted[name.partition("@")[0]]
            inside = isinstance(value, dict) and "" not in deeper
            cut[name] = selected(value, tuple(deeper)) if inside and isinstance(value, dict) else value
    return cut
