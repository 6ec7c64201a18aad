"""Finds the profile that is most like a captured BMC, to extend it. Pure: the caller gives the profiles.

The same marks count that a driver would look at: Vendor and Product of the service root, keys under Oem, the id of the manager,
the models of system and BMC. Where two profiles fit equally well, the more general one is taken.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from emulator.profile_tools.identity_facts import Facts
from profiles.model import ABSENT

OEM_VENDORS: Final[Mapping[str, str]] = {
    "Ami": "ami",
    "Ampere": "ampere",
    "Cisco": "cisco",
    "Dell": "dell",
    "Fujitsu": "fujitsu",
    "Hp": "hpe",
    "Hpe": "hpe",
    "Huawei": "huawei",
    "Intel": "intel",
    "Lenovo": "lenovo",
    "Nvidia": "nvidia",
    "OpenBMC": "openbmc",
    "OpenBmc": "openbmc",
    "Public": "h3c",
    "Supermicro": "supermicro",
    "ts_fujitsu": "fujitsu",
    "xFusion": "huawei",
}
"""Keys under Oem, and how the ids of profiles of that maker begin."""
LEAST: Final = 3
"""Marks worth less than this make no parent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParentCandidate:
    """A profile that can be extended. `generation` counts its parents."""

    id: str
    identity: Mapping[str, str]
    manager_id: str
    generation: int


def nearest(facts: Facts, candidates: Sequence[ParentCandidate], otherwise: str) -> str:
    """The id of the profile that is most like the facts; `otherwise` where none is."""
    scores = [(_score(facts, each), -each.generation, each.id) for each in candidates]
    best = max(scores, default=(0, 0, otherwise), key=lambda score: (score[0], score[1], [-ord(sign) for sign in score[2]]))
    return best[2] if best[0] >= LEAST else otherwise


def _score(facts: Facts, candidate: ParentCandidate) -> int:
    identity = facts.blocks.get("identity", {})
    score = 0
    for name, worth in (("vendor", 3), ("product", 3), ("bmc_model", 3), ("manufacturer", 2), ("model", 1)):
        score += worth * _is_same(identity.get(name), candidate.identity.get(name))
    maker = candidate.id.partition("-")[0]
    score += 3 * any(OEM_VENDORS.get(key) == maker for key in facts.oem_keys)
    manager = facts.ids.get("manager_id", "")
    score += 3 * (manager == candidate.manager_id and not manager.isdigit() and manager != "BMC")
    firmware, other = identity.get("bmc_firmware"), candidate.identity.get("bmc_firmware")
    if isinstance(firmware, str) and other and score >= LEAST:
        score += firmware.split(".")[0] == other.split(".")[0]
    return score


def _is_same(found: object, word: str | None) -> bool:
    return isinstance(found, str) and found != ABSENT and found.casefold() == (word or "").casefold()
