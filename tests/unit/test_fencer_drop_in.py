"""Configurations of other fence agents: honoured, or refused with one sentence that says what to write instead."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from fencer import page
from fencer.agent import main, parameters_from_lines
from fencer.agent_options import parameters_from_argv
from fencer.drop_in import PROGRAMS, program_name
from fencer.given import BadSettings, GivenValues
from fencer.metadata import metadata
from fencer.outcome import Action
from fencer.parameters import PARAMETERS
from fencer.settings import AgentSettings, action_of, settings
from fencer.target import Address, Protocol, Target

GOOD = {"action": "status", "ip": "192.0.2.1", "username": "admin", "password": "c4nary pass"}


def read(program: str = "fence_bmc", **given: str) -> AgentSettings:
    return settings(GivenValues({**GOOD, **given}, program=program), {})


def target(program: str = "fence_bmc", **given: str) -> Target:
    found = read(program, **given).target
    assert found is not None
    return found


def refusal(program: str = "fence_bmc", **given: str) -> str:
    with pytest.raises(BadSettings) as caught:
        read(program, **given)
    return str(caught.value)


# --- what would change the target or the meaning ------------------------------------------------------------------------


@pytest.mark.parametrize("bridged", ["0x82", "130", "0x24", "x"])
def test_bridging_to_another_controller_is_refused(bridged: str) -> None:
    assert "bridging" in refusal(protocol="ipmi", target=bridged)
    assert "bridging" in refusal("fence_ipmilan", target=bridged)


@pytest.mark.parametrize("own", ["0x20", "32"])
def test_the_address_of_the_bmc_itself_is_no_bridging(own: str) -> None:
    assert target("fence_ipmilan", target=own).protocol is Protocol.IPMI


@pytest.mark.parametrize(("name", "protocol"), list(PROGRAMS.items()))
def test_the_name_of_the_link_decides_the_protocol(name: str, protocol: Protocol) -> None:
    assert program_name(f"/usr/sbin/{name}") == name
    assert target(name).protocol is protocol


def test_other_names_are_fence_bmc() -> None:
    assert program_name("/usr/lib/python3/dist-packages/fencer/agent.py") == "fence_bmc"
    assert target().protocol is Protocol.REDFISH


@pytest.mark.parametrize(
    ("program", "given"),
    [
        ("fence_ipmilan", {"protocol": "redfish"}),
        ("fence_idrac", {"protocol": "redfish,ipmi"}),
        ("fence_redfish", {"protocol": "ipmi"}),
        ("fence_redfish", {"lanplus": "1"}),
        ("fence_bmc", {"protocol": "redfish", "lanplus": "1"}),
    ],
)
def test_two_protocols_at_once_are_refused(program: str, given: dict[str, str]) -> None:
    assert "protocol" in refusal(program, **given)


@pytest.mark.parametrize("name", ["cipher", "privlvl", "hexadecimal_kg", "auth"])
def test_what_only_ipmi_has_is_not_ignored_over_redfish(name: str) -> None:
    value = {"cipher": "17", "privlvl": "operator", "hexadecimal_kg": "00ff", "auth": "md5"}[name]
    assert "write protocol=ipmi too" in refusal(**{name: value})
    assert target(**{name: value, "protocol": "ipmi"}).protocol is Protocol.IPMI


@pytest.mark.parametrize("name", ["systems_uri", "plug"])
def test_what_only_redfish_has_selects_nothing_over_ipmi(name: str) -> None:
    assert "System of Redfish" in refusal("fence_ipmilan", **{name: "blade3"})


def test_pacemakers_name_of_the_node_is_no_selection_over_ipmi() -> None:
    assert target("fence_ipmilan", plug="node1", nodename="node1").system is None


def test_port_as_ip_takes_the_address_from_the_plug() -> None:
    found = target(port_as_ip="1", plug="192.0.2.9:8443")
    assert (found.host, found.port, found.system) == ("192.0.2.9", 8443, None)


def test_several_plugs_are_refused() -> None:
    assert "one device for each" in refusal(plug="1,2")
    assert "one device for each" in refusal(plug="1;2", plug_separator=";")


# --- what is refused, and what to write instead --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "advice"),
    [
        ({"protocol": "ipmi", "cipher": "1"}, "write 3 or 17"),
        ({"protocol": "ipmi", "cipher": "0"}, "write 3 or 17"),
        ({"protocol": "ipmi", "privlvl": "callback"}, "write operator"),
        ({"power_timeout": "0"}, "write seconds"),
        ({"deadline": "0"}, "write seconds"),
        ({"stonith_status_sleep": "0"}, "write 1"),
        ({"ssl": "0"}, "leave it out"),
        ({"action": "enable"}, "write on"),
        ({"action": "disable"}, "write off"),
        ({"ip": "h:443", "ipport": "8443"}, "leave one out"),
        ({"ip": "a,,b"}, "no empty place"),
        ({"ssl_fingerprint": "12:34"}, "64 hexadecimal digits"),
    ],
)
def test_a_refusal_says_what_to_write(given: dict[str, str], advice: str) -> None:
    sentence = refusal(**given)
    assert advice in sentence
    assert "\n" not in sentence


def test_times_of_0_that_mean_no_limit_are_bounded_by_the_action() -> None:
    found = read(action="off", login_timeout="0", shell_timeout="0", power_timeout="20").limits
    assert (found.connect, found.request, found.deadline) == (20, 20, 20)


@pytest.mark.parametrize(
    ("given", "verbose"),
    [
        ({"verbose": "2"}, True),
        ({"verbose": "1"}, True),
        ({"verbose_level": "3"}, True),
        ({"verbose": "1", "verbose_level": "0"}, False),
    ],
)
def test_verbosity_is_a_number_or_a_switch(given: dict[str, str], verbose: bool) -> None:
    assert read(**given).verbose is verbose


def test_a_password_script_may_have_arguments(tmp_path: Path) -> None:
    script = tmp_path / "a script"
    script.write_text('#!/bin/sh\nprintf "%s-%s\\n" "$1" "$2"\n')
    script.chmod(0o755)
    given = {key: value for key, value in GOOD.items() if key != "password"}
    found = settings({**given, "password_script": f"'{script}' 'one $x' two"}, {}).target
    assert found is not None
    assert found.password == "one $x-two"
    alone = settings({**given, "password_script": str(script)}, {}).target
    assert alone is not None
    assert alone.password == "-"


@pytest.mark.parametrize(
    ("program", "given", "why"),
    [
        ("fence_idrac", {}, "fence_idrac without lanplus=1"),
        ("fence_ipmilan", {"lanplus": "0"}, "lanplus=0"),
        ("fence_ilo5", {"auth": "md5"}, "auth=md5"),
    ],
)
def test_ipmi_1_5_becomes_rmcpplus_and_that_is_said(program: str, given: dict[str, str], why: str) -> None:
    (note,) = read(program, **given).notes
    assert why in note
    assert "RMCP+" in note


@pytest.mark.parametrize(("program", "given"), [("fence_ilo5", {}), ("fence_ipmilan", {"lanplus": "1"}), ("fence_redfish", {})])
def test_nothing_is_said_where_nothing_changes(program: str, given: dict[str, str]) -> None:
    assert read(program, **given).notes == ()


def test_the_manual_page_and_old_names_of_actions() -> None:
    assert action_of({"action": "manpage"}) is Action.MANPAGE
    assert action_of({"action": "meta-data"}) is Action.METADATA


# --- names in messages ----------------------------------------------------------------------------------------------------


def test_messages_name_a_parameter_as_the_user_wrote_it() -> None:
    lines = "action=off\nipaddr=h:x\nlogin=a\npasswd=b\n"
    with pytest.raises(BadSettings, match="port in ipaddr"):
        settings(parameters_from_lines(lines.encode()), {})
    with pytest.raises(BadSettings, match=r"^--login-timeout is"):
        settings(parameters_from_argv(["--ip=h", "-l", "a", "-p", "b", "--login-timeout=soon"]), {})
    with pytest.raises(BadSettings, match=r"^-u is"):
        settings(parameters_from_argv(["--ip=h", "-l", "a", "-p", "b", "-u", "soon"]), {})


# --- several ways ---------------------------------------------------------------------------------------------------------


def test_several_addresses_and_two_protocols() -> None:
    found = target(ip="192.0.2.1, 192.0.2.2:8443", protocol="redfish,ipmi", ipmi_port="6230", ipport="")
    assert (found.host, found.port, found.others) == ("192.0.2.1", None, (Address("192.0.2.2", 8443),))
    assert (found.protocol, found.second, found.second_port) == (Protocol.REDFISH, Protocol.IPMI, 6230)


@pytest.mark.parametrize("text", ["AA:" * 31 + "aa", "a" * 64, "sha256:" + "Aa" * 32])
def test_a_fingerprint_is_hexadecimal_in_the_usual_forms(text: str) -> None:
    found = target(ssl_fingerprint=text)
    assert found.fingerprint == "a" * 64
    assert not found.verify_tls
    assert target(ssl_fingerprint=text, ssl_secure="1").verify_tls


# --- times ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "deadline"),
    [
        ({"action": "off"}, 50), ({"action": "on"}, 50), ({"action": "reboot"}, 50),
        ({"action": "status"}, 15), ({"action": "monitor"}, 15), ({"action": "list"}, 15),
        ({"action": "off", "power_timeout": "85"}, 85), ({"action": "monitor", "power_timeout": "85"}, 15),
        ({"action": "monitor", "power_timeout": "5"}, 5), ({"action": "monitor", "deadline": "20"}, 20),
    ],
)  # fmt: skip
def test_the_times_of_the_actions(given: dict[str, str], deadline: float) -> None:
    assert read(**given).limits.deadline == deadline


# --- output ----------------------------------------------------------------------------------------------------------------


def test_json_of_a_wrong_configuration_is_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["--output=json", "-o", "off", "-a", "h", "-l", "a", "-p", "x", "--chassis-check=no"])
    shown = capsys.readouterr()
    result = json.loads(shown.out)
    assert (status, result["exit"], result["failure"]["cause"]) == (1, 1, "config")
    assert "--chassis-check" in result["failure"]["text"]
    assert shown.err.startswith("fence_bmc: ")


def test_the_metadata_of_a_link_has_its_name_and_its_parameters() -> None:
    text = metadata("fence_idrac")
    assert 'name="fence_idrac"' in text
    assert '<parameter name="ipmitool_path"' in text
    assert '<parameter name="ipmitool_path"' not in metadata()
    assert '<parameter name="plug"' not in text


# --- what describes it -----------------------------------------------------------------------------------------------------


def test_the_page_has_fresh_tables() -> None:
    text = page.PAGE.read_text(encoding="utf-8")
    assert page.rewritten(text) == text, "run: python -m fencer.page"


def test_the_manual_page_names_every_parameter(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-o", "manpage"]) == 0
    text = capsys.readouterr().out.replace("\\-", "-")
    assert text.startswith(".TH FENCE_BMC 8")
    for parameter in PARAMETERS:
        assert f"\\fB{parameter.name}\\fR" in text
    assert not [line for line in text.splitlines() if line.startswith("'")]


def test_links_are_made_for_the_installed_command_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = tmp_path / "bin" / "fence_bmc"
    command.parent.mkdir()
    command.write_text("#!/bin/sh\n")
    command.chmod(0o755)
    monkeypatch.setattr(sys, "argv", [str(command)])
    assert main(["--links", str(tmp_path)]) == 0
    assert {path.name for path in tmp_path.iterdir() if path.is_symlink()} == set(PROGRAMS)
    assert main(["--links", str(tmp_path)]) == 0
    assert main(["--links", str(tmp_path / "no-such")]) == 1
    monkeypatch.setattr(sys, "argv", ["pytest"])
    assert main(["--links", str(tmp_path)]) == 1
    assert "installed command" in capsys.readouterr().err
