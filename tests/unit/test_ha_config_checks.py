"""Everything that can be checked of a configuration is, before anything is sent; each mistake is one line with its place."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from fencer.ha.cli import main
from fencer.ha.config import load_config
from fencer.ha.config_checks import missing_here
from fencer.ha.config_file import LIMITS, ConfigError

LAUGHS = "a: &a [1]\n" + "".join(f"{n}: &{n} [{', '.join([f'*{chr(ord(n) - 1)}'] * 9)}]\n" for n in "bcdefghi")
PROBE = "{kind: exec, argv: ['true']}"


def written(path: Path, text: str) -> Path:
    file = path / "ha.yaml"
    file.write_text(text)
    return file


def host(bmc: str = "{host: h}", health: str = PROBE, more: str = "") -> str:
    return f"hosts: [{{name: a, bmc: {bmc}, health: [{health}]{more}}}]\n"


def problems(path: Path, text: str) -> list[str]:
    file = written(path, text)
    with pytest.raises(ConfigError) as caught:
        load_config(file)
    return [line.removeprefix(f"{file}:") for line in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (host("{url: nonsense}"), "1:30: hosts[0].bmc.url: 'nonsense' must begin with http:// or https://"),
        (host("{url: 'ftp://h'}"), "hosts[0].bmc.url: 'ftp://h' must begin with"),
        (host("{url: 'https://'}"), "names no host"),
        (host("{url: 'https://h:99999'}"), "is not a URL: Port out of range"),
        (host("{url: 'https://h:0'}"), "the port must be 1 to 65535"),
        (host("{url: 'https://root:calvin@h'}"), "must hold no user name and no password"),
        (host("{url: 'https://[::1'}"), "is not a URL"),
        (host("{host: 'a b'}"), "'a b' is neither an address nor a host name"),
        (host("{host: '-h'}"), "neither an address"),
        (host("{host: 1.2.3.999}"), "'1.2.3.999' is not an IPv4 address"),
        (host("{host: ''}"), "neither an address"),
        (host("{host: h, port: 70000}"), "hosts[0].bmc.port: must be less than 65536, not 70000"),
        (host(health="{kind: http, url: x}"), "hosts[0].health[0].url: 'x' must begin with"),
        (host(health="{kind: http, url: 'http://h', status: 7}"), "must be an HTTP status"),
        (host(health="{kind: tcp, host: 'a b', port: 1}"), "hosts[0].health[0].host: 'a b'"),
        (host(more=", agent: h"), "hosts[0].agent: 'h' must begin with"),
        (f"{host()}scale: 1e999\n", "2:8: scale: must be a number, not '1e999'; too large a number"),
        (f"{host()}policy: {{poll: -1e999}}\n", "2:16: policy.poll: must be a number, not '-1e999'; too large a number"),
        (
            f"{host()}policy: {{poll: {'9' * 5000}}}\n",
            f"2:16: policy.poll: must be a number, not '{'9' * 60}'; too large a number",
        ),
        (f"{host()}policy: {{poll: 9999999999}}\n", "2:16: policy.poll: must be a number of at most 1e+09"),
        (f"{host()}api: {{listen: '0.0.0.0:1'}}\n", "2:15: api.listen: 0.0.0.0:1 is not a loopback address"),
        (f"{host()}api: {{listen: nonsense}}\n", "2:15: api.listen: 'nonsense' is no address"),
    ],
    ids=range(22),
)
def test_a_value_that_cannot_be_used_names_its_place(tmp_path: Path, text: str, message: str) -> None:
    assert message in "\n".join(problems(tmp_path, text))


@pytest.mark.parametrize(
    "bmc", ["{host: h}", "{host: h.example.org}", "{host: 192.0.2.1}", "{host: '::1'}", "{url: 'https://[::1]:1'}"]
)
def test_control_addresses_that_are_right_are_taken(tmp_path: Path, bmc: str) -> None:
    load_config(written(tmp_path, host(bmc)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: &a [*a]\n", "1:8: *a stands inside the value that it names"),
        ("&a {b: {c: *a}}\n", "1:12: *a stands inside the value that it names"),
        ("a: " + "[" * 50 + "]" * 50, "nested deeper than 40 levels"),
        ("[" * 20_000, "exceeded maximum nesting depth"),
        ("{a: " * 20_000, "nested deeper than 40 levels"),
        (LAUGHS, "more than 400000 values"),
        ("? [a, b]\n: 1\n", "1:3: a key must be a word, not a list or a map"),
        ("? {a: b}\n: 1\n", "a key must be a word, not a list or a map"),
    ],
    ids=range(8),
)
def test_yaml_that_loops_or_nests_without_end_is_one_sentence(tmp_path: Path, text: str, message: str) -> None:
    found = problems(tmp_path, text)
    assert len(found) == 1
    assert message in found[0]


def test_a_file_of_any_size_is_not_read_whole(tmp_path: Path) -> None:
    assert "larger than 4000000 bytes: not a configuration" in problems(tmp_path, "#" * (LIMITS.bytes + 1))[0]
    with pytest.raises(ConfigError, match="larger than 4000000 bytes: not a configuration"):
        load_config(Path("/dev/zero"))


def test_what_this_machine_lacks_is_found_at_the_start_all_at_once(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("x")
    (tmp_path / "no.pem").write_text("no certificate")
    text = (
        "state_file: nowhere/ha.db\n"
        "hosts:\n"
        "  - {name: a, bmc: {host: h, ca_file: none.pem, password_file: none}, health: [{kind: exec, argv: [no-such-program]}]}\n"
        "  - {name: b, bmc: {host: i, ca_file: no.pem, password_env: NOT_SET_HERE}, health: [{kind: exec, argv: [./plain]}],\n"
        "     activity: [{kind: exec, argv: [./none]}]}\n"
        "vms: [{name: v, host: a}]\n"
        "executor: {kind: exec, start: [./none, x], stop: ['true']}\n"
    )
    lacks = [line.removeprefix(f"{tmp_path / 'ha.yaml'}:") for line in missing_here(load_config(written(tmp_path, text)))]
    assert lacks == [
        f"3:39: hosts[0].bmc.ca_file: {tmp_path}/none.pem: No such file or directory",
        f"3:64: hosts[0].bmc.password_file: {tmp_path}/none: No such file or directory",
        "3:100: hosts[0].health[0].argv[0]: there is no program 'no-such-program' in PATH",
        f"4:39: hosts[1].bmc.ca_file: {tmp_path}/no.pem holds no certificate in PEM form",
        "4:61: hosts[1].bmc.password_env: NOT_SET_HERE is not set",
        f"4:105: hosts[1].health[0].argv[0]: {tmp_path}/plain is not executable (chmod +x)",
        f"5:37: hosts[1].activity[0].argv[0]: there is no program {tmp_path}/none",
        f"1:13: state_file: the folder {tmp_path}/nowhere does not exist",
        f"7:32: executor.start[0]: there is no program {tmp_path}/none",
    ]


def test_run_says_it_and_ends_with_2_before_it_makes_a_state_file(tmp_path: Path) -> None:
    file = written(tmp_path, host(health="{kind: exec, argv: [no-such-program]}"))
    result = CliRunner().invoke(main, ["run", str(file)])
    assert (result.exit_code, result.output.count("\n")) == (2, 1)
    assert "there is no program 'no-such-program'" in result.output
    assert not (tmp_path / "fence-ha.db").exists()


def test_relative_paths_start_at_the_folder_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "ca.pem").write_text("x")
    config = load_config(
        written(tmp_path / "here", host("{host: h, ca_file: ca.pem}") + "api: {listen: '127.0.0.1:1', token_file: t}\n")
    )
    monkeypatch.chdir("/")
    assert config.target(config.host("a")).ca_file == str(tmp_path / "here" / "ca.pem")
    assert (config.state_file, config.token_file) == (tmp_path / "here" / "fence-ha.db", tmp_path / "here" / "t")


PDU = "{name: pdu1, kind: pdu, host: h1}, {name: pdu2, kind: pdu, host: h2}"
AGENT = "{name: apc, kind: agent, command: fence_apc}"


def two(first: str, second: str = "", devices: str = f"{PDU}, {AGENT}") -> str:
    """The devices on line 1, the first host on line 3, the second one on line 4."""
    lines = [
        f"devices: [{devices}]",
        "hosts:",
        f"- {{name: a, bmc: {{host: x}}, health: [{PROBE}]{first}}}",
        f"- {{name: b, bmc: {{host: y}}, health: [{PROBE}]{second}}}",
    ]
    return "\n".join(lines) + "\n"


LEVELS = ", fence: [[bmc], [pdu1]], outlets: {pdu1: [%s]}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (two(", fence: [[bmc], [zz]]"), "3:85: hosts[0].fence[1][0]: no device is called zz; there are bmc, pdu1, pdu2, apc"),
        (two(", fence: [[bmc], []]"), "3:84: hosts[0].fence[1]: level 2 of a names no device"),
        (two(", fence: []"), "3:76: hosts[0].fence: fence of a has no level; leave it out for the BMC alone"),
        (two(", fence: [[bmc], [apc, apc]]"), "3:90: hosts[0].fence[1][1]: apc is in the levels of a twice"),
        (two(", fence: [[apc]]"), "3:76: hosts[0].fence: bmc is in no level of a"),
        (two(", fence: [[bmc], [pdu1]]"), "hosts[0].fence[1][0]: which outlets of pdu1 feed a? Write outlets: {pdu1: [...]}"),
        (two(LEVELS % "A1", LEVELS % "A1"), "4:110: hosts[1].outlets.pdu1[0]: outlet A1 of pdu1 is written for a and b"),
        (two(LEVELS % "A1, A1"), "3:114: hosts[0].outlets.pdu1[1]: outlet A1 of pdu1 is written for a twice"),
        (two(LEVELS % "A1", LEVELS % "/redfish/v1/x/Outlets/A1"), "is written for a and b"),
        (
            two(LEVELS % "A1", LEVELS.replace("pdu1", "pdu2") % "A1", PDU.replace("h2", "h1")),
            "hosts[1].outlets.pdu2[0]: outlet A1 of pdu2 is written for a and b",
        ),
        (two(", outlets: {pdu1: [A1]}"), "hosts[0].outlets.pdu1: pdu1 is in no level of a (fence)"),
        (two(", outlets: {zz: [A1]}"), "hosts[0].outlets.zz: no PDU and no agent is called zz"),
        (two(LEVELS % ""), "hosts[0].outlets.pdu1: name the outlets of a on pdu1"),
        (two(LEVELS % "'A 1'"), "hosts[0].outlets.pdu1[0]: must be an outlet without blanks and commas, not 'A 1'"),
        (two(", fence: [[bmc], [apc]]", ", fence: [[bmc], [apc]]"), "apc is a device of a already, and it has no outlets"),
        (two("", devices="{name: bmc, kind: pdu, host: h}"), "1:18: devices[0].name: bmc is the name of each host's own BMC"),
        (two("", devices=f"{AGENT}, {AGENT}"), "devices[1].name: apc is written twice"),
        (two("", devices="{name: x, kind: agent, command: c, options: {password: s}}"), "options.password: write password_env"),
        (two("", devices="{name: x, kind: agent, command: c, options: {plug: 1}}"), "options.plug: write the host's plug"),
        (two("", devices='{name: x, kind: agent, command: c, options: {a: "1\\n2"}}'), "options.a: must be one line"),
        (two("", devices="{name: x, kind: pdu, url: nonsense}"), "1:37: devices[0].url: 'nonsense' must begin with"),
        (two("", devices="{name: x, kind: pdu}"), "1:11: devices[0]: give exactly one of url and host"),
        (two("", devices="{name: x, kind: steam}"), "devices[0].kind: must be one of bmc, pdu, agent; not 'steam'"),
        (
            two(", fence: [[bmc], [n]]", devices="{name: n, kind: bmc, host: 'y'}"),
            "b has the same BMC and System as a",
        ),
    ],
    ids=range(24),
)
def test_devices_and_levels_that_cannot_work_name_their_place(tmp_path: Path, text: str, message: str) -> None:
    assert message in "\n".join(problems(tmp_path, text))


def test_two_hosts_may_share_pdus_and_agents_by_their_outlets(tmp_path: Path) -> None:
    first = ", fence: [[bmc], [pdu1, pdu2], [apc]], outlets: {pdu1: [A1], pdu2: [A1], apc: [3]}"
    loaded = load_config(written(tmp_path, two(first, first.replace("A1", "A2").replace("3", "4"))))
    assert loaded.levels(loaded.host("a")) == (("bmc",), ("pdu1", "pdu2"), ("apc",))


def test_what_this_machine_lacks_for_devices_is_said_with_its_place(tmp_path: Path) -> None:
    devices = "{name: x, kind: agent, command: fence_none, password_env: NONE_X}, {name: y, kind: pdu, host: h, ca_file: no.pem}"
    found = "\n".join(missing_here(load_config(written(tmp_path, two("", devices=devices)))))
    for part in ("devices[0].command: there is no program 'fence_none'", "NONE_X is not set", "devices[1].ca_file:"):
        assert part in found
