"""What the suite expects of managers, from journals written by hand; JSON paths; the fencer file of a manager."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.adapters.http import ManagerAdapter
from conformance.adapters.json_path import BadPath, NotThere, parse
from conformance.adapters.reading import FencerFileError, read
from conformance.expectations.claims import Claims
from conformance.expectations.expectation import Expectation
from conformance.expectations.managers import (
    CutsNobody,
    OneCopy,
    RestartsWorkloads,
    SaysThatItIsOn,
    SaysWhoConfirmed,
    StartsNothing,
    StaysOff,
    TrueAlerts,
)
from conformance.finding import Judgement
from conformance.givens.cluster import ComesOnAgain, Confirmed, Fails, FirstTargetRefuses, Returns, SameBmc
from conformance.outcome import AlertCounts
from conformance.site import OPERATOR, AgentAddress, ManagedSite, SiteHost
from conformance.vocabulary import Ask, Claim, FindingKind, Protocol, Verdict
from conformance.workloads import Workloads
from emulator.core.journal import EventKind
from tests.stories import Story, verdict_on

FAILED, DOWN = Claim.FAILED, Claim.OFF


class Watch(Story):
    """A manager watches `target` with one workload `v`, and others."""

    def __init__(self) -> None:
        super().__init__()
        self.on("runs", "target")
        self.start(Ask.WATCH)

    def on(self, what: str, host: str, vm: str = "v") -> Watch:
        self.say(EventKind.MANAGER, bmc=host, what=what, vm=vm)
        return self

    def dies(self) -> Watch:
        self.read(told="Off").falls().read(told="Off")
        return self


def judged(story: Story, expectation: Expectation, claim: Claim, **outcome: object) -> Judgement:
    return verdict_on(story, expectation, claim=claim, ask=Ask.WATCH, **{"stderr": "x", **outcome})


@pytest.mark.parametrize(
    ("story", "expectation", "claim", "verdict", "kind"),
    [
        (Watch().dies().claim().on("start", "second"), OneCopy(), DOWN, Verdict.PASS, None),  # type: ignore[attr-defined]
        (Watch().claim().on("start", "second"), OneCopy(), FAILED, Verdict.UNSAFE, FindingKind.TWICE),  # type: ignore[attr-defined]
        (Watch().on("start", "target").claim(), OneCopy(), FAILED, Verdict.PASS, None),
        (Watch().on("stop", "target").on("start", "second").claim(), OneCopy(), FAILED, Verdict.PASS, None),
        (
            Watch().dies().on("start", "second").on("start", "third").claim(), OneCopy(), DOWN, Verdict.UNSAFE, FindingKind.TWICE,
        ),
        (Watch().dies().claim(), RestartsWorkloads(), DOWN, Verdict.STUCK, None),
        (Watch().dies().claim().on("start", "second"), RestartsWorkloads(), DOWN, Verdict.PASS, None),  # type: ignore[attr-defined]
        (Watch().dies().claim().on("refuse", "second"), RestartsWorkloads(), DOWN, Verdict.STUCK, None),  # type: ignore[attr-defined]
        (Watch().dies().on("start", "second").claim(), StartsNothing(), FAILED, Verdict.UNSAFE, FindingKind.UNVERIFIED),
        (Watch().dies().claim().on("start", "second"), StartsNothing(), DOWN, Verdict.PASS, None),  # type: ignore[attr-defined]
        (Watch().claim(), StartsNothing(), FAILED, Verdict.PASS, None),
        (Watch().claim(), RestartsWorkloads(), FAILED, Verdict.PASS, None),
        (Watch().claim(), CutsNobody(), FAILED, Verdict.PASS, None),
        (Watch().command().claim(), CutsNobody(), FAILED, Verdict.UNSAFE, FindingKind.OVERREACH),
        (Watch().dies().command(row="Off").claim(), CutsNobody(after_claim=True), DOWN, Verdict.PASS, None),
        (Watch().dies().claim().command(), CutsNobody(after_claim=True), DOWN, Verdict.UNSAFE, FindingKind.OVERREACH),
        (Watch().claim().command(), CutsNobody(after_claim=True), FAILED, Verdict.PASS, None),  # it was never called down
        (Watch().dies().claim(), StaysOff(), DOWN, Verdict.PASS, None),
        (Watch().dies().claim().rises(), StaysOff(), DOWN, Verdict.UNSAFE, FindingKind.OVERREACH),
    ],
    ids=range(19),
)  # fmt: skip
def test_what_a_manager_does_is_judged_by_the_journal(
    story: Story, expectation: Expectation, claim: Claim, verdict: Verdict, kind: FindingKind | None
) -> None:
    judgement = judged(story, expectation, claim)
    assert (judgement.verdict, judgement.kind) == (verdict, kind), judgement.why
    assert expectation.phrase()


@pytest.mark.parametrize(
    ("claim", "alerts", "verdict"),
    [
        (DOWN, AlertCounts(successes=1, failures=2), Verdict.PASS),
        (DOWN, AlertCounts(successes=2, failures=2), Verdict.MISLEADING),
        (DOWN, AlertCounts(successes=1, failures=0), Verdict.MISLEADING),
        (FAILED, AlertCounts(successes=1, failures=2), Verdict.MISLEADING),
        (FAILED, AlertCounts(successes=0, failures=1), Verdict.PASS),
        (FAILED, None, Verdict.PASS),
    ],
)
def test_alerts_say_success_once_and_only_after_it(claim: Claim, alerts: AlertCounts | None, verdict: Verdict) -> None:
    assert judged(Watch().dies().claim(), TrueAlerts(), claim, alerts=alerts).verdict is verdict


def test_that_a_host_is_on_again_should_be_said() -> None:
    story = Watch().dies().claim()
    assert [note.kind for note in judged(story, SaysThatItIsOn(), DOWN).notes] == [FindingKind.WRONG_ANSWER]
    assert judged(story, SaysThatItIsOn(), DOWN, stderr="ON_AGAIN: target reads On again").notes == ()


def test_a_manager_that_was_confirmed_by_hand_should_say_by_whom() -> None:
    story = Watch().dies().claim()
    assert [note.kind for note in judged(story, SaysWhoConfirmed(), DOWN).notes] == [FindingKind.WRONG_ANSWER]
    assert judged(story, SaysWhoConfirmed(), DOWN, stderr=f"{OPERATOR} has signed").notes == ()
    assert SaysWhoConfirmed().phrase() == "says who has confirmed that the host is off (SHOULD)"


def test_a_host_that_is_reached_again_is_no_workload() -> None:
    story = Watch()
    story.say(EventKind.MANAGER, bmc="target", what="returns")
    assert Workloads(story.journal).running == {"v": {"target"}}


def test_a_workload_ends_with_the_power_of_its_host() -> None:
    assert Workloads(Watch().journal).running == {"v": {"target"}}
    assert Workloads(Watch().dies().journal).running == {"v": set()}


# -- JSON paths ------------------------------------------------------------------------------------------------------------

DOCUMENT = {"hosts": [{"name": "a", "state": "Up"}, {"name": "b-1", "state": "Down"}], "the state": {"x": None}}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("$", DOCUMENT),
        ("$.hosts[0].state", "Up"),
        ("$.hosts[-1]['state']", "Down"),
        ("$.hosts[?(@.name == 'b-1')].state", "Down"),
        ('$.hosts[?@.name=="a"].state', "Up"),
        ("$['the state'].x", None),
    ],
)
def test_a_path_finds_one_value(path: str, value: object) -> None:
    assert parse(path).find(DOCUMENT) == value


@pytest.mark.parametrize("path", ["$.no", "$.hosts[7]", "$.hosts.name", "$.hosts[?(@.name=='z')].state", "$.hosts[0][0]", "$[0]"])
def test_what_is_not_there_is_not_found(path: str) -> None:
    with pytest.raises(NotThere):
        parse(path).find(DOCUMENT)


@pytest.mark.parametrize("path", ["hosts", "$hosts", "$..state", "$.hosts[*]", "$.hosts[?(@.n > 1)]", "$.hosts[", "$[--1]"])
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(BadPath):
        parse(path)


# -- the file ----------------------------------------------------------------------------------------------------------------

GOOD = """fencer: m
adapter: http
start: [m, "{{ files['c'] }}"]
files: {c: "port {{ port }} {% for host in hosts %}{{ host.name }} {{ host.bmc.password_file }} {% endfor %}"}
ready: {url: "http://127.0.0.1:{{ port }}/"}
poll: {url: "http://127.0.0.1:{{ port }}/{{ target.name }}", path: $.a, down: ^Down$}
"""


def written(path: Path, text: str) -> Path:
    file = path / "m.yaml"
    file.write_text(text)
    return file


def test_a_manager_is_asked_to_watch_over_redfish(tmp_path: Path) -> None:
    definition = read(written(tmp_path, GOOD))
    assert (definition.asks, set(definition.ways)) == ({Ask.WATCH}, {Protocol.REDFISH})
    assert isinstance(definition.ways[Protocol.REDFISH], ManagerAdapter)
    assert definition.ways[Protocol.REDFISH].missing() == "m is not installed"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (("start: [m,", "begin: [m,"), "'start' is missing: a list, the command line"),
        (('{{ port }}/"}', '{{ prot }}/"}'), "5:14: ready.url: 'prot' is undefined; there are: hosts"),
        (("{{ port }} {%", "{{ port } {%"), "files.c: not a Jinja2 template"),
        (('http://127.0.0.1:{{ port }}/"}', 'ftp://x"}'), "must begin with http:// or https://"),
        (("path: $.a", "path: a"), "poll.path: 'a' must begin with $"),
        (("down: ^Down$", "down: '('"), "poll.down: not a regular expression"),
        (("down: ^Down$", "up: x"), "poll: 'down' is missing"),
        (("files: {c:", "files: {../c:"), "4:9: files.../c: the key must be the name of a file, without folders"),
        (("fencer: m", "after: 0\nfencer: m"), "must be a number of seconds"),
        (("fencer: m", "alerts: {success: '('}\nfencer: m"), "not a regular expression"),
        (("fencer: m", "params: {}\nfencer: m"), "the adapter http does not read it"),
        (("host.name", "host.name.__class__.__mro__"), "files.c:"),
        (("fencer: m", "confirm: {url: 'http://x'}\nfencer: m"), "confirm: 'body' is missing"),
        (("fencer: m", "confirm: {url: 'http://x', body: '{{ seen.f }}'}\nfencer: m"), "confirm.body: 'dict object' has no"),
        (("fencer: m", "confirm: {url: 'http://x', body: x, seen: {f: fence}}\nfencer: m"), "confirm.seen.f: 'fence' must begin"),
        (("fencer: m", "confirm: {url: 'http://x', body: x, seen: {f: [1]}}\nfencer: m"), "confirm.seen.f: must be text"),
        (("fencer: m", "confirm: {url: 'http://x', body: []}\nfencer: m"), "confirm.body: must be text"),
        (("fencer: m", "confirm: 1\nfencer: m"), "confirm: must be a map"),
    ],
    ids=range(18),
)
def test_a_mistake_names_its_place(tmp_path: Path, change: tuple[str, str], why: str) -> None:
    with pytest.raises(FencerFileError) as caught:
        read(written(tmp_path, GOOD.replace(*change, 1)))
    assert why in str(caught.value)


# -- what happens to the hosts -----------------------------------------------------------------------------------------


class Called:
    """Stands for emulator and agents, and keeps what is asked of them."""

    def __init__(self) -> None:
        self.calls: list[tuple[object, ...]] = []

    def __getattr__(self, name: str) -> object:
        return lambda *given: self.calls.append((name, *given))


@pytest.mark.parametrize(
    ("given", "calls"),
    [
        (Fails("cut", ("a", "b")), [("cut", "a"), ("cut", "b")]),
        (Fails("mains", ("a",)), [("mains_lost", "a")]),
        (Fails("silent", ("a", "b")), [("mute", "a", "b")]),  # both from the same moment on
        (FirstTargetRefuses(), [("refuse_first_start",)]),
        (Returns(), [("answer_after_command", "target")]),
        (ComesOnAgain(), []),
    ],
)
def test_hosts_fail_when_the_manager_has_taken_them_up(
    given: Fails | FirstTargetRefuses | Returns | ComesOnAgain, calls: object
) -> None:
    world = Called()
    given.watched(world, world)  # type: ignore[arg-type]
    given.claimed_down(world, "other")  # type: ignore[arg-type]
    assert world.calls == calls


def test_the_host_that_was_called_down_is_switched_on_and_no_other() -> None:
    world = Called()
    ComesOnAgain().claimed_down(world, "other")  # type: ignore[arg-type]
    ComesOnAgain().claimed_down(world, "target")  # type: ignore[arg-type]
    assert world.calls == [("power", "target", "on")]


def test_a_host_that_did_not_return_in_its_fence_leaves_the_run_void() -> None:
    story = Watch()
    world = Called()
    world.events = lambda: tuple(story.journal)  # type: ignore[attr-defined]
    assert [(fact.must_fire, fact.fired) for fact in Returns().faults(world)] == [(True, 0)]  # type: ignore[arg-type]
    story.say(EventKind.MANAGER, bmc="target", what="returns")
    assert [fact.fired for fact in Returns().faults(world)] == [1]  # type: ignore[arg-type]


def test_only_managers_that_say_how_are_confirmed_by_hand(tmp_path: Path) -> None:
    file = GOOD + "confirm: {url: 'http://127.0.0.1:{{ port }}/', seen: {f: $.fence}, body: '{{ seen.f }} {{ operator }}'}\n"
    for text, told in ((GOOD, False), (file, True)):
        way = read(written(tmp_path, text)).ways[Protocol.REDFISH]
        assert [way.is_told(name) for name in Confirmed().told_by] == [told]
    assert OPERATOR in Confirmed().sentence


def test_a_manager_is_told_the_bmc_of_another_host() -> None:
    agent = AgentAddress(host="127.0.0.1", port=1)
    hosts = tuple(SiteHost(name=name, bmc={"host": name}, agent=agent, workloads=()) for name in ("target", "b"))
    site = ManagedSite(hosts=hosts, target="target", folder=Path(), files=Path(), patience_s=1.0)
    told = SameBmc("b").told_to_manager(site)
    assert [host.bmc["host"] for host in told.hosts] == ["target", "target"]
    assert ComesOnAgain().told_to_manager(site) is site
    assert Confirmed().told_to_manager(site).is_confirmed


def test_a_manager_that_never_called_its_host_down_is_said_to_have_not() -> None:
    assert "did not call the host down" in str(judged(Watch().dies().claim(), Claims(), FAILED).why)
