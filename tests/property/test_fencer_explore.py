"""The fence procedure against every answer of an adversarial BMC, and the same with one guard removed at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from fencer import failure_text, identity, procedure, proof, witnesses
from fencer.events_effects import CommandAnswered, Finish, ProcedureEvent, Read, ReadFailed, ReadOk, TimerFired
from fencer.outcome import Action, Cause, Evidence, FenceVerdict, Power, Reading, Witness, WitnessState
from fencer.procedure_state import EventMeaning, ProcedurePhase, ProcedureState
from fencer.target import Limits
from tests.effort import NIGHTLY
from tests.fence_explorer import LIMITS, MANY_COMMANDS, READS, Adversary, Answer, explore
from tests.fencer_bmc import trouble

pytestmark = pytest.mark.long


NAMELESS = tuple(replace(answer, missing=True, uuid=None) for answer in READS)


@pytest.fixture(autouse=True)
def round_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(procedure, "CLOCK_MARGIN_S", 0.0)


def test_no_order_of_answers_leads_to_a_false_claim() -> None:
    situations, trail = explore(Adversary())
    assert trail is None, " > ".join(trail)
    assert situations > 5_000


def test_no_answer_to_a_command_leads_to_a_false_claim() -> None:
    situations, trail = explore(MANY_COMMANDS, replace(LIMITS, deadline=2.5 if NIGHTLY else 2.0))
    assert trail is None, " > ".join(trail)
    assert situations > 5_000


def test_a_required_identity_that_is_never_shown_leads_to_no_claim() -> None:
    """Here the machine that answers is another one, and it may be off for as long as it likes."""
    _, trail = explore(Adversary(NAMELESS, honest_time=False))
    assert trail is None, " > ".join(trail)


def test_a_lie_of_all_views_that_lasts_longer_than_the_proof_is_believed() -> None:
    """The one way that is left; it shows that the exploration reaches a claim at all."""
    _, trail = explore(Adversary(honest_time=False))
    assert trail is not None


# --- one guard removed at a time --------------------------------------------------------------------------------------

Mutation = Callable[[pytest.MonkeyPatch], None]


def _proof(reads: int | None = None, span: float | None = None) -> Mutation:
    def mutate(patch: pytest.MonkeyPatch) -> None:
        if reads is not None:
            patch.setattr(proof, "reads_needed", lambda shaken: reads)
        if span is not None:
            patch.setattr(proof, "span_needed", lambda stable_for, shaken: span * stable_for)

    return mutate


def _kept_proof(meaning: EventMeaning) -> Mutation:
    """A reading of that meaning does not end the series."""

    def mutate(patch: pytest.MonkeyPatch) -> None:
        key = (ProcedurePhase.READING, meaning)
        handler = procedure.STEPS[key]

        def keep(state: ProcedureState, event: object, now: float) -> procedure.ProcedureStep:
            after, effect = handler(state, event, now)  # type: ignore[arg-type]
            return replace(after, proof=state.proof), effect

        patch.setattr(procedure, "STEPS", {**procedure.STEPS, key: keep})

    return mutate


def _claim_on_accepted(patch: pytest.MonkeyPatch) -> None:
    def claim(state: ProcedureState, event: object, now: float) -> procedure.ProcedureStep:
        evidence = Evidence(readings=state.readings, chassis_check="ok", how="powered-off")
        return procedure._finish(state, FenceVerdict.CONFIRMED, evidence, None)

    patch.setattr(procedure, "STEPS", {**procedure.STEPS, (ProcedurePhase.SENDING, EventMeaning.ACCEPTED): claim})


def _all_failures_are_missed_reads(patch: pytest.MonkeyPatch) -> None:
    record = procedure.record_event

    def missed(state: ProcedureState, event: ProcedureEvent) -> ProcedureState:
        return record(state, replace(event, contradicts=False) if isinstance(event, ReadFailed) else event)

    patch.setattr(procedure, "record_event", missed)


def _no_memory(patch: pytest.MonkeyPatch) -> None:
    judged = witnesses.judged
    patch.setattr(witnesses, "judged", lambda reading, memory: judged(reading, witnesses.WitnessMemory()))


def _without(state: WitnessState) -> Mutation:
    """A chassis in that state is not listened to."""

    def mutate(patch: pytest.MonkeyPatch) -> None:
        contradiction = witnesses.contradiction

        def deaf(asked: tuple[Witness, ...], memory: witnesses.WitnessMemory) -> Witness | None:
            agreed = tuple(replace(w, state=WitnessState.SAYS, word="Off") if w.state is state else w for w in asked)
            return contradiction(agreed, memory)

        patch.setattr(witnesses, "contradiction", deaf)

    return mutate


def _vanished_is_consent(patch: pytest.MonkeyPatch) -> None:
    contradiction = witnesses.contradiction
    patch.setattr(
        witnesses,
        "contradiction",
        lambda asked, memory: contradiction(asked, replace(memory, known=frozenset(w.uri for w in asked))),
    )


def _not_shaken_by(kind: type[ProcedureEvent]) -> Mutation:
    """Trouble of that kind does not lengthen the proof."""

    def mutate(patch: pytest.MonkeyPatch) -> None:
        record = procedure.record_event

        def calm(state: ProcedureState, event: ProcedureEvent) -> ProcedureState:
            after = record(state, event)
            return replace(after, shaken=state.shaken) if isinstance(event, kind) else after

        patch.setattr(procedure, "record_event", calm)

    return mutate


GUARDS: dict[str, Mutation] = {
    "two reads": _proof(reads=1, span=0.0),
    "reads apart": _proof(span=0.0),
    "a longer proof after trouble": _proof(span=1.0),
    "a lost read lengthens the proof": _not_shaken_by(ReadFailed),
    "a repeated request lengthens the proof": _not_shaken_by(ReadOk),
    "On ends the series": _kept_proof(EventMeaning.OPPOSITE),
    "an unusable reading ends the series": _kept_proof(EventMeaning.UNUSABLE),
    "an answer about something else ends the series": _all_failures_are_missed_reads,
    "only reads prove": _claim_on_accepted,
    "exactly Off": lambda patch: patch.setattr(
        witnesses, "judged", lambda reading, memory: replace(reading, power=Power.ON if reading.word == "On" else Power.OFF)
    ),
    "a chassis that says On contradicts": _without(WitnessState.SAYS),
    "an unknown chassis contradicts": _without(WitnessState.UNKNOWN),
    "a chassis that fell silent contradicts": _without(WitnessState.SILENT),
    "a chassis that is shared from now on contradicts": _without(WitnessState.SHARED),
    "a vanished chassis contradicts": _vanished_is_consent,
    "chassis are remembered": _no_memory,
    "a chassis that speaks for the first time begins a new series": lambda patch: patch.setattr(
        witnesses, "has_newcomer", lambda reading, memory: False
    ),
    "one machine": lambda patch: patch.setattr(identity, "other", lambda pinned, shown: None),
}


@pytest.mark.long
@pytest.mark.parametrize("guard", GUARDS)
def test_every_guard_is_needed(guard: str, monkeypatch: pytest.MonkeyPatch) -> None:
    GUARDS[guard](monkeypatch)
    _, trail = explore(Adversary())
    assert trail is not None, f"nothing notices that this guard is gone: {guard}"


def test_a_lost_command_lengthens_the_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    _not_shaken_by(CommandAnswered)(monkeypatch)
    _, trail = explore(MANY_COMMANDS, replace(LIMITS, deadline=2.5))
    assert trail is not None


def test_the_identity_guard_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    record = procedure.record_event
    monkeypatch.setattr(procedure, "record_event", lambda state, event: replace(record(state, event), identity_shown=True))
    _, trail = explore(Adversary(NAMELESS, honest_time=False))
    assert trail is not None


# --- not stuck ----------------------------------------------------------------------------------------------------------

TROUBLES = tuple(ReadFailed(trouble(cause)) for cause in Cause)
FAULTS = 2


def test_a_host_that_is_off_is_confirmed_whatever_two_reads_bring() -> None:
    """Every place and class of two failures in a run of 15 s."""
    limits = Limits(deadline=15.0)
    state, effect = procedure.begin(Action.OFF, limits, 0.0)
    waiting = [(state, effect, 0.0, FAULTS)]
    ends = 0
    while waiting:
        state, effect, now, left = waiting.pop()
        if isinstance(effect, Finish):
            ends += 1
            assert effect.outcome.verdict is FenceVerdict.CONFIRMED, effect.outcome.failure
            assert effect.outcome.commands_sent == 0
            continue
        assert now < limits.deadline
        if isinstance(effect, Read):
            off = Answer("off", "Off", (WitnessState.SAYS, "Off"))
            waiting.append((*procedure.step(state, off.event(now), now + 0.05), now + 0.05, left))
            if left:
                waiting += [(*procedure.step(state, failed, now + 0.05), now + 0.05, left - 1) for failed in TROUBLES]
        else:
            now += effect.seconds  # type: ignore[union-attr]
            waiting.append((*procedure.step(state, TimerFired(), now), now, left))
    assert ends > len(TROUBLES) ** 2


def test_the_words_of_a_failure_do_not_contradict_themselves() -> None:
    """The last reading was Off, and the proof was not complete at the deadline."""
    state, _ = procedure.begin(Action.OFF, Limits(deadline=15.0), 0.0)
    off = Reading(power=Power.OFF, word="Off", at=14.0, path="redfish")
    state = replace(state, accepted=None, readings=(off,), proof=(off,))
    text = failure_text.deadline_passed(state, 15.0).text
    assert text == "Off was read 1 time without a break over 0 s before the end of 15 s; a proof needs 2 reads over 1 s"
