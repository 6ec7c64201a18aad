"""fence_bmc's input, output and exit status, without a BMC."""

from __future__ import annotations

import json
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Mapping

import pytest

from fencer import agent, device_check, run
from fencer.agent import failure_line, main, parameters_from_lines
from fencer.agent_options import parameters_from_argv
from fencer.metadata import metadata
from fencer.outcome import Action, Cause, Evidence, Failure, FenceVerdict, Member, Outcome, Power, Reading, Witness, WitnessState
from fencer.parameters import BY_NAME, PARAMETERS, ParameterKind
from fencer.redact import Redactor
from fencer.settings import BadSettings, settings
from fencer.target import ChassisCheck, Limits, Protocol, Target

GOOD = {"action": "status", "ip": "192.0.2.1", "username": "admin", "password": "c4nary pass"}
CLI = ["--ip", "192.0.2.1", "--username", "admin"]


@pytest.fixture(autouse=True)
def untouched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr("signal.signal", lambda number, handler: None)
    monkeypatch.delenv("FENCE_PASSWORD", raising=False)


def feed(monkeypatch: pytest.MonkeyPatch, values: Mapping[str, str]) -> int:
    lines = "".join(f"{name}={value}\n" for name, value in values.items())
    with tempfile.TemporaryFile() as file:
        file.write(lines.encode())
        file.seek(0)
        monkeypatch.setattr(sys, "stdin", file)
        return main([])


# --- input ----------------------------------------------------------------------------------------------------------


def test_stdin_is_read_as_the_api_says(capsys: pytest.CaptureFixture[str]) -> None:
    raw = b'# a comment\n\n  ip=192.0.2.1\nunknown=1\naction=on\naction=off\npassword="a=b "\nlogin=x\nnodename=n1\n'
    assert parameters_from_lines(raw) == {
        "ip": "192.0.2.1", "action": "off", "password": "a=b ", "username": "x", "nodename": "n1",
    }  # fmt: skip
    assert "unknown parameter 'unknown' ignored" in capsys.readouterr().err


@pytest.mark.parametrize("raw", ["a b", "a'\"b", "$x % # : = & \\", "pä\u20ac", '"', "trailing "])
def test_the_bytes_of_a_password_survive(raw: str) -> None:
    assert parameters_from_lines(f"password={raw}\n".encode())["password"].encode() == raw.encode()


def test_bytes_that_are_no_utf8_survive() -> None:
    value = parameters_from_lines(b"password=\xff\xfe\n")["password"]
    assert value.encode("utf-8", "surrogateescape") == b"\xff\xfe"


def test_a_file_that_is_none_of_ours_is_complained_of_briefly(capsys: pytest.CaptureFixture[str]) -> None:
    assert parameters_from_lines(b"same=1\n" * 500 + b"".join(b"n%d=1\n" % n for n in range(500)) + b"ip=h") == {"ip": "h"}
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 11
    assert said[-1] == "fence_bmc: 491 more unknown parameters ignored"


def test_options_of_other_agents_are_taken_with_their_values() -> None:
    given = parameters_from_argv(
        ["--ipmitool-path", "/usr/bin/ipmitool", "--use-sudo", "--ssl", "-o", "status", "--disable-timeout=1"]
    )
    assert given == {"action": "status", "ssl": "1"}


def test_the_command_line_means_the_same_as_stdin() -> None:
    words = ["-o", "off", "-a", "192.0.2.1", "-l", "admin", "--ssl-insecure", "-P", "-C", "17", "--power-timeout=20"]
    assert parameters_from_argv(words) == {
        "action": "off", "ip": "192.0.2.1", "username": "admin", "ssl_insecure": "1", "lanplus": "1", "cipher": "17",
        "power_timeout": "20",
    }  # fmt: skip


def test_options_of_the_old_agents_without_effect_are_accepted() -> None:
    assert parameters_from_argv(["--disable-timeout=true", "--ipmitool-path=/x"]) == {}
    assert parameters_from_lines(b"ipmitool_path=/x\ngnutlscli_path=/y\n") == {}


def test_a_password_on_the_command_line_is_warned_about(capsys: pytest.CaptureFixture[str]) -> None:
    assert parameters_from_argv(["-p", "c4nary"])["password"] == "c4nary"
    assert "c4nary" not in capsys.readouterr().err


# --- settings -------------------------------------------------------------------------------------------------------


def target(**given: str) -> Target:
    found = settings({**GOOD, **given}, {}).target
    assert found is not None
    return found


def test_defaults() -> None:
    found = settings(GOOD, {})
    assert (found.limits.deadline, found.limits.stable_for, found.limits.chassis_check) == (
        15.0, 1.0, ChassisCheck.REQUIRE,
    )  # fmt: skip
    assert target().verify_tls


def test_reboot_is_the_default_action() -> None:
    assert settings({name: value for name, value in GOOD.items() if name != "action"}, {}).action is Action.REBOOT


def test_lanplus_implies_ipmi() -> None:
    assert target(lanplus="1").protocol is Protocol.IPMI


@pytest.mark.parametrize(
    ("ip", "host", "port"),
    [("h:8443", "h", 8443), ("[::1]:443", "::1", 443), ("::1", "::1", None), ("[::1]", "::1", None), ("h", "h", None)],
)
def test_addresses(ip: str, host: str, port: int | None) -> None:
    assert (target(ip=ip).host, target(ip=ip).port) == (host, port)


def test_pacemakers_own_name_of_the_node_selects_no_system() -> None:
    assert target(plug="node1", nodename="node1").system is None
    assert target(plug="blade3", nodename="node1").system == "blade3"


def test_the_deadline_overrides_power_timeout() -> None:
    assert settings({**GOOD, "power_timeout": "20", "deadline": "15"}, {}).limits.deadline == 15


def test_where_a_password_may_come_from(tmp_path: pytest.TempPathFactory) -> None:
    bare = {name: value for name, value in GOOD.items() if name != "password"}
    path = tmp_path / "pw"  # type: ignore[operator]
    path.write_bytes(b"from file \nsecond line\n")
    from_file = settings({**bare, "password_file": str(path)}, {}).target
    from_variable = settings(bare, {"FENCE_PASSWORD": "from variable"}).target
    assert from_file is not None
    assert from_variable is not None
    assert (from_file.password, from_variable.password) == ("from file ", "from variable")


@pytest.mark.parametrize(
    "wrong",
    [
        {"action": "explode"}, {"ip": ""}, {"username": ""}, {"power_timeout": "soon"}, {"power_timeout": "0"},
        {"power_timeout": "nan"}, {"power_timeout": "-1"}, {"ipport": "http"}, {"ipport": "70000"},
        {"ssl_insecure": "perhaps"}, {"protocol": "ssh"}, {"cipher": "0"}, {"hexadecimal_kg": "xyz"},
        {"chassis_check": "no"}, {"ssl_insecure": "1", "ssl_secure": "1"}, {"stonith_status_sleep": "0"},
        {"ip": "h:port"}, {"stable_for": "inf"}, {"identity_check": "never"}, {"chassis_check": "/redfish/v1/Chassis/1, own"},
    ],
)  # fmt: skip
def test_what_cannot_work_is_one_sentence_and_exit_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], wrong: dict[str, str]
) -> None:
    assert feed(monkeypatch, {**GOOD, **wrong}) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("fence_bmc: config: ")
    assert shown.err.count("\n") == 1


@pytest.mark.parametrize("name", ["password_file", "password_script"])
def test_a_password_source_that_is_not_there(name: str) -> None:
    bare = {key: value for key, value in GOOD.items() if key != "password"}
    with pytest.raises(BadSettings, match="cannot be"):
        settings({**bare, name: "/no/such/thing"}, {})


@pytest.mark.parametrize("words", [["--no-such"], ["-o"], ["stray"], [*CLI, "-o", "status"], ["-o", "explode"]])
def test_usage_errors_exit_1_and_never_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 1
    assert "Traceback" not in capsys.readouterr().err


# --- output ---------------------------------------------------------------------------------------------------------


def ends(monkeypatch: pytest.MonkeyPatch, outcome: Outcome) -> None:
    monkeypatch.setattr(run, "fence_target", lambda *args, **kwargs: outcome)


def confirmed(action: Action, how: str, power: Power = Power.OFF, notes: tuple[str, ...] = ()) -> Outcome:
    reading = Reading(power=power, word="Off", at=1.0, path="test")
    proof = Evidence(readings=(reading, reading), chassis_check="ok", how=how)
    return Outcome(verdict=FenceVerdict.CONFIRMED, action=action, evidence=proof, notes=notes)


@pytest.mark.parametrize(
    ("action", "how", "power", "status", "words"),
    [
        ("off", "already-off", Power.OFF, 0, "Success: Already OFF\n"),
        ("off", "powered-off", Power.OFF, 0, "Success: Powered OFF\n"),
        ("on", "on", Power.ON, 0, "Success: Powered ON\n"),
        ("reboot", "restarted", Power.ON, 0, "Success: Rebooted\n"),
        ("status", "read", Power.ON, 0, "Status: ON\n"),
        ("status", "read", Power.OFF, 2, "Status: OFF\n"),
    ],
)
def test_exit_status_and_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    action: str, how: str, power: Power, status: int, words: str,
) -> None:  # fmt: skip
    ends(monkeypatch, confirmed(Action(action), how, power))
    assert feed(monkeypatch, {**GOOD, "action": action}) == status
    assert capsys.readouterr() == (words, "")


def test_a_failure_is_one_line_with_the_class_and_without_the_password(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failure = Failure(cause=Cause.CONFLICT, text="ForceOff refused", code="HTTP 409", message_id="PSU501", bmc_text="c4nary pass")
    ends(monkeypatch, Outcome(verdict=FenceVerdict.REFUTED, action=Action.OFF, failure=failure))
    assert feed(monkeypatch, {**GOOD, "action": "off"}) == 1
    assert capsys.readouterr() == (
        "",
        'fence_bmc: conflict-other: ForceOff refused [HTTP 409 PSU501] BMC: "[hidden]"\n',
    )
    assert "Success" not in failure_line(failure)


def test_a_reboot_whose_on_half_failed_exits_0_and_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ends(monkeypatch, confirmed(Action.REBOOT, "powered-off", notes=("switching it on again failed",)))
    assert feed(monkeypatch, {**GOOD, "action": "reboot", "method": "cycle"}) == 0
    assert "switching it on again failed" in capsys.readouterr().err


def test_evidence_is_written_as_json(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    ends(monkeypatch, confirmed(Action.OFF, "already-off"))
    assert feed(monkeypatch, {**GOOD, "action": "off", "evidence": "-", "quiet": "1"}) == 0
    assert '"how": "already-off"' in capsys.readouterr().out


def test_a_signal_ends_with_a_sentence(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def stopped(*args: object, **kwargs: object) -> Outcome:
        raise agent.StoppedBySignal

    monkeypatch.setattr(run, "fence_target", stopped)
    assert feed(monkeypatch, {**GOOD, "action": "off"}) == 1
    assert "stopped by a signal" in capsys.readouterr().err


def test_validate_all_help_and_version_speak_to_nobody(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert feed(monkeypatch, {**GOOD, "action": "validate-all"}) == 0
    assert main(["--help"]) == 0
    assert main(["-V"]) == 0
    assert "chassis-check" in capsys.readouterr().out


def test_an_error_of_our_own_shows_no_text(capsys: pytest.CaptureFixture[str]) -> None:
    agent._report_internal_error(ValueError, ValueError("c4nary"), None)
    assert "c4nary" not in capsys.readouterr().err


def test_the_redactor_knows_the_forms_in_which_a_secret_travels() -> None:
    hide = Redactor(["s3cr&t "], "admin")
    text = "s3cr&t |s3cr%26t%20|YWRtaW46czNjciZ0IA==|s3cr&t"
    assert hide(text) == "[hidden]|[hidden]|[hidden]|[hidden]"
    assert Redactor([""])("x") == "x"


# --- metadata -------------------------------------------------------------------------------------------------------


def test_the_metadata_has_the_shape_of_the_grammar(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-o", "metadata"]) == 0
    root = ET.fromstring(capsys.readouterr().out)
    assert [child.tag for child in root] == ["longdesc", "vendor-url", "parameters", "actions"]
    for parameter in root.iter("parameter"):
        assert [child.tag for child in parameter] == ["getopt", "content", "shortdesc"]
        assert parameter.get("unique") == "0"
        assert set(parameter.attrib) <= {"name", "unique", "required", "deprecated", "obsoletes"}
        content = parameter[1]
        assert content.get("type") in [str(kind) for kind in ParameterKind]
        assert (content.get("type") == "select") == (len(content) > 0)
    assert {"off", "on", "status", "monitor"} <= {action.get("name") or "" for action in root.iter("action")}


def test_the_metadata_advertises_neither_plug_nor_port() -> None:
    names = {parameter.get("name") for parameter in ET.fromstring(metadata()).iter("parameter")}
    assert names.isdisjoint({"plug", "port"})
    assert {"ip", "ipaddr", "username", "login", "password", "passwd", "systems_uri", "lanplus", "cipher"} <= names


def test_every_parameter_has_one_name_and_one_letter() -> None:
    letters = [parameter.short for parameter in PARAMETERS if parameter.short]
    assert len(letters) == len(set(letters))
    assert len(BY_NAME) >= len(PARAMETERS)


@pytest.mark.parametrize(
    "wrong",
    [{"deadline": 0.0}, {"stable_for": -1.0}, {"poll": 2.0}, {"max_commands": 0}],
)
def test_limits_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must"):
        Limits(**wrong)  # type: ignore[arg-type]


# --- list, monitor, JSON, times -----------------------------------------------------------------------------------------


def lists(monkeypatch: pytest.MonkeyPatch, *members: Member) -> None:
    monkeypatch.setattr(run, "list_hosts", lambda target, limits: members)


def test_list_prints_plugs_and_the_names_by_which_a_cluster_may_know_a_host(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lists(monkeypatch, Member(plug="1", host_name="node1.example.com", word="On"), Member(plug="2", word="Off"))
    assert feed(monkeypatch, {**GOOD, "action": "list"}) == 0
    assert capsys.readouterr().out == "1,node1.example.com\n1,node1\n2,\n"


def test_list_status_adds_the_state(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    lists(monkeypatch, Member(plug="1", host_name="n1", word="On"), Member(plug="2", word="Off"), Member(plug="3", word="Paused"))
    assert feed(monkeypatch, {**GOOD, "action": "list-status"}) == 0
    assert capsys.readouterr().out == "1,n1,ON\n2,,OFF\n3,,unknown\n"


def test_list_as_json(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    lists(monkeypatch, Member(plug="1", host_name="n1", word="On"))
    assert feed(monkeypatch, {**GOOD, "action": "list", "output": "json"}) == 0
    assert json.loads(capsys.readouterr().out)["hosts"] == [{"plug": "1", "host_name": "n1", "power": "On"}]


@pytest.mark.parametrize(("failure", "status"), [(None, 0), (Failure(cause=Cause.CONFIG, text="two systems"), 1)])
def test_monitor_warns_and_ends_with_0_or_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], failure: Failure | None, status: int
) -> None:
    check = device_check.DeviceCheck(outcome=None, failure=failure, warnings=("a chassis says null",))
    monkeypatch.setattr(device_check, "check_device", lambda *arguments: check)
    assert feed(monkeypatch, {**GOOD, "action": "monitor"}) == status
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("fence_bmc: a chassis says null\n")
    assert ("config: two systems" in shown.err) == (status == 1)


@pytest.mark.parametrize("action", ["off", "status"])
def test_json_is_the_only_thing_on_standard_output(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], action: str
) -> None:
    ends(monkeypatch, confirmed(Action(action), "already-off" if action == "off" else "read"))
    assert feed(monkeypatch, {**GOOD, "action": action, "output": "json", "evidence": "-"}) == (0 if action == "off" else 2)
    (line,) = capsys.readouterr().out.splitlines()
    result = json.loads(line)
    assert (result["format"], result["action"], result["verdict"], result["power"]) == ("fence_bmc/1", action, "confirmed", "off")
    assert len(result["evidence"]["readings"]) == 2


def test_json_of_a_failure_names_its_cause(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    failure = Failure(cause=Cause.CONFLICT, text="ForceOff refused", code="HTTP 409")
    ends(monkeypatch, Outcome(verdict=FenceVerdict.REFUTED, action=Action.OFF, failure=failure))
    assert feed(monkeypatch, {**GOOD, "action": "off", "output": "json"}) == 1
    result = json.loads(capsys.readouterr().out)
    assert (result["exit"], result["verdict"], result["failure"]["cause"]) == (1, "refuted", "conflict-other")


def test_the_time_begins_with_the_process_and_not_with_its_first_request(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Limits] = []

    def fence(action: Action, target: Target, limits: Limits, **more: object) -> Outcome:
        given.append(limits)
        return confirmed(Action.OFF, "already-off")

    monkeypatch.setattr(run, "fence_target", fence)
    monkeypatch.setattr(agent, "_process_age", lambda: 3.0)
    feed(monkeypatch, {**GOOD, "action": "off"})
    assert 46 < given[0].deadline < 47


def test_the_kernel_says_how_old_the_process_is() -> None:
    assert agent._process_age() > 0


def test_status_warns_of_a_chassis_that_could_stop_a_later_fence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    witness = Witness(uri="/redfish/v1/Chassis/1", state=WitnessState.SAYS, word="On", kind="Module")
    reading = Reading(power=Power.ON, word="On", at=1.0, path="redfish", witnesses=(witness,))
    proof = Evidence(readings=(reading,), chassis_check="not-asked", how="read")
    ends(
        monkeypatch,
        Outcome(verdict=FenceVerdict.CONFIRMED, action=Action.STATUS, evidence=proof, readings=(reading,)),
    )
    assert feed(monkeypatch, GOOD) == 0
    assert "is a Module" in capsys.readouterr().err
