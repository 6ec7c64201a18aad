"""The suite's self-test: every planted defect is caught by the scenario that is about it, and whoever has none passes."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from conformance import runner
from conformance.adapters.reading import read
from conformance.result import Result
from conformance.runner import MatrixCell
from conformance.scenarios import ALL, BY_ID
from conformance.vocabulary import FindingKind, Verdict
from profiles import load
from tests.definitions import BAD_FENCERS, mutant

DELL = "dell-idrac9"
OPENBMC = "openbmc-x86"
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
    ("AlwaysFails", "TRUTH-001", DELL, Verdict.ERROR, FindingKind.UNFIRED),
    ("Spins", "STATE-016", DELL, HANG, None),
    ("NotInStateIsOff", "IPMI-002", DELL, UNSAFE, FindingKind.FALSE),
    ("NotInStateIsFailed", "STATE-003", DELL, STUCK, None),
    ("AcceptedIsOff", "IPMI-003", DELL, UNSAFE, FindingKind.FALSE),
    ("NotInStateIsFailed", "IPMI-001", DELL, STUCK, None),
    ("AcceptedIsOff", "IPMI-004", DELL, UNSAFE, FindingKind.EARLY),
    ("BusyIsOff", "IPMI-005", DELL, UNSAFE, FindingKind.FALSE),
    ("GivesUpSilently", "IPMI-006", DELL, Verdict.MISLEADING, FindingKind.NO_CAUSE),
    ("GivesUpSilently", "IPMI-007", DELL, Verdict.MISLEADING, FindingKind.NO_CAUSE),
    ("HammersTheBusy", "IPMI-007", DELL, HYGIENE, FindingKind.REPEATED),
    ("SilenceIsOff", "IPMI-008", DELL, UNSAFE, FindingKind.FALSE),
    ("WaitsForEver", "IPMI-008", DELL, HANG, None),
    ("NoRepeat", "IPMI-009", DELL, STUCK, None),
    ("RepeatsCommands", "IPMI-009", DELL, HYGIENE, FindingKind.REPEATED),
    ("TriesUsersAgain", "IPMI-010", DELL, HYGIENE, FindingKind.REPEATED),
    ("BlamesTheNetwork", "IPMI-010", DELL, Verdict.MISLEADING, FindingKind.WRONG_CAUSE),
    ("OnlySuite3", "IPMI-011", DELL, STUCK, None),
    ("BlamesTheNetwork", "IPMI-011", DELL, Verdict.MISLEADING, FindingKind.WRONG_CAUSE),
    ("NotInStateIsFailed", "IPMI-012", DELL, STUCK, None),
    ("AcceptedIsOff", "IPMI-013", DELL, UNSAFE, FindingKind.FALSE),
    ("TrustsRedfish", "IPMI-014", DELL, UNSAFE, FindingKind.FALSE),
    ("BrokenMetadata", "AGENT-001", DELL, Verdict.MISLEADING, FindingKind.WRONG_ANSWER),
    ("MetadataWithoutMonitor", "AGENT-001", DELL, Verdict.MISLEADING, FindingKind.WRONG_ANSWER),
    ("ReadsComments", "AGENT-002", DELL, HYGIENE, FindingKind.OVERREACH),
    ("FirstValueCounts", "AGENT-002", DELL, HYGIENE, FindingKind.OVERREACH),
    ("RefusesUnknownNames", "AGENT-002", DELL, STUCK, None),
    ("SplitsAtEveryEquals", "AGENT-002", DELL, STUCK, None),
    ("UsageIsTwo", "AGENT-004", DELL, UNSAFE, FindingKind.FALSE),
    ("TriesWithoutPassword", "AGENT-004", DELL, Verdict.MISLEADING, FindingKind.WRONG_CAUSE),
    ("UnknownIsReboot", "AGENT-004", DELL, Verdict.MISLEADING, FindingKind.WRONG_ANSWER),
    ("WritesInMonitor", "AGENT-005", DELL, HYGIENE, FindingKind.OVERREACH),
    ("OnDecidesReboot", "AGENT-006", DELL, STUCK, None),
    ("QuietReboot", "AGENT-006", DELL, UNSAFE, FindingKind.FALSE),
    ("NoOptions", "AGENT-007", DELL, STUCK, None),
    ("MonitorOfOffFails", "AGENT-008", DELL, STUCK, None),
    ("PasswordInLatin1", "AGENT-009", DELL, STUCK, None),
    ("PasswordThroughShell", "AGENT-009", DELL, STUCK, None),
    ("RedactsEveryLetter", "AGENT-009", DELL, Verdict.MISLEADING, FindingKind.NO_CAUSE),
    ("ClaimOn2xx", "CONC-001", DELL, UNSAFE, FindingKind.EARLY),
    ("Hammers", "CONC-001", DELL, HYGIENE, FindingKind.REPEATED),
    ("ClaimOn2xx", "CONC-002", DELL, UNSAFE, FindingKind.EARLY),
    ("LeavesSessions", "CONC-003", DELL, HYGIENE, None),
    ("BadRequestIsOff", "CONC-004", DELL, HYGIENE, FindingKind.REPEATED),
    ("SilentIsOff", "MAINS-001", DELL, Verdict.MISLEADING, FindingKind.WRONG_ANSWER),
    ("OneReadIsEnough", "MAINS-002", DELL, UNSAFE, FindingKind.RESURRECTED),
    ("AlwaysSucceeds", "MAINS-003", DELL, HYGIENE, FindingKind.UNVERIFIED),
    ("RefusedIsFailed", "MAINS-003", DELL, STUCK, None),
    ("OneReadIsEnough", "MAINS-004", DELL, UNSAFE, FindingKind.RESURRECTED),
    ("wrong-exits", "AGENT-003", DELL, UNSAFE, None),
)

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("conformance-matrix")]


@pytest.fixture(scope="module")
def caught() -> Mapping[tuple[str, str, str], Result]:
    profiles = {name: load(name) for name in (DELL, OPENBMC)}
    wanted = list(dict.fromkeys((m, s, p) for m, s, p, _, _ in CAUGHT))
    cells = [MatrixCell(mutant(name), profiles[profile], BY_ID[scenario]) for name, scenario, profile in wanted]
    return dict(zip(wanted, runner.run(cells, jobs=8), strict=True))


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
    if kind is not None:
        assert result.kind is kind, result.why


def test_no_scenario_is_dead_weight() -> None:
    assert {scenario for _, scenario, *_ in CAUGHT} == set(BY_ID)


@pytest.mark.parametrize("profile", [DELL, OPENBMC])
def test_the_fencer_without_a_defect_passes_everything(profile: str) -> None:
    cells = runner.matrix((read(BAD_FENCERS / "honest.yaml"),), {profile: load(profile)}, ALL)
    results = runner.run(cells, jobs=8)
    wrong = {r.scenario.id: (r.verdict, r.why) for r in results if r.verdict not in (Verdict.PASS, Verdict.NA)}
    assert wrong == {}
    assert [r.scenario.id for r in results if r.verdict is Verdict.NA] == ["AGENT-003"]
