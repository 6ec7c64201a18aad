"""Fencers as the suite is given them: the planted mutants, and the reference fencer of this source tree."""

from __future__ import annotations

import sys
from dataclasses import replace

from conformance import fencers
from conformance.adapters.definition import Definition
from conformance.adapters.reading import read
from tests.commands import ROOT

BAD_FENCERS = ROOT / "tests" / "bad_fencers"


def mutant(name: str, spelling: str = "") -> Definition:
    """The careful fencer with one defect, perhaps with other spellings of its requests; `wrong-exits` is an agent of its own."""
    if name == "wrong-exits":
        return read(BAD_FENCERS / "wrong-exits.yaml")
    if f"class {name}(Agent)" in (BAD_FENCERS / "mutants_agent.py").read_text(encoding="utf-8"):
        base = read(BAD_FENCERS / "honest-agent.yaml")
        ways = {protocol: replace(way, command=(*way.command[:-1], name)) for protocol, way in base.ways.items()}
        return replace(base, name=name, ways=ways)
    base = read(BAD_FENCERS / "mutant.yaml")
    ways = {protocol: replace(way, params={"mutant": name, "spelling": spelling}) for protocol, way in base.ways.items()}
    return replace(base, name=f"{name} {spelling}".strip(), ways=ways)


def on_transport(name: str = "") -> Definition:
    """The careful fencer, or a mutant, in-process: the same classes on a transport and a virtual clock."""
    base = read(BAD_FENCERS / "honest-transport.yaml")
    if not name:
        return base
    ways = {protocol: replace(way, params={"mutant": name}) for protocol, way in base.ways.items()}
    return replace(base, name=name, ways=ways)


def reference(**params: str) -> Definition:
    """fence_bmc as it stands in this source tree, installed or not; `params` are added to its own."""
    built_in = fencers.load("fence_bmc")
    here = (sys.executable, "-m", "fencer.agent")
    ways = {protocol: replace(way, command=here, params={**way.params, **params}) for protocol, way in built_in.ways.items()}
    both = replace(built_in.both, command=here, params={**built_in.both.params, **params}) if built_in.both is not None else None
    return replace(built_in, ways=ways, both=both)
