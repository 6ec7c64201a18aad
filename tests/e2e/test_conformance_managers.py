"""HA managers under the suite, as real processes: fence-ha passes, CloudStack's rules do not, and a manager that lies is found.

The whole group on several profiles is in tests/peers.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from conformance import fencers, runner
from conformance.adapters.definition import Definition
from conformance.adapters.reading import read
from conformance.result import Result, exit_code
from conformance.runner import MatrixCell
from conformance.scenarios import BY_ID
from conformance.vocabulary import FindingKind, Verdict
from profiles import load
from tests.commands import ROOT

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("managers"), pytest.mark.long]

LIAR = """
import base64, json, ssl, sys, urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer
port, how, agents = int(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])

def answers(url):
    try:
        return urllib.request.urlopen(url + "/health", timeout=2).status == 200
    except OSError:
        return False

def start(vm, url):
    body = json.dumps({"vm": vm, "key": "k"}).encode()
    urllib.request.urlopen(urllib.request.Request(url + "/vms/start", body, method="POST"), timeout=2).close()

def bmc(path, body=None):
    target = agents["bmc"]
    word = base64.b64encode((target["user"] + ":" + open(target["password_file"]).read().strip()).encode()).decode()
    headers = {"Authorization": "Basic " + word, "Content-Type": "application/json"}
    request = urllib.request.Request(target["url"] + path, body, headers)
    urllib.request.urlopen(request, timeout=5, context=ssl._create_unverified_context()).close()

cut = False

class Page(BaseHTTPRequestHandler):
    def do_POST(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def do_GET(self):
        global cut
        silent = not answers(agents["target"])
        if how == "returned-is-rebooted" and silent and not cut:
            cut = True
            bmc("/Actions/ComputerSystem.Reset", b'{"ResetType": "ForceOff"}')
            bmc("")
        elif cut and not silent:  # it answers again, so it must have been off
            for vm in ("target-vm1", "target-vm2"):
                start(vm, agents["second"])
        if silent and how == "starts":
            for vm in ("target-vm1", "target-vm2"):
                start(vm, agents["second"])
        word = "Down" if silent and how == "silent-is-down" else "Up"
        body = json.dumps({"status": word}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *words):
        pass

HTTPServer(("127.0.0.1", port), Page).serve_forever()
"""


@pytest.fixture(autouse=True)
def ours_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def played(definition: Definition, scenarios: Sequence[str]) -> dict[str, Result]:
    cells = [MatrixCell(definition, load("dell-idrac9"), BY_ID[scenario]) for scenario in scenarios]
    return {result.scenario.id: result for result in runner.run(cells, jobs=2)}


def liar(folder: Path, how: str) -> Definition:
    (folder / "liar.py").write_text(LIAR)
    (folder / "liar.yaml").write_text(
        "fencer: liar\nadapter: http\nafter: 0.2\nlimits: {deadline: 2}\ncapabilities: [watch, redfish]\n"
        f"start: [python3, '{folder}/liar.py', '{{{{ port }}}}', {how},\n"
        '  \'{"target": "{{ hosts[0].agent.url }}", "second": "{{ hosts[1].agent.url }}",'
        ' "bmc": {"user": "{{ hosts[0].bmc.user }}",'
        ' "url": "https://{{ hosts[0].bmc.host }}:{{ hosts[0].bmc.port }}{{ hosts[0].bmc.system_uri }}",'
        ' "password_file": "{{ hosts[0].bmc.password_file }}"}}\']\n'
        "ready: {url: 'http://127.0.0.1:{{ port }}/'}\n"
        "poll: {url: 'http://127.0.0.1:{{ port }}/', path: $.status, down: ^Down$}\n"
        "confirm: {url: 'http://127.0.0.1:{{ port }}/', body: x}\n"
    )
    return read(folder / "liar.yaml")


def test_fence_ha_passes_what_the_catalogue_asks_of_managers() -> None:
    """A dead host, an operator who confirms, a host that is reached again in its fence, one BMC for two hosts, a start that is
    refused, a host that is switched on. The suite searches the manager's folder,
    its output and its command line for passwords."""
    results = played(fencers.load("fence-ha"), ["HA-001", "HA-005", "HA-006", "HA-008", "HA-009", "HA-010"])
    assert {name: (r.verdict, r.why) for name, r in results.items() if r.verdict is not Verdict.PASS} == {}
    assert exit_code(tuple(results.values())) == 0


def test_cloudstacks_rules_start_vms_of_a_host_that_runs() -> None:
    results = played(fencers.load("cloudstack-ha"), ["HA-004"])
    assert (results["HA-004"].verdict, results["HA-004"].kind) == (Verdict.UNSAFE, FindingKind.TWICE)
    assert exit_code(tuple(results.values())) == 3


def test_a_manager_that_takes_silence_for_off_is_unsafe(tmp_path: Path) -> None:
    results = played(liar(tmp_path, "silent-is-down"), ["HA-002", "HA-003", "HA-005", "HA-007", "HA-001"])
    assert {name: (r.verdict, r.kind) for name, r in results.items()} == {
        "HA-002": (Verdict.UNSAFE, FindingKind.FALSE),
        "HA-003": (Verdict.UNSAFE, FindingKind.FALSE),
        "HA-007": (Verdict.UNSAFE, FindingKind.FALSE),
        "HA-005": (Verdict.STUCK, None),  # as HA-001, after the confirmation
        "HA-001": (Verdict.STUCK, None),  # it calls the host down, and restarts nothing
    }
    too_early = [finding.kind for finding in results["HA-005"].findings if finding.verdict is Verdict.MISLEADING]
    assert too_early == [FindingKind.WRONG_ANSWER], "nobody had confirmed it yet"


def test_a_manager_that_starts_vms_of_a_silent_host_is_unsafe(tmp_path: Path) -> None:
    results = played(liar(tmp_path, "starts"), ["HA-002", "HA-005", "HA-001"])
    assert {name: (r.verdict, r.kind) for name, r in results.items()} == {
        "HA-002": (Verdict.UNSAFE, FindingKind.TWICE),
        "HA-005": (Verdict.UNSAFE, FindingKind.UNVERIFIED),
        "HA-001": (Verdict.STUCK, None),
    }


def test_a_manager_that_does_not_listen_to_an_operator_is_stuck(tmp_path: Path) -> None:
    result = played(liar(tmp_path, "deaf"), ["HA-005"])["HA-005"]
    assert result.verdict is Verdict.STUCK, "it claims nothing before, which is right, and nothing after, which is not"


def test_a_manager_that_takes_a_host_that_returns_for_one_that_was_off_is_unsafe(tmp_path: Path) -> None:
    result = played(liar(tmp_path, "returned-is-rebooted"), ["HA-006"])["HA-006"]
    assert (result.verdict, result.kind) == (Verdict.UNSAFE, FindingKind.TWICE)


def test_a_manager_that_does_not_start_has_claimed_nothing_and_says_why(tmp_path: Path) -> None:
    definition = liar(tmp_path, "x")
    (tmp_path / "liar.py").write_text("import sys\nsys.exit('no configuration')\n")
    result = played(definition, ["HA-001"])["HA-001"]
    assert (result.verdict, "no configuration" in result.said) == (Verdict.STUCK, True)
