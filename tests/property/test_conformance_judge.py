"""Whatever happens in a rack, the judge keeps to its rules."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from conformance import requirement as req
from conformance.expectations.causes import names_cause
from conformance.expectations.claims import Claims, Refuses
from conformance.expectations.requests import AtMostCommands, Forces, ReadsBeforeClaim
from conformance.givens.given import FaultFacts
from conformance.judge import Trial, judge
from conformance.outcome import FencerOutcome
from conformance.scenario import AskStep
from conformance.vocabulary import Ask, Cause, Claim, Level, Verdict
from emulator.core.journal import Datum, Event, EventKind

RAILS = ("up", "down", "unknown")
HAPPENING = st.one_of(
    st.tuples(st.just("rail"), st.sampled_from(("1", "2")), st.sampled_from(RAILS)),
    st.tuples(st.just("read"), st.sampled_from(("1", "2")), st.just("")),
    st.tuples(
        st.just("command"),
        st.sampled_from(("1", "2")),
        st.sampled_from(("ForceOff", "On", "GracefulShutdown", "PushPowerButton")),
    ),
    st.tuples(st.just("login"), st.just(""), st.sampled_from(("ok", "bad"))),
)
WORDS = st.lists(
    st.sampled_from((Claims(), Refuses(), ReadsBeforeClaim(), AtMostCommands(1), Forces(), names_cause(Cause.AUTH))), max_size=4
)


def journal(initial: str, happenings: list[tuple[str, str, str]], claim_after: int) -> tuple[Event, ...]:
    events: list[Event] = []

    def add(kind: EventKind, **data: object) -> None:
        events.append(Event(len(events) + 1, float(len(events)), "target", kind, None, data))  # type: ignore[arg-type]

    for system, rail in (("1", initial), ("2", "down")):
        add(EventKind.RAIL, system=system, host=system, rail=rail, os="stopped", incarnation=1, was="initial")
    add(EventKind.FENCER, what="start", ask=0, action="off", system="1")
    for number, (what, system, word) in enumerate([*happenings, ("end", "", "")]):
        if number == min(claim_after, len(happenings)):
            add(EventKind.FENCER, what="claim", ask=0)
        match what:
            case "rail":
                add(EventKind.RAIL, system=system, host=system, rail=word, os="stopped", incarnation=number + 2, was="x")
            case "read":
                add(EventKind.REQUEST, method="GET", path="/", system=system, intent="power-read")
                told: dict[str, Datum] = {"system": system, "view": "system", "word": "On"}
                events.append(Event(len(events) + 1, float(len(events)), "target", EventKind.LOOK, len(events), told))
            case "command":
                add(EventKind.REQUEST, method="POST", path="/", system=system, intent="power-command")
                add(EventKind.COMMAND, system=system, reset=word, row="On")
            case "login":
                add(EventKind.AUTH, result=word, user=None, via="redfish")
    return tuple(events)


@given(
    st.sampled_from(RAILS),
    st.lists(HAPPENING, max_size=12),
    st.integers(0, 12),
    st.sampled_from((Claim.OFF, Claim.FAILED)),
    WORDS,
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
def test_the_judge_keeps_to_its_rules(
    initial: str,
    happenings: list[tuple[str, str, str]],
    claim_after: int,
    claim: Claim,
    words: list[object],
    late: bool,
    unfired: bool,
    must_fire: bool,
) -> None:
    events = journal(initial, happenings, claim_after)
    outcome = FencerOutcome(
        ask=Ask.OFF,
        claim=Claim.NONE if late else claim,
        exit=None if late else int(claim is Claim.FAILED),
        timed_out=late,
        duration=3.0,
    )
    judgement = judge(
        Trial(
            requirement=req.SAFE_CLAIM,
            steps=(AskStep(Ask.OFF, tuple(words)),),
            outcomes=(outcome,),
            events=events,
            deadline=15.0,  # type: ignore[arg-type]
            faults=(FaultFacts(sentence="a fault", bmc="target", must_fire=must_fire, fired=0),) if unfired else (),
        )
    )
    stamp = next(e.seq for e in events if e.kind is EventKind.FENCER and e.data["what"] == "claim")
    rail = [e.data["rail"] for e in events if e.kind is EventKind.RAIL and e.data["system"] == "1" and e.seq < stamp][-1]
    claimed = claim is Claim.OFF and not late
    assert any(f.rule == "G1" for f in judgement.findings) == (claimed and rail != "down")
    assert all(f.level is Level.MUST for f in judgement.findings)
    assert all(note.level is Level.SHOULD for note in judgement.notes)
    assert [f.verdict.severity for f in judgement.findings] == sorted(f.verdict.severity for f in judgement.findings)
    if claimed and rail != "down":
        assert judgement.verdict is Verdict.UNSAFE
    if late:
        assert judgement.verdict in (Verdict.UNSAFE, Verdict.HANG)
    commanded = any(e.kind is EventKind.COMMAND for e in events)
    if unfired and (must_fire or commanded):
        assert judgement.verdict not in (Verdict.PASS, Verdict.MISLEADING)
    assert bool(judgement.findings) == (judgement.verdict not in (Verdict.PASS, Verdict.ERROR, Verdict.NA))
    if judgement.verdict in (Verdict.ERROR, Verdict.NA):
        assert judgement.verdict is (Verdict.ERROR if claimed else Verdict.NA)
