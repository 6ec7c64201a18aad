"""Query parameters (DSP0266 7.3): $expand, $select, $filter, $skip, $top and only.

`service.service` parses the query of each GET and applies it to the body, in the emulator's thread. Pure: no I/O.

Rules
  1. The profile says which parameters its firmware offers. The service root advertises these and no others.
  2. An unknown parameter without a $ is ignored. An unknown or unsupported parameter with a $ is answered with 501.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias
from urllib.parse import parse_qsl, quote, urlencode

from emulator.redfish.service.call import RegistryError, shown
from emulator.redfish.service.condition import Condition, compiled
from emulator.redfish.service.shapes import Json
from profiles.model import Profile

EXPAND_KINDS: Final[Mapping[str, str]] = {"*": "expand_all", ".": "no_links", "~": "links"}
_EXPAND = re.compile(r"([.~*])(?:\(\$levels=(\d{1,4})\))?")
_ALWAYS_SHOWN: Final = frozenset({"Members", "Members@odata.count", "Members@odata.nextLink"})
DEFAULT_MAX_LEVELS: Final = 6
MAX_EXPANDED_BYTES: Final = 256 * 1024
"""How many bytes of bodies one $expand puts in place of references; the other references stay. Links form cycles, so with several
levels their number has no limit, and all other clients wait while an answer is made."""
MAX_QUERY: Final = 8192
MAX_VALUE: Final = 2048
"""Characters of a query string and of one of its values. Longer ones are refused: a $filter or $select is applied to each member
of a collection."""


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed query string. False if it asks for nothing."""

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
        """Whether the query selects members of a collection."""
        return self.condition is not None or self.skip > 0 or self.top is not None


NO_QUERY: Final = Query()


def feature_flags(profile: Profile, version: tuple[int, int, int]) -> Json:
    """ProtocolFeaturesSupported for this minor version of ServiceRoot."""
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
        flags |= {"OnlyMemberQuery": bool(features.get("only")), "ExcerptQuery": bool(features.get("excerpt"))}
    if version >= (1, 17, 0) and features.get("top_skip"):
        flags["TopSkipQuery"] = True
    return flags


def max_levels(profile: Profile) -> int:
    return int(profile.http.features.get("max_levels", DEFAULT_MAX_LEVELS))


def parse(text: str, profile: Profile) -> Query:
    """The parsed query string. Raises RegistryError (400, 501)."""
    if not text:
        return NO_QUERY
    if len(text) > MAX_QUERY:
        raise RegistryError(414, "GeneralError")
    features = profile.http.features
    only, levels = False, 1
    select: tuple[str, ...] = ()
    expand: str | None = None
    condition: Condition | None = None
    skip, top = 0, None
    for name, value in parse_qsl(text, keep_blank_values=True):
        if name.startswith("$") and len(value) > MAX_VALUE:
            raise RegistryError(400, "QueryParameterValueFormatError", shown(value), shown(name))
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
            # QueryNotSupported has no arguments; RelatedProperties tells the client which parameter is meant.
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


# -- applied to a body --------------------------------------------------------------------------------------------------


Fetch: TypeAlias = Callable[[str], bytes | None]
"""Returns the body of the resource with this URI as JSON; None if the client may not see it."""


def expanded(body: Json, kind: str, levels: int, fetch: Fetch) -> Json:
    """The body with references replaced, `levels` deep, by bodies that `fetch` returns, as far as MAX_EXPANDED_BYTES allow."""
    left = MAX_EXPANDED_BYTES

    def referred(uri: str, levels: int) -> Json | None:
        nonlocal left
        raw = fetch(uri) if left > 0 else None
        if raw is None:
            return None
        left -= len(raw)
        found: Json = json.loads(raw)
        return whole(found, levels) if levels > 0 else found

    def walk(value: object, inside_links: bool, levels: int) -> object:
        if isinstance(value, list):
            return [walk(item, inside_links, levels) for item in value]
        if not isinstance(value, dict):
            return value
        if value.keys() == {"@odata.id"}:
            wanted = kind == "*" or (kind == "~") == inside_links
            found = referred(str(value["@odata.id"]), levels - 1) if wanted else None
            return value if found is None else found
        return {name: walk(item, inside_links or name == "Links", levels) for name, item in value.items()}

    def whole(body: Json, levels: int) -> Json:
        return {name: walk(item, name == "Links", levels) for name, item in body.items()}

    return whole(body, levels)


def select_members(body: Json, asked: Query, here: str, fetch: Fetch) -> Json:
    """A collection with the members that the query selects. Members@odata.count counts all that match (DSP0266 7.3.3).

    `here` is path and query of the request, from which the link to the next page is made. Raises RegistryError (400) if `body` is
    not a collection.
    """
    members = body.get("Members")
    if not isinstance(members, list):
        raise RegistryError(400, "QueryNotSupportedOnResource")
    if asked.condition is not None:
        fits = asked.condition
        members = [member for member in members if (raw := fetch(member["@odata.id"])) is not None and fits(json.loads(raw))]
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
    """URI and PowerState of every resource in a body that has a PowerState."""
    if isinstance(body, dict):
        if "PowerState" in body and "@odata.id" in body:
            yield str(body["@odata.id"]), body["PowerState"]
        for value in body.values():
            yield from power_words(value)
    elif isinstance(body, list):
        for item in body:
            yield from power_words(item)


def selected(body: Json, names: tuple[str, ...]) -> Json:
    """The body with only the selected properties and its identity. Members of a collection are cut in the same way."""
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
        elif name.startswith("@odata.") or name in _ALWAYS_SHOWN:
            cut[name] = value
        elif name.partition("@")[0] in wanted:
            deeper = wanted[name.partition("@")[0]]
            inside = isinstance(value, dict) and "" not in deeper
            cut[name] = selected(value, tuple(deeper)) if inside and isinstance(value, dict) else value
    return cut
