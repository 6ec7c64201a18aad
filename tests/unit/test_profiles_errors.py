"""One deliberately broken profile per rule: what is said, and exactly where it points."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import profiles
from profiles import ProfileError

HEAD = """\
schema: profile/1
id: acme
title: Acme BMC
extends: dmtf-generic
sources: {me: {ref: "our lab, firmware 3.2.1, 2026-11-20"}}
"""
"""Loads as it is; the text of each case begins on line 6."""

Complaints = Callable[[str], list[str]]


@pytest.fixture
def complaints(tmp_path: Path) -> Complaints:
    """What the loader says about HEAD plus a text, with the folder left out."""

    def about(text: str, head: str = HEAD) -> list[str]:
        file = tmp_path / "acme.yaml"
        file.write_text(head + text, encoding="utf-8")
        with pytest.raises(ProfileError) as caught:
            profiles.load(file)
        return str(caught.value).replace(f"{tmp_path}/", "").splitlines()

    return about


CASES = {
    # the text itself
    "a tab": ("power:\n\ttable: 1\n", "acme.yaml:7:1: a tab: YAML wants spaces"),
    "half a flow": (
        "power: [1,\n",
        "acme.yaml:7:1: not YAML: while parsing a flow node: did not find expected node content",
    ),
    "a duplicate key": ("vars: {a: x, b: y, a: z}\n", "acme.yaml:6:20: duplicate key 'a', first at line 6"),
    "a number as key": ("vars:\n  200: x\n", "acme.yaml:7:3: the key 200 is not text: quote it"),
    "a boolean as key": ("vars:\n  true: x\n", "acme.yaml:7:3: the key true is not text: quote it"),
    "a list as key": ("? [a]\n: b\n", "acme.yaml:6:3: a key must be a word, not a list or a map"),
    "a tag": (
        "vars: {a: !!python/object:os.system x}\n",
        "acme.yaml:6:11: the tag tag:yaml.org,2002:python/object:os.system is not allowed",
    ),
    "a second document": ("---\na: b\n", "acme.yaml:6:1: a second document: one profile per file"),
    "an anchor inside itself": ("vars: &a [*a]\n", "acme.yaml:6:11: *a stands inside the value that it names"),
    "too deep": ("vars: " + "[" * 40 + "]" * 40 + "\n", "acme.yaml:6:38: nested deeper than 32 levels"),
    # shapes
    "an unknown block": ("powr: {}\n", "acme.yaml:6:1: powr: unknown key; did you mean 'power'?"),
    "an unknown key": ("http:\n  etagg: hash\n", "acme.yaml:7:3: http.etagg: unknown key; did you mean 'etag'?"),
    "a bare version": (
        "vars: {base: 6.10}\n",
        'acme.yaml:6:14: vars.base: must be text, not the number 6.10; quote it: "6.10"',
    ),
    "a bare boolean": (
        "vars: {base: true}\n",
        'acme.yaml:6:14: vars.base: must be text, not the boolean true; quote it: "true"',
    ),
    "yes is no boolean": (
        "auth: {basic: yes, evidence: {basic: [inferred]}}\n",
        "acme.yaml:6:15: auth.basic: must be true or false, not 'yes'",
    ),
    "a status out of range": (
        "replies: {accepted: {status: 42}}\n",
        "acme.yaml:6:30: replies.accepted.status: must be from 200 to 599, not 42",
    ),
    "a leading zero": (
        "ipmi: {device: {revision: 010}, evidence: {device: [inferred]}}\n",
        "acme.yaml:6:27: ipmi.device.revision: must be a whole number, not '010'",
    ),
    "a word outside a choice": (
        "power: {advertise: inlin, evidence: {advertise: [inferred]}}\n",
        "acme.yaml:6:20: power.advertise: must be one of inline, action_info, both, none; not 'inlin'; did you mean",
    ),
    "a state that is none": (
        "power:\n  table:\n    on: {}\n",
        "acme.yaml:8:5: power.table.on: must be one of On, Off; did you mean 'On'?",
    ),
    "a reset type in small letters": (
        "power: {reset_types: [on], evidence: {reset_types: [inferred]}}\n",
        "acme.yaml:6:23: power.reset_types[0]: must be a ResetType in PascalCase, not 'on'",
    ),
    "a reset type twice": (
        "bmc_reset: {reset_types: [On, On], evidence: {reset_types: [inferred]}}\n",
        "acme.yaml:6:31: bmc_reset.reset_types[1]: 'On' stands in the list twice",
    ),
    "a map where a list is wanted": (
        "power: {reset_types: {}, evidence: {reset_types: [inferred]}}\n",
        "acme.yaml:6:22: power.reset_types: must be a list, not a map",
    ),
    "a cell without confidence": (
        "power: {table: {Off: {On: [boot]}}}\n",
        'acme.yaml:6:27: power.table.Off.On: must be [outcome, confidence, source...] or "?", not a list of 1',
    ),
    "a time span backwards": (
        "bmc_reset: {outage_s: [9, 3], evidence: {outage_s: [inferred]}}\n",
        "acme.yaml:6:23: bmc_reset.outage_s: [from, to] runs backwards: 9 > 3",
    ),
    "a step without a time": (
        "power: {effects: {boot: [{real: On}]}, evidence: {effects: [inferred]}}\n",
        "acme.yaml:6:26: power.effects.boot[0]: 'at' is missing",
    ),
    "a UUID that is none": (
        "identity: {system_uuid: 1234-5, evidence: {system_uuid: [inferred]}}\n",
        "acme.yaml:6:25: identity.system_uuid: must be a UUID, random or absent, not '1234-5'",
    ),
    # evidence
    "a value without evidence": (
        "identity: {vendor: Acme}\n",
        "acme.yaml:6:12: identity.vendor: no evidence: add evidence: {vendor: [confidence, source...]} to identity",
    ),
    "a confidence that is none": (
        "power: {table: {Off: {On: [boot, sure]}}}\n",
        "acme.yaml:6:34: power.table.Off.On: must be one of captured, documented, reported, inferred; not 'sure'",
    ),
    "captured without a source": (
        "power: {table: {Off: {On: [boot, captured]}}}\n",
        "acme.yaml:6:34: power.table.Off.On: 'captured' needs a source after it; without one only 'inferred' is honest",
    ),
    "an unknown source": (
        "power: {table: {Off: {On: [boot, captured, mee]}}}\n",
        "acme.yaml:6:44: power.table.Off.On: there is no source 'mee'; did you mean 'me'?",
    ),
    "evidence for nothing": (
        "identity: {evidence: {vendr: [inferred]}}\n",
        "acme.yaml:6:23: identity.evidence.vendr: evidence for something that is not there; did you mean 'vendor'?",
    ),
    # references
    "an unknown outcome": (
        "power: {table: {Off: {On: [bot, inferred]}}}\n",
        "acme.yaml:6:28: power.table.Off.On[0]: there is no outcome 'bot'; did you mean 'boot'?",
    ),
    "an unknown reply": (
        "power: {outcomes: {x: {reply: acepted, effect: none}}}\n",
        "acme.yaml:6:31: power.outcomes.x.reply: there is no reply 'acepted'; did you mean 'accepted'?",
    ),
    "an unknown effect": (
        "power: {outcomes: {x: {reply: accepted, effect: bot}}}\n",
        "acme.yaml:6:49: power.outcomes.x.effect: there is no effect 'bot'; did you mean 'boot'?",
    ),
    "an unknown message": (
        "replies: {x: {status: 409, message: no_opration}}\n",
        "acme.yaml:6:37: replies.x.message: there is no message 'no_opration'; did you mean 'no_operation'?",
    ),
    "an unknown effect over IPMI": (
        "ipmi: {chassis: {Off: {up: [0, bot, inferred]}}}\n",
        "acme.yaml:6:32: ipmi.chassis.Off.up[1]: there is no effect 'bot'; did you mean 'boot'?",
    ),
    "a reply of a block": (
        "bmc_reset: {reply: gone, evidence: {reply: [inferred]}}\n",
        "acme.yaml:6:20: bmc_reset.reply: there is no reply 'gone'",
    ),
    "steps for none": (
        "power: {effects: {none: [{at: 0}]}, evidence: {effects: [inferred]}}\n",
        "acme.yaml:6:19: power.effects.none: 'none' means that nothing happens; it cannot be given steps",
    ),
    "steps back in time": (
        "power: {effects: {boot: [{at: 5}, {at: 1, real: On}]}, evidence: {effects: [inferred]}}\n",
        "acme.yaml:6:35: power.effects.boot[1].at: comes before the step above it: steps go forward in time",
    ),
    "a cell for a type not offered": (
        "power: {table: {Off: {Suspend: [boot, inferred]}}}\n",
        "acme.yaml:6:23: power.table.Off.Suspend: 'Suspend' is not in power.reset_types, so unlisted_type answers it",
    ),
    "an offered type without a cell": (
        "power: {reset_types: [On, Suspend], evidence: {reset_types: [inferred]}}\n",
        "acme.yaml:6:22: power.table.Off: no cell for Suspend, which power.reset_types offers",
    ),
    "a window on nothing": (
        "power: {windows: [{after: fall, for_s: 5, reset: [On], outcome: no_op, evidence: [inferred]}]}\n",
        "acme.yaml:6:27: power.windows[0].after: there is no effect 'fall'",
    ),
    "a key that nothing reads": (
        "identity: {oem_key: Acme, evidence: {oem_key: [inferred]}}\n",
        "identity.oem_key: nothing reads it: write what the vendor has under Oem with resources.merge",
    ),
    "a query that is not built": (
        "http: {features: {excerpt: true}, evidence: {features: [inferred]}}\n",
        "http.features.excerpt: the query parameter excerpt is not built: say false",
    ),
    "a fault on a type not offered": (
        "faults: {x: {type: power.ignore, when: {reset: [Suspend]}, evidence: [inferred]}}\n",
        "acme.yaml:6:49: faults.x.when.reset[0]: there is no ResetType in power.reset_types 'Suspend'",
    ),
    "a template that nothing fills": (
        "replies: {x: {status: 200, body: {a: '{oemreg}'}}}\n",
        "acme.yaml:6:38: replies.x.body.a: nothing fills {oemreg}",
    ),
    "a template with an unknown form": (
        "replies: {x: {status: 200, body: {a: '{serial:oct}'}}}\n",
        "acme.yaml:6:38: replies.x.body.a: nothing fills {serial:oct}; did you mean 'serial'?",
    ),
    "a var that the request fills": (
        "vars: {reset_type: x}\n",
        "acme.yaml:6:8: vars.reset_type: 'reset_type' is filled by something else: choose another name",
    ),
    # merging
    "a deleted message that is still sent": (
        "messages: {no_operation: null}\n",
        "acme.yaml: replies.no_operation.message: there is no message 'no_operation'; did you mean",
    ),
    "an id that breaks a URL": (
        "vars: {system_id: a/b}\n",
        "acme.yaml:6:19: vars.system_id: 'a/b' cannot be part of a URL: letters, digits and -._~ only",
    ),
    "a template that makes no UUID": (
        "identity: {system_uuid: 'x{serial}', evidence: {system_uuid: [inferred]}}\n",
        "acme.yaml:6:25: identity.system_uuid: becomes 'x437XR1138R2', which is not a UUID",
    ),
    "deleted vars": (
        "vars: null\n",
        "acme.yaml:1:1: 'vars' is missing",
    ),
    "a deletion of what is needed": ("errors: {code: null}\n", "acme.yaml:6:9: errors: 'code' is missing"),
    "a deleted cell": (
        "power: {table: {Off: {ForceOff: null}}}\n",
        "no cell for ForceOff, which power.reset_types offers",
    ),
    "a deleted IPMI cell": ("ipmi: {chassis: {On: {up: null}}}\n", "acme.yaml:6:17: ipmi.chassis.On: no cell for up"),
    "a deleted id": (
        "vars: {system_id: null}\n",
        "acme.yaml:6:7: vars.system_id: 'system_id' is missing: it is part of every path",
    ),
}


@pytest.mark.parametrize(("text", "complaint"), CASES.values(), ids=CASES.keys())
def test_the_mistake_is_named_where_it_stands(complaints: Complaints, text: str, complaint: str) -> None:
    lines = complaints(text)
    assert any(complaint in line for line in lines), lines


def test_without_the_mistake_the_profile_loads(tmp_path: Path) -> None:
    file = tmp_path / "acme.yaml"
    file.write_text(HEAD, encoding="utf-8")
    assert profiles.load(file).id == "acme"


def test_all_mistakes_come_at_once_in_the_order_of_the_file(complaints: Complaints) -> None:
    lines = complaints(
        "identity: {vendor: Acme}\nhttp: {etag: 5}\nvars: {a: 1, a: 2}\npower: {table: {Off: {On: [bot, inferred]}}}\n"
    )
    assert [line.split(": ")[0] for line in lines] == [
        "acme.yaml:6:12",
        "acme.yaml:7:8",
        "acme.yaml:7:14",
        "acme.yaml:8:11",
        "acme.yaml:8:14",
        "acme.yaml:9:28",
    ]


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "acme.yaml:1:1: the file is empty"),
        (b"\xef\xbb\xbf", "acme.yaml:1:1: the file is empty"),
        (b"# only a comment\n", "acme.yaml:1:1: the file is empty"),
        (b"- a\n", "acme.yaml:1:1: a profile is a map of keys, this is a list"),
        (b"hello\n", "acme.yaml:1:1: a profile is a map of keys, this is a single value"),
        (b"a: b\nc: \xff\n", "acme.yaml:2:4: byte 0xff is not UTF-8 text"),
        (b"\xff\xfea\x00:\x00", "acme.yaml:1:1: byte 0xff is not UTF-8 text"),
        (b"a: b\nc: x\x00y\n", "acme.yaml:2:5: character U+0000 is not allowed in YAML"),
        (b"a: " + b"x" * 1_000_000, "acme.yaml: larger than 1000000 bytes: not a profile"),
        (
            b"a: &a [x,x,x,x]\n"
            + b"".join(b"%c: &%c [%s]\n" % (98 + i, 98 + i, b",".join([b"*%c" % (97 + i)] * 9)) for i in range(9)),
            "more than 50000 values",
        ),
        (b"extends: ./acme.yaml\n", "acme.yaml:1:10: extends: extends itself: acme -> acme"),
        (b"extends: dmtf-genric\n", "acme.yaml:1:10: extends: no such profile; did you mean 'dmtf-generic'?"),
        (b"extends: ./gone.yaml\n", "acme.yaml:1:10: extends: there is no file gone.yaml"),
        (b"schema: profile/2\n", "acme.yaml:1:9: schema: must be 'profile/1', not 'profile/2'"),
        (b"schema: profile/1\n", "acme.yaml:1:1: 'id' is missing"),
    ],
)
def test_a_file_that_is_no_profile_is_refused_with_its_place(tmp_path: Path, data: bytes, complaint: str) -> None:
    (tmp_path / "acme.yaml").write_bytes(data)
    with pytest.raises(ProfileError) as caught:
        profiles.load(tmp_path / "acme.yaml")
    assert complaint in str(caught.value).replace(f"{tmp_path}/", "")


def test_signs_that_would_break_a_line_are_spelt_out(complaints: Complaints) -> None:
    assert complaints('"a\\nb\\x1b[2J": 1\n')[0].startswith("acme.yaml:6:1: a\\nb\\x1b[2J: unknown key")


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    (tmp_path / "acme.yaml").write_bytes(b"\xef\xbb\xbf" + HEAD.encode())
    assert profiles.load(tmp_path / "acme.yaml").id == "acme"


def test_what_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    for name, complaint in (
        (tmp_path, f"{tmp_path}/profile.yaml: No such file or directory"),
        (tmp_path / "gone.yaml", f"{tmp_path}/gone.yaml: No such file or directory"),
        (Path("/dev/zero"), "/dev/zero: not a file"),
        ("./a\0b.yaml", "a\\x00b.yaml: not a file name"),
        ("", "profile: no name given"),
        ("x" * 5000 + ".yaml", "File name too long"),
    ):
        with pytest.raises(ProfileError) as caught:
            profiles.load(name)
        assert complaint in str(caught.value)


def test_an_unknown_name_is_answered_with_the_near_one() -> None:
    with pytest.raises(
        ProfileError, match=r"dell-idrac: no such profile; did you mean 'dell-idrac9'\? \(a file is named with its path"
    ):
        profiles.load("dell-idrac")


@pytest.mark.parametrize("here", ["our-board", "our-board.yaml"])
def test_what_lies_in_this_folder_is_named_with_its_path(here: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / here).touch()
    with pytest.raises(ProfileError) as caught:
        profiles.load("our-board")
    assert str(caught.value) == f"our-board: no such profile; what is in this folder is named with its path: ./{here}"


def test_a_base_is_not_a_bmc() -> None:
    with pytest.raises(ProfileError, match=r"openbmc\.yaml: abstract: only a base for others"):
        profiles.load("openbmc")


def test_an_override_for_a_var_that_is_not_there_is_refused() -> None:
    with pytest.raises(ProfileError, match="the profile has no var 'serail'; did you mean 'serial'"):
        profiles.load("dell-idrac9", {"serail": "XYZ9876"})


def test_an_override_that_makes_no_uuid_is_refused() -> None:
    with pytest.raises(ProfileError, match=r"identity\.system_uuid: becomes '4c4c4544-.*', which is not a UUID"):
        profiles.load("dell-idrac9", {"serial": "ABC"})


def test_a_thousand_mistakes_are_cut_to_a_hundred_lines(complaints: Complaints) -> None:
    lines = complaints("".join(f"key{number}: 1\n" for number in range(1000)))
    assert len(lines) == 101
    assert lines[-1] == "... and 900 more"
