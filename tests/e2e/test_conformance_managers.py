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
import json, sys, urllib.request
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

class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        silent = not answers(agents["target"])
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
        '  \'{"target": "{{ hosts[0].agent.url }}", "second": "{{ hosts[1].agent.url }}"}\']\n'
        "ready: {url: 'http://127.0.0.1:{{ port }}/'}\n"
        "poll: {url: 'http://127.0.0.1:{{ port }}/', path: $.status, down: ^Down$}\n"
    )
    return read(folder / "liar.yaml")


def test_fence_ha_passes_what_the_catalogue_asks_of_managers() -> None:
    """A dead host, one BMC for two hosts, a start that is refused, a host that returns. The suite searches the manager's folder,
    its output and its command line for passwords."""
    results = played(fencers.load("fence-ha"), ["HA-001", "HA-008", "HA-009", "HA-010"])
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
        "HA-005": (Verdict.MISLEADING, FindingKind.WRONG_ANSWER),
        "HA-001": (Verdict.STUCK, None),  # it calls the host down, and restarts nothing
    }


def test_a_manager_that_starts_vms_of_a_silent_host_is_unsafe(tmp_path: Path) -> None:
    results = played(liar(tmp_path, "starts"), ["HA-002", "HA-005", "HA-001"])
    assert {name: (r.verdict, r.kind) for name, r in results.items()} == {
        "HA-002": (Verdict.UNSAFE, FindingKind.TWICE),
        "HA-005": (Verdict.UNSAFE, FindingKind.UNVERIFIED),
        "HA-001": (Verdict.STUCK, None),
    }


def test_a_manager_that_does_not_start_has_claimed_nothing_and_says_why(tmp_path: Path) -> None:
    definition = liar(tmp_path, "x")
    (tmp_path / "liar.py").write_text("import sys\nsys.exit('no configuration')\n")
    result = played(definition, ["HA-001"])["HA-001"]
    assert (result.verdict, "no configuration" in result.said) == (Verdict.STUCK, True)
