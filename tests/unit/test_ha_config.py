from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import get_args

import pytest
from click.testing import CliRunner
from pydantic import BaseModel

from fencer.ha import config as module
from fencer.ha.assembly import make_bmc, make_executor
from fencer.ha.bmc import FencedBmc
from fencer.ha.cli import main
from fencer.ha.cloudstack_bmc import CloudStackBmc
from fencer.ha.config import ConfigPart, load_config
from fencer.ha.config_file import ConfigError
from fencer.ha.policy import Policy
from fencer.ha.record import HostRecord
from fencer.ha.sqlite_store import SqliteStore
from fencer.ha.states import HAState
from fencer.ha.vm_executors import ExecVmExecutor, HttpVmExecutor

HOST = "{name: a, bmc: {host: 127.0.0.1}, health: [{kind: tcp, host: 127.0.0.1, port: 1}]}"


def sample() -> str:
    return resources.files("fencer.ha").joinpath("sample.yaml").read_text(encoding="utf-8")


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "ha.yaml"
    path.write_text(text)
    return path


def problems(tmp_path: Path, text: str, policy: str | None = None) -> list[str]:
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load_config(path, policy)
    return [line.removeprefix(f"{path}:") for line in caught.value.problems]


def keys(model: type[BaseModel]) -> set[str]:
    found: set[str] = set()
    for name, field in model.model_fields.items():
        found.add(name)
        todo = [field.annotation]
        while todo:
            kind = todo.pop()
            todo += get_args(kind)
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                found |= keys(kind)
    return found


def test_the_sample_loads_and_holds_every_key_of_the_model_and_of_the_policy(tmp_path: Path) -> None:
    text = sample()
    loaded = load_config(written(tmp_path, text))
    assert loaded.policy == Policy(), "the sample shows the defaults"
    for key in sorted(keys(ConfigPart) | set(Policy.__dataclass_fields__)):
        assert f"{key}:" in text, f"{key} is not in sample.yaml"


def test_all_problems_are_reported_at_once_with_their_places(tmp_path: Path) -> None:
    text = (
        f"hosts:\n  - {HOST}\n  - {HOST}\nvms:\n  - {{name: v, host: zz, hosts: [yy]}}\n  - {{name: v, host: a}}\n"
        "policy:\n  pol: 3\n"
    )
    assert problems(tmp_path, text) == [
        "3:12: hosts[1].name: a is written twice",
        "5:21: vms[0].host: no host is called zz",
        "5:33: vms[0].hosts[0]: no host is called yy",
        "6:12: vms[1].name: v is written twice",
        "5:3: vms: VMs need an executor that starts them",
        "8:8: policy.pol: no such setting; did you mean 'poll'?",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hosts: []", "1:8: hosts: must have at least 1 item"),
        (f"hosts: [{HOST}]\nscale: 0", "2:8: scale: must be more than 0, not 0"),
        (f"hosts: [{HOST}]\nscale: 1\nscale: 2", "3:1: duplicate key 'scale', first at line 2"),
        (f"hosts: [{HOST}]\nnonsense: 1", "2:1: nonsense: unknown key; known here: cluster, state_file"),
        (f"hosts: [{HOST}]\npolicy: {{poll: on}}", "2:16: policy.poll: must be a number"),
        (f"hosts: [{HOST}]\npolicy: {{fast_path: 1}}", "2:21: policy.fast_path: must be true or false"),
        (f"hosts: [{HOST}]\npolicy: {{max_attempts: 1.5}}", "2:24: policy.max_attempts: must be a whole number"),
        (f"hosts: [{HOST}]\npolicy: {{name: x}}", "2:16: policy.name: must be one of reference, cloudstack-4.22"),
        (f"hosts: [{HOST}]\npolicy: {{lease: 5}}", "2:9: policy: lease must be longer"),
        (f"hosts: [{HOST}]\nexecutor: {{kind: http}}", "1:9: hosts[0]: the http executor needs"),
        (
            "hosts: [{name: a, bmc: {host: h, url: u}, health: [{kind: file, path: p, max_age: 1}]}]",
            "exactly one of url and host",
        ),
        (
            "hosts: [{name: a, bmc: {url: u, protocol: ipmi}, health: [{kind: exec, argv: [x]}]}]",
            "IPMI takes host and port",
        ),
        (
            "hosts: [{name: a, bmc: {host: h, password: x, password_env: Y}, health: [{kind: http, url: u}]}]",
            "only one of password, password_env and password_file",
        ),
        ("a: [", "not YAML: while parsing a flow node"),
    ],
)
def test_each_mistake_names_its_line_and_column(tmp_path: Path, text: str, message: str) -> None:
    assert message in "\n".join(problems(tmp_path, text))


def test_yaml_is_yaml_1_2_and_a_missing_or_binary_file_is_said_so(tmp_path: Path) -> None:
    loaded = load_config(written(tmp_path, f"cluster: on\nscale: 5e-2\nhosts: [{HOST}]\nexecutor: null"))
    assert (loaded.part.cluster, loaded.policy.poll) == ("on", pytest.approx(0.2))
    with pytest.raises(ConfigError, match="No such file"):
        load_config(tmp_path / "nothing")
    (tmp_path / "b").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load_config(tmp_path / "b")
    (tmp_path / "c").write_bytes(b"a: \x01")
    with pytest.raises(ConfigError, match=r"c:1:4: character U\+0001 is not allowed"):
        load_config(tmp_path / "c")
    with pytest.raises(ConfigError):
        load_config(written(tmp_path, ""))


def test_passwords_come_from_the_environment_a_file_or_the_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = load_config(written(tmp_path, sample()))
    with pytest.raises(ConfigError, match="NODE1_BMC_PASSWORD is not set"):
        loaded.password(loaded.host("node1"))
    with pytest.raises(ConfigError, match="No such file"):
        loaded.password(loaded.host("node2"))
    monkeypatch.setenv("NODE1_BMC_PASSWORD", "s3cret")
    (tmp_path / "node2.password").write_text("two\n")
    assert [loaded.password(loaded.host(f"node{n}")) for n in (1, 2, 3)] == ["s3cret", "two", "calvin"]
    assert "s3cret" not in repr(make_bmc(loaded, loaded.host("node1")))


def test_the_policy_chooses_the_client_and_the_file_the_executor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NODE1_BMC_PASSWORD", "s3cret")
    ours = load_config(written(tmp_path, sample()))
    theirs = load_config(written(tmp_path, sample()), "cloudstack-4.22")
    assert isinstance(make_bmc(ours, ours.host("node1")), FencedBmc)
    client = make_bmc(theirs, theirs.host("node3"))
    assert isinstance(client, CloudStackBmc)
    assert client.url == "https://127.0.0.4:8443"
    with pytest.raises(ConfigError, match="with Redfish only"):
        make_bmc(theirs, theirs.host("node2"))
    assert isinstance(make_executor(ours), ExecVmExecutor)
    http = sample().replace("kind: exec                  # exec | http", "kind: http\n  token_env: T").split("  start: [")[0]
    part = load_config(written(tmp_path, http))
    with pytest.raises(ConfigError, match="T is not set"):
        make_executor(part)
    monkeypatch.setenv("T", "t")
    assert isinstance(make_executor(part), HttpVmExecutor)
    assert make_executor(load_config(written(tmp_path, f"hosts: [{HOST}]"))) is None
    assert module.POLICY_NAMES == ["reference", "cloudstack-4.22"]


def test_errors_are_one_sentence_and_exit_2(tmp_path: Path) -> None:
    runner, path = CliRunner(), written(tmp_path, f"hosts: [{HOST}]")
    for words in (
        ["run", str(tmp_path / "no.yaml")],
        ["status", str(path)],
        ["run", str(path), "--policy", "x"],
        ["nonsense"],
    ):
        result = runner.invoke(main, words)
        assert result.exit_code == 2, words
        assert "Traceback" not in result.output


def test_status_timeline_and_requests_read_the_state_file(tmp_path: Path) -> None:
    runner, path = CliRunner(), written(tmp_path, f"hosts: [{HOST}]")
    store = SqliteStore(tmp_path / "fence-ha.db")
    store.register(HostRecord(host="a", state=HAState.AVAILABLE), ["v"])
    store.close()
    row = json.loads(runner.invoke(main, ["status", str(path), "--json"]).output)
    assert (row["host"], row["state"], row["status"], row["vms"], row["owner"]) == ("a", "Available", "Up", ["v"], None)
    assert runner.invoke(main, ["status", str(path)]).output.startswith("a            Available   Up")
    assert runner.invoke(main, ["timeline", str(path)]).output == ""
    unknown = runner.invoke(main, ["enable", str(path), "zz"])
    assert (unknown.exit_code, "no host is called zz" in unknown.output) == (2, True)
    waiting = runner.invoke(main, ["disable", str(path), "a", "--wait", "0"])
    assert waiting.exit_code == 2
    assert "no manager has a at the moment" in waiting.output


def test_the_table_and_the_sample_are_printed() -> None:
    runner = CliRunner()
    assert len(runner.invoke(main, ["explain-transitions"]).output.splitlines()) == 49
    assert json.loads(runner.invoke(main, ["explain-transitions", "--json"]).output.splitlines()[0])["to"] == "Available"
    assert runner.invoke(main, ["sample"]).output == sample()
    assert "Examples:" in runner.invoke(main, ["--help"]).output
