"""What FenceAgentAPI wants: how input is written, exit codes, silence towards the BMC, metadata, a word of warning."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from conformance import fencers
from conformance.adapters.agent import AgentAdapter
from conformance.adapters.base import Invocation
from conformance.agent_input import PLAIN, AgentInput
from conformance.expectations.agent import DescribesItself, ExitsWith, NoTraffic, Warns
from conformance.expectations.agent_metadata import problems_of
from conformance.explanations import explain
from conformance.vocabulary import Ask, Claim, Level, Protocol, Verdict
from fencer.metadata import metadata
from tests.stories import Story, verdict_on

VALUES: Mapping[str, str] = {"bmc.host": "192.0.2.1", "bmc.user": "root", "bmc.password": "s3cret-word", "bmc.insecure": "1"}
ADAPTER = AgentAdapter(
    folder=Path("/"),
    built_in=False,
    command=("agent",),
    params={"ip": "{bmc.host}", "user_name": "{bmc.user}", "passwd": "{bmc.password}", "ssl_insecure": "{bmc.insecure}"},
    switches=frozenset({"ssl_insecure"}),
)
GOOD = metadata()


def written(tmp_path: Path, wanted: AgentInput) -> tuple[tuple[str, ...], str, Mapping[str, str]]:
    stop = threading.Event()
    asked = Invocation(
        ask=Ask.STATUS, protocol=Protocol.REDFISH, bmc=VALUES, cap=1, scratch=tmp_path, watch=tmp_path, stop=stop,
        on_end=stop.clear, input=wanted,
    )  # fmt: skip
    call = ADAPTER.call(asked)
    return call.line[1:], call.stdin, call.env


def test_parameters_are_lines_on_standard_input(tmp_path: Path) -> None:
    options, text, env = written(tmp_path, PLAIN)
    assert (options, env) == ((), {})
    assert text == "action=status\nip=192.0.2.1\nuser_name=root\npasswd=s3cret-word\nssl_insecure=1\n"


def test_other_lines_stand_before_and_after_and_the_action_may_be_another(tmp_path: Path) -> None:
    _, text, _ = written(tmp_path, AgentInput(action="explode", before=("# x", ""), after=("y=1",)))
    lines = text.split("\n")
    assert lines[:3] == ["# x", "", "action=explode"]
    assert lines[-2:] == ["y=1", ""]


def test_options_have_no_password_but_a_script_that_prints_it(tmp_path: Path) -> None:
    options, text, env = written(tmp_path, AgentInput(as_options=True))
    script = tmp_path / "password-script"
    assert options == (
        "--action=status", f"--password-script={script}", "--ip=192.0.2.1", "--user-name=root", "--ssl-insecure",
    )  # fmt: skip
    assert text == ""
    assert "s3cret-word" in env.values()
    assert "s3cret-word" not in script.read_text()


def test_the_suites_own_fencers_name_their_switches() -> None:
    way = fencers.load("fence_bmc").ways[Protocol.REDFISH]
    assert isinstance(way, AgentAdapter)
    assert way.switches == {"ssl_insecure"}
    assert way.switches <= set(way.params)


def test_what_is_unusual_about_input_has_words() -> None:
    assert PLAIN.sentence == ""
    wanted = AgentInput(action="explode", before=("#x",), as_options=True)
    assert wanted.sentence == "with the action explode, the line '#x', options of the command line"
    told = "\n".join(explain("AGENT-004"))
    assert "status of target (with the action explode)" in told
    assert "(the fencer is given no password)" in told
    assert "at the same time (1)" in "\n".join(explain("IPMI-006"))


# -- exit codes and traffic --------------------------------------------------------------------------------------------------


def test_another_exit_code_is_misleading_or_noted() -> None:
    story = Story().start(Ask.STATUS).read().claim()
    assert verdict_on(story, ExitsWith(0), claim=Claim.ON, ask=Ask.STATUS).verdict is Verdict.PASS
    judgement = verdict_on(story, ExitsWith(1), claim=Claim.ON, ask=Ask.STATUS)
    assert (judgement.verdict, judgement.why) == (Verdict.MISLEADING, "exit 0; it said nothing")
    assert len(verdict_on(story, ExitsWith(1, Level.SHOULD), claim=Claim.ON, ask=Ask.STATUS).notes) == 1
    hung = verdict_on(story, ExitsWith(1), claim=Claim.NONE, ask=Ask.STATUS, timed_out=True)
    assert hung.verdict is Verdict.HANG
    assert [ExitsWith(1).met_by_failing, ExitsWith(0).met_by_failing] == [True, False]
    assert ExitsWith(1, Level.SHOULD).phrase() == "exits 1 (SHOULD)"


def test_whoever_asks_a_bmc_where_nothing_is_to_be_asked_is_noticed() -> None:
    silent = Story().start(Ask.METADATA).claim()
    assert verdict_on(silent, NoTraffic(), claim=Claim.OK, ask=Ask.METADATA).verdict is Verdict.PASS
    asked = Story().start(Ask.METADATA).read().claim()
    judgement = verdict_on(asked, NoTraffic(), claim=Claim.OK, ask=Ask.METADATA)
    assert (judgement.verdict, judgement.why) == (Verdict.HYGIENE, "asked target 1 times")
    refused = Story().start(Ask.STATUS).refused_login().claim()
    assert verdict_on(refused, NoTraffic(), claim=Claim.FAILED, ask=Ask.STATUS, stderr="x").verdict is Verdict.HYGIENE
    assert NoTraffic().met_by_failing
    assert NoTraffic().phrase() == "sends nothing to any BMC"


def test_a_success_in_parts_needs_a_word() -> None:
    story = Story("down").start(Ask.REBOOT).read(told="Off").claim()
    quiet = verdict_on(story, Warns(), claim=Claim.REBOOTED, ask=Ask.REBOOT)
    assert (quiet.verdict, "said nothing of it" in quiet.why) == (Verdict.MISLEADING, True)
    assert verdict_on(story, Warns(), claim=Claim.REBOOTED, ask=Ask.REBOOT, stderr="still off").verdict is Verdict.PASS
    assert verdict_on(story, Warns(), claim=Claim.FAILED, ask=Ask.REBOOT, stdout="x").verdict is Verdict.PASS
    assert "standard error" in Warns().phrase()


# -- metadata ----------------------------------------------------------------------------------------------------------------


def test_metadata_that_is_in_order_passes_and_a_failure_is_not_about_metadata() -> None:
    story = Story().start(Ask.METADATA).claim()
    assert verdict_on(story, DescribesItself(), claim=Claim.OK, ask=Ask.METADATA, stdout=GOOD).verdict is Verdict.PASS
    assert verdict_on(story, DescribesItself(), claim=Claim.FAILED, ask=Ask.METADATA, stderr="x").verdict is Verdict.PASS
    assert "metadata" in DescribesItself().phrase()


def test_the_first_three_faults_of_metadata_are_told() -> None:
    story = Story().start(Ask.METADATA).claim()
    judgement = verdict_on(story, DescribesItself(), claim=Claim.OK, ask=Ask.METADATA, stdout="<resource-agent/>")
    assert judgement.verdict is Verdict.MISLEADING
    assert judgement.why.endswith("more")
    one = verdict_on(story, DescribesItself(), claim=Claim.OK, ask=Ask.METADATA, stdout="nothing")
    assert "not well-formed" in one.why


@pytest.mark.parametrize(
    ("old", "new", "wrong"),
    [
        ("</actions>", "", "not well-formed XML"),
        ("<resource-agent ", "<agent ", "not well-formed XML"),
        ('name="fence_bmc" ', "", "<resource-agent> has no name"),
        ("<?xml", "<!DOCTYPE x><?xml", "document type"),
        ('<action name="monitor" />', "", "the action monitor is not listed"),
        ('<action name="off" />', "<action />", "<action> has no name"),
        ('unique="0"', "", "<parameter> has no unique"),
        ('unique="0"', 'unique="no"', "unique='no' of <parameter> is neither 0 nor 1"),
        ('type="boolean"', 'type="flag"', "content type 'flag'"),
        ('type="boolean"', "", "<content> of the parameter"),
        ('<shortdesc lang="en">', "<shortdesc>", "<shortdesc> of the parameter"),
        ('<option value="onoff" />', "<option />", "<option> of the parameter 'method' has no value"),
        ("longdesc", "prose", "<resource-agent> has no <longdesc>"),
        ("getopt", "option", "no <getopt>"),
        ("<content", "<contents", "not well-formed XML"),
    ],
)
def test_each_fault_of_metadata_has_a_sentence(old: str, new: str, wrong: str) -> None:
    assert problems_of(GOOD) == ()
    assert old in GOOD
    found = problems_of(GOOD.replace(old, new))
    assert any(wrong in sentence for sentence in found), found


def test_metadata_of_another_kind() -> None:
    assert problems_of("<agent/>") == ("its root is <agent>, not <resource-agent>",)
    assert problems_of("x" * 256_000) == ("it has 256000 characters or more",)
    assert problems_of("\x00") != ()
    empty = GOOD[: GOOD.index("<parameters>")] + "<parameters/>" + GOOD[GOOD.index("<actions>") :]
    assert problems_of(empty) == ("it has no parameter",)
    bare = empty.replace("<parameters/>", '<parameters><parameter name="a" unique="0" required="0"/></parameters>')
    assert [sentence.split(" of ")[0] for sentence in problems_of(bare)] == ["no <getopt>", "no <content>", "no <shortdesc>"]


def test_an_adapter_below_over_keeps_the_switches() -> None:
    ipmi = fencers.load("fence_bmc").ways[Protocol.IPMI]
    assert isinstance(ipmi, AgentAdapter)
    assert ipmi.switches == {"ssl_insecure"}
    assert replace(ADAPTER, switches=frozenset()).switches == frozenset()
