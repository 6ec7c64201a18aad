"""The pytest plugin, in a pytest of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands import ROOT, quick_command

HONEST = str(ROOT / "tests" / "bad_fencers" / "honest.yaml")

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]


def run_pytest(directory: Path, *arguments: str, forked: bool = True) -> subprocess.CompletedProcess[str]:
    """A forked pytest has our packages imported already, so it is not for tests of what is imported and from where."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    program = quick_command("pytest") if forked else [sys.executable, "-m", "pytest"]
    line = [*program, "-p", "fencelab_pytest", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(line, cwd=directory, env=environment, capture_output=True, text=True, timeout=240)


def test_scenarios_are_ordinary_tests(tmp_path: Path) -> None:
    done = run_pytest(
        tmp_path,
        f"--fencer={HONEST}",
        "--bmc-profile",
        "dell-idrac9",
        "-k",
        "STATE-001 or AGENT-003",
        "-rA",
        "--junitxml",
        "out.xml",
    )
    assert done.returncode == 0, done.stdout
    assert "PASSED honest::STATE-001[dell-idrac9]" in done.stdout
    assert "1 passed, 1 skipped" in done.stdout
    assert 'name="STATE-001[dell-idrac9]"' in (tmp_path / "out.xml").read_text()


def test_a_finding_is_the_failure_message(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, "--fencer", "conflict-is-off", "--bmc-profile", "dell-idrac9", "-k", "STATE-007")
    assert done.returncode == 1
    assert "UNSAFE (FALSE)  STATE-007" in done.stdout
    assert "repeat      fence-conformance run" in done.stdout
    assert "Traceback" not in done.stdout


@pytest.mark.long
def test_a_broken_should_fails_only_where_that_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "chatty.yaml").write_text(
        "fencer: chatty\nadapter: exec\nlimits: {deadline: 10}\nactions:\n"
        '  "off": {argv: [sh, -c, "echo Success >&2; exit 1", "{bmc.url}"]}\n'
    )
    line = ("--fencer", "chatty.yaml", "-k", "ID-002")
    lax, strict = run_pytest(tmp_path, *line), run_pytest(tmp_path, *line, "--bmc-strict")
    assert (lax.returncode, strict.returncode) == (0, 1), lax.stdout + strict.stdout
    assert "FENCE-23 (G7, SHOULD)" in strict.stdout


def test_a_catalogue_that_there_is_not_is_one_sentence(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, f"--fencer={HONEST}", "--bmc-catalogue", "1999")
    assert done.returncode == 4
    assert "no catalogue '1999'" in done.stderr


def test_without_a_fencer_the_plugin_does_and_loads_nothing(tmp_path: Path) -> None:
    (tmp_path / "conformance").mkdir()
    (tmp_path / "conformance" / "__init__.py").write_text("")
    (tmp_path / "test_theirs.py").write_text(
        "import sys\ndef test_theirs():\n    assert not {'conformance', 'emulator', 'profiles', 'fencer'} & set(sys.modules)\n"
    )
    done = run_pytest(tmp_path, forked=False)
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout


def test_a_folder_that_hides_ours_is_named_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "conformance").mkdir()
    (tmp_path / "conformance" / "__init__.py").write_text("")
    done = run_pytest(tmp_path, "--fencer", "ipmitool", forked=False)
    assert done.returncode == 4
    assert "hides it" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", [("--fencer", "nope"), (f"--fencer={HONEST}", "--bmc-profile", "nope")])
def test_what_there_is_not_is_one_sentence(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = run_pytest(tmp_path, *arguments)
    assert done.returncode == 4
    assert "no " in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


# -- counts, -n, the fixture -----------------------------------------------------------------------------------------------

OWN_TESTS = """
import pytest, requests, urllib3

urllib3.disable_warnings()


def reset(bmc, kind):
    url = f"{bmc.url}{bmc.system_uri}/Actions/ComputerSystem.Reset"
    return requests.post(url, json={"ResetType": kind}, auth=(bmc.username, bmc.password), verify=False, timeout=20)


def power(bmc):
    url = f"{bmc.url}{bmc.system_uri}"
    return requests.get(url, auth=(bmc.username, bmc.password), verify=False, timeout=20).json()["PowerState"]


@pytest.mark.bmc_profile("dell-idrac9")
def test_reads(bmc):
    assert bmc.truth.rail == "up"
    reset(bmc, "ForceOff")
    while power(bmc) != "Off":
        pass
    assert power(bmc) == "Off"
    bmc.claim("off")
    assert bmc.truth.rail == "down"
    assert [event.data["reset"] for event in bmc.journal if event.kind == "command"] == ["ForceOff"]
    reset(bmc, "On")
    while power(bmc) != "On":
        pass
    bmc.claim("on")


@pytest.mark.bmc_profile("dell-idrac9")
def test_trusts(bmc):
    bmc.fault("power.ignore", when={"reset": ["ForceOff"]})
    reset(bmc, "ForceOff")
    bmc.claim("off")


@pytest.mark.scenario("STATE-001")
@pytest.mark.bmc_profile("dell-idrac9")
def test_scenario(bmc):
    assert bmc.truth.rail == "down"
    assert reset(bmc, "ForceOff").status_code == 409
    bmc.claim("failed", said="it answers 409")


@pytest.mark.parametrize("bmc", ["dell-idrac9", "openbmc-x86"], indirect=True)
def test_on_each(bmc, request):
    assert bmc.profile.id in request.node.name
    bmc.power("off")
    assert bmc.truth.rail == "down"


def test_prints_its_password(bmc):
    bmc.power("off")
    assert power(bmc) == "Off" == power(bmc)
    bmc.claim("off", said=f"logged in with {bmc.password}")


def test_nothing_met(bmc):
    bmc.fault("redfish.reply", status=503, when={"reset": ["ForceOff"]})
    bmc.power("off")
    assert power(bmc) == "Off" == power(bmc)
    bmc.claim("off")


def test_bad_fault(bmc):
    bmc.fault("power.ignroe")


def test_bad_claim(bmc):
    bmc.claim("dead")


@pytest.mark.bmc_profile("nope")
def test_bad_profile(bmc):
    pass


@pytest.mark.scenario("AGENT-003")
def test_bad_scenario(bmc):
    pass
"""


@pytest.mark.long
def test_deselected_scenarios_are_counted_as_every_test_is(tmp_path: Path) -> None:
    (tmp_path / "test_theirs.py").write_text("def test_theirs():\n    pass\n")
    everything = run_pytest(tmp_path, f"--fencer={HONEST}", "--collect-only", "-q")
    count = sum(1 for line in everything.stdout.splitlines() if "::" in line)
    assert f"{count} tests collected" in everything.stdout
    one = run_pytest(tmp_path, f"--fencer={HONEST}", "-k", "ID-002")
    assert f"collected {count} items / {count - 1} deselected / 1 selected" in one.stdout
    assert f"1 passed, {count - 1} deselected" in one.stdout
    exact = run_pytest(tmp_path, f"--fencer={HONEST}", "-k", "ID-002[dmtf-generic] or theirs", "--collect-only", "-q")
    assert f"2/{count} tests collected ({count - 2} deselected)" in exact.stdout


@pytest.mark.long
def test_scenarios_are_handed_out_by_xdist(tmp_path: Path) -> None:
    line = ("-p", "xdist", "-n", "2", "-k", "ID-001 or ID-002 or STATE-001", "--bmc-profile", "dell-idrac9", "-v")
    done = run_pytest(tmp_path, f"--fencer={HONEST}", *line, forked=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout
    assert done.stdout.count("PASSED honest::") == 3


@pytest.mark.long
def test_a_test_of_ones_own_is_judged_by_the_truth(tmp_path: Path) -> None:
    (tmp_path / "test_own.py").write_text(OWN_TESTS)
    done = run_pytest(tmp_path, "-rA", "--strict-markers")
    for line in (
        "PASSED test_own.py::test_reads",
        "PASSED test_own.py::test_on_each[dell-idrac9]",
        "PASSED test_own.py::test_on_each[openbmc-x86]",
        "UNSAFE (FALSE)  BMC-0  test_own.py::test_trusts x dell-idrac9",
        "it never went off",
        "repeat      pytest 'test_own.py::test_trusts'",
        "STUCK  STATE-001  test_own.py::test_scenario x dell-idrac9",
        "requirement FENCE-2 (L)",
        "HYGIENE (SECRET)  BMC-0  test_own.py::test_prints_its_password",
        "nothing was tested: never met: the fault redfish.reply",
        "bmc.fault('power.ignroe'): type: no fault is called 'power.ignroe'; did you mean 'power.ignore'?",
        "bmc.claim('dead'): there are off, on, reboot and failed",
        "no such profile",
        "AGENT-003 cannot be played by a test",
        "3 passed",
    ):
        assert line in done.stdout, f"{line}\n{done.stdout}"
    assert "Zq7-" not in done.stdout, "the password of a BMC stands in no report"
    assert "emulator/" not in done.stdout, "the test's author sees no inside of ours"


@pytest.mark.long
def test_the_fixture_costs_nothing_where_no_test_asks_for_it(tmp_path: Path) -> None:
    (tmp_path / "test_theirs.py").write_text("def test_theirs():\n    pass\n")
    (tmp_path / "conftest.py").write_text(
        "import sys\ndef pytest_unconfigure():\n"
        "    assert not {'conformance', 'emulator', 'profiles', 'click', 'flask'} & set(sys.modules)\n"
    )
    done = run_pytest(tmp_path, "--fixtures", "-q", forked=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "An emulated BMC for this test" in done.stdout
    assert run_pytest(tmp_path, forked=False).returncode == 0
