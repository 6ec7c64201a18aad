"""The commands of the control as a user types them, against a running emulator."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator.core.journal import EventKind
from tests.commands import PATIENCE, Serving, command, environment, run

PROFILE = "dell-idrac9"


class Terminal:
    """Another terminal of the same user."""

    def __init__(self, runtime: Path) -> None:
        self.env = {"XDG_RUNTIME_DIR": str(runtime)}

    def does(self, *words: str) -> str:
        result = run("bmc-emulator", *words, env=self.env)
        assert (result.returncode, result.stderr) == (0, ""), result.stderr
        return result.stdout

    def json(self, *words: str) -> object:
        return json.loads(self.does(*words, "--json"))

    def fails(self, *words: str) -> str:
        result = run("bmc-emulator", *words, env=self.env)
        assert (result.returncode, result.stdout) == (2, ""), result
        assert "Traceback" not in result.stderr
        return result.stderr


@pytest.fixture
def runtime(tmp_path: Path) -> Path:
    path = tmp_path / "runtime"
    path.mkdir(mode=0o700)
    return path


@pytest.fixture
def terminal(runtime: Path) -> Terminal:
    return Terminal(runtime)


@pytest.fixture
def serving(tmp_path: Path, terminal: Terminal) -> Iterator[Serving]:
    with Serving(tmp_path, "--profile", PROFILE, env=terminal.env) as serving:
        yield serving


def rails(serving: Serving) -> list[object]:
    return [event.data["rail"] for event in serving.events() if event.kind is EventKind.RAIL]


@pytest.mark.long
def test_break_a_bmc_from_another_terminal(serving: Serving, terminal: Terminal) -> None:
    assert terminal.does("ls").splitlines()[1].split()[:5] == [PROFILE, PROFILE, "answers", PROFILE, "up"]
    (listed,) = terminal.json("ls")  # type: ignore[misc]
    assert listed["redfish_url"] == serving.ready[0]["redfish_url"]
    assert terminal.json("power", PROFILE, "off")["systems"][0]["rail"] == "down"  # type: ignore[index]
    assert rails(serving) == ["up", "down"]
    armed = terminal.json("fault", "add", PROFILE, "report.says", "word=On", "--when", "rail=off", "--count", "2")
    assert armed["id"] == "f1"  # type: ignore[index]
    assert terminal.does("fault", "add", PROFILE, "power.ignore") == "f2\n"
    assert [line.split()[0] for line in terminal.does("fault", "ls").splitlines()] == ["ID", "f1", "f2"]
    assert "fault     f1 report.says: active, fired 0" in terminal.does("show", PROFILE)
    terminal.does("fault", "rm", "f1", "f2")
    assert terminal.json("fault", "ls") == []
    terminal.does("mute", PROFILE)
    assert terminal.does("ls").splitlines()[1].split()[2] == "muted"
    terminal.does("unmute", PROFILE)
    assert terminal.json("clock", "pause")["paused"] is True  # type: ignore[index]
    lines = [json.loads(line) for line in terminal.does("journal", "--kind", "rail", "--json").splitlines()]
    assert [line["rail"] for line in lines] == ["up", "down"]
    assert "rail=down" in terminal.does("journal", "--kind", "rail").splitlines()[-1]
    assert terminal.json("add", "openbmc-x86", "--name", "second")["name"] == "second"  # type: ignore[index]
    terminal.does("remove", "second")
    terminal.does("stop")
    assert serving.process.wait(PATIENCE) == 0
    assert serving.errors.read_text() == ""
    assert "no emulator runs" in terminal.fails("ls")


@pytest.mark.long
def test_a_fault_of_the_profiles_own_goes_by_its_name(serving: Serving, terminal: Terminal) -> None:
    own = terminal.json("show", PROFILE)["named_faults"][0]  # type: ignore[index]
    assert terminal.json("fault", "add", PROFILE, own)["bmc"] == PROFILE  # type: ignore[index]


@pytest.mark.long
@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["power", "nobody", "on"], "the rack has no BMC 'nobody'"),
        (["power", PROFILE, "explode"], "explode"),
        (["fault", "add", PROFILE, "wire.dely", "seconds=1"], "did you mean 'wire.delay'"),
        (["fault", "add", PROFILE, "wire.delay"], "'seconds' is missing"),
        (["fault", "add", PROFILE, "wire.delay", "seconds"], "must be key=value"),
        (["fault", "rm", "f9"], "no fault is armed under the id 'f9'"),
        (["fault", "types", "wire.dely"], "did you mean 'wire.delay'"),
        (["journal", "--kind", "rial"], "'rial' does not fit: only these kinds"),
        (["add", "no-such-vendor"], "no-such-vendor"),
        (["ls", "--instance", "other"], "no emulator is called other"),
    ],
)
def test_what_is_wrong_ends_with_one_sentence_and_exit_code_2(
    serving: Serving, terminal: Terminal, words: list[str], sentence: str
) -> None:
    assert sentence in terminal.fails(*words)


@pytest.mark.long
def test_the_journal_is_followed_until_the_emulator_ends(serving: Serving, terminal: Terminal) -> None:
    arguments = [*command("bmc-emulator"), "journal", "--follow", "--kind", "rail", "--since", "1000", "--json"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, env=environment(**terminal.env)) as follower:
        assert follower.stdout is not None
        assert json.loads(follower.stdout.readline())["rail"] == "up"
        terminal.does("power", PROFILE, "unplug")
        assert json.loads(follower.stdout.readline())["rail"] == "down"
        serving.end(signal.SIGTERM)
        assert follower.wait(PATIENCE) == 0


@pytest.mark.long
def test_of_several_one_has_to_be_named(tmp_path: Path, terminal: Terminal) -> None:
    with (
        Serving(tmp_path, "--profile", "openbmc-x86", "--name", "left", env=terminal.env) as left,
        Serving(tmp_path, "--profile", "openbmc-x86", "--name", "right", env=terminal.env) as right,
    ):
        sentence, *listed = terminal.fails("ls").splitlines()
        assert sentence == "bmc-emulator: 2 emulators run: name one by --instance NAME or PID"
        assert [line.split() for line in listed] == [["left", str(left.process.pid)], ["right", str(right.process.pid)]]
        for chosen in ("right", str(right.process.pid)):
            (bmc,) = terminal.json("ls", "--instance", chosen)  # type: ignore[misc]
            assert bmc["redfish_url"] == right.ready[0]["redfish_url"]


@pytest.mark.long
def test_names_of_bmcs_and_faults_are_completed(serving: Serving, terminal: Terminal) -> None:
    def completed(*words: str) -> list[str]:
        typed = {
            "_BMC_EMULATOR_COMPLETE": "bash_complete",
            "COMP_WORDS": " ".join(("bmc-emulator", *words)),
            "COMP_CWORD": str(len(words)),
        }
        return [line.partition(",")[2] for line in run("bmc-emulator", env={**terminal.env, **typed}).stdout.splitlines()]

    terminal.does("fault", "add", PROFILE, "power.ignore")
    assert completed("power", "dell") == [PROFILE]
    assert completed("fault", "add", PROFILE, "wire.de") == ["wire.delay"]
    assert completed("fault", "rm", "f") == ["f1"]
    assert completed("power", "nothing-so") == [""]


@pytest.mark.long
def test_without_control_nobody_finds_it_and_nothing_is_written(tmp_path: Path, terminal: Terminal, runtime: Path) -> None:
    with Serving(tmp_path, "--profile", PROFILE, "--no-control", env=terminal.env):
        assert list(runtime.iterdir()) == []
        assert "no emulator runs" in terminal.fails("ls")


@pytest.mark.long
def test_a_folder_that_is_not_safe_is_a_warning_and_the_bmcs_serve(tmp_path: Path, terminal: Terminal, runtime: Path) -> None:
    (runtime / "fencelab").mkdir()
    (runtime / "fencelab").chmod(0o777)
    with Serving(tmp_path, "--profile", PROFILE, env=terminal.env) as serving:
        assert "warning: nobody can control this emulator" in serving.errors.read_text()
    assert "open to other users" in terminal.fails("ls")


@pytest.mark.long
def test_after_a_kill_the_next_command_finds_nobody(tmp_path: Path, terminal: Terminal, runtime: Path) -> None:
    with Serving(tmp_path, "--profile", PROFILE, env=terminal.env) as serving:
        serving.end(signal.SIGKILL)
    assert len(list((runtime / "fencelab").iterdir())) == 1
    assert "no emulator runs" in terminal.fails("ls")
    assert list((runtime / "fencelab").iterdir()) == []


@pytest.mark.long
@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--control", "localhost"], "must be an IP address"),
        (["--control", "127.0.0.1:http"], "a port is from 1 to 65535"),
        (["--control", "127.0.0.1:1", "--no-control"], "do not go together"),
        (["--fault", "nobody wire.hang"], "no BMC is called 'nobody'"),
        (["--fault", "wire.delay second=1"], "params.second: unknown key; did you mean 'seconds'?"),
        (["--fault", "wire.delay seconds=1 --often 3"], "--often"),
        (["--fault", "wire.delay 'seconds=1"], "No closing quotation"),
        (["--fault", "no_such_name"], "has no fault 'no_such_name'"),
        (["--address-per-bmc", "127.77.0.0/24", "--control", "127.77.0.200:9999"], "127.77.0.200 is inside 127.77.0.0/24"),
        (["--address-per-bmc", "127.77.0.0/24", "--control", "0.0.0.0:9999"], "0.0.0.0 is inside 127.77.0.0/24"),
    ],
)
def test_wrong_options_of_run_are_one_sentence(tmp_path: Path, terminal: Terminal, words: list[str], sentence: str) -> None:
    assert sentence in terminal.fails("run", "--profile", PROFILE, *words)


@pytest.mark.long
def test_faults_from_the_start_act_once_the_bmcs_are_ready(tmp_path: Path, terminal: Terminal) -> None:
    faults = ["--fault", "wire.blackhole", "--fault", f"{PROFILE}-2 report.says word=On --count 3"]
    with Serving(tmp_path, "--profile", PROFILE, "--count", "2", *faults, count=2, env=terminal.env):
        listed = terminal.json("fault", "ls")
        assert [(each["bmc"][-1], each["type"]) for each in listed] == [  # type: ignore[attr-defined]
            ("1", "wire.blackhole"),
            ("2", "wire.blackhole"),
            ("2", "report.says"),
        ]


@pytest.mark.long
def test_state_survives_a_kill_and_a_restart(tmp_path: Path, terminal: Terminal) -> None:
    state = tmp_path / "state.json"
    arguments = ["--profile", PROFILE, "--count", "4", "--state", str(state)]
    with Serving(tmp_path, *arguments, count=4, env=terminal.env) as serving:
        terminal.does("power", f"{PROFILE}-1", "off")
        terminal.does("power", f"{PROFILE}-2", "hang")
        terminal.does("power", f"{PROFILE}-3", "unplug")
        terminal.does("fault", "add", f"{PROFILE}-1", "report.says", "word=On", "--count", "5")
        terminal.does("add", "openbmc-x86", "--name", "added", "--power", "off")
        terminal.does("remove", f"{PROFILE}-4")
        terminal.does("clock", "rate", "2")
        until_saved(state, '"removed":["dell-idrac9-4"]', '"rate":2.0')
        serving.end(signal.SIGKILL)
    assert state.stat().st_mode & 0o777 == 0o600
    with Serving(tmp_path, *arguments, count=4, env=terminal.env) as serving:
        shown = {bmc["name"]: bmc for bmc in terminal.json("ls")}  # type: ignore[attr-defined]
        assert sorted(shown) == ["added", f"{PROFILE}-1", f"{PROFILE}-2", f"{PROFILE}-3"]
        hosts = {name: bmc["systems"][0] for name, bmc in shown.items()}
        assert (hosts["added"]["rail"], hosts[f"{PROFILE}-1"]["rail"]) == ("down", "down")
        assert (hosts[f"{PROFILE}-2"]["rail"], hosts[f"{PROFILE}-2"]["os"]) == ("up", "hung")
        assert (shown[f"{PROFILE}-3"]["presence"], hosts[f"{PROFILE}-3"]["rail"]) == ("dark", "down")
        (armed,) = terminal.json("fault", "ls")  # type: ignore[misc]
        assert armed["fault"] == {"type": "report.says", "params": {"word": "On"}, "count": 5}
        assert terminal.json("clock")["rate"] == 2.0  # type: ignore[index]
        terminal.does("power", f"{PROFILE}-3", "plug")
        terminal.does("clock", "step", "10")
        assert terminal.json("show", f"{PROFILE}-3")["systems"][0]["rail"] == "up"  # type: ignore[index]


@pytest.mark.long
def test_outlets_that_are_off_survive_a_restart_and_their_bmc_is_dark(tmp_path: Path, terminal: Terminal) -> None:
    rack, state = tmp_path / "rack.yaml", tmp_path / "state.json"
    rack.write_text(
        "schema: rack/1\nbmcs:\n  - {name: bmc1, profile: dmtf-generic}\n"
        "  - {name: pdu1, profile: pdu-generic, feeds: {A1: bmc1}}\n"
    )
    arguments = ["--rack", str(rack), "--state", str(state)]
    with Serving(tmp_path, *arguments, count=2, env=terminal.env) as serving:
        terminal.does("power", "pdu1/A1", "off")
        until_saved(state, '"dark":true')
        serving.end(signal.SIGKILL)
    with Serving(tmp_path, *arguments, count=2, env=terminal.env):
        assert terminal.json("show", "bmc1")["presence"] == "dark"  # type: ignore[index]
        terminal.does("power", "pdu1/A1", "on")
        terminal.does("clock", "step", "60")
        shown = terminal.json("show", "bmc1")
        assert (shown["presence"], shown["systems"][0]["rail"]) == ("answers", "up")  # type: ignore[index]


def until_saved(state: Path, *marks: str) -> None:
    """The keeper saves within a second or so. Each look starts a command, so the loop does not spin."""
    for _ in range(60):
        if all(mark in state.read_text() for mark in marks):
            return
        run("bmc-emulator", "--version")
    raise AssertionError(state.read_text())


@pytest.mark.long
@pytest.mark.parametrize("text", ["{", "[]", '{"schema": "state/2"}', '{"schema": "state/1", "more": 1}'])
def test_a_file_that_is_no_state_is_left_alone(tmp_path: Path, terminal: Terminal, text: str) -> None:
    state = tmp_path / "state.json"
    state.write_text(text)
    assert "this is no state of the form state/1" in terminal.fails("run", "--profile", PROFILE, "--state", str(state))
    assert state.read_text() == text
