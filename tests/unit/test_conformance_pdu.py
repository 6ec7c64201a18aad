"""Hosts at a PDU: what the fencer is told, and how the judge reads a journal in which outlets stand for the host."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conformance import capabilities
from conformance.expectations.claims import NeverClaims
from conformance.expectations.requests import ConfirmsOff, ReadsBeforeClaim
from conformance.givens.bmc import ON, host
from conformance.givens.fed_by import FedBy
from conformance.givens.given import PlannedRack
from conformance.play_scenario import handed, through
from conformance.seen import _last_words
from conformance.timeline import Timeline
from conformance.vocabulary import Ask, FindingKind, Verdict
from emulator import Emulator, EventKind
from emulator.core.faults.trigger import ClientRequest, Intent
from emulator.core.vocab import ResetType
from profiles import load
from tests.stories import Story, verdict_on

CORDS = FedBy(("A1", "B1"), off=("A1",))


class AtPdu(Story):
    """A story whose fencer is told the outlets A1 and B1 of "pdu"."""

    def start(self, ask: Ask = Ask.OFF, number: int = 0) -> AtPdu:
        self.say(EventKind.FENCER, what="start", ask=number, action=ask.value, system="1", outlets="pdu/A1 pdu/B1")
        return self

    def looks(self, **words: str) -> AtPdu:
        for outlet, word in words.items():
            asked = ClientRequest("redfish", "GET", f"/Outlets/{outlet}", outlet, None, Intent.POWER_READ)
            seq = self.say(EventKind.REQUEST, bmc="pdu", **asked.facts(asked.path, auth="basic", user="root"))
            self.say(EventKind.RESPONSE, seq, bmc="pdu", status=200)
            self.say(EventKind.LOOK, seq, bmc="pdu", system=outlet, view="system", word=word)
        return self

    def cuts(self, *outlets: str, status: int = 204) -> AtPdu:
        for outlet in outlets:
            path = f"/Outlets/{outlet}/Actions/Outlet.PowerControl"
            asked = ClientRequest("redfish", "POST", path, outlet, ResetType.FORCE_OFF, Intent.POWER_COMMAND)
            seq = self.say(EventKind.REQUEST, bmc="pdu", **asked.facts(path, auth="basic", user="root"))
            self.say(EventKind.COMMAND, seq, bmc="pdu", system=outlet, reset="ForceOff", row="On", status=status, effect="off")
            self.say(EventKind.RESPONSE, seq, bmc="pdu", status=status)
        return self


def test_both_outlets_off_and_the_host_is_down() -> None:
    story = AtPdu().start().looks(A1="On", B1="On").cuts("A1", "B1").falls().looks(A1="Off", B1="Off").later(1.5)
    verdict = verdict_on(story.looks(A1="Off", B1="Off").claim(), ReadsBeforeClaim(), ConfirmsOff())
    assert (verdict.verdict, verdict.notes) == (Verdict.PASS, ())


@pytest.mark.parametrize("last", [{"A1": "Off"}, {"A1": "Off", "B1": "On"}])
def test_one_outlet_does_not_confirm_the_host(last: dict[str, str]) -> None:
    story = AtPdu().start().cuts("A1", "B1").falls().looks(A1="Off", B1="Off").later(1.5).looks(**last).claim()
    assert [note.kind for note in verdict_on(story, ConfirmsOff()).notes] == [FindingKind.UNVERIFIED]


def test_a_claim_while_the_host_runs_on_the_other_cord_is_unsafe() -> None:
    story = AtPdu().start().looks(A1="On", B1="On").cuts("A1").looks(A1="Off").claim()
    verdict = verdict_on(story, NeverClaims())
    assert (verdict.verdict, verdict.kind) == (Verdict.UNSAFE, FindingKind.FALSE)


def test_who_asked_other_outlets_had_the_wrong_target() -> None:
    verdict = verdict_on(AtPdu().start().looks(C1="On").cuts("C1").looks(C1="Off").claim(), NeverClaims())
    assert (verdict.verdict, verdict.kind) == (Verdict.UNSAFE, FindingKind.WRONG_TARGET)


def test_a_neighbours_outlet_is_none_of_its_business() -> None:
    story = AtPdu().start().cuts("A1", "B1", "C1").falls().looks(A1="Off", B1="Off").claim()
    assert FindingKind.OVERREACH in {finding.kind for finding in verdict_on(story).findings}


def test_a_busy_outlet_does_not_hold_back_the_command_for_the_other_one() -> None:
    story = AtPdu().start().cuts("A1", status=503).cuts("B1").later(2.5).cuts("A1").falls().looks(A1="Off", B1="Off").claim()
    assert verdict_on(story).notes == ()
    hasty = AtPdu().start().cuts("A1", status=503).cuts("B1").later(0.5).cuts("A1").falls().looks(A1="Off", B1="Off").claim()
    assert [note.rule for note in verdict_on(hasty).notes] == ["G4"]


def test_what_outlets_said_last_is_the_word_that_is_not_off() -> None:
    story = AtPdu().start().looks(A1="On", B1="On").looks(A1="Off").claim()
    assert _last_words(Timeline(tuple(story.journal)).window(0)) == {"system": "On"}


# -- what is given ---------------------------------------------------------------------------------------------------------


def test_the_fencer_is_told_the_pdu_and_all_outlets_of_the_host() -> None:
    rack = PlannedRack(profile=load("dell-idrac9"), password="Zq7-0123456789ab")
    for given in (host(ON), CORDS, host(ON, name="neighbour"), FedBy(("A2",), "neighbour", listens=False)):
        rack = given.shape(rack)
    assert [unit.name for unit in rack.units] == ["target", "pdu", "neighbour"]
    assert rack.units[1].feeds == {"A1": ("target",), "B1": ("target",), "A2": ("neighbour",)}
    assert rack.silent == {"pdu"}
    assert [h.power for h in rack.units[1].hosts[:2]] == ["off", "on"]
    with Emulator(rack.units) as emulator:
        way = through((host(ON), CORDS), "target")
        told = handed((CORDS,), emulator.endpoints[way.unit], way.outlets)
        assert (told["bmc.outlets"], told["bmc.port"]) == ("A1,B1", str(emulator.endpoints["pdu"].redfish_port))
        assert told["bmc.password"] == "Zq7-0123456789ab"
    assert through((host(ON), CORDS), "neighbour").unit == "neighbour"
    assert through((replace(CORDS, told=("A1", "Z9")),), "target").outlets == ("A1", "Z9")


def test_who_cannot_be_told_outlets_has_no_part_in_it() -> None:
    assert CORDS.told_by == {"bmc.outlets"}
    assert CORDS.sentence == "target: hangs on the outlets A1 (off), B1 (on) of pdu"
    assert capabilities.slip("pdu") is None
