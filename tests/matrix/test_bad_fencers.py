"""The suite's self-test: every planted defect is caught by the scenario that is about it, and whoever has none passes."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from conformance import runner
from conformance.adapters.reading import read
from conformance.result import Result
from conformance.runner import MatrixCell
from conformance.scenarios import ALL, BY_ID
from conformance.vocabulary import FindingKind, Protocol, Verdict
from profiles import load
from tests.definitions import BAD_FENCERS, mutant, on_transport
from tests.matrix.caught_ipmi_and_agents import IPMI_AND_AGENTS
from tests.matrix.caught_logins_and_identity import LOGINS_AND_IDENTITY
from tests.matrix.caught_states import STATES
from tests.matrix.caught_trouble import NOTED, TROUBLE

DELL = "dell-idrac9"
OPENBMC = "openbmc-x86"
MANAGERS = {scenario.id for scenario in ALL if scenario.group == "HA"}
"""About managers: tests/e2e/test_conformance_managers.py and tests/peers have them, with managers that lie."""
UNSAFE, STUCK, HANG, HYGIENE = Verdict.UNSAFE, Verdict.STUCK, Verdict.HANG, Verdict.HYGIENE

CAUGHT: tuple[tuple[str, str, str, Verdict, FindingKind | None], ...] = (
    ("ClaimOn2xx", "TRUTH-001", DELL, UNSAFE, FindingKind.FALSE),
    ("ClaimOn2xx", "STATE-016", DELL, UNSAFE, FindingKind.EARLY),
    ("ClaimOn2xx", "ASYNC-004", DELL, UNSAFE, FindingKind.EARLY),
    ("GracefulAndClaim", "TRUTH-006", DELL, UNSAFE, FindingKind.FALSE),
    ("ConflictIsOff", "STATE-007", DELL, UNSAFE, FindingKind.FALSE),
    ("BadRequestIsOff", "STATE-004", DELL, HYGIENE, FindingKind.UNVERIFIED),
    ("RefusedIsFailed", "STATE-001", DELL, STUCK, None),
    ("RefusedIsFailed", "STATE-002", DELL, STUCK, None),
    ("RefusedIsFailed", "STATE-004", DELL, STUCK, None),
    ("UnknownIsOff", "STATE-009", DELL, UNSAFE, FindingKind.FALSE),
    ("PoweringOffIsOff", "STATE-009", DELL, UNSAFE, FindingKind.FALSE),
    ("LastMember", "ID-001", DELL, UNSAFE, FindingKind.WRONG_TARGET),
    ("LastMember", "ID-002", DELL, UNSAFE, FindingKind.WRONG_TARGET),
    ("FirstMember", "ID-002", DELL, UNSAFE, FindingKind.WRONG_TARGET),
    ("NoTimeout", "TIME-001", DELL, HANG, None),
    ("GiveUpOnDrop", "FAULT-008", DELL, STUCK, None),
    ("DropIsDone", "FAULT-008", DELL, UNSAFE, FindingKind.EARLY),
    ("UnreachableIsOff", "FAULT-010", DELL, UNSAFE, FindingKind.FALSE),
    ("UnreachableIsOff", "STATE-019", DELL, UNSAFE, FindingKind.FALSE),
    ("RetriesRefusedPassword", "AUTH-001", DELL, HYGIENE, FindingKind.REPEATED),
    ("BlamesConfiguration", "AUTH-001", DELL, Verdict.MISLEADING, FindingKind.NO_CAUSE),
    ("BlamesConfiguration", "FAULT-010", DELL, Verdict.MISLEADING, FindingKind.NO_CAUSE),
    ("PasswordInArgv", "STATE-016", DELL, HYGIENE, FindingKind.SECRET),
    ("PasswordInOutput", "STATE-016", DELL, HYGIENE, FindingKind.SECRET),
    ("LeavesChild", "STATE-016", DELL, HYGIENE, FindingKind.LEFTOVER),
    ("RunsOnAsDaemon", "STATE-016", DELL, HYGIENE, FindingKind.LEFTOVER),
    ("EndsItsWatcher", "STATE-016", DELL, HYGIENE, FindingKind.CONDUCT),
    ("HomeIsEverything", "STATE-016", DELL, HYGIENE, FindingKind.CONDUCT),
    ("TurnsOnFirst", "STATE-016", DELL, HYGIENE, FindingKind.OVERREACH),
    ("WritesToAsk", "STATE-019", DELL, HYGIENE, FindingKind.OVERREACH),
    ("Hammers", "STATE-016", DELL, HYGIENE, FindingKind.REPEATED),
    ("IgnoresChassis", "STATE-016", OPENBMC, UNSAFE, FindingKind.EARLY),
    ("AlwaysSucceeds", "STATE-016", DELL, UNSAFE, FindingKind.FALSE),
    ("AlwaysSucceeds", "STATE-019", DELL, UNSAFE, FindingKind.FALSE),
    ("AlwaysFails", "STATE-001", DELL, STUCK, None),
    ("AlwaysFails", "TRUTH-001", DELL, STUCK, FindingKind.NOT_TRIED),
    ("Spins", "STATE-016", DELL, HANG, None),
    ("NotInStateIsOff", "IPMI-002", DELL, UNSAFE, FindingKind.FALSE),
    ("NotInStateIsFailed", "STATE-003", DELL, STUCK, None),
    ("AcceptedIsOff", "IPMI-003", DELL, UNSAFE, FindingKind.FALSE),
    ("wrong-exits", "AGENT-003", DELL, UNSAFE, None),
    *STATES,
    *LOGINS_AND_IDENTITY,
    *IPMI_AND_AGENTS,
    *TROUBLE,
)

OF_OTHERS = (("honest-dual", "IPMI-014"), *(("honest-agent", f"AGENT-{number:03}") for number in range(1, 9)))
"""What is about both channels of a BMC, or about fence agents: who passes it instead of `honest`."""

STYLES_OVER_IPMI = ("AsksTheDevice", "PatientIpmi")
STYLES = (
    "ChassisFirst", "AsksHead", "WalksTheTree", "KeepsSession", "Selects", "LongSettle", "PoliteFirst", "SlowPolls",
    *STYLES_OVER_IPMI,
)  # fmt: skip
"""Fencers without a defect, in `bad_fencers/styles.py`."""

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("conformance-matrix")]


@pytest.fixture(scope="module")
def caught() -> Mapping[tuple[str, str, str], Result]:
    wanted = list(dict.fromkeys((m, s, p) for m, s, p, *_ in (*CAUGHT, *NOTED)))
    profiles = {name: load(name) for name in dict.fromkeys(profile for _, _, profile in wanted)}
    cells = [MatrixCell(mutant(name), profiles[profile], BY_ID[scenario]) for name, scenario, profile in wanted]
    return dict(zip(wanted, runner.run(cells), strict=True))


@pytest.mark.parametrize(("name", "scenario", "profile", "verdict", "kind"), CAUGHT, ids=[f"{m}-{s}" for m, s, *_ in CAUGHT])
def test_a_planted_defect_is_caught(
    caught: Mapping[tuple[str, str, str], Result],
    name: str,
    scenario: str,
    profile: str,
    verdict: Verdict,
    kind: FindingKind | None,
) -> None:
    result = caught[name, scenario, profile]
    assert (result.verdict, result.why) == (verdict, result.why)
    if kind is not None and verdict is Verdict.PASS:
        assert kind in {note.kind for note in result.notes}, "noted, for information"
    elif kind is not None:
        assert result.kind is kind, result.why


@pytest.mark.parametrize(
    ("name", "scenario", "profile", "rule", "verdict"),
    NOTED,
    ids=[f"{m}-{s}" for m, s, *_ in NOTED],
)
def test_a_broken_should_is_noted(
    caught: Mapping[tuple[str, str, str], Result], name: str, scenario: str, profile: str, rule: str, verdict: Verdict
) -> None:
    result = caught[name, scenario, profile]
    assert (rule, verdict) in {(note.rule, note.verdict) for note in result.notes}, (result.verdict, result.why)


def test_no_scenario_is_dead_weight() -> None:
    assert {scenario for _, scenario, *_ in CAUGHT} == set(BY_ID) - MANAGERS


@pytest.mark.parametrize("profile", [DELL, OPENBMC])
def test_the_fencer_without_a_defect_passes_everything(profile: str) -> None:
    cells = runner.matrix((read(BAD_FENCERS / "honest.yaml"),), {profile: load(profile)}, ALL)
    results = runner.run(cells)
    counted = [r for r in results if not r.informational]
    wrong = {r.scenario.id: (r.verdict, r.why) for r in counted if r.verdict not in (Verdict.PASS, Verdict.NA)}
    assert wrong == {}
    assert {r.scenario.id for r in results if r.verdict is Verdict.NA} == {scenario for _, scenario in OF_OTHERS} | MANAGERS


def test_what_it_cannot_be_tried_on_is_passed_by_one_without_a_defect_too() -> None:
    cells = [MatrixCell(read(BAD_FENCERS / f"{name}.yaml"), load(DELL), BY_ID[scenario]) for name, scenario in OF_OTHERS]
    assert {r.scenario.id: (r.verdict, r.why) for r in runner.run(cells) if r.verdict is not Verdict.PASS} == {}


@pytest.mark.parametrize("profile", [DELL, OPENBMC])
@pytest.mark.parametrize("style", STYLES)
def test_another_style_is_no_defect(style: str, profile: str) -> None:
    """On virtual time: every scenario that needs no socket."""
    over_ipmi = style in STYLES_OVER_IPMI
    tried = [scenario for scenario in ALL if (scenario.protocol is Protocol.IPMI) is over_ipmi and scenario.group != "HA"]
    results = runner.run(runner.matrix((on_transport(style),), {profile: load(profile)}, tried))
    counted = [r for r in results if not r.informational]
    assert {r.scenario.id: (r.verdict, r.why) for r in counted if r.verdict not in (Verdict.PASS, Verdict.NA)} == {}
    assert sum(r.verdict is Verdict.PASS for r in results) >= (15 if over_ipmi else 110)
