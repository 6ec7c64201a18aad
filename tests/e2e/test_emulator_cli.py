"""`bmc-emulator` as a user meets it: what it prints, how it ends, and how it says what was wrong."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import re
import resource
import shlex
import signal
import socket
import ssl
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from emulator.core.journal import EventKind
from tests import commands
from tests.commands import Serving, command, environment, quick_command

run = partial(commands.run, started_as=quick_command)
QuickServing = partial(Serving, started_as=quick_command)
"""Where it is of interest what /proc shows, `Serving` itself."""

KEYS = ["name", "profile", "redfish_url", "ipmi_host", "ipmi_port", "username", "password", "system_uri"]
SECRET = "correct-horse-7"
BROKEN = """\
schema: profile/1
id: broken
title: Broken
extends: dmtf-generic
power:
  reset_typos: [On]
"""


def run_fails(*arguments: str, cwd: Path | None = None) -> str:
    """The one sentence of a run that ends with exit code 2 and says nothing else."""
    result = run("bmc-emulator", *arguments, cwd=cwd)
    assert (result.returncode, result.stdout) == (2, ""), result.stderr
    assert "Traceback" not in result.stderr
    (sentence,) = result.stderr.splitlines()
    return sentence


# -- READY -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("profile", "user", "password", "system"),
    [
        ("dmtf-generic", "admin", "F3nce-lab.demo", "437XR1138R2"),
        ("dell-idrac9", "root", "calvin", "System.Embedded.1"),
        ("openbmc-x86", "root", "0penBmc", "system"),
    ],
)
def test_ready_tells_all_that_a_client_needs(tmp_path: Path, profile: str, user: str, password: str, system: str) -> None:
    with QuickServing(tmp_path, "--profile", profile) as serving:
        (ready,) = serving.ready
    assert list(ready) == KEYS
    assert (ready["name"], ready["profile"], ready["username"], ready["password"]) == (profile, profile, user, password)
    assert ready["system_uri"] == f"/redfish/v1/Systems/{system}"
    assert re.fullmatch(r"https://127\.0\.0\.1:\d+", str(ready["redfish_url"]))
    assert ready["ipmi_host"] == "127.0.0.1"
    assert isinstance(ready["ipmi_port"], int)


@pytest.mark.long
def test_ready_as_text_says_the_same_in_one_line(tmp_path: Path) -> None:
    arguments = [*command("bmc-emulator"), "run", "--profile", "dell-idrac9", "--plain-http"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, env=environment()) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.stdout.read() == ""
    where = r"redfish http://127\.0\.0\.1:\d+/redfish/v1/Systems/System\.Embedded\.1  ipmi 127\.0\.0\.1:\d+"
    assert re.fullmatch(rf"ready dell-idrac9  {where}  user root  password calvin\n", line)


@pytest.mark.long
@pytest.mark.parametrize("as_json", [(), ("--json",)], ids=["text", "json"])
def test_what_has_no_ipmi_tells_no_ipmi_port(as_json: tuple[str, ...]) -> None:
    arguments = [*command("bmc-emulator"), "run", "--profile", "pdu-generic", "--plain-http", *as_json]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, env=environment()) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        process.send_signal(signal.SIGINT)
    assert "/PowerEquipment/RackPDUs/1/Outlets/" in line
    assert "ipmi" not in line


@pytest.mark.long
def test_a_password_of_the_users_own_is_named_and_shown_nowhere(tmp_path: Path) -> None:
    with Serving(tmp_path, "--profile", "dell-idrac9", env={"FENCELAB_PASSWORD": SECRET}) as serving:
        (ready,) = serving.ready
        assert _status(ready, SECRET) == 200
        assert _status(ready, "calvin") == 401
        argv = Path(f"/proc/{serving.process.pid}/cmdline").read_text()
        code, rest = serving.end(signal.SIGTERM)
    assert list(ready) == [{"password": "password_env"}.get(key, key) for key in KEYS]
    assert ready["password_env"] == "FENCELAB_PASSWORD"
    shown = (argv, *serving.lines, rest, serving.errors.read_text(), serving.journal.read_text())
    assert not [text for text in shown if SECRET in text]
    assert code == 0


def test_a_password_that_no_ipmi_client_can_send_is_warned_of(tmp_path: Path) -> None:
    with QuickServing(tmp_path, "--profile", "dell-idrac9", env={"FENCELAB_PASSWORD": "x" * 21}) as serving:
        assert _status(serving.ready[0], "x" * 21) == 200
    warning = "bmc-emulator: warning: FENCELAB_PASSWORD is too long for IPMI (20 bytes): Redfish only\n"
    assert serving.errors.read_text() == warning


def _status(ready: dict[str, str | int], password: str) -> int:
    """The HTTP status that Basic authentication with this password gets."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection = http.client.HTTPSConnection(str(ready["redfish_url"]).removeprefix("https://"), timeout=30, context=context)
    try:
        login = base64.b64encode(f"{ready['username']}:{password}".encode()).decode()
        connection.request("GET", str(ready["system_uri"]), headers={"Authorization": f"Basic {login}"})
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.long
def test_several_bmcs_are_numbered_and_each_has_its_own_ports(tmp_path: Path) -> None:
    with QuickServing(tmp_path, "--profile", "openbmc-x86", "--count", "3", count=3) as serving:
        ready = serving.ready
    assert [one["name"] for one in ready] == ["openbmc-x86-1", "openbmc-x86-2", "openbmc-x86-3"]
    assert len({one["redfish_url"] for one in ready}) == len({one["ipmi_port"] for one in ready}) == 3


@pytest.mark.long
def test_fixed_ports_go_up_by_one_with_each_bmc(tmp_path: Path) -> None:
    port = _free_ports(2)
    ports = ("--redfish-port", str(port), "--ipmi-port", str(port), "--listen", "127.0.7.1")
    with QuickServing(tmp_path, "--profile", "dmtf-generic", "--count", "2", *ports, count=2) as serving:
        ready = serving.ready
    assert [one["redfish_url"] for one in ready] == [f"https://127.0.7.1:{port}", f"https://127.0.7.1:{port + 1}"]
    assert [(one["ipmi_host"], one["ipmi_port"]) for one in ready] == [("127.0.7.1", port), ("127.0.7.1", port + 1)]


def _free_ports(count: int) -> int:
    """The first of some ports in a row; the address is this test's own, so nobody takes them meanwhile."""
    for first in range(20_000, 30_000, count):
        held: list[socket.socket] = []
        try:
            for n in range(count):
                for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                    held.append(socket.socket(socket.AF_INET, kind))
                    held[-1].bind(("127.0.7.1", first + n))
        except OSError:
            continue
        finally:
            for one in held:
                one.close()
        return first
    raise AssertionError("no ports in a row are free on 127.0.7.1")


# -- the journal -------------------------------------------------------------------------------------------------------


def test_the_journal_file_names_what_was_put_together_and_what_was_asked(tmp_path: Path) -> None:
    with QuickServing(tmp_path, "--profile", "dell-idrac9", "--power", "off", "--seed", "5") as serving:
        assert _status(serving.ready[0], "calvin") == 200
    events = serving.events()
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert (events[0].kind, events[0].data["seed"]) == (EventKind.RACK, 5)
    assert (events[1].kind, events[1].data["rail"], events[1].data["was"]) == (EventKind.RAIL, "down", "initial")
    asked = [event for event in events if event.kind is EventKind.REQUEST]
    assert {event.data["protocol"] for event in asked} == {"redfish", "ipmi"}
    assert asked[-1].data["path"] == "/redfish/v1/Systems/System.Embedded.1"
    assert [event.data["status"] for event in events if event.cause == asked[-1].seq and event.kind is EventKind.RESPONSE] == [
        200
    ]


@pytest.mark.long
def test_a_journal_that_fills_its_disk_ends_the_emulator_with_one_sentence(tmp_path: Path) -> None:
    serving = Serving(tmp_path, "--profile", "dmtf-generic")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with serving:
        resource.prlimit(serving.process.pid, resource.RLIMIT_FSIZE, (serving.journal.stat().st_size + 100, before[1]))
        with contextlib.suppress(OSError, http.client.HTTPException):  # answered or cut off, its lines do not fit
            _status(serving.ready[0], "F3nce-lab.demo")
        assert serving.process.wait(30) == 2
        assert serving.process.stdout is not None
        serving.process.stdout.close()
    assert serving.errors.read_text() == (
        f"bmc-emulator: {serving.journal}: file too large; the journal ends there, and so do the BMCs\n"
    )


# -- the end -----------------------------------------------------------------------------------------------------------


def test_a_bmc_without_redfish_is_ready_when_ipmi_answers(tmp_path: Path) -> None:
    with QuickServing(tmp_path, "--profile", "ipmi-only") as serving:
        [ready] = serving.ready
        assert "ipmi_port" in ready
        assert not {"redfish_url", "system_uri"} & ready.keys()
        assert serving.end(signal.SIGTERM) == (0, "")


def test_under_nohup_it_stays_and_its_hosts_still_hear_that_they_are_to_boot_again(tmp_path: Path) -> None:
    """`nohup` has SIGHUP ignored, and what is ignored is inherited: a host that is a process is rebooted with SIGHUP."""
    told = tmp_path / "told"
    os.mkfifo(told)
    rack = tmp_path / "rack.yaml"
    rack.write_text(
        "schema: rack/1\nbmcs:\n  - name: node1\n    profile: dmtf-generic\n    hosts:\n"
        f"      - {{backend: process, argv: [sh, -c, 'grep SigIgn /proc/$$/status > {told}; sleep 600']}}\n"
    )

    def under_nohup(name: str) -> list[str]:
        return ["nohup", *command(name)]

    with Serving(tmp_path, "--rack", str(rack), started_as=under_nohup) as serving:
        assert int(told.read_text().split()[1], 16) & 1 << (signal.SIGHUP - 1) == 0
        os.kill(serving.process.pid, signal.SIGHUP)
        assert serving.process.poll() is None
        assert serving.end(signal.SIGTERM)[0] == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_ctrl_c_and_sigterm_end_it_and_leave_nothing(tmp_path: Path, number: signal.Signals) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    with QuickServing(tmp_path, "--profile", "dmtf-generic", env={"TMPDIR": str(temporary)}) as serving:
        assert list(temporary.iterdir()), "the certificates were expected here"
        port = int(str(serving.ready[0]["redfish_url"]).rpartition(":")[2])
        assert serving.end(number) == (0, "")
    assert serving.errors.read_text() == ""
    assert list(temporary.iterdir()) == []
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=10)


@pytest.mark.long
def test_it_ends_with_one_sentence_when_nobody_can_read_ready(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        arguments = [*command("bmc-emulator"), "run", "--profile", "dmtf-generic"]
        result = subprocess.run(arguments, stdout=full, stderr=subprocess.PIPE, text=True, env=environment(), check=False)
    assert result.returncode == 2
    assert result.stderr == "bmc-emulator: cannot write to standard output: no space left on device\n"


# -- what cannot be served ---------------------------------------------------------------------------------------------


@pytest.fixture(params=[socket.SOCK_STREAM, socket.SOCK_DGRAM], ids=["--redfish-port", "--ipmi-port"])
def busy(request: pytest.FixtureRequest) -> Iterator[tuple[str, int]]:
    with socket.socket(socket.AF_INET, request.param) as taken:
        taken.bind(("127.0.0.1", 0))
        if request.param == socket.SOCK_STREAM:
            taken.listen()
        yield ("--redfish-port" if request.param == socket.SOCK_STREAM else "--ipmi-port"), taken.getsockname()[1]


def test_a_busy_port_is_named(busy: tuple[str, int]) -> None:
    option, port = busy
    sentence = run_fails("run", "--profile", "dmtf-generic", option, str(port))
    assert sentence == f"bmc-emulator: cannot listen on 127.0.0.1 port {port}: something else listens there already"


def test_an_unknown_profile_is_answered_with_those_that_exist() -> None:
    sentence = run_fails("run", "--profile", "nope")
    assert sentence.startswith("nope: no such profile; there are: ")
    assert all(name in sentence for name in ("dell-idrac9", "dmtf-generic", "openbmc-x86"))


@pytest.mark.parametrize("arguments", [("run", "--profile"), ("profile", "lint")], ids=" ".join)
def test_a_broken_profile_is_answered_with_file_line_and_column(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    (tmp_path / "broken.yaml").write_text(BROKEN)
    sentence = run_fails(*arguments, "./broken.yaml", cwd=tmp_path)
    assert sentence == "broken.yaml:6:3: power.reset_typos: unknown key; did you mean 'reset_types'?"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--profile", "./missing.yaml"), "missing.yaml: No such file or directory"),
        (("--profile", "."), "no such profile"),
        (("--profile", "openbmc"), "abstract: only a base for others"),
        (("--profile", "dmtf-generic", "--listen", "localhost"), "--listen 'localhost' is not an IP address"),
        (("--profile", "dmtf-generic", "--hung", "--power", "off"), "--hung needs a host that is on"),
        (("--profile", "dmtf-generic", "--count", "2", "--ipmi-port", "65535"), "leaves no room for 2 BMCs below port 65536"),
        (
            ("--profile", "dmtf-generic", "--count", "131070", "--address-per-bmc", "127.64.0.0/16"),
            "127.64.0.0/16 has room for 65534 BMCs, not for 131070: a network of /15 has",
        ),
        (("--profile", "dmtf-generic", "--count", "131070"), "127.0.0.1 has no ports for 131070 BMCs: give each an address with"),
        (("--profile", "dmtf-generic", "--journal", "missing/journal"), "missing/journal: no such file or directory"),
        (("--profile", "dmtf-generic", "--journal", "/dev/full"), "/dev/full: no space left on device"),
    ],
    ids=lambda value: " ".join(value)[-40:] if isinstance(value, tuple) else "",
)
def test_bad_input_is_answered_with_one_sentence(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    assert words in run_fails("run", *arguments, cwd=tmp_path)


def test_an_address_that_this_machine_has_not_is_named_after_a_warning() -> None:
    result = run("bmc-emulator", "run", "--profile", "dmtf-generic", "--listen", "192.0.2.1")
    warning, sentence = result.stderr.splitlines()
    assert (result.returncode, result.stdout) == (2, "")
    assert warning == "bmc-emulator: warning: 192.0.2.1 can be reached from other machines"
    assert sentence == "bmc-emulator: cannot listen on 192.0.2.1 port 0: this machine does not have that address"


# -- the other commands ------------------------------------------------------------------------------------------------


def test_profiles_lists_the_three_by_name_and_as_json() -> None:
    text = run("bmc-emulator", "profiles")
    listed = json.loads(run("bmc-emulator", "profiles", "--json").stdout)
    assert [line.split()[0] for line in text.stdout.splitlines()] == [one["id"] for one in listed]
    assert {"dell-idrac9", "dmtf-generic", "openbmc-x86"} <= {one["id"] for one in listed}


def test_profile_lint_says_how_much_is_known() -> None:
    result = run("bmc-emulator", "profile", "lint", "dell-idrac9")
    assert (result.returncode, result.stderr) == (0, "")
    assert re.match(r"dell-idrac9: power cells known \d+/\d+, IPMI cells known \d+/\d+\n", result.stdout)


def test_the_completion_script_for_bash_completes_profiles(tmp_path: Path) -> None:
    installed = tmp_path / "bmc-emulator"  # as the script calls it: by name, from PATH
    installed.write_text(f'#!/bin/sh\nexec {shlex.join(command("bmc-emulator"))} "$@"\n')
    installed.chmod(0o755)
    script = run("bmc-emulator", "completion", "bash").stdout
    pressed_tab = "COMP_WORDS=(bmc-emulator run --profile dell) COMP_CWORD=3; _bmc_emulator_completion bmc-emulator"
    path = f"{tmp_path}:{os.environ['PATH']}"
    result = subprocess.run(
        ["bash", "-c", f'{script}\n{pressed_tab}\nprintf "%s\\n" "${{COMPREPLY[@]}}"'],
        capture_output=True,
        text=True,
        env=environment(PATH=path),
        check=False,
    )
    assert (result.stdout, result.stderr) == ("dell-idrac10\ndell-idrac8\ndell-idrac9\n", "")


@pytest.mark.parametrize("arguments", [("--help",), ("-h",), ()], ids=["--help", "-h", "nothing"])
def test_help_shows_examples(arguments: tuple[str, ...]) -> None:
    result = run("bmc-emulator", *arguments)
    assert "Examples:\n    bmc-emulator run --profile dell-idrac9\n" in result.stdout + result.stderr


def test_the_examples_of_help_name_commands_and_options_that_exist() -> None:
    lines = [line.split() for line in run("bmc-emulator", "--help").stdout.splitlines()]
    examples = [words[1:] for words in lines if words[:1] == ["bmc-emulator"]]
    options = run("bmc-emulator", "run", "--help").stdout
    assert {words[0] for words in examples} == {"run", "profiles", "profile", "ls", "power", "fault", "journal"}
    assert not [
        word for words in examples if words[0] == "run" for word in words if word.startswith("--") and word not in options
    ]
