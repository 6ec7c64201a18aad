"""The two fencers whose mutants measure the suite: the reference, and the careful one of the self-tests.

They run on a virtual clock and network: the suite calls `reference` and `careful` as any fencer with a transport. Both play
copies of their modules (`changed_copy`), so a mutant is a parameter: its id, or empty for none. One thread.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from tools.mutation_score import tables
from tools.mutation_score.changed_copy import SUFFIX, CopyFinder, Originals, with_copies
from tools.mutation_score.probes import Probe

ROOT: Final = Path(__file__).resolve().parents[2]
BAD_FENCERS: Final = str(ROOT / "tests" / "bad_fencers")
REFERENCE: Final = Originals(ROOT, {"fencer": "fencer", "fence_bmc_on_transport": "tests/hunted/fence_bmc_on_transport.py"})
CAREFUL: Final = Originals(
    ROOT,
    {name: f"tests/bad_fencers/{name}.py" for name in ("honest", "careful", "logins", "honest_ipmi", "honest_pdu")},
)
HTTP: Final = {
    "ip": "host", "ipport": "port", "ssl_insecure": "insecure", "systems_uri": "system_uri", "identity": "uuid",
    "password_file": "password_file", "password_script": "password_script",
}  # fmt: skip
PARAMETERS: Final[Mapping[str, Mapping[str, str]]] = {
    "redfish": HTTP,
    "ipmi": {"ip": "ipmi_host", "ipport": "ipmi_port", "target": "ipmi_target", "hexadecimal_kg": "kg"},
}
"""What the reference is told, by its names."""

_made: dict[str, CopyFinder] = {}
"""By the name of the function, the copies that this process has."""


def prepare(name: str, mutant: str = "", probes: Sequence[Probe] = ()) -> CopyFinder:
    """Makes the copies of a fencer, which its next call plays. Raises SourceMoved."""
    _made.clear()  # there is one set of copies
    changed = tables.by_id(name)[mutant] if mutant else None
    _made[name] = with_copies(REFERENCE if name == "reference" else CAREFUL, changed, probes)
    return _made[name]


def _ready(name: str, mutant: str) -> None:
    there = _made.get(name)
    if there is None or (there.mutant.id if there.mutant is not None else "") != mutant:
        prepare(name, mutant)


def reference(action: str, bmc: Mapping[str, str], *, transport: Any, clock: Any, mutant: str = "") -> Any:
    """fence_bmc."""
    _ready("reference", mutant)
    agent = importlib.import_module(f"fence_bmc_on_transport{SUFFIX}")
    agent.PARAMETERS = PARAMETERS
    return agent.fence(action, bmc, transport=transport, clock=clock)


def careful(action: str, bmc: Mapping[str, str], *, transport: Any, clock: Any, mutant: str = "") -> Any:
    """The careful fencer of tests/bad_fencers, which has no line in common with the reference."""
    _ready("careful", mutant)
    if BAD_FENCERS not in sys.path:
        sys.path.append(BAD_FENCERS)
    carried = importlib.import_module("on_transport")
    for name in CAREFUL.places:
        module = importlib.import_module(f"{name}{SUFFIX}")
        if hasattr(module, "time"):
            module.time = clock
    adapter = carried.TransportAdapter(transport)
    carried.requests.Session.get_adapter = lambda self, url: adapter
    carried.DatagramSocket.transport = transport
    sys.modules[f"honest_ipmi{SUFFIX}"].socket = carried.DatagramSocket  # type: ignore[attr-defined]
    return sys.modules[f"honest{SUFFIX}"].fence(action, bmc)
