"""Patterns of paths in a profile: `*` stands for one part of a path, `**` at the end for everything below. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from profiles.model import IfMatchRule


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    below = pattern.endswith("/**")
    parts = (pattern.removesuffix("/**") if below else pattern).split("/")
    text = "/".join(re.escape(part).replace(r"\*", "[^/]*") for part in parts)
    return re.compile(text + ("(?:/.*)?" if below else "/?"), re.DOTALL)


def matches_path(pattern: str, path: str) -> bool:
    """Whether the pattern describes this path. `/a/**` describes `/a` too."""
    return _compiled(pattern).fullmatch(path) is not None


def any_matches(patterns: Iterable[str], path: str) -> bool:
    return any(matches_path(pattern, path) for pattern in patterns)


def if_match_rule(rules: Iterable[IfMatchRule], method: str, path: str) -> IfMatchRule | None:
    """The first rule for this method on this path."""
    return next((rule for rule in rules if method in rule.applies_to and any_matches(rule.paths, path)), None)
