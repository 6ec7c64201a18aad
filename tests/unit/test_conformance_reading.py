"""Fencer files: what they mean, and that every mistake is named with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance import fencers
from conformance.adapters.placeholders import fill, fill_all, fill_map
from conformance.adapters.reading import FencerFileError, read
from conformance.vocabulary import Ask, Cause, Claim, Protocol

AGENT = """
fencer: mine
adapter: fence-agent
command: [my-agent]
params: {ip: "{bmc.host}", ipport: "{bmc.port}", systems_uri: "{bmc.system_uri}"}
"""


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    return file


def mistakes(tmp_path: Path, text: str) -> str:
    with pytest.raises(FencerFileError) as caught:
        read(written(tmp_path, text))
    return str(caught.value)


def test_an_agent_can_be_asked_for_everything_where_it_lists_no_capabilities(tmp_path: Path) -> None:
    mine = read(written(tmp_path, AGENT))
    assert mine.asks == frozenset(Ask) - {Ask.WATCH}, "a manager is asked to watch, an agent is not"
    assert set(mine.ways) == {Protocol.REDFISH}
    assert (mine.deadline, mine.cap) == (60.0, 75.0)


def test_the_cap_is_the_deadline_and_a_quarter_but_five_seconds_at_least(tmp_path: Path) -> None:
    assert read(written(tmp_path, AGENT + "limits: {deadline: 15}")).cap == 20.0
    assert read(written(tmp_path, AGENT + "limits: {deadline: 40}")).cap == 50.0


def test_the_capabilities_bound_what_it_is_asked_for(tmp_path: Path) -> None:
    mine = read(written(tmp_path, AGENT + 'capabilities: ["off", status, basic-auth]'))
    assert mine.asks == {Ask.OFF, Ask.STATUS}


def test_capabilities_that_name_no_action_leave_all_actions(tmp_path: Path) -> None:
    mine = read(written(tmp_path, AGENT + "capabilities: [ipmi, redfish]"))
    assert mine.asks == frozenset(Ask) - {Ask.WATCH}
    assert set(mine.ways) == {Protocol.IPMI, Protocol.REDFISH}


def test_over_changes_parameters_for_one_protocol_and_null_takes_one_away(tmp_path: Path) -> None:
    over = 'over: {ipmi: {params: {lanplus: "1", ipport: "{bmc.ipmi_port}", systems_uri: null}}}'
    mine = read(written(tmp_path, AGENT + over))
    assert dict(mine.ways[Protocol.IPMI].params) == {"ip": "{bmc.host}", "ipport": "{bmc.ipmi_port}", "lanplus": "1"}
    assert "lanplus" not in mine.ways[Protocol.REDFISH].params


def test_the_protocol_is_seen_from_the_placeholders(tmp_path: Path) -> None:
    mine = read(written(tmp_path, 'fencer: a\nadapter: fence-agent\ncommand: [x]\nparams: {ipport: "{bmc.ipmi_port}"}'))
    assert set(mine.ways) == {Protocol.IPMI}


def test_what_has_no_value_in_a_scenario_is_left_out() -> None:
    values = {"bmc.host": "127.0.0.1", "bmc.system_uri": ""}
    assert fill("{bmc.host}!", values) == "127.0.0.1!"
    assert fill("{bmc.system_uri}", values) is None
    assert fill_all(["x", ("--system", "{bmc.system_uri}"), "{bmc.system_uri}", ("-H", "{bmc.host}")], values) == (
        "x", "-H", "127.0.0.1",
    )  # fmt: skip
    assert fill_map({"ip": "{bmc.host}", "systems_uri": "{bmc.system_uri}"}, values) == {"ip": "127.0.0.1"}


def test_signs_tell_claims_apart(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        """
fencer: tool
adapter: exec
actions:
  status: {argv: [tool, "{bmc.url}"], claims: {"on": {stdout: is on}, "off": {stdout: is off, exit: [0, 3]}}}
  "off": {argv: [tool, "{bmc.url}"], claim: {exit: 0, stderr: "^$"}}
""",
    )
    mine = read(file)
    assert mine.asks == {Ask.OFF, Ask.STATUS}
    actions = mine.ways[Protocol.REDFISH].actions
    on, off = dict(actions[Ask.STATUS].signs)[Claim.ON], dict(actions[Ask.STATUS].signs)[Claim.OFF]
    assert on.fits(7, "power is on", "")
    assert off.fits(3, "power is off", "")
    assert not off.fits(1, "power is off", "")
    assert not dict(actions[Ask.OFF].signs)[Claim.OFF].fits(0, "", "oops")


def test_numbers_keep_the_digits_that_were_typed(tmp_path: Path) -> None:
    mine = read(written(tmp_path, AGENT.replace("{ip:", "{cipher: 017, version: 6.10, ip:")))
    assert mine.ways[Protocol.REDFISH].params["cipher"] == "017"
    assert mine.ways[Protocol.REDFISH].params["version"] == "6.10"


def test_a_function_per_action_is_what_a_python_fencer_can_be_asked_for(tmp_path: Path) -> None:
    mine = read(written(tmp_path, "fencer: a\nadapter: python\nactions: {off: 'box:Driver.off', status: 'box:state'}"))
    assert mine.asks == {Ask.OFF, Ask.STATUS}
    assert mine.ways[Protocol.REDFISH].functions == {Ask.OFF: "box:Driver.off", Ask.STATUS: "box:state"}


def test_a_function_for_one_action_stands_beside_one_for_all_others(tmp_path: Path) -> None:
    mine = read(written(tmp_path, "fencer: a\nadapter: python\ncommand: box:fence\nactions: {status: 'box:state'}"))
    assert mine.asks == set(Ask) - {Ask.WATCH}


def test_capabilities_that_the_suite_does_not_know_are_the_fencers_own_affair(tmp_path: Path) -> None:
    mine = read(written(tmp_path, AGENT + "capabilities: [off, on, wake-on-lan, redfish]"))
    assert mine.asks == {Ask.OFF, Ask.ON}


def test_what_a_fencer_needs_stands_behind_what_is_missing(tmp_path: Path) -> None:
    mine = read(written(tmp_path, AGENT.replace("[my-agent]", "[no-such-agent]") + 'needs: "my-agent (pip install my-agent)"'))
    assert mine.lack(Protocol.REDFISH) == "no-such-agent is not installed; mine needs my-agent (pip install my-agent)"


def test_a_program_that_a_function_starts_is_missing_like_any_other(tmp_path: Path) -> None:
    (tmp_path / "box.py").touch()
    mine = read(written(tmp_path, "fencer: mine\nadapter: python\ncommand: box:fence\nprograms: [sh, no-such-tool]"))
    assert mine.lack(Protocol.REDFISH) == "no-such-tool is not installed"
    assert (
        read(written(tmp_path, "fencer: mine\nadapter: python\ncommand: box:fence\nprograms: [sh]")).lack(Protocol.REDFISH)
        is None
    )


def test_causes_become_patterns(tmp_path: Path) -> None:
    mine = read(written(tmp_path, AGENT + "causes: {auth: 'RAKP|401'}"))
    assert mine.causes is not None
    assert mine.causes[Cause.AUTH].search("HTTP 401")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("adapter: fence-agent", "fencer: missing"),
        (AGENT + "paramz: {}", ":6:1: paramz: no such key; did you mean 'params'?"),
        (AGENT.replace("fence-agent", "fence-agnt"), "adapter: no such adapter; did you mean 'fence-agent'?"),
        (AGENT.replace("{bmc.host}", "{bmc.hots}"), "params.ip: no such placeholder {bmc.hots}"),
        (AGENT + "limits: {deadline: 0}", "limits.deadline: must be a number of seconds"),
        (AGENT + "limits: {dedline: 5}", "did you mean 'deadline'?"),
        (AGENT + "capabilities: [offf]", "capabilities[0]: no such capability"),
        (AGENT + "capabilities: [3]", "capabilities[0]: no such capability"),
        (AGENT + "capabilities: off", "capabilities: must be a list"),
        (AGENT + "causes: {autth: x}", "causes.autth: no such cause; did you mean 'auth'?"),
        (AGENT + "causes: {auth: '('}", "causes.auth: not a regular expression"),
        (AGENT + "over: {http: {}}", "over.http: no such protocol"),
        (AGENT + "over: {ipmi: 3}", "over.ipmi: must be a map"),
        (AGENT.replace("command: [my-agent]", ""), "command: missing"),
        (AGENT.replace("[my-agent]", "[]"), "command: must be a list of arguments"),
        (AGENT.replace("{ip:", "{flag: true, ip:"), "params.flag: must be text: quote it"),
        ("fencer: a\nadapter: fence-agent\ncommand: [x]\nparams: {ip: '{bmc.host}'}", "names no port"),
        ("fencer: a\nadapter: exec\ncommand: [x]", "actions: missing"),
        (
            "fencer: a\nadapter: exec\ncommand: [x]",
            ":3:1: command: the adapter exec does not read it, only fence-agent, container, python, python-transport",
        ),
        ("fencer: a\nadapter: python\ncommand: a:b\nover: {ipmi: {recorders: {}}}", "over.ipmi.recorders: no such key"),
        ("fencer: a\nadapter: exec\nactions: {explode: {argv: ['{bmc.url}']}}", "actions.explode: no such action"),
        ("fencer: a\nadapter: exec\nactions: {off: 3}", "actions.off: must be a map with argv"),
        ("fencer: a\nadapter: exec\nactions: {off: {claim: {exit: 0}}}", "actions.off.argv: missing"),
        ("fencer: a\nadapter: exec\nactions: {off: {argv: ['{bmc.url}'], claim: {exit: zero}}}", "must be a number"),
        ("fencer: a\nadapter: exec\nactions: {off: {argv: ['{bmc.url}'], claim: 0}}", "must be a map of exit"),
        ("fencer: a\nadapter: exec\nactions: {off: {argv: ['{bmc.url}'], claims: {gone: {}}}}", "no such claim"),
        ("fencer: a\nadapter: exec\nactions: {status: {argv: ['{bmc.url}'], claim: {exit: 0}}}", "status has two answers"),
        ("fencer: a\nadapter: exec\nactions: {status: {argv: ['{bmc.url}']}}", "by what are on and off told apart"),
        ("fencer: a\nadapter: python", "command: missing"),
        ("fencer: a\nadapter: python\ncommand: fence", "command: must name a function as module:function"),
        ("fencer: a\nadapter: python\nactions: {off: fence}", "actions.off: must name a function as module:function"),
        ("fencer: a\nadapter: python\nactions: {off: {argv: [x]}}", "actions.off: must name a function"),
        ("[a, b]", "a fencer file is a map"),
        ("a: [", ":"),
        ("", "empty"),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path: Path, text: str, wanted: str) -> None:
    said = mistakes(tmp_path, text)
    assert wanted in said
    assert str(tmp_path / "mine.yaml") in said


def test_all_mistakes_come_at_once(tmp_path: Path) -> None:
    assert len(mistakes(tmp_path, AGENT + "limits: {deadline: -1}\ncauses: {autth: x}\nfoo: 1").splitlines()) == 3


def test_a_file_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(FencerFileError, match=r"none\.yaml: cannot be read: No such file"):
        read(tmp_path / "none.yaml")


@pytest.mark.parametrize("name", fencers.names())
def test_every_built_in_fencer_can_be_read(name: str) -> None:
    definition = fencers.load(name)
    assert definition.name == name
    assert definition.label == name
    assert definition.deadline <= 40
    assert definition.needs, "the list of fencers says what each needs"


def test_the_list_of_fencers_says_what_each_needs() -> None:
    lines = fencers.described()
    assert len(lines) == len(fencers.names())
    assert any(line.split() == ["ipmitool", "needs", "ipmitool", "(Debian:", "apt-get", "install", "ipmitool)"] for line in lines)


def test_the_reference_speaks_both_protocols_and_promises_fifteen_seconds() -> None:
    reference = fencers.load("fence_bmc")
    assert set(reference.ways) == set(Protocol)
    assert reference.deadline == 15


def test_an_unknown_fencer_gets_a_hint() -> None:
    with pytest.raises(fencers.UnknownFencer, match="did you mean 'ipmitool'"):
        fencers.load("ipmitol")
