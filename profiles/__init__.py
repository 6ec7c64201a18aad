"""Vendor profiles: how a BMC behaves, as data with sources.

`load(name)` gives a complete `model.Profile`; `names()` lists what is shipped. See docs/write-a-profile.md.
"""

from __future__ import annotations

from profiles.data import thawed
from profiles.errors import Problem, ProfileError
from profiles.lint import Report, lint, render
from profiles.loader import all_names, load, names, path, resolve

__all__ = [
    "Problem",
    "ProfileError",
    "Report",
    "all_names",
    "lint",
    "load",
    "names",
    "path",
    "render",
    "resolve",
    "thawed",
]
