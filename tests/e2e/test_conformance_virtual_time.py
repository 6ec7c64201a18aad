"""Fencers that are handed a transport and a clock: what they may do, how they are ended, and what is said of them."""

from __future__ import annotations

import re
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from conformance import runner
from conformance.adapters.base import CannotStart, Invocation
from conformance.adapters.definition import Definition
from conformance.adapters.reading import read
from conformance.in_process import workers
from conformance.result import Result
from conformance.runner import MatrixCell, NotApplicable, fit
from conformance.scenarios import BY_ID
from conformance.vocabulary import Ask, FindingKind, Protocol, Verdict
from emulator import Event, event_from_json
from profiles import load
from tests.commands import ROOT

DELL = load("dell-idrac9")
PAGE = (ROOT / "docs" / "write-an-adapter.md").read_text(encoding="utf-8")
FILE = "fencer: mine\nadapter: python-transport\ncommand: box:fence\nlimits: {deadline: 4}\n"

pytestmark = pytest.mark.xdist_group("conformance-virtual-time")


MODULE = """
def fence(action, bmc, transport, clock, body):
    inside: dict = {}
    lines = "".join(f"    {line}\\n" for line in body.splitlines())
    exec(f"def fence(action, bmc, transport, clock):\\n{lines}", inside)
    return inside["fence"](action, bmc, transport, clock)
"""


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a fencer that does what its parameter says, so that one worker serves all tests."""
    folder = tmp_path_factory.mktemp("box")
    (folder / "box.py").write_text(MODULE)
    (folder / "mine.yaml").write_text(FILE)
    return folder


def fencer(folder: Path, body: str) -> Definition:
    """A fencer whose function has this body."""
    made = read(folder / "mine.yaml")
    return replace(made, ways={protocol: replace(way, params={"body": body}) for protocol, way in made.ways.items()})  # type: ignore[call-arg]


def played(definition: Definition, scenario: str = "STATE-016") -> Result:
    return runner.run_cell(MatrixCell(definition, DELL, BY_ID[scenario]), threading.Event())


def events(result: Result) -> tuple[Event, ...]:
    return tuple(map(event_from_json, result.journal.splitlines()))


# -- what the page says ----------------------------------------------------------------------------------------------------------


def test_the_fencer_of_the_page_passes_and_waits_in_virtual_time(tmp_path: Path) -> None:
    (described,) = re.findall(r"```yaml\n(fencer: my-fencer\n.*?)```", PAGE, re.DOTALL)
    (code,) = re.findall(r"```python\n# my_fencer.py\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "mine.yaml").write_text(described)
    (tmp_path / "my_fencer.py").write_text(code)
    definition = read(tmp_path / "mine.yaml")
    told = {
        name: played(definition, name) for name in ("STATE-001", "STATE-016", "TRUTH-001", "TIME-001", "AUTH-001", "FAULT-008")
    }
    assert {name: (result.verdict, result.why) for name, result in told.items() if result.verdict is not Verdict.PASS} == {}
    assert max(event.t for event in events(told["TRUTH-001"])) > 15


@pytest.mark.long
def test_two_runs_of_one_seed_are_the_same_to_the_byte(box: Path) -> None:
    definition = fencer(box, "transport.http('GET', bmc['url'] + '/redfish/v1', timeout=1)\nclock.sleep(1)\nreturn False")
    assert played(definition).journal == played(definition).journal != ""


def test_it_runs_with_the_clean_environment_of_a_program(box: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_SECRET_OF_THE_USER", "1")
    body = "import os\nprint(sorted(os.environ), os.getcwd() == os.environ['HOME'])\nraise SystemExit('no')"
    result = played(fencer(box, body))
    assert "A_SECRET" not in result.said
    assert "True" in result.said
    assert "no" in result.said


def test_an_async_function_is_awaited(box: Path) -> None:
    body = "async def late():\n    return transport.http('GET', bmc['url'] + '/redfish', timeout=1).status == 0\nreturn late()"
    assert played(fencer(box, body)).facts[0].exit == 1


# -- what ends it ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        "while True:\n    clock.sleep(1)",
        "while True:\n    clock.now()",
        "while True:\n    try:\n        clock.sleep(1)\n    except BaseException:\n        return 'off'",
    ],
    ids=["sleeps for ever", "waits busily", "claims when it is over"],
)
def test_a_fencer_that_does_not_end_is_a_hang_at_its_virtual_cap(box: Path, body: str) -> None:
    result = played(fencer(box, body))
    assert result.verdict is Verdict.HANG
    assert events(result)[-1].t == pytest.approx(9, abs=0.01)


@pytest.mark.long
def test_a_loop_that_never_looks_at_the_clock_is_ended_on_the_machines_clock(box: Path) -> None:
    definition = fencer(box, "transport.http('GET', bmc['url'] + '/redfish', timeout=1)\nimport signal\nsignal.pause()")
    result = played(replace(definition, deadline=0.5))
    assert result.verdict is Verdict.HANG
    assert '"path": "/redfish"' in result.journal
    assert '"what": "end", "ask": 0, "claim": "none"' in result.journal


def test_a_fencer_that_kills_the_process_that_plays_it_is_told_so(box: Path) -> None:
    result = played(fencer(box, "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\nclock.sleep(1)\nwhile True: pass"))
    assert result.verdict is Verdict.HANG or result.kind is FindingKind.CONDUCT
    assert "killed the process that watches it" in str(result.findings)


def test_a_fencer_that_ends_its_own_process_has_failed_to_end(box: Path) -> None:
    assert played(fencer(box, "import os\nos._exit(0)")).verdict is Verdict.HANG


def test_what_it_leaves_running_is_named_and_ended(box: Path) -> None:
    result = played(fencer(box, "import subprocess\nsubprocess.Popen(['sleep', '60'], start_new_session=True)\nreturn False"))
    assert "sleep" in str(result.findings) + str(result.notes)


def test_ctrl_c_ends_it(box: Path) -> None:
    stop = threading.Event()
    stop.set()
    definition = fencer(box, "while True: pass")
    with pytest.raises(runner.Interrupted):
        runner.run_cell(MatrixCell(definition, DELL, BY_ID["STATE-016"]), stop)


# -- what it is told -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("import time\ntime.sleep(1)", "waits with clock.sleep"),
        ("import socket\nsocket.create_connection(('198.18.0.1', 443))", "through transport.http and transport.datagram only"),
        (
            "import threading\nthreading.excepthook = print\nimport sys\nraise KeyboardInterrupt('mine')",
            "KeyboardInterrupt: mine",
        ),
    ],
)
def test_what_would_stop_the_bmcs_is_refused_with_a_sentence(box: Path, body: str, sentence: str) -> None:
    assert sentence in played(fencer(box, body)).said


def test_a_password_in_its_output_is_found(box: Path) -> None:
    result = played(fencer(box, "import os\nos.write(1, bmc['password'].encode())\nreturn False"))
    assert FindingKind.SECRET in {finding.kind for finding in result.findings}, (result.verdict, result.why)


def test_a_password_in_a_file_is_found(box: Path) -> None:
    result = played(fencer(box, "open('kept', 'w').write(bmc['password'])\nreturn False"))
    assert "kept" in str(result.findings)


def test_a_function_that_is_missing_skips_the_cell(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(FILE)
    assert played(read(tmp_path / "mine.yaml")).verdict is Verdict.SKIP
    (tmp_path / "box.py").write_text("raise ImportError('no such luck')")
    result = played(read(tmp_path / "mine.yaml"))
    assert (result.verdict, "no such luck" in result.why) == (Verdict.SKIP, True)


def test_a_scenario_that_cannot_be_handed_over_is_an_error_with_a_reason(box: Path) -> None:
    scenario = replace(BY_ID["STATE-016"], source=lambda: "no text")  # type: ignore[arg-type]
    result = runner.run_cell(MatrixCell(fencer(box, "return True"), DELL, scenario), threading.Event())
    assert result.verdict is Verdict.ERROR
    assert "STATE-016 cannot be handed to another process" in result.why


def test_scenarios_about_a_process_or_a_socket_are_not_applicable(box: Path) -> None:
    definition = fencer(box, "return True")
    about = replace(BY_ID["STATE-016"], about_process="its command line")
    with pytest.raises(NotApplicable, match="about its command line; mine runs on virtual time"):
        fit(MatrixCell(definition, DELL, about))
    with pytest.raises(NotApplicable, match="about the fence-agent protocol"):
        fit(MatrixCell(definition, DELL, BY_ID["AGENT-003"]))


def test_a_function_is_not_called_outside_of_the_process_of_its_bmcs(box: Path) -> None:
    way = fencer(box, "return True").ways[Protocol.REDFISH]
    asked = Invocation(
        ask=Ask.OFF, protocol=Protocol.REDFISH, bmc={}, cap=1, scratch=box, watch=box, stop=threading.Event(),
        on_end=lambda: None,
    )  # fmt: skip
    with pytest.raises(CannotStart, match="runs in the process of its BMCs only"):
        way.run(asked)


@pytest.mark.long
def test_a_module_that_never_ends_is_given_up_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "PATIENCE_S", -8.0)
    (tmp_path / "box.py").write_text("import signal\nsignal.pause()")
    (tmp_path / "mine.yaml").write_text(FILE)
    result = played(read(tmp_path / "mine.yaml"))
    assert result.verdict is Verdict.ERROR
    assert "does the fencer's module end when it is imported?" in result.why
