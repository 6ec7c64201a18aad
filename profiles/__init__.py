"""Vendor profiles: how a BMC behaves, as data with sources.

`load(name)` gives a complete `model.Profile`; `names()` lists what is shipped. See docs/write-a-profile.md.
"""

from __future__ import annotations

from profiles.errors import Problem, ProfileError
from profiles.loader import all_names, load, names, path

__all__ = ["Problem", "ProfileError", "all_names", "load", "names", "path"]
