"""Writes docs/profiles/*.md and docs/wanted.md from the shipped profiles: `make profiles-pages`. Takes a few seconds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from profiles import loader
from profiles.lint import Report, cells_of, lint
from profiles.loader import Resolved
from profiles.model import Confidence, Profile
from tools import profile_words as words
from tools.profile_page import BASE, page, titled

ROOT: Final = Path(__file__).resolve().parent.parent
FOLDER: Final = ROOT / "docs" / "profiles"
WANTED: Final = ROOT / "docs" / "wanted.md"
PROBE: Final = "bmc-emulator profile probe https://BMC --i-will-power-cycle HOSTNAME --insecure"
INDEX_HEAD: Final = """# Profiles

Written by `make profiles-pages`; do not edit. A page for each shipped profile: its power table with answer and effect, what
differs from [dmtf-generic](dmtf-generic.md), answers, IPMI, sources. Cells are those of the power tables of both protocols: the
profile's own, inherited, and those that nobody knows. The shares are of all claims. [wanted.md](../wanted.md) says what would
help most.
"""
WANTED_HEAD: Final = """# Wanted: what nobody knows

Written by `make profiles-pages`; do not edit. *Not known* are cells with `"?"` in a profile: no capture, no document and no
report says what the vendor's BMC does. In runs they count as *assumed*. *Only inferred* are cells where somebody has deduced the
answer: a capture would turn a guess into a fact. If you have such a machine and may switch its power, the line under its profile
finds out. BMC is the address, HOSTNAME the machine's name as the BMC shows it, to be typed again before the first command. It
prints each step, stops at the first surprise, and writes the cells in the form of a profile. The issue template *Captured cells*
takes them.
"""


class ShippedProfile(NamedTuple):
    """A profile in the three forms that pages need."""

    profile: Profile
    resolved: Resolved
    report: Report


def shipped() -> tuple[ShippedProfile, ...]:
    """The profiles that something can have, BMCs first."""
    names = (*loader.names(), *loader.feeder_names())
    return tuple(
        ShippedProfile(tree.profile(), tree, lint(name)) for name, tree in ((name, loader.resolve(name)) for name in names)
    )


def pages() -> Mapping[Path, str]:
    """Every page that this module writes, with its text."""
    every = shipped()
    base = next(each.profile for each in every if each.profile.id == BASE)
    texts = {FOLDER / f"{each.profile.id}.md": page(*each, base) for each in every}
    return {**texts, FOLDER / "README.md": index(every), WANTED: wanted(every)}


def stale(pages_now: Mapping[Path, str]) -> list[Path]:
    """Pages of profiles that are not there any more."""
    return sorted(file for file in FOLDER.glob("*.md") if file not in pages_now)


def index(every: tuple[ShippedProfile, ...]) -> str:
    rows = []
    for profile, resolved, report in every:
        cells = cells_of(resolved)
        counts = (str(cells.own), str(cells.inherited), str(cells.unknown))
        rows.append(
            (f"[{profile.id}]({profile.id}.md)", titled(profile), *counts, *(f"{report.share(each):.0%}" for each in Confidence))
        )
    head = ("profile", "what", "own", "inherited", "not known", *(each.value for each in Confidence))
    return "\n".join((INDEX_HEAD, *words.table(head, rows))) + "\n"


def wanted(every: tuple[ShippedProfile, ...]) -> str:
    lines = [WANTED_HEAD]
    for profile, _, _ in every:
        unknown, guessed = list(_cells(profile, assumed=True)), list(_cells(profile, assumed=False))
        if profile.feeder is not None or profile.id == BASE or not (unknown or guessed):
            continue
        lines += [f"## [{profile.id}](profiles/{profile.id}.md)", "", f"{titled(profile)}.", ""]
        lines += [
            f"- **not known**: {', '.join(unknown) or 'nothing'}",
            f"- only inferred: {', '.join(guessed) or 'nothing'}",
            "",
            *probe_lines(profile),
            "",
        ]
    return "\n".join(lines).rstrip() + "\n"


def probe_lines(profile: Profile) -> tuple[str, ...]:
    """The command that finds these cells out, as a block to be pasted."""
    if not profile.http.served:
        return ("`probe` reads over Redfish, which this BMC does not speak: what `ipmitool` shows will do.",)
    account, ipmi = profile.auth.accounts[0].name, "" if profile.ipmi.lan else " --no-ipmi"
    return ("```sh", f"{PROBE} --user {account}{ipmi} --extends {profile.id} --out {profile.id}-probed.yaml", "```")


def _cells(profile: Profile, *, assumed: bool) -> Iterator[str]:
    """Cells that are not known (`assumed`), or that are only inferred."""
    for state in words.STATES:
        for reset, power in profile.power.table.get(state, {}).items():
            if power.assumed if assumed else not power.assumed and power.evidence.confidence is Confidence.INFERRED:
                yield f"{reset} while {state.lower()}"
        for command, cell in profile.ipmi.chassis.get(state, {}).items() if profile.ipmi.lan else ():
            if cell.assumed if assumed else not cell.assumed and cell.evidence.confidence is Confidence.INFERRED:
                yield f"IPMI {command} while {state.lower()}"


def main() -> None:
    now = pages()
    FOLDER.mkdir(exist_ok=True)
    for file in stale(now):
        file.unlink()
    for file, text in now.items():
        file.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
