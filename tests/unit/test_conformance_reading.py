"""Fencer files: what they mean, and that every mistake is named with its place."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

import pytest

from conformance import fencers
from conformance.adapters.base import Adapter, Invocation
from conformance.adapters.checked_files import FILE
from conformance.adapters.placeholders import Item, fill, fill_all, fill_map
from conformance.adapters.reading import FencerFileError, read
from conformance.adapters.registry import REGISTRY
from conformance.adapters.section import Section
from conformance.outcome import FencerOutcome
from conformance.vocabulary import Ask, Cause, Claim, Protocol
from tests.commands import ROOT
from tools.note_checked_fencers import digests

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
        ("adapter: fence-agent", "'fencer' is missing"),
        (AGENT + "paramz: {}", ":6:1: paramz: unknown key; did you mean 'params'?; known here: fencer,"),
        (AGENT.replace("fence-agent", "fence-agnt"), "adapter: no such adapter; did you mean 'fence-agent'?"),
        (AGENT.replace("{bmc.host}", "{bmc.hots}"), "params.ip: no such placeholder {bmc.hots}"),
        (AGENT + "limits: {deadline: 0}", "limits.deadline: must be a number of seconds"),
        (AGENT + "limits: {dedline: 5}", "did you mean 'deadline'?"),
        (AGENT + "capabilities: [offf]", "capabilities[0]: no such capability"),
        (AGENT + "capabilities: [3]", "capabilities[0]: no such capability"),
        (AGENT + "capabilities: off", "capabilities: must be a list"),
        (AGENT + "causes: {autth: x}", ":6:10: causes.autth: must be one of already-in-state, auth,"),
        (AGENT + "causes: {auth: '('}", "causes.auth: not a regular expression"),
        (AGENT + "over: {http: {}}", ":6:8: over.http: must be one of redfish, ipmi, dual, pdu"),
        (AGENT + "over: {ipmi: 3}", "over.ipmi: must be a map"),
        (AGENT.replace("command: [my-agent]", ""), "'command' is missing: the adapter fence-agent needs it"),
        (AGENT.replace("[my-agent]", "[]"), "command: must be a list of arguments"),
        (AGENT.replace("{ip:", "{flag: true, ip:"), 'params.flag: must be text, not the boolean true; quote it: "true"'),
        ("fencer: a\nadapter: fence-agent\ncommand: [x]\nparams: {ip: '{bmc.host}'}", "names no port"),
        ("fencer: a\nadapter: exec\ncommand: [x]", "'actions' is missing: the adapter exec needs it"),
        (
            "fencer: a\nadapter: exec\ncommand: [x]",
            ":3:1: command: the adapter exec does not read it, only fence-agent, container, python, python-transport",
        ),
        (
            "fencer: a\nadapter: python\ncommand: a:b\nover: {ipmi: {recorders: {}}}",
            "over.ipmi.recorders: unknown key; known here: command, actions, params",
        ),
        (
            "fencer: a\nadapter: exec\nactions: {explode: {argv: ['{bmc.url}']}}",
            "actions.explode: must be one of off, on, reboot,",
        ),
        ("fencer: a\nadapter: exec\nactions: {off: 3}", "actions.off: must be a map with argv"),
        ("fencer: a\nadapter: exec\nactions: {off: {claim: {exit: 0}}}", "actions.off: 'argv' is missing"),
        (
            "fencer: a\nadapter: exec\nactions: {off: {argv: ['{bmc.url}'], claim: {exit: zero}}}",
            "off.claim.exit: must be a whole number, not 'zero'",
        ),
        ("fencer: a\nadapter: exec\nactions: {off: {argv: ['{bmc.url}'], claim: 0}}", "must be a map of exit"),
        (
            "fencer: a\nadapter: exec\nactions: {off: {argv: ['{bmc.url}'], claims: {gone: {}}}}",
            "claims.gone: must be one of off, on,",
        ),
        ("fencer: a\nadapter: exec\nactions: {status: {argv: ['{bmc.url}'], claim: {exit: 0}}}", "status has two answers"),
        ("fencer: a\nadapter: exec\nactions: {status: {argv: ['{bmc.url}']}}", "by what are on and off told apart"),
        ("fencer: a\nadapter: python", "'command' is missing: the function that is called; or actions"),
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


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("limits: {deadline: 5, power_timeout: 0x10}\n", None),
        ("switches: [a]\n", "5:17: params.empty: must be text, not nothing; write null to take it away"),
        ("catalogue: 2026.10\n", "catalogue: there is no 2026.10; there are: 2026.1"),
    ],
)
def test_what_only_the_text_of_a_value_shows_is_seen(tmp_path: Path, text: str, wanted: str | None) -> None:
    if wanted is None:
        assert read(written(tmp_path, AGENT + text)).limits == {"deadline": 5.0, "power_timeout": 16.0}
    else:
        agent = AGENT.replace("{ip:", "{empty: , ip:") if "empty" in wanted else AGENT
        assert wanted in mistakes(tmp_path, agent + text)


# -- an adapter of another distribution that has no form ---------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Formless(Adapter):
    """It names its keys and checks their values when it reads them, as adapters did before there were forms."""

    name: ClassVar[str] = "formless"
    keys: ClassVar[tuple[str, ...]] = ("line", "vars", "match", "per")
    over_keys: ClassVar[tuple[str, ...]] = ("line",)
    default_protocols: ClassVar[frozenset[Protocol]] = frozenset({Protocol.REDFISH})

    line: tuple[Item, ...]
    vars: dict[str, str | None]
    per: dict[Ask, str | None]

    @classmethod
    def read(cls, section: Section, base: Self | None) -> Self:
        node = section.get("line")
        section.pattern(section.get("match"), section.at("match"))
        return cls(
            folder=section.folder,
            built_in=section.built_in,
            line=section.line(node, section.at("line")) if node is not None else base.line if base is not None else (),
            vars=section.texts("vars"),
            per={ask: section.text(value, path) for ask, value, path in section.per_ask("per")},
        )

    @property
    def asks(self) -> frozenset[Ask]:
        return frozenset(self.per)

    def texts(self) -> Iterator[str]:
        return iter(())

    def missing(self) -> str | None:
        return None

    def run(self, invocation: Invocation) -> FencerOutcome:
        raise NotImplementedError


@pytest.fixture
def plugged_in(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {**REGISTRY.all, "formless": Formless}
    monkeypatch.setattr(type(REGISTRY), "get", lambda self, name: found.get(name))


@pytest.mark.usefixtures("plugged_in")
def test_an_adapter_without_a_form_reads_its_keys_itself(tmp_path: Path) -> None:
    good = (
        "fencer: a\nadapter: formless\nline: [x, [y, z]]\nvars: {a: 017, b: null}\nper: {off: now}\nover: {ipmi: {line: [w]}}\n"
    )
    mine = read(written(tmp_path, good))
    assert mine.ways[Protocol.IPMI] == Formless(folder=tmp_path, built_in=False, line=("w",), vars={}, per={})
    assert mine.asks == {Ask.OFF}
    bad = (
        "fencer: a\nadapter: formless\nlimits: {deadline: 0}\nline: []\nvars: {a: true}\nmatch: '('\nper: {of: x}\n"
        "over: {ipmi: {vars: {}}}\n"
    )
    assert [line.partition("mine.yaml:")[2] for line in mistakes(tmp_path, bad).splitlines()] == [
        "3:20: limits.deadline: must be a number of seconds, more than 0 and at most 3600, not the number 0",
        "4:7: line: must be a list of arguments; a group that stands or falls together is a list in the list",
        '5:11: vars.a: must be text, not the boolean true; quote it: "true"',
        "6:8: match: not a regular expression: missing ), unterminated subpattern at position 0",
        (
            "7:7: per.of: must be one of off, on, reboot, status, monitor, metadata, validate-all, list, list-status"
            "; did you mean 'off'?"
        ),
        "8:15: over.ipmi.vars: unknown key; known here: line",
    ]


def test_a_shipped_file_is_read_without_pydantic_and_the_note_of_what_was_checked_is_current() -> None:
    assert json.loads(FILE.read_text(encoding="utf-8")) == digests(), "run python -m tools.note_checked_fencers"
    program = "import sys; from conformance import fencers; fencers.load('fence_bmc'); sys.exit('pydantic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False, cwd=ROOT).returncode == 0


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
