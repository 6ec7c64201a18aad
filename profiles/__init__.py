"""Vendor profiles: the behaviour of BMCs as data, with sources.

`load(name)` returns a complete `model.Profile`; `names()` lists the shipped ones, `feeder_names()` those of PDUs and enclosures.
See docs/write-a-profile.md.
"""

from __future__ import annotations

from fencelab_yaml.errors import Problem
from profiles.data import thawed
from profiles.errors import ProfileError
from profiles.lint import Report, lint, render
from profiles.loader import all_names, feeder_names, load, names, path, resolve

__all__ = [
    "Problem",
    "ProfileError",
    "Report",
    "all_names",
    "feeder_names",
    "lint",
    "load",
    "names",
    "path",
    "render",
    "resolve",
    "thawed",
]
