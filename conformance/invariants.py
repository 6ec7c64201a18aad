"""What holds in every scenario (`requirement.INVARIANTS`): G1, G2, G3 and G6. G4, G5, G7, G8 and G9 are in `invariants_conduct`.

The judge calls `check` once per ask.
"""

from __future__ import annotations

from collections.abc import Iterator

from conformance import invariants_conduct
from conformance import requirement as req
from conformance.expectations.case import AskCase, how_it_ended
from conformance.finding import Finding
from conformance.secret_forms import shown
from conformance.timeline import is_bmc_reset, is_write, means, text
from conformance.vocabulary import Ask, Claim, FindingKind, Level, Verdict
from emulator import Event, Intent, Rail

NEVER_DURING_OFF = frozenset({"On", "ForceOn", "ForceRestart", "GracefulRestart", "PowerCycle", "FullPowerCycle", "Resume"})
NEVER_DURING_ON = frozenset(
    {"ForceOff", "GracefulShutdown", "ForceRestart", "GracefulRestart", "PowerCycle", "FullPowerCycle", "Suspend", "Pause"}
)
TOGGLE = "PushPowerButton"
STARTING_S = 0.5
"""Seconds that the suite may need to start a fencer and to see its end; they are not the fencer's."""


def check(case: AskCase) -> Iterator[Finding]:
    """The findings and notes of one ask."""
    claims = (*_true_claim(case), *_foreign_claim(case))
    yield from claims
    for invariant in (
        _ends,
        _no_leftovers,
        _well_behaved,
        _no_secret,
        _only_target,
        _only_power,
    ):
        yield from invariant(case)
    yield from invariants_conduct.check(case, claim_is_false=bool(claims))


# -- G1 --------------------------------------------------------------------------------------------------------------------


def _true_claim(case: AskCase) -> Iterator[Finding]:
    if case.outcome.timed_out:
        return
    match case.outcome.claim:
        case Claim.OFF if case.at_claim.rail is not Rail.DOWN:
            kind, later = _kind_of_false_off(case)
            yield case.finding(
                Verdict.UNSAFE,
                "G1",
                "no claim of off while the host's rail is up",
                f"{how_it_ended(case.outcome)} while the host had {case.at_claim}; {later}",
                kind=kind,
                requirement=req.EXACT_TARGET if kind is FindingKind.WRONG_TARGET else None,
                anchors=_story(case),
            )
        case Claim.REBOOTED if _runs_on(case):
            yield case.finding(
                Verdict.UNSAFE,
                "G1",
                "no claim of a reboot before the old run has ended",
                f"{how_it_ended(case.outcome)} while the host still was in incarnation {case.at_claim.incarnation}",
                kind=FindingKind.FALSE,
                requirement=req.TRUE_ON,
                anchors=_story(case),
            )
        case Claim.ON if case.at_claim.rail is Rail.DOWN and case.outcome.ask is Ask.ON:
            yield case.finding(
                Verdict.MISLEADING,
                "G1",
                "no claim of on while the host's rail is down",
                f"{how_it_ended(case.outcome)} while the host had {case.at_claim}",
                kind=FindingKind.WRONG_ANSWER,
                requirement=req.TRUE_ON,
                anchors=_story(case),
            )
        case _:
            return


def _runs_on(case: AskCase) -> bool:
    """Whether the run that was to be ended goes on. A host that was off when the ask began had none."""
    before, now = case.before, case.at_claim
    return Rail.DOWN not in (before.rail, now.rail) and now.incarnation <= before.incarnation


def _foreign_claim(case: AskCase) -> Iterator[Finding]:
    """A claim of off that is true, and yet rests on nothing but what another BMC said, to which a redirect has led."""
    off = case.window.looks_at_off
    if case.outcome.timed_out or case.outcome.claim is not Claim.OFF or case.at_claim.rail is not Rail.DOWN or not off:
        return
    if all(look.bmc not in case.window.told_units for look in off):
        yield case.finding(
            Verdict.UNSAFE,
            "G1",
            "a claim of off that rests on what the target's own BMC says",
            f"{how_it_ended(case.outcome)}; only {case.window.called(off[-1])} had said Off, the target is {case.window.system}",
            kind=FindingKind.WRONG_TARGET,
            requirement=req.EXACT_TARGET,
            anchors=tuple(look.seq for look in off[-2:]),
        )


def _kind_of_false_off(case: AskCase) -> tuple[FindingKind, str]:
    before, after = case.window.rail_falls
    addressed = case.window.systems_addressed
    if before or case.before.rail is Rail.DOWN:
        return FindingKind.RESURRECTED, "it had been off and was on again"
    if addressed and not case.window.target_names & addressed:
        return FindingKind.WRONG_TARGET, f"it had looked at {', '.join(sorted(addressed))}, the target is {case.window.system}"
    taken = case.window.systems_taken_for_off
    if taken and not case.window.target_names & taken:
        return FindingKind.WRONG_TARGET, f"off was {', '.join(sorted(taken))}, the target is {case.window.system}"
    read = case.window.systems_read_as_off
    if read and not case.window.target_names & read:
        return FindingKind.WRONG_TARGET, f"it had read Off of {', '.join(sorted(read))} only, the target is {case.window.system}"
    if after:
        return FindingKind.EARLY, "it went off after the claim"
    return FindingKind.FALSE, "it never went off"


def _story(case: AskCase) -> tuple[int, ...]:
    """Where the causal chain of a claim begins: what was commanded, what was true, the last read that was not answered, and what
    came of it later."""
    commands = [e.seq for e in case.window.power_commands[:3]]
    unanswered = [e.seq for e in case.window.requests if means(e, Intent.POWER_READ) and e.seq not in case.window.answers]
    return (*commands, case.at_claim.seq, *unanswered[-1:], *(e.seq for e in case.window.rail_falls[1][:1]))


# -- G2 --------------------------------------------------------------------------------------------------------------------


def _ends(case: AskCase) -> Iterator[Finding]:
    if case.outcome.timed_out:
        yield case.finding(
            Verdict.HANG,
            "G2",
            f"an end within its deadline of {case.deadline:g} s plus grace",
            how_it_ended(case.outcome),
            requirement=req.ENDS,
            anchors=tuple(e.seq for e in case.window.requests[-1:]),
        )
    elif case.outcome.duration - case.lag_s > case.deadline + STARTING_S:
        yield case.finding(
            Verdict.STUCK,
            "G2",
            f"an end within {case.deadline:g} s",
            f"ended after {case.outcome.duration:.1f} s, within the grace",
            level=Level.SHOULD,
            requirement=req.ENDS,
        )


def _no_leftovers(case: AskCase) -> Iterator[Finding]:
    if case.outcome.leftover:
        yield case.finding(
            Verdict.HYGIENE,
            "G2",
            "no process is left when it has ended",
            f"left running: {', '.join(case.outcome.leftover)}",
            kind=FindingKind.LEFTOVER,
            requirement=req.ENDS,
        )


def _well_behaved(case: AskCase) -> Iterator[Finding]:
    if case.outcome.conduct:
        yield case.finding(
            Verdict.HYGIENE,
            "G2",
            "a process that leaves its watcher and its HOME alone and stays within the suite's limits",
            f"it {'; it '.join(case.outcome.conduct)}",
            kind=FindingKind.CONDUCT,
            requirement=req.WELL_BEHAVED,
        )


# -- G3 --------------------------------------------------------------------------------------------------------------------


def _no_secret(case: AskCase) -> Iterator[Finding]:
    places = [
        *(f"the command line of {argv[0].rpartition('/')[2]}" for argv in case.outcome.argv if _holds(case, " ".join(argv[1:]))),
        *(["its standard output"] if _holds(case, case.outcome.stdout) else []),
        *(["its standard error"] if _holds(case, case.outcome.stderr) else []),
        *(f"the file {name} that it left" for name in case.outcome.files),
    ]
    if places:
        yield case.finding(
            Verdict.HYGIENE,
            "G3",
            "the password in no command line, in no output and in no file that stays",
            f"the password was in {', '.join(dict.fromkeys(places))}",
            kind=FindingKind.SECRET,
            requirement=req.SECRETS,
        )


def _holds(case: AskCase, where: str) -> bool:
    return shown(case.secrets, where)


# -- G6 --------------------------------------------------------------------------------------------------------------------


def _only_target(case: AskCase) -> Iterator[Finding]:
    changed = case.window.bystander_changes
    if changed:
        yield case.finding(
            Verdict.UNSAFE,
            "G6",
            "every other host stays as it was",
            f"{', '.join(sorted({text(e, 'host') or text(e, 'system') for e in changed}))} is not the target and was changed",
            kind=FindingKind.WRONG_TARGET,
            requirement=req.ONLY_POWER,
            anchors=tuple(e.seq for e in changed[:3]),
        )
    strangers = [e for e in case.window.commands if not case.window.is_target(e)]
    if strangers and not changed:
        yield case.finding(
            Verdict.HYGIENE,
            "G6",
            "power commands for the target only",
            f"sent {text(strangers[0], 'reset')} to {case.window.called(strangers[0])}",
            kind=FindingKind.OVERREACH,
            requirement=req.EXACT_TARGET,
            anchors=tuple(e.seq for e in strangers[:3]),
        )


def _only_power(case: AskCase) -> Iterator[Finding]:
    wrong: list[Event] = [e for e in case.window.requests if is_bmc_reset(e)]
    asks = {case.outcome.ask, *case.window.beside}
    if all(ask.reads_only for ask in asks):
        wrong += [e for e in case.window.requests if is_write(e) and e not in wrong]
    elif case.outcome.ask is not Ask.WATCH:
        wrong += [e for e in case.window.requests if means(e, Intent.WRITE) and _was_done(case, e)]
    if case.outcome.ask is Ask.OFF and not asks & {Ask.ON, Ask.REBOOT}:
        wrong += [e for e in case.window.commands if _turns_on(e)]
    if case.outcome.ask is Ask.ON and not asks & {Ask.OFF, Ask.REBOOT}:
        wrong += [e for e in case.window.commands if _ends_a_run(e)]
    if wrong:
        named = sorted({text(e, "reset") or f"{text(e, 'method')} {text(e, 'path')}" for e in wrong})
        yield case.finding(
            Verdict.HYGIENE,
            "G6",
            f"only what belongs to {case.outcome.ask}",
            f"sent {', '.join(named)}",
            kind=FindingKind.OVERREACH,
            requirement=req.ONLY_POWER,
            anchors=tuple(e.seq for e in wrong[:3]),
        )


def _turns_on(command: Event) -> bool:
    reset = text(command, "reset")
    return reset in NEVER_DURING_OFF or (reset == TOGGLE and text(command, "row") == "Off")


def _ends_a_run(command: Event) -> bool:
    """Whether it would take a host down that is not off. Who switches on by a power cycle of a host that is off, ends nothing."""
    return text(command, "reset") in NEVER_DURING_ON | {TOGGLE} and text(command, "row") != "Off"


def _was_done(case: AskCase, request: Event) -> bool:
    """Whether the BMC did what a request asks for, as far as its answer says: a write that is refused changes nothing."""
    answer = case.window.answers.get(request.seq)
    if answer is None:
        return False
    status = answer.data.get("status")
    return 200 <= status < 300 if isinstance(status, int) else answer.data.get("completion_code") == 0
