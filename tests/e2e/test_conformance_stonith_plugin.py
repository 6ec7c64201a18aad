"""External STONITH plugins of cluster-glue's shape, run as cluster-glue runs them."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from conformance.adapters.base import Invocation
from conformance.adapters.reading import FencerFileError, read
from conformance.outcome import FencerOutcome
from conformance.runner import MatrixCell, fit, run_cell
from conformance.scenarios import BY_ID
from conformance.vocabulary import Ask, Claim, Protocol, Verdict
from profiles import load

pytestmark = [pytest.mark.long, pytest.mark.timeout(120)]

FILE = """\
fencer: my-plugin
adapter: stonith-plugin
command: [./plugin]
params: {hostname: node1, url: "{bmc.url}", userid: "{bmc.user}", passwd: "{bmc.password}", system: "{bmc.system_uri}"}
limits: {deadline: 20}
"""
ECHO = """\
#!/bin/sh
case $1 in
gethosts) echo "$hostname node2";;
getconfignames) echo "hostname url"; echo userid passwd;;
getinfo-xml) echo "<parameters/>";;
status) exit 0;;
*) echo "$1 $2 for $userid with $#"; command -v ha_log.sh >/dev/null; exit 3;;
esac
"""
FENCES = """\
#!/usr/bin/env python3
import base64, json, os, ssl, sys, time, urllib.request
env = os.environ
word = base64.b64encode(f"{env['userid']}:{env['passwd']}".encode()).decode()
def ask(path, body=None):
    request = urllib.request.Request(env["url"] + path, body and json.dumps(body).encode(),
                                     {"Authorization": "Basic " + word, "Content-Type": "application/json"})
    with urllib.request.urlopen(request, context=ssl._create_unverified_context(), timeout=5) as answer:
        return answer.read()
def state():
    return json.loads(ask(env["system"]))["PowerState"]
assert sys.argv[1:] == ["off", "node1"], sys.argv
if state() != "Off":
    ask(env["system"] + "/Actions/ComputerSystem.Reset", {"ResetType": "ForceOff"})
while state() != "Off":
    time.sleep(0.2)
"""


def fencer(tmp_path: Path, script: str, file: str = FILE) -> Path:
    program = tmp_path / "plugin"
    program.write_text(script)
    program.chmod(0o755)
    path = tmp_path / "my-plugin.yaml"
    path.write_text(file)
    return path


def asked(tmp_path: Path, ask: Ask, script: str = ECHO, file: str = FILE) -> FencerOutcome:
    scratch, watch = tmp_path / "scratch", tmp_path / "watch"
    scratch.mkdir()
    watch.mkdir()
    names = ("host", "port", "url", "user", "password", "system_uri")
    invocation = Invocation(
        ask=ask,
        protocol=Protocol.REDFISH,
        bmc={f"bmc.{name}": name for name in names},
        cap=20.0,
        scratch=scratch,
        watch=watch,
        stop=threading.Event(),
        on_end=lambda: None,
    )
    return read(fencer(tmp_path, script, file)).ways[Protocol.REDFISH].run(invocation)


@pytest.mark.parametrize(
    ("ask", "claim"),
    [
        (Ask.MONITOR, Claim.OK),
        (Ask.LIST, Claim.OK),
        (Ask.METADATA, Claim.OK),
        (Ask.VALIDATE_ALL, Claim.OK),
        (Ask.OFF, Claim.FAILED),
    ],
)
def test_an_operation_succeeds_with_exit_0(tmp_path: Path, ask: Ask, claim: Claim) -> None:
    assert asked(tmp_path, ask).claim is claim


@pytest.mark.parametrize(("ask", "operation"), [(Ask.OFF, "off"), (Ask.ON, "on"), (Ask.REBOOT, "reset")])
def test_a_host_is_named_behind_the_operation_and_parameters_are_in_the_environment(
    tmp_path: Path, ask: Ask, operation: str
) -> None:
    assert f"{operation} node1 for user with 2" in asked(tmp_path, ask).text


def test_a_plugin_that_does_not_list_the_host_cannot_fence_it(tmp_path: Path) -> None:
    assert asked(tmp_path, Ask.LIST, file=FILE + "host: node7\n").claim is Claim.FAILED


def test_a_parameter_that_the_plugin_needs_and_nobody_gives_is_a_failure(tmp_path: Path) -> None:
    assert asked(tmp_path, Ask.VALIDATE_ALL, ECHO.replace("userid passwd;;", "userid interface;;")).claim is Claim.FAILED


def test_a_plugin_is_judged_by_the_truth(tmp_path: Path) -> None:
    file = fencer(tmp_path, FENCES)
    for scenario in ("STATE-001", "STATE-016"):
        result = run_cell(MatrixCell(read(file), load("dell-idrac9"), BY_ID[scenario]), threading.Event())
        assert result.verdict is Verdict.PASS, result.why


def test_a_plugin_that_only_claims_is_unsafe(tmp_path: Path) -> None:
    file = fencer(tmp_path, "#!/bin/sh\nexit 0\n")
    result = run_cell(MatrixCell(read(file), load("dell-idrac9"), BY_ID["STATE-016"]), threading.Event())
    assert result.verdict is Verdict.UNSAFE


def test_status_is_about_the_device_so_nobody_asks_it_for_the_power(tmp_path: Path) -> None:
    mine = read(fencer(tmp_path, ECHO))
    assert Ask.STATUS not in mine.asks
    assert Ask.STATUS not in {step.ask for step in fit(MatrixCell(mine, load("dell-idrac9"), BY_ID["AUTH-010"])).steps}


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (FILE.replace("hostname: node1, ", ""), "'host' is missing: on, off and reset"),
        (FILE.replace("command: [./plugin]\n", ""), "'command' is missing: the adapter stonith-plugin needs it"),
        (FILE.replace("[./plugin]", "[./plugin, --fast]"), "command: must be the plugin alone"),
        (FILE + "switches: [x]\n", "the adapter stonith-plugin does not read it"),
    ],
)
def test_a_mistake_in_the_file_is_named(tmp_path: Path, file: str, said: str) -> None:
    with pytest.raises(FencerFileError) as caught:
        read(fencer(tmp_path, ECHO, file))
    assert said in str(caught.value)


def test_a_plugin_that_is_not_there_is_named(tmp_path: Path) -> None:
    mine = read(fencer(tmp_path, ECHO, FILE.replace("./plugin", "no-such-plugin")))
    assert mine.ways[Protocol.REDFISH].missing() == "no-such-plugin is not installed"
