"""Racks from YAML: what a file means, and where it is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

import profiles
from emulator.backends.container import DockerHost
from emulator.config import RackFile, load_rack
from emulator.core.faults.board import Armed
from emulator.faults.registry import make_fault
from emulator.frontends import Place
from emulator.rack_form import RACK
from fencelab_yaml.form import keys_with_descriptions
from profiles.errors import ProfileError

Read = Callable[[str], RackFile]

SMALL = "schema: rack/1\nbmcs:\n  - {name: bmc1, profile: dell-idrac9}\n"


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def read(text: str) -> RackFile:
        path = tmp_path / "rack.yaml"
        path.write_text(text)
        return load_rack(path)

    return read


def complaints(read: Read, text: str) -> list[str]:
    with pytest.raises(ProfileError) as caught:
        read(text)
    return [str(problem).partition("/rack.yaml:")[2] for problem in caught.value.problems]


def test_a_bmc_alone_has_one_virtual_host_of_its_own_name(read: Read) -> None:
    rack = read(SMALL)
    (unit,) = rack.units
    assert (unit.name, unit.profile.id) == ("bmc1", "dell-idrac9")
    assert [host.power for host in unit.hosts] == ["on"]
    assert not rack.processes
    assert not rack.containers
    assert rack.places == {"bmc1": Place()}


def test_every_bmc_has_a_place_and_hosts_of_its_own(read: Read, tmp_path: Path) -> None:
    rack = read(
        """
schema: rack/1
seed: 7
tls: false
listen: 127.0.0.5
docker: {url: "unix:///run/docker.sock", project: lab}
bmcs:
  - {name: bmc1, profile: dell-idrac9, redfish_port: 8441, ipmi_port: 6231, hosts: [{name: node1, backend: docker}]}
  - name: bmc2
    profile: dmtf-generic
    listen: 127.0.0.6
    redfish_port: 8441
    hosts:
      - {backend: process, argv: [sleep, "60"], env: {A: b}, cwd: work, log: host.log, power: off}
      - {name: spare, hung: true}
"""
    )
    assert rack.seed == 7
    assert rack.tls is False
    assert rack.docker_url == "unix:///run/docker.sock"
    assert rack.places["bmc1"] == Place(listen="127.0.0.5", redfish_port=8441, ipmi_port=6231)
    assert rack.places["bmc2"] == Place(listen="127.0.0.6", redfish_port=8441)
    assert rack.containers == {"node1": DockerHost(label="node1", project="lab")}
    process = rack.processes["bmc2.1"]
    assert (list(process.argv), process.env, process.cwd, process.log) == (
        ["sleep", "60"],
        {"A": "b"},
        tmp_path / "work",
        tmp_path / "host.log",
    )
    assert [(host.name, host.power, host.hung) for host in rack.units[1].hosts] == [
        ("bmc2.1", "off", False),
        ("spare", "on", True),
    ]


def test_time_scale_shortens_what_the_machine_takes_its_time_for(read: Read) -> None:
    full, eighth = read(SMALL), read(f"{SMALL}time_scale: 0.125\n")
    effect = "force_off"
    before, after = (rack.units[0].profile.power.effects[effect][0].at.low for rack in (full, eighth))
    assert before > 0
    assert after == before / 8


def test_the_environment_names_the_compose_project(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FENCELAB_PROJECT", "theirs")
    rack = read(
        "schema: rack/1\ndocker: {project: ours}\nbmcs: [{name: b, profile: dell-idrac9, hosts: [{name: n, backend: docker}]}]\n"
    )
    assert rack.containers["n"].project == "theirs"


def test_a_password_comes_from_the_environment_and_its_variable_is_known(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "schema: rack/1\nbmcs: [{name: b, profile: dell-idrac9, password_env: RACK_SECRET}]\n"
    monkeypatch.delenv("RACK_SECRET", raising=False)
    assert complaints(read, text) == ["2:54: bmcs[0].password_env: the variable RACK_SECRET is not set"]
    monkeypatch.setenv("RACK_SECRET", "s3cret")
    rack = read(text)
    assert rack.units[0].password == "s3cret"
    assert rack.password_variables == {"b": "RACK_SECRET"}


def test_a_profile_of_ones_own_is_found_from_the_racks_folder(read: Read, tmp_path: Path) -> None:
    (tmp_path / "ours.yaml").write_text("schema: profile/1\nid: ours\ntitle: ours\nextends: dell-idrac9\n")
    assert read("schema: rack/1\nbmcs: [{name: b, profile: ./ours.yaml}]\n").units[0].profile.id == "ours"


def test_all_mistakes_come_at_once_with_their_places(read: Read) -> None:
    text = """\
schema: rack/1
bmcs:
  - {name: bmc1, profile: dell-idrac9, redfish_port: 8443, hosts: [{name: a, backend: docker, power: off, argv: [x]}]}
  - {name: bmc1, profile: dmtf-generic, redfish_port: 8443, hosts: [{name: a, hung: true, backend: process}]}
"""
    assert complaints(read, text) == [
        "3:95: bmcs[0].hosts[0].power: belongs to backend virtual or process, not docker",
        "3:107: bmcs[0].hosts[0].argv: belongs to backend process, not docker",
        "4:12: bmcs[1].name: a BMC called bmc1 stands at line 3 already",
        "4:69: bmcs[1].hosts[0]: 'argv' is missing: the command that is this host",
        "4:76: bmcs[1].hosts[0].name: a host called a stands at line 3 already",
        "4:79: bmcs[1].hosts[0].hung: belongs to backend virtual, not process",
    ]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("schema: rack/1\n", "1:1: 'bmcs' is missing"),
        ("schema: rack/2\nbmcs: [{name: a, profile: dell-idrac9}]\n", "1:9: schema: must be 'rack/1', not 'rack/2'"),
        (SMALL + "sed: 1\n", "4:1: sed: unknown key; did you mean 'seed'?"),
        (
            "schema: rack/1\nbmcs: [{name: a, profile: dell-idrac9, hosts: [{hung: true, power: off}]}]\n",
            "2:49: bmcs[0].hosts[0].hung: a host that is off cannot hang",
        ),
    ],
)
def test_a_mistake_is_named_where_it_stands(read: Read, text: str, complaint: str) -> None:
    assert complaint in complaints(read, text)


def test_a_port_that_two_bmcs_of_one_address_want_is_refused(read: Read) -> None:
    bmcs = [f"  - {{name: {name}, profile: dell-idrac9, ipmi_port: 623}}\n" for name in "ab"]
    text = f"schema: rack/1\nbmcs:\n{''.join(bmcs)}"
    assert complaints(read, text) == ["4:48: bmcs[1].ipmi_port: 127.0.0.1 port 623 belongs to a already"]


def test_an_unknown_profile_is_named_with_the_line_that_wants_it(read: Read) -> None:
    (complaint,) = complaints(read, "schema: rack/1\nbmcs: [{name: a, profile: dell-idrac-9}]\n")
    assert complaint.startswith("2:27: bmcs[0].profile: dell-idrac-9: no such profile; did you mean 'dell-idrac9'?")


def test_a_file_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match="no such file"):
        load_rack(tmp_path / "none.yaml")


def test_the_rack_in_the_documentation_is_one_that_loads(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BMC1_PASSWORD", "s3cret")
    page = (Path(__file__).resolve().parents[2] / "docs" / "lab.md").read_text()
    rack = read(page.partition("```yaml\n")[2].partition("```")[0])
    assert [unit.name for unit in rack.units] == ["bmc1", "bmc2"]
    assert (list(rack.containers), list(rack.processes)) == (["node1"], ["node2"])


# -- faults, accounts, IPMI and input power ----------------------------------------------------------------------------

SAMPLE = Path(profiles.__file__).parent / "racks" / "sample.yaml"


def test_a_bmc_has_faults_of_its_own_and_of_its_profile(read: Read) -> None:
    rack = read(
        """
schema: rack/1
bmcs:
  - {name: bmc1, profile: dell-idrac9, ac: off, faults: [{type: wire.delay, count: 2, params: {seconds: 4}}, job_queue_500]}
  - {name: bmc2, profile: dell-idrac9}
"""
    )
    first, second = rack.faults["bmc1"]
    assert isinstance(first, Armed)
    assert (first.fault, first.count) == (make_fault("wire.delay", seconds=4.0), 2)
    assert isinstance(second, Armed)
    assert second.fault.name == "redfish.reply"
    assert rack.faults["bmc2"] == ()
    assert rack.unplugged == {"bmc1"}


def test_the_first_account_can_have_another_name(read: Read) -> None:
    (unit,) = read("schema: rack/1\nbmcs:\n  - {name: bmc1, profile: dell-idrac9, username: fence}\n").units
    assert unit.profile.auth.accounts[0].name == "fence"


def test_a_bmc_can_be_without_ipmi(read: Read) -> None:
    (unit,) = read("schema: rack/1\nbmcs:\n  - {name: bmc1, profile: dell-idrac9, ipmi: false}\n").units
    assert not unit.profile.ipmi.lan


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("faults: wire.hang", "3:48: bmcs[0].faults: must be a list of faults, not 'wire.hang'"),
        ("faults: [nothing]", "3:49: bmcs[0].faults[0]: the profile dell-idrac9 has no fault 'nothing'"),
        ("faults: [{type: wire.dely}]", "no fault is called 'wire.dely'; did you mean 'wire.delay'?"),
        ("faults: [{type: wire.delay, params: {second: 1}}]", "bmcs[0].faults[0].params.second: unknown key"),
        ("faults: [{type: redfish.reply, params: {reply: none_such}}]", "has no reply 'none_such'"),
        ("username: a b", "must be a user name of 1 to 16 printable characters"),
        ("ac: no", "must be one of on, off"),
        ("ipmi: off", "must be true or false"),
        ("feeds: [a]", "bmcs[0].feeds: must be a map, not a list"),
        (
            "feeds: {A1: bmc1}",
            "3:47: bmcs[0].feeds: only a PDU or an enclosure feeds others, and dell-idrac9 is none: leave feeds out",
        ),
        ("parent: a", "must be an enclosure and one of its slots, such as enclosure1/Slot1"),
        ("parent: bmc1/Slot1", "bmc1 is no enclosure"),
        ("parent: enc/Slot1", "no enclosure is called enc"),
    ],
)
def test_what_is_wrong_there_is_said_with_its_place(read: Read, text: str, complaint: str) -> None:
    said = complaints(read, f"schema: rack/1\nbmcs:\n  - {{name: bmc1, profile: dell-idrac9, {text}}}\n")
    assert complaint in "\n".join(said)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("feeds: {A9: bmc1}", "bmcs[2].feeds.A9: pdu1 has no such outlet"),
        ("feeds: {A1: bmc9}", "bmcs[2].feeds.A1: no BMC and no host is called bmc9; did you mean "),
        ("feeds: {A1: [bmc1, bmc1]}", "bmcs[2].feeds.A1"),
        ("feeds: {A1: []}", "bmcs[2].feeds.A1"),
        ("feeds: {A1: pdu1}", "pdu1 is no BMC with hosts, and only those are fed"),
        ("feeds: {A1: left}", "left shares its cords with the other hosts of bmc2: write bmc2"),
        ("hosts: [{name: a}]", "bmcs[2].hosts: a PDU has outlets and no hosts: leave hosts out"),
    ],
)
def test_what_a_pdu_cannot_feed_is_said_with_its_place(read: Read, text: str, complaint: str) -> None:
    said = complaints(
        read,
        f"""
schema: rack/1
bmcs:
  - {{name: bmc1, profile: dell-idrac9, hosts: [{{name: node1}}]}}
  - {{name: bmc2, profile: dmtf-generic, hosts: [{{name: left}}, {{name: right}}]}}
  - {{name: pdu1, profile: pdu-generic, {text}}}
""",
    )
    assert complaint in "\n".join(said)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("parent: enc1/Slot9", "bmcs[2].parent: enc1 has no such slot"),
        ("parent: enc1/Slot1", "bmcs[2].parent: enc1/Slot1 holds bmc1 already: a slot holds one node"),
        ("parent: enc2/Slot1", "bmcs[2].parent: no enclosure is called enc2; did you mean "),
        ("parent: bmc1/Slot1", "bmcs[2].parent: bmc1 is no enclosure"),
    ],
)
def test_what_no_slot_can_hold_is_said_with_its_place(read: Read, text: str, complaint: str) -> None:
    said = complaints(
        read,
        f"""
schema: rack/1
bmcs:
  - {{name: enc1, profile: enclosure-generic}}
  - {{name: bmc1, profile: dell-idrac9, parent: enc1/Slot1}}
  - {{name: bmc2, profile: dmtf-generic, {text}}}
""",
    )
    assert complaint in "\n".join(said)


def test_an_enclosure_is_in_no_slot_and_has_no_hosts(read: Read) -> None:
    head = "schema: rack/1\nbmcs:\n  - {name: enc1, profile: enclosure-generic}\n"
    said = complaints(read, f"{head}  - {{name: enc2, profile: enclosure-generic, parent: enc1/Slot1}}\n")
    assert "enc2 is no node: only a BMC with hosts is in a slot" in "\n".join(said)
    said = complaints(read, f"{head}  - {{name: enc2, profile: enclosure-generic, hosts: [{{name: a}}]}}\n")
    assert "an enclosure has slots and no hosts: leave hosts out" in "\n".join(said)


def test_the_sample_has_every_key_with_a_comment_and_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BMC1_PASSWORD", "correct-horse-7")
    rack = load_rack(SAMPLE)
    assert [unit.name for unit in rack.units] == ["bmc1", "bmc2", "bmc3", "pdu1", "enclosure1"]
    assert rack.units[3].feeds == {"A1": ("bmc1",), "A2": ("bmc2", "bmc3"), "B1": ("bmc1",)}
    assert rack.units[4].feeds == {"Slot1": ("bmc3",)}
    text = SAMPLE.read_text()
    for key in {path.replace("[]", "").rpartition(".")[2] for path, _, _ in keys_with_descriptions(RACK.schema())}:
        assert re.search(rf"^[ #-]*{key}: ", text, re.MULTILINE) or re.search(rf"^[ -]*{key}:\s", text, re.MULTILINE), key
