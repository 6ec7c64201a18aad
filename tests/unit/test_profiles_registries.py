"""What lint says of messages that are not as their registry has them."""

from __future__ import annotations

from pathlib import Path

import pytest

import profiles
from profiles import lint, registries

HEAD = """\
schema: profile/1
id: acme
title: Acme
extends: dmtf-generic
sources: {me: {ref: our lab}}
replies: {busy: {status: 409, message: busy}}
"""
GOOD = {
    "IDRAC.2.7.PSU502": ("Server is already powered OFF.", "Informational", "[]"),
    "Base.1.12.ActionParameterValueConflict": (
        "The parameter '{arg0}' with the requested value of '{arg1}' does not meet the constraints of the implementation.",
        "Warning",
        '[ResetType, "{reset_type}"]',
    ),
    "Base.1.4.Success": ("Successfully Completed Request", "OK", "[]"),
    "iLO.2.30.InvalidOperationForSystemState": (
        "The operation was not successful due to the current power state.",
        "Warning",
        "[Power is on]",
    ),
    "iLO.2.15.InvalidOperationForSystemState": ("none", "Warning", "[Power is on]"),
    "IDRAC.2.7.NotAmongThoseTaken1": ("anything", "Critical", "[]"),
    "StorageDevice.1.1.KnownByItsNameOnly": ("anything", "Critical", "[]"),
    "NotInTheForm": ("anything", "Critical", "[]"),
}


@pytest.fixture
def acme(tmp_path: Path) -> Path:
    return tmp_path / "acme.yaml"


def message(identifier: str, text: str, severity: str, args: str) -> str:
    fields = f"  busy:\n    id: {identifier}\n    text: {quoted(text)}\n    severity: {severity}\n    args: {args}\n"
    return (
        f"{HEAD}messages:\n{fields}    evidence: [captured, me]\nerrors: {{fields: [Severity], evidence: {{'*': [inferred]}}}}\n"
    )


def quoted(text: str) -> str:
    return '"' + text + '"'


@pytest.mark.parametrize("identifier", GOOD)
def test_a_message_as_its_registry_has_it_is_good(identifier: str, acme: Path) -> None:
    acme.write_text(message(identifier, *GOOD[identifier]))
    report = lint(acme)
    assert report.ok, report.problems
    assert not [warning for warning in report.warnings if "messages.busy" in warning]


OFF = ("Server is already powered OFF.", "Informational", "[]")


@pytest.mark.parametrize(
    ("identifier", "told", "place", "said"),
    [
        ("IDRAC.2.7.PSU599", OFF, "9:9: messages.busy.id", "IDRAC 2.7.0 of Dell has no message 'PSU599'"),
        ("IDRAC.2.7.PSU501", OFF, "10:11: messages.busy.text", "IDRAC 2.7.0 of Dell says PSU501: Server is already powered ON."),
        (
            "IDRAC.2.7.PSU502",
            ("Server is already powered OFF.", "Critical", "[]"),
            "11:15: messages.busy.severity",
            "IDRAC 2.7.0 of Dell gives PSU502 the severity Informational, not Critical",
        ),
        (
            "IDRAC.2.7.PSU502",
            ("Server is already powered OFF.", "Informational", "[one]"),
            "12:11: messages.busy.args",
            "IDRAC 2.7.0 of Dell gives PSU502 0 arguments, not 1",
        ),
        ("Base.1.4.PreconditionFailed", OFF, "9:9: messages.busy.id", "Base 1.4.0 of DMTF has no message 'PreconditionFailed'"),
    ],
)
def test_a_mutated_message_is_an_error_with_its_place(
    identifier: str, told: tuple[str, str, str], place: str, said: str, acme: Path
) -> None:
    acme.write_text(message(identifier, *told))
    report = lint(acme)
    assert not report.ok
    assert [str(problem) for problem in report.problems] == [f"{acme}:{place}: {said}"]


def test_a_version_that_is_not_known_is_compared_with_the_nearest_and_warned_of(acme: Path) -> None:
    acme.write_text(message("IDRAC.2.1.PSU501", *OFF))
    report = lint(acme)
    assert report.ok
    said = "messages.busy.text: IDRAC 2.7.0 of Dell says PSU501: Server is already powered ON."
    assert [warning for warning in report.warnings if "registr" in warning or "IDRAC" in warning] == [f"{acme}:10:11: {said}"]


def test_a_child_that_gives_another_version_is_warned_of_what_it_does_not_have(acme: Path) -> None:
    acme.write_text(HEAD.replace("message: busy", "message: no_session") + 'vars: {base: "1.5"}\n')
    missing = (("ActionParameterValueNotInList", "not_in_list"), ("PreconditionFailed", "precondition"))
    report = lint(acme)
    assert report.ok
    for name, key in missing:
        (warning,) = [warning for warning in report.warnings if f"messages.{key} " in warning]
        assert warning.startswith(f"{acme}:7:14: vars.base: Base 1.5.0 of DMTF has no message '{name}'")


def test_an_inherited_message_that_no_reply_sends_is_not_compared(acme: Path) -> None:
    unused = (
        "http: {if_match: {required: false, mismatch: bad_type}, odata_version: {only: '4.0', otherwise: bad_type}, "
        "evidence: {'*': [inferred]}}\n"
    )
    acme.write_text(HEAD.replace("message: busy", "message: no_session") + 'vars: {base: "1.5"}\n' + unused)
    assert not [warning for warning in lint(acme).warnings if "messages.precondition " in warning]


def test_another_text_of_an_inherited_message_is_warned_of(tmp_path: Path, acme: Path) -> None:
    parent = message("Base.{base}.ActionParameterUnknown", *UNKNOWN_PARAMETER).replace("id: acme", "id: mother")
    used = "power: {outcomes: {no_op: {reply: busy, effect: none}}}\n"
    (tmp_path / "mother.yaml").write_text(parent + used)
    assert lint(tmp_path / "mother.yaml").ok
    child = "schema: profile/1\nid: acme\ntitle: Acme\nextends: mother\nvars: {base: '1.0'}\n"
    acme.write_text(child + "replies: {bad_type: {status: 400, message: null}, precondition: {status: 412, message: null}}\n")
    report = lint(acme)
    (inherited,) = [warning for warning in report.warnings if "is inherited with this version" in warning]
    assert inherited.startswith(
        f"{acme}:5:14: vars.base: Base 1.0.0 of DMTF says ActionParameterUnknown: The action %1 was submitted"
    )


@pytest.mark.parametrize(
    ("prefix", "said"),
    [
        ("IDRACC", "no registry 'IDRACC' is known; did you mean 'IDRAC'?"),
        ("idrac", "no registry 'idrac' is known; did you mean 'IDRAC'?"),
        ("Acme", "no registry 'Acme' is known"),
    ],
)
def test_a_prefix_that_no_registry_has_is_warned_of_at_its_place(prefix: str, said: str, acme: Path) -> None:
    acme.write_text(message(f"{prefix}.2.7.PSU502", *OFF))
    report = lint(acme)
    assert report.ok
    assert [warning for warning in report.warnings if "no registry" in warning] == [f"{acme}:9:9: messages.busy.id: {said}"]


def with_two_of(prefix: str) -> str:
    """A profile with two messages of one registry."""
    told = message(f"{prefix}.2.7.PSU502", *OFF)
    second = f'messages:\n  gone: {{id: {prefix}.2.7.PSU503, text: "Gone.", severity: OK, evidence: [captured, me]}}\n'
    return told.replace("messages:\n", second)


def test_a_registry_of_ones_own_is_not_warned_of_where_two_messages_have_it(acme: Path) -> None:
    acme.write_text(with_two_of("Acme"))
    report = lint(acme)
    assert report.ok, report.problems
    assert not [warning for warning in report.warnings if "no registry" in warning]


def test_a_slip_of_the_hand_is_warned_of_at_both_messages_that_have_it(acme: Path) -> None:
    acme.write_text(with_two_of("IDRACC"))
    told = [warning for warning in lint(acme).warnings if "no registry" in warning]
    assert [warning.partition(": no")[0] for warning in told] == [
        f"{acme}:8:14: messages.gone.id",
        f"{acme}:10:9: messages.busy.id",
    ]


def test_a_slip_in_a_var_is_told_once_where_the_var_stands(acme: Path) -> None:
    acme.write_text("schema: profile/1\nid: acme\ntitle: Acme\nextends: dell-idrac9\nvars: {oemreg: IDRCA.2.7}\n")
    (told,) = [warning for warning in lint(acme).warnings if "no registry" in warning]
    assert told.startswith(f"{acme}:5:16: vars.oemreg: no registry 'IDRCA' is known; did you mean 'IDRAC'?")


@pytest.mark.parametrize("name", profiles.names())
def test_no_shipped_profile_has_a_prefix_that_no_registry_has(name: str) -> None:
    assert not [warning for warning in lint(name).warnings if "no registry" in warning]


UNKNOWN_PARAMETER = ("The action {arg0} was submitted with the invalid parameter {arg1}.", "Warning", "[Reset, one]")
BODY = "faults: {old: {type: redfish.reply, params: {status: 200, body: %s}, evidence: [captured, me]}}\n"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("{MessageId: Base.1.4.Succes}", "has no message 'Succes'; did you mean 'Success'?"),
        ("{MessageId: IDRAC.2.7.SYS426, MessageArgs: [one]}", "gives SYS426 2 arguments, not 1"),
        ("{MessageId: IDRAC.2.7.PSU501, MessageSeverity: Warning}", "gives PSU501 the severity OK, not Warning"),
        (
            "{MessageId: Base.1.22.ResourceMissingAtURI, Message: The resource at the URI '/x' is gone.}",
            "says ResourceMissingAtURI: The resource at the URI '%1' was not found.",
        ),
        ("{MessageId: Base.1.22.ResourceMissingAtURI, Message: The resource at the URI '/x' was not found.}", ""),
        ("{error: [{MessageID: Base.1.22.NoSuch}]}", "has no message 'NoSuch'"),
    ],
)
def test_messages_in_bodies_are_compared_with_their_arguments_filled_in(body: str, said: str, acme: Path) -> None:
    acme.write_text(HEAD.replace("message: busy", "message: no_session") + BODY % body)
    problems = [str(problem) for problem in lint(acme).problems]
    assert len(problems) == bool(said)
    assert all(said in problem and ".params.body." in problem for problem in problems)


def test_the_code_of_every_error_must_exist(acme: Path) -> None:
    acme.write_text(
        HEAD.replace("message: busy", "message: no_session")
        + 'errors: {code: "Base.{base}.GeneralEror", evidence: {code: [captured, me]}}\n'
    )
    assert "errors.code: Base 1.22.0 of DMTF has no message 'GeneralEror'; did you mean 'GeneralError'?" in str(
        lint(acme).problems[0]
    )


def test_a_wrong_id_over_an_inherited_text_is_told_at_the_id(acme: Path) -> None:
    acme.write_text(
        "schema: profile/1\nid: acme\ntitle: Acme\nextends: dell-idrac9\n"
        "messages: {psu502: {id: IDRAC.2.7.PSU501}, evidence: {psu502: [captured, r750]}}\n"
    )
    assert [str(problem) for problem in lint(acme).problems] == [
        f"{acme}:5:25: messages.psu502.id: IDRAC 2.7.0 of Dell says PSU501: Server is already powered ON."
    ]


def messages_sent(name: str) -> set[str]:
    """The MessageIds of Base that a profile's answers to power requests, log-ins and PATCH have."""
    profile = profiles.load(name)
    cells = [cell for row in profile.power.table.values() for cell in row.values()]
    replies = {profile.power.outcomes[cell.outcome].reply for cell in (*cells, profile.power.unlisted_type)}
    refusals = [reply for rule in profile.http.if_match for reply in (rule.mismatch, rule.missing)]
    named = [*replies, profile.bmc_reset.reply, profile.auth.no_auth, profile.auth.sessions.on_full, *refusals]
    told = [profile.replies[reply].message for reply in named if reply is not None]
    found = {profile.messages[message].id for message in told if message is not None}
    return {each for each in found if each.startswith("Base.")}


@pytest.mark.parametrize("name", profiles.names())
def test_no_shipped_profile_sends_a_message_that_is_newer_than_its_base_registry(name: str) -> None:
    """Base 0.10 is older than all that are known: it has nothing that 1.0 has not."""
    (dmtf, _) = registries.known()["Base"]
    for message_id in messages_sent(name):
        sent = registries.parsed(message_id)
        assert sent is not None
        assert any(dmtf.message(each, sent.name) for each in dmtf.versions_like(sent.version) or (dmtf.versions[0],)), message_id


@pytest.mark.parametrize("name", profiles.all_names())
def test_no_shipped_profile_contradicts_a_registry(name: str) -> None:
    assert not lint(name).problems


def test_the_registries_are_small_and_every_file_names_source_and_licence() -> None:
    files = sorted(registries.FOLDER.glob("*.json"))
    readme = (registries.FOLDER / "README.md").read_text(encoding="utf-8")
    assert sum(file.stat().st_size for file in files) < 300_000
    for file in files:
        told = registries.told(file)
        assert told["sources"], file
        assert all({"ref", "commit", "licence"} <= source.keys() for source in told["sources"])
        assert file.stem in readme or told["owner"] == "AMI"


def test_what_a_range_of_versions_says_holds_for_each_of_them() -> None:
    (base, hpe) = registries.known()["Base"]
    assert (base.owner, hpe.owner) == ("DMTF", "HPE")
    old, new = (base.message(version, "Success") for version in ((1, 0, 0), (1, 22, 1)))
    assert old is not None
    assert new is not None
    assert old.text != new.text
    assert base.message((1, 4, 0), "PreconditionFailed") is None
    assert base.nearest((1, 99)) == (1, 22, 0)
