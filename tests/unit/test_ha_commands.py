"""The commands of `fence-ha` as a user meets them: CONFIG first, one sentence and exit 2 for mistakes, --json, examples."""

from __future__ import annotations

import json
import re
import threading
from html.parser import HTMLParser
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner, Result

from fencer.ha.cli import main
from fencer.ha.effects import LineKind, OperatorAnswer, TimelineLine
from fencer.ha.operations import ACTIONS
from fencer.ha.record import HostRecord
from fencer.ha.sqlite_store import SqliteStore
from fencer.ha.states import HAState

NAMES = main.list_commands(click.Context(main))
WITHOUT_CONFIG = {"sample", "schema", "explain-transitions"}
FILE = "hosts: [{name: a, bmc: {host: h}, health: [{kind: exec, argv: ['true']}]}]\n"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration with the host `a`, and a store that also knows `old`, which is not in the file any more."""
    (tmp_path / "ha.yaml").write_text(FILE)
    store = SqliteStore(tmp_path / "fence-ha.db")
    for name in ("a", "old"):
        store.register(HostRecord(host=name, state=HAState.AVAILABLE), [])
    line = TimelineLine(kind=LineKind.ALERT, detail={"alert": "FENCED", "text": "<b>a & b</b> is off"})
    store.add_events("a", [line], 0.0)
    store.close()
    return tmp_path / "ha.yaml"


def invoke(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def command(name: str) -> click.Command:
    found = main.get_command(click.Context(main), name)
    assert found is not None
    return found


def test_the_commands_are_those_that_the_manual_names() -> None:
    assert set(NAMES) >= {
        "run", "status", "hosts", "vms", "enable", "disable", "confirm", "drain", "retry", "timeline", "sample",
        "explain-transitions",
    }  # fmt: skip


def test_it_says_its_version() -> None:
    assert re.fullmatch(r"fence-ha, version \d+\.\d+\.\d+\n", invoke("--version").output)


@pytest.mark.parametrize("name", NAMES)
def test_every_command_takes_the_configuration_first_and_shows_examples(name: str) -> None:
    one, text = command(name), invoke(name, "--help").output
    assert one.help
    if name not in WITHOUT_CONFIG:
        assert next(p.name for p in one.params if isinstance(p, click.Argument)) == "config"
        assert re.search(rf"^ +fence-ha {name} ha\.yaml", text, re.MULTILINE), text
    assert any("--json" in p.opts for p in one.params) or name in ("sample", "schema")


@pytest.mark.parametrize("name", sorted(set(NAMES) - WITHOUT_CONFIG))
def test_a_file_that_cannot_be_read_is_one_sentence_and_exit_2(name: str, tmp_path: Path) -> None:
    needed = [p for p in command(name).params if p.required and p.name != "config"]
    words = [word for p in needed for word in ([p.opts[0], "x"] if isinstance(p, click.Option) else ["x"])]
    result = invoke(name, tmp_path / "no.yaml", *words, *(["--none"] if name == "count" else []))
    assert (result.exit_code, result.output) == (2, f"fence-ha: {tmp_path / 'no.yaml'}: No such file or directory\n")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["status", "{}", "--nonsense"], "No such option"),
        (["nonsense"], "No such command"),
        (["timeline", "{}", "--host", "zz"], "no host is called zz; there are a, old"),
        (["hosts", "{}", "zz"], "no host is called zz; there are a, old"),
        (["vms", "{}", "--host", "zz"], "no host is called zz; there are a, old"),
        (["enable", "{}", "zz"], "no host is called zz; there are a, old"),
        (["drain", "{}", "a b"], "'a b' cannot be the name of a host"),
        (["retry", "{}", "../x"], "'../x' cannot be the name of a VM"),
        (["confirm", "{}", "a", "--fence-id", "a-f1", "--reason", " "], "why must be a text that is not empty"),
        (["vms", "{}", "--add", "v", "--on-hosts", "a b"], "hosts: 'a b' is not what it can be"),
        (["timeline", "{}", "--html", "--json"], "give only one of --html and --json"),
        (["run", "{}", "--listen", "0.0.0.0:1"], "not a loopback address"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_2(config: Path, words: list[str], why: str) -> None:
    result = invoke(*(word.replace("{}", str(config)) for word in words))
    assert result.exit_code == 2, result.output
    assert why in result.output
    assert "Traceback" not in result.output


def test_without_a_manager_a_request_says_so_and_waits_no_longer_than_told(config: Path) -> None:
    result = invoke("disable", config, "a", "--wait", "0")
    assert result.exit_code == 2
    assert "no manager has a at the moment" in result.output
    assert "no answer within 0 s" in result.output


def test_an_answer_is_printed_as_json_where_that_is_wanted(config: Path) -> None:
    def manager() -> None:
        store = SqliteStore(config.parent / "fence-ha.db")
        while not (asked := store.open_requests("a")):
            store.watch(1.0)
        record = store.load("a")
        store.save(record, record, [OperatorAnswer(request=asked[0].id, ok=True, text="done")], store.now())
        store.close()

    answering = threading.Thread(target=manager)
    answering.start()
    result = CliRunner().invoke(main, ["enable", str(config), "a", "--json"], catch_exceptions=False)
    answering.join()
    assert json.loads(result.output.splitlines()[-1]) == {"request": 1, "answer": "done"}


def test_a_host_that_left_the_file_says_so(config: Path) -> None:
    assert "old          Available   Up" in invoke("status", config).output
    assert "not in the configuration any more" in invoke("status", config).output
    assert "not in the configuration any more" in invoke("hosts", config, "old").output
    assert json.loads(invoke("hosts", config, "old", "--json").output)["in_file"] is False


def test_hosts_shows_evidence_and_alerts(config: Path) -> None:
    assert "alert: 1970-01-01" in invoke("hosts", config, "a").output


class Rows(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.classes: list[str] = []
        self.words: list[str] = []
        self.sources: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.sources += [value for key, value in attrs if key in ("src", "href") and value]
        if tag == "tr" and given.get("class"):
            self.classes.append(str(given["class"]))

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_the_timeline_is_a_page_that_needs_no_network_and_trusts_no_text(config: Path) -> None:
    result = invoke("timeline", config, "--html")
    rows = Rows()
    rows.feed(result.output)
    assert (rows.classes, rows.sources) == (["alert down"], [])
    assert "ALERT FENCED: <b>a & b</b> is off " in rows.words
    assert "<b>" not in result.output


def test_events_after_a_number_are_printed(config: Path) -> None:
    first = json.loads(invoke("timeline", config, "--json").output)
    assert first["alert"] == "FENCED"
    assert invoke("timeline", config, "--json", "--after", first["seq"]).output == ""


def test_commands_and_options_are_completed() -> None:
    complete = ShellComplete(main, {}, "fence-ha", "_FENCE_HA_COMPLETE")
    assert {item.value for item in complete.get_completions([], "")} >= set(NAMES)
    assert {item.value for item in complete.get_completions(["timeline"], "--h")} >= {"--host", "--html", "--help"}


def test_every_action_of_the_api_is_a_command_too() -> None:
    words = {"vm-move": "vms", "vm-remove": "vms", "vm-add": "vms"}
    assert {words.get(action.what, action.name) for action in ACTIONS} <= set(NAMES)
