"""Plays the gate's power scenarios to the fencers of examples/cloudstack and prints docs/cloudstack.md.

`python -m tools.print_cloudstack`; about a minute of processor time, since the fencers run on virtual time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from conformance import catalogues, fencers, runner
from conformance.result import Result
from conformance.scenarios import ALL
from conformance.vocabulary import Verdict
from profiles import load

ROOT: Final = Path(__file__).resolve().parent.parent
FOLDER: Final = ROOT / "examples" / "cloudstack"
PAGE: Final = ROOT / "docs" / "cloudstack.md"
GROUPS: Final = ("PROFILE", "STATE", "TRUTH", "ASYNC", "FAULT")
PROFILES: Final = ("dell-idrac9", "openbmc-x86")
PREFIX: Final = "cloudstack-"
JOBS: Final = 2
VARIANTS: Final = (
    ("as-found", "CloudStack 4.22: GracefulShutdown, and any 2xx is success"),
    ("status-first", "reads the state first; nothing is sent where it counts as off"),
    ("conflict-is-off", "409 means that the host is off"),
    ("conflict-then-read", "after 409 the state is read, and decides"),
    ("force-off", "ForceOff in place of GracefulShutdown"),
    ("all-three", "status first, 409 then read, ForceOff"),
    ("all-three-confirmed", "the same, and after a command the state is read until it counts as off, for 20 s at most"),
    ("status-first-exact", "as status-first; PoweringOff does not count as off"),
    ("conflict-then-read-exact", "as conflict-then-read; PoweringOff does not count as off"),
    ("all-three-exact", "as all-three; PoweringOff does not count as off"),
    ("all-three-confirmed-exact", "as all-three-confirmed; exactly Off is read back"),
)
"""Names of the files in examples/cloudstack, and what each changes."""
OFF_AS_THE_VENDOR_DOES: Final = ("PROFILE-001", "PROFILE-002", "PROFILE-003")
"""Nothing injected: off of a host that is off, that runs, that hangs."""
HEAD: Final = """# The incident's own fixes

apache/cloudstack#13376: a host is off, the BMC answers ForceOff and GracefulShutdown with 409, and CloudStack never learns that
the host is down. Three repairs were proposed: read the state first, take 409 for "off already" (or read the state after it), send
ForceOff. [examples/cloudstack](../examples/cloudstack) holds CloudStack's client as found and with these repairs, alone and
together, with and without `PoweringOff` counted as off, which CloudStack does. What stands above the client is not played here.

This page is printed by `python -m tools.print_cloudstack`. One cell again, for example:

```sh
fence-conformance run --fencer examples/cloudstack/all-three.yaml --profile dell-idrac9 --scenario {groups} --tier 0
```

| fencer | what it does |
| --- | --- |
{variants}

All take the first member of Systems and any 2xx for success, and send a request again after an I/O error, as upstream does. What
follows is tier 0 of the groups {groups}. `fence-conformance explain TRUTH-001` tells what a scenario is about.
"""
NOT_READ: Final = " It claims off after a command that had no effect (TRUTH-001): nothing is read after the command."
LETTERS: Final = "P passes, U unsafe, S stuck, H hangs, M names a wrong cause or answers wrongly, h conduct, E not tested, - N/A."
PASSES: Final = "P"


def page(results: Sequence[Result]) -> str:
    """The whole page."""
    variants = "\n".join(f"| [{name}](../examples/cloudstack/{name}.yaml) | {what} |" for name, what in VARIANTS)
    lines = [HEAD.format(groups=",".join(GROUPS), variants=variants), "## What it comes to", "", *_conclusions(results), ""]
    for profile in dict.fromkeys(result.profile for result in results):
        own = [result for result in results if result.profile == profile]
        lines += [f"## {profile}", "", *_counts(own), "", *_scenarios(own), ""]
    lines += [
        f"Catalogue {catalogues.NEWEST.name}. {LETTERS}",
        "Scenarios that all fencers pass, or that fit none of them, are left out.",
    ]
    return "\n".join(lines) + "\n"


def _verdicts(results: Iterable[Result], variant: str) -> dict[str, Verdict]:
    return {result.scenario.id: result.verdict for result in results if result.fencer == PREFIX + variant}


def _conclusions(results: Sequence[Result]) -> Iterable[str]:
    """Sentences of what was measured: who passes the vendor's own table for off, and who claims what is not true."""
    for profile in dict.fromkeys(result.profile for result in results):
        own = [result for result in results if result.profile == profile]
        fit = {name: _verdicts(own, name) for name, _ in VARIANTS}
        good = [
            name
            for name, found in fit.items()
            if all(found[each] in (Verdict.PASS, Verdict.NA) for each in OFF_AS_THE_VENDOR_DOES)
        ]
        told = ", ".join(good) if good else "nobody"
        yield f"- **{profile}**, nothing injected ({', '.join(OFF_AS_THE_VENDOR_DOES)}): passed by {told}."
        for name in ("all-three", "all-three-confirmed-exact"):
            unsafe = [scenario for scenario, verdict in fit[name].items() if verdict is Verdict.UNSAFE]
            why = NOT_READ if name == "all-three" and "TRUTH-001" in unsafe else ""
            yield f"  {name} is UNSAFE in {', '.join(unsafe) if unsafe else 'no scenario'}.{why}"


def _counts(results: Sequence[Result]) -> Iterable[str]:
    shown = (
        Verdict.PASS,
        Verdict.UNSAFE,
        Verdict.STUCK,
        Verdict.HANG,
        Verdict.MISLEADING,
        Verdict.HYGIENE,
        Verdict.ERROR,
        Verdict.NA,
    )
    yield "| fencer | " + " | ".join(verdict.value for verdict in shown) + " |"
    yield "| --- |" + " ---: |" * len(shown)
    for name, _ in VARIANTS:
        counted = Counter(_verdicts(results, name).values())
        yield f"| {name} | " + " | ".join(str(counted[verdict] or "") for verdict in shown) + " |"


def _scenarios(results: Sequence[Result]) -> Iterable[str]:
    yield "| scenario | " + " | ".join(name for name, _ in VARIANTS) + " | |"
    yield "| --- |" + " :-: |" * len(VARIANTS) + " --- |"
    by_variant = [_verdicts(results, name) for name, _ in VARIANTS]
    for scenario in {result.scenario.id: result.scenario for result in results}.values():
        verdicts = [found[scenario.id] for found in by_variant]
        if set(verdicts) not in ({Verdict.PASS}, {Verdict.NA}):
            letters = " | ".join(PASSES if verdict is Verdict.PASS else verdict.letter for verdict in verdicts)
            yield f"| {scenario.id} | {letters} | {scenario.title} |"


def measured() -> tuple[Result, ...]:
    """Plays everything."""
    chosen = [each for each in ALL if each.id.split("-")[0] in GROUPS and each.tier == 0]
    chosen = [each for each in chosen if not catalogues.is_informational(each, catalogues.NEWEST)]
    tested = [fencers.load(str(FOLDER / f"{name}.yaml")) for name, _ in VARIANTS]
    return runner.run(runner.matrix(tested, {name: load(name) for name in PROFILES}, chosen), jobs=JOBS)


if __name__ == "__main__":
    PAGE.write_text(page(measured()), encoding="utf-8")
