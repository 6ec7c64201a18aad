"""What a child inherits, changes, deletes, and what it does not know."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import profiles
from profiles import ProfileError
from profiles.model import Confidence, Profile

HEAD = "schema: profile/1\nid: {0}\ntitle: {0}\nextends: {1}\nsources: {{{0}: {{ref: lab of {0}}}}}\n"


class Files:
    """Profiles in one folder, each a head and a text."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, name: str, extends: str, text: str = "") -> None:
        (self.folder / f"{name}.yaml").write_text(HEAD.format(name, extends) + text, encoding="utf-8")

    def load(self, name: str) -> Profile:
        return profiles.load(self.folder / f"{name}.yaml")


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def test_maps_merge_by_key_and_keep_the_evidence_of_what_is_inherited(files: Files) -> None:
    files.write("acme", "dell-idrac9", "identity: {model: R1, evidence: {'*': [captured, acme]}}\n")
    acme, dell = files.load("acme"), profiles.load("dell-idrac9")
    assert acme.identity.model == "R1"
    assert acme.identity.vendor == "Dell"
    assert acme.evidence["identity.model"].sources == ("acme",)
    assert acme.evidence["identity.vendor"] == dell.evidence["identity.vendor"]


def test_a_changed_value_loses_the_evidence_of_the_parents_value(files: Files) -> None:
    files.write("acme", "dell-idrac9", "messages: {not_in_list: {id: A.1, text: no, evidence: [reported, acme]}}\n")
    acme = files.load("acme")
    assert acme.evidence["messages.not_in_list"].confidence is Confidence.REPORTED
    assert "messages.not_in_list.id" not in acme.evidence


def test_tables_merge_by_cell(files: Files) -> None:
    files.write("acme", "dell-idrac9", "power: {table: {Off: {ForceOff: [no_op, captured, acme]}}}\n")
    table = files.load("acme").power.table
    assert table["Off"]["ForceOff"].outcome == "no_op"
    assert table["Off"]["GracefulShutdown"].outcome == "already_off"
    assert table["On"] == profiles.load("dell-idrac9").power.table["On"]


def test_lists_replace(files: Files) -> None:
    files.write("acme", "dell-idrac9", "power: {reset_types: [On, ForceOff], evidence: {reset_types: [inferred]}}\n")
    power = files.load("acme").power
    assert power.reset_types == ("On", "ForceOff")
    assert tuple(power.table["On"]) == ("On", "ForceOff")  # cells of other types do not outlive the list


def test_null_deletes(files: Files) -> None:
    files.write(
        "acme",
        "dell-idrac9",
        "faults: {job_queue_500: null}\nauth: {sessions: {max: null}, evidence: {sessions: [inferred]}}\n",
    )
    acme = files.load("acme")
    assert tuple(acme.faults) == ("full_as_401", "full_as_400")
    assert acme.auth.sessions.max is None


def test_a_reply_body_is_replaced_as_a_whole(files: Files) -> None:
    files.write("parent", "dmtf-generic", "replies: {x: {status: 200, body: {a: {b: 1}}}}\n")
    files.write("acme", "parent", "replies: {x: {body: {a: {c: null}}}}\n")
    reply = files.load("acme").replies["x"]
    assert reply.status == 200
    assert reply.body == {"a": {"c": None}}


def test_nulls_inside_a_resource_patch_stay(files: Files) -> None:
    files.write(
        "acme",
        "dmtf-generic",
        "resources: {merge: {/redfish/v1/Systems: {Name: null}}, evidence: {merge: [inferred]}}\n",
    )
    assert files.load("acme").resources.merge == {"/redfish/v1/Systems": {"Name": None}}


def test_a_null_view_in_a_step_is_a_value(files: Files) -> None:
    files.write("acme", "dmtf-generic", "power: {effects: {boot: [{at: 1, system: null}]}, evidence: {effects: [inferred]}}\n")
    assert dict(files.load("acme").power.effects["boot"][0].says) == {"system": None}


def test_an_unknown_cell_takes_the_parents_outcome_and_says_so(files: Files) -> None:
    files.write("acme", "dell-idrac9", "power: {table: {Off: {ForceOff: '?'}}}\nipmi: {chassis: {Off: {up: '?'}}}\n")
    acme = files.load("acme")
    cell = acme.power.table["Off"]["ForceOff"]
    assert (cell.outcome, cell.assumed) == ("already_off", True)
    assert not acme.power.table["Off"]["On"].assumed
    assert acme.ipmi.chassis["Off"]["up"].assumed


def test_an_assumed_cell_stays_assumed_in_grandchildren_until_somebody_knows(files: Files) -> None:
    files.write("parent", "dell-idrac9", "power: {table: {Off: {ForceRestart: '?'}}}\n")
    files.write("acme", "parent")
    assert files.load("acme").power.table["Off"]["ForceRestart"].assumed
    files.write("acme", "parent", "power: {table: {Off: {ForceRestart: [boot, captured, acme]}}}\n")
    assert not files.load("acme").power.table["Off"]["ForceRestart"].assumed


def test_an_unknown_cell_of_a_host_that_is_off_never_switches_it_on(files: Files) -> None:
    off = "{GracefulRestart: '?', ForceRestart: '?', PowerCycle: '?', PushPowerButton: '?', ForceOff: '?', On: '?', ForceOn: '?'}"
    files.write("acme", "dmtf-generic", f"power: {{table: {{Off: {off}}}}}\n")
    acme, generic = files.load("acme"), profiles.load("dmtf-generic")
    cells = acme.power.table["Off"]
    for name in ("GracefulRestart", "ForceRestart", "PowerCycle", "PushPowerButton"):
        assert acme.power.outcomes[cells[name].outcome].effect == "none"
        assert (cells[name].assumed, cells[name].evidence.confidence) == (True, Confidence.INFERRED)
        assert acme.power.outcomes[generic.power.table["Off"][name].outcome].effect == "boot"
    assert cells["ForceOff"].outcome == generic.power.table["Off"]["ForceOff"].outcome
    assert {acme.power.outcomes[cells[name].outcome].effect for name in ("On", "ForceOn")} == {"boot"}


def test_an_unknown_ipmi_command_keeps_its_code_and_leaves_a_host_off(files: Files) -> None:
    files.write("parent", "dmtf-generic", "ipmi: {chassis: {Off: {reset: [0x00, boot, captured, parent]}}}\n")
    files.write("acme", "parent", "ipmi: {chassis: {Off: {reset: '?', up: '?'}}}\n")
    chassis = files.load("acme").ipmi.chassis["Off"]
    assert (chassis["reset"].completion_code, chassis["reset"].effect, chassis["reset"].assumed) == (0x00, "none", True)
    assert chassis["up"].effect == "boot"


def test_a_child_that_knows_better_may_switch_the_host_on(files: Files) -> None:
    files.write("parent", "dmtf-generic", "power: {table: {Off: {ForceRestart: '?'}}}\n")
    files.write("acme", "parent", "power: {table: {Off: {ForceRestart: [boot, captured, acme]}}}\n")
    table = files.load("acme").power.table["Off"]
    assert (table["ForceRestart"].outcome, table["ForceRestart"].assumed) == ("boot", False)


def test_an_unknown_cell_that_no_parent_has_is_taken_and_does_nothing(files: Files) -> None:
    table = "{On: {Suspend: '?'}, Off: {Suspend: '?'}}"
    own = f"power: {{reset_types: [On, ForceOff, Suspend], table: {table}, evidence: [inferred]}}\n"
    files.write("acme", "dmtf-generic", own)
    acme = files.load("acme")
    for state in ("On", "Off"):
        cell = acme.power.table[state]["Suspend"]
        assert (cell.assumed, acme.power.outcomes[cell.outcome].effect) == (True, "none")
    files.write("child", "acme", "power: {table: {Off: {Suspend: [boot, captured, child]}}}\n")
    assert not files.load("child").power.table["Off"]["Suspend"].assumed


def test_an_unknown_cell_of_a_file_without_parents_is_refused(tmp_path: Path) -> None:
    text = profiles.path("dmtf-generic").read_text().replace("[nmi, inferred, pub]", "'?'").replace("id: dmtf", "id: acme")
    whole = tmp_path / "acme-generic.yaml"
    whole.write_text(re.sub("(?m)^    unknown: .*$", "", text))
    with pytest.raises(ProfileError, match=r'power.table.On.Nmi: "\?" takes the outcome of a parent'):
        profiles.load(whole)


def test_of_several_parents_the_later_wins_without_dragging_their_common_base_along(files: Files) -> None:
    files.write("one", "dmtf-generic", "vars: {serial: one}\nhttp: {etag: hash, evidence: {etag: [inferred]}}\n")
    files.write("two", "dmtf-generic", "vars: {serial: two}\n")
    files.write("acme", "[one, two]")
    acme = files.load("acme")
    assert acme.extends == ("one", "two")
    assert acme.vars["serial"] == "two"
    assert acme.http.etag == "hash"  # two has only inherited its etag


def test_a_parent_may_be_a_file_beside_the_child_or_a_path(files: Files) -> None:
    files.write("base", "dmtf-generic", "vars: {serial: beside}\n")
    files.write("acme", "base")
    assert files.load("acme").vars["serial"] == "beside"
    files.write("acme", "./base.yaml")
    assert files.load("acme").vars["serial"] == "beside"


def test_a_file_may_extend_the_shipped_profile_of_the_same_name(files: Files) -> None:
    files.write("dell-idrac9", "dell-idrac9", "vars: {serial: MINE123}\n")
    assert files.load("dell-idrac9").vars["serial"] == "MINE123"


def test_a_ring_of_parents_is_refused(files: Files) -> None:
    files.write("one", "two")
    files.write("two", "three")
    files.write("three", "one")
    with pytest.raises(ProfileError, match=r"three.yaml:4:10: extends: extends itself: one -> two -> three -> one"):
        files.load("one")


def test_a_chain_of_five_files_loads_and_of_six_does_not(files: Files) -> None:
    files.write("p1", "dmtf-generic")
    for number in range(2, 6):
        files.write(f"p{number}", f"p{number - 1}")
    assert files.load("p4").id == "p4"  # p4 p3 p2 p1 dmtf-generic
    with pytest.raises(ProfileError, match=r"p1.yaml:4:10: extends: the chain of parents is longer than 5 files"):
        files.load("p5")


def test_a_child_may_not_give_a_parents_source_another_meaning(files: Files) -> None:
    files.write("acme", "dell-idrac9", "")
    text = (files.folder / "acme.yaml").read_text().replace("{acme: {", "{i115: {")
    (files.folder / "acme.yaml").write_text(text)
    with pytest.raises(ProfileError, match=r"acme.yaml:5:11: sources.i115: a parent uses this id for 'github dell"):
        files.load("acme")


def test_a_childs_star_does_not_speak_for_what_it_inherits(files: Files) -> None:
    files.write("acme", "dell-idrac9", "http: {etag: hash, evidence: {'*': [captured, acme]}}\n")
    acme = files.load("acme")
    assert acme.evidence["http.etag"].sources == ("acme",)
    assert acme.evidence["http.features"].sources == ("r750",)


def test_a_mistake_in_a_parent_is_reported_in_the_parents_file(files: Files) -> None:
    files.write("base", "dmtf-generic", "http: {etag: 5}\n")
    files.write("acme", "base")
    with pytest.raises(ProfileError, match=r"base.yaml:6:14: http.etag: must be one of"):
        files.load("acme")


def test_the_digest_changes_with_the_data_and_not_with_comments_or_overrides(files: Files) -> None:
    files.write("acme", "dell-idrac9")
    first = files.load("acme").digest
    files.write("acme", "dell-idrac9", "# a remark\n")
    assert files.load("acme").digest == first
    assert profiles.load(files.folder / "acme.yaml", {"serial": "XYZ9876"}).digest == first
    files.write("acme", "dell-idrac9", "vars: {serial: OTHER12}\n")
    assert files.load("acme").digest != first


def test_a_profile_is_of_a_pdu_or_of_an_enclosure(tmp_path: Path) -> None:
    file = tmp_path / "both.yaml"
    file.write_text(
        "schema: profile/1\nid: both\ntitle: Both\nextends: pdu-generic\nfirmware: {modelled_on: x}\n"
        'enclosure: {slots: [S1], enclosure_type: Enclosure, slot_type: Sled, evidence: {"*": [inferred]}}\n'
    )
    with pytest.raises(ProfileError, match="6:1: enclosure: a profile is that of a PDU or of an enclosure, not of both"):
        profiles.load(file)
