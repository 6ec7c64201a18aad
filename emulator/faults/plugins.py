"""Faults of other distributions: the entry point `fencelab.faults` names modules whose faults register themselves."""

from __future__ import annotations

import fencelab_plugins


def load_plugged_in() -> tuple[str, ...]:
    """Imports the modules, once per process. Returns a sentence for each that cannot be used."""
    return tuple(str(broken) for broken in fencelab_plugins.load("fencelab.faults").broken)
