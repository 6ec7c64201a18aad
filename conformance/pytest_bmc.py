"""The fixture `bmc`: an emulated BMC for one test, and a judge of what the test claims. `fencelab_pytest` loads it on first use.

    @pytest.mark.bmc_profile("dell-idrac9")
    def test_off_is_off(bmc):
        bmc.fault("power.ignore", when={"reset": ["ForceOff"]})
        assert not my_driver.power_off(bmc.url, bmc.username, bmc.password)
        bmc.claim("failed")

The test asks its fencer for something, and says with `claim` what the fencer answered. The claim is stamped into the journal, and
the invariants G1 to G9 hold, as in the suite; with the marker `scenario` also what that scenario expects.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Final

from conformance import requirement, selection
from conformance.causal_chain import tell_all
from conformance.finding import Judgement
from conformance.givens.bmc import ON, host
from conformance.givens.given import TARGET, FaultFacts
from conformance.judge import Trial, judge
from conformance.outcome import FencerOutcome
from conformance.play_scenario import GATES_SHARE, LOOPBACK, SETTLE_S, handed, on_sockets, planned, secrets_of
from conformance.report.terminal import plain
from conformance.result import Result
from conformance.scenario import AskStep, Scenario
from conformance.secret_forms import redact
from conformance.vocabulary import Ask, Claim, Verdict
from emulator import (
    Emulator,
    Event,
    EventKind,
    FaultId,
    FaultMisconfigured,
    Host,
    Place,
    PowerAction,
    RackMisconfigured,
    Rail,
    arming_from_mapping,
)
from profiles.model import Profile

DEFAULT_PROFILE: Final = "dmtf-generic"
DEADLINE_S: Final = 60.0
PASSWORD: Final = "Zq7-pytest-bmc-1"
CLAIMS: Final[Mapping[str, tuple[Ask, Claim]]] = {
    "off": (Ask.OFF, Claim.OFF),
    "on": (Ask.ON, Claim.ON),
    "reboot": (Ask.REBOOT, Claim.REBOOTED),
}
ASKS: Final = {Ask.OFF.value: Ask.OFF, Ask.ON.value: Ask.ON, Ask.REBOOT.value: Ask.REBOOT}


class BadUse(Exception):
    """The test asks for something that there is not; the text is one sentence."""


@dataclass(slots=True, kw_only=True, repr=False)
class BmcUnderTest:
    """One emulated BMC, and the host behind it. A test uses it in one thread; its fencer may use as many as it likes."""

    emulator: Emulator
    profile: Profile
    scenario: Scenario | None
    test: str
    deadline: float = DEADLINE_S
    _armed: list[tuple[FaultId, str, bool]] = field(default_factory=list)
    _steps: list[AskStep] = field(default_factory=list)
    _outcomes: list[FencerOutcome] = field(default_factory=list)
    _began: float = 0.0

    def __repr__(self) -> str:
        return f"<bmc {self.profile.id} at {self.host}:{self.port}>"

    # -- what a fencer is told -----------------------------------------------------------------------------------------

    @property
    def told(self) -> Mapping[str, str]:
        """What the placeholders of a fencer file stand for, by name: "bmc.host", "bmc.system_uri" and so on."""
        step = self._planned_step()
        given = (*self.scenario.given, *step.told) if self.scenario is not None and step is not None else ()
        return handed(given, self.emulator.endpoints[TARGET])

    @property
    def host(self) -> str:
        return self.told["bmc.host"]

    @property
    def port(self) -> int:
        return int(self.told["bmc.port"])

    @property
    def url(self) -> str:
        """Of Redfish: https://HOST:PORT, with a certificate of its own."""
        return self.told["bmc.url"]

    @property
    def username(self) -> str:
        return self.told["bmc.user"]

    @property
    def password(self) -> str:
        return self.told["bmc.password"]

    @property
    def system_uri(self) -> str:
        return self.told["bmc.system_uri"]

    @property
    def uuid(self) -> str:
        return self.told["bmc.uuid"]

    @property
    def ca_file(self) -> str:
        return self.told["bmc.ca_file"]

    @property
    def ipmi_host(self) -> str:
        return self.told["bmc.ipmi_host"]

    @property
    def ipmi_port(self) -> int:
        return int(self.told["bmc.ipmi_port"])

    # -- what a test does ----------------------------------------------------------------------------------------------

    def fault(self, name: str, /, **settings: object) -> FaultId:
        """Arms a fault, such as `bmc.fault("redfish.reply", status=503, count=2)`.

        `when`, `count`, `after`, `until`, `probability` and `must_fire` are those of the form fault/1; everything else goes to
        the fault itself (docs/faults.md). One of the profile's own `faults` is named without a setting. A fault that must fire
        and did not by the time of a claim makes the claim fail: nothing would have been tested. Raises BadUse.
        """
        __tracebackhide__ = True
        envelope = {key: settings.pop(key) for key in ENVELOPE & settings.keys()}
        try:
            if name in self.profile.faults and not settings and not envelope:
                armed = self.emulator.arm(TARGET, name)
                must_fire = True
            else:
                arming = arming_from_mapping({"type": name, **envelope, **({"params": settings} if settings else {})})
                must_fire = arming.must_fire
                armed = self.emulator.arm(TARGET, arming)
        except (FaultMisconfigured, RackMisconfigured) as error:
            raise BadUse(f"bmc.fault({name!r}): {'; '.join(str(error).splitlines())}") from None
        self._armed.append((armed, name, must_fire))
        return armed

    def power(self, action: str) -> None:
        """What a person does at the machine: "off", "on", "press", "unplug", "plug", "hang", "crash", "boot"."""
        __tracebackhide__ = True
        if action not in list(PowerAction):
            raise BadUse(f"bmc.power({action!r}): there are {', '.join(PowerAction)}")
        self.emulator.power(TARGET, PowerAction(action))

    @property
    def truth(self) -> Host:
        """The host as it really is: `rail`, `os`, `incarnation`."""
        return self.emulator.host(TARGET, self._system)

    @property
    def journal(self) -> tuple[Event, ...]:
        """Everything that has happened up to now, in order."""
        return self.emulator.events()

    def claim(self, word: str, *, ask: str = "off", said: str = "", exit: int | None = None) -> None:
        """Says what the fencer has answered since the last claim, or since the test began: "off", "on", "reboot", or "failed".

        `ask` is what it had been asked for where it failed; `said` is what it printed, which must not show the password, and
        `exit` its exit code. Raises AssertionError with the whole finding where the claim is not true, or the fencer did what no
        fencer may.
        """
        __tracebackhide__ = True
        number = len(self._outcomes)
        asked, claimed = self._read(word, ask)
        step = self._planned_step()
        if step is not None and step.ask is not asked:
            raise BadUse(f"bmc.claim({word!r}): {self._scenario_id} asks for {step.ask} here")
        answered = self.emulator.last_response(TARGET)
        self.emulator.record(TARGET, EventKind.FENCER, answered, what="claim", ask=number)
        self.emulator.record(TARGET, EventKind.FENCER, None, what="end", ask=number, claim=claimed.value, exit=exit)
        if self.scenario is not None:
            for given in self.scenario.given:
                given.claimed(self.emulator, asked, TARGET)
        self._steps.append(step or AskStep(asked, ()))
        self._outcomes.append(
            FencerOutcome(ask=asked, claim=claimed, exit=exit, stdout=said, duration=time.monotonic() - self._began)
        )
        if claimed is Claim.OFF and self.truth.rail is Rail.UP:  # so that "too early" and "never" can be told apart
            self.emulator.let_fall(TARGET, self._system, timeout_s=SETTLE_S)
        judged, events = self._judged()
        self.begin()
        if judged.verdict in (Verdict.PASS, Verdict.NA):
            return
        raise AssertionError(f"{word!r} was claimed\n{self._text(judged, events)}")

    # -- inside --------------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """From here on everything belongs to the next claim. The fixture and `claim` call it."""
        number = len(self._outcomes)
        step = self._planned_step()
        if step is not None and step.before is not None:
            step.before.happen(self.emulator, TARGET)
        self.emulator.forget_open_gate(TARGET, self._system)
        self.emulator.limit_gates(GATES_SHARE * self.deadline)
        action = step.ask.value if step is not None else Ask.OFF.value
        self.emulator.record(TARGET, EventKind.FENCER, None, what="start", ask=number, action=action, system=self._system)
        self._began = time.monotonic()

    @property
    def _system(self) -> str:
        return self.emulator.endpoints[TARGET].systems[0].id

    @property
    def _scenario_id(self) -> str:
        return self.scenario.id if self.scenario is not None else "BMC-0"

    def _planned_step(self) -> AskStep | None:
        """The step of the scenario that comes next."""
        steps = self.scenario.steps if self.scenario is not None else ()
        return steps[len(self._outcomes)] if len(self._outcomes) < len(steps) else None

    @staticmethod
    def _read(word: str, ask: str) -> tuple[Ask, Claim]:
        if word == Claim.FAILED:
            if ask not in ASKS:
                raise BadUse(f"bmc.claim('failed', ask={ask!r}): there are {', '.join(ASKS)}")
            return ASKS[ask], Claim.FAILED
        if word not in CLAIMS:
            raise BadUse(f"bmc.claim({word!r}): there are {', '.join(CLAIMS)} and failed")
        return CLAIMS[word]

    def _judged(self) -> tuple[Judgement, tuple[Event, ...]]:
        """The verdict on the last claim. What was asked for is known only now: it is put into the stamp of the beginning."""
        events = tuple(self._as_asked(event) for event in self.emulator.events())
        number = len(self._outcomes) - 1
        trial = Trial(
            requirement=self.scenario.requirement if self.scenario is not None else requirement.SAFE_CLAIM,
            steps=self._steps,
            outcomes=self._outcomes,
            events=events,
            deadline=self.deadline,
            secrets=self._secrets,
            certificate_fails=any(given.certificate_fails for given in self.scenario.given) if self.scenario else False,
            faults=tuple(self._faults()),
        )
        judged = judge(trial)
        of_this = tuple(finding for finding in judged.findings if finding.ask == number)
        if judged.findings and not of_this:
            return replace(judged, verdict=Verdict.PASS, kind=None, findings=()), events
        worst = of_this[0] if of_this else None
        kept = replace(judged, findings=of_this)
        return (replace(kept, verdict=worst.verdict, kind=worst.kind, why=worst.actual) if worst else kept), events

    def _as_asked(self, event: Event) -> Event:
        number = event.data.get("ask")
        if event.kind is EventKind.FENCER and event.data.get("what") == "start" and isinstance(number, int):
            asked = self._outcomes[number].ask if number < len(self._outcomes) else Ask.OFF
            return event._replace(data={**event.data, "action": asked.value})
        return event

    @property
    def _secrets(self) -> tuple[str, ...]:
        return secrets_of(self.emulator, [self.told])

    def _faults(self) -> Iterator[FaultFacts]:
        """Those of the scenario when all of its steps are done, and those of the test that are still armed."""
        if self.scenario is not None and len(self._outcomes) >= len(self.scenario.steps):
            for given in self.scenario.given:
                yield from given.faults(self.emulator)
        fired = {status.id: status.fired for status in self.emulator.faults(TARGET)}
        for armed, name, must_fire in self._armed:
            if armed in fired:
                yield FaultFacts(sentence=f"the fault {name}", bmc=TARGET, must_fire=must_fire, fired=fired[armed])

    def _text(self, judged: Judgement, events: Sequence[Event]) -> str:
        result = Result(
            fencer=self.test,
            fencer_digest="",
            profile=self.profile.id,
            profile_digest=self.profile.digest,
            scenario=self.scenario or replace(_ANY, steps=tuple(self._steps)),
            verdict=judged.verdict,
            kind=judged.kind,
            why=judged.why,
            findings=judged.findings,
            notes=judged.notes,
            stories=tell_all(events, judged.findings),
            remarks=judged.remarks,
            repeat=f"pytest '{self.test}'",
        )
        return redact(plain(result), self._secrets)


ENVELOPE: Final = frozenset({"when", "count", "after", "until", "probability", "must_fire"})
"""Keys of fault/1 beside `type` and `params`."""
_ANY: Final = Scenario(
    id="BMC-0",
    tier=0,
    title="a test of its own",
    requirement=requirement.SAFE_CLAIM,
    source="",
    given=(host(ON),),
    steps=(),
)
"""What a test plays that names no scenario."""


def pick(profile: str, scenario: str | None) -> tuple[Profile, Scenario | None]:
    """What the markers of a test name. Raises BadUse."""
    try:
        found = selection.pick_profiles([profile])
        chosen = selection.pick_scenarios([scenario]) if scenario is not None else ()
    except selection.BadSelection as error:
        raise BadUse(str(error)) from None
    if len(found) != 1:
        raise BadUse(f"a test has one BMC, and {profile!r} names {len(found)} profiles")
    if scenario is None:
        return next(iter(found.values())), None
    if len(chosen) != 1:
        raise BadUse(f"a test plays one scenario, and {scenario!r} names {len(chosen)}")
    if (why := _unplayable(chosen[0])) is not None:
        raise BadUse(f"{chosen[0].id} cannot be played by a test, since it is about {why}: use --fencer")
    return next(iter(found.values())), chosen[0]


def _unplayable(scenario: Scenario) -> str | None:
    """What of it only the suite can do."""
    if scenario.about_process or scenario.convention is not None:
        return scenario.about_process or str(scenario.convention)
    if any(step.sigterm_after is not None or step.together for step in scenario.steps):
        return "signals, or several fencers at the same time"
    if any(step.ask.value not in ASKS or step.bmc != TARGET for step in scenario.steps):
        return "more than off, on and reboot of one host"
    return next((f"{given.sentence}" for given in scenario.given if given.reached_through(TARGET) is not None), None)


@contextmanager
def started(profile: str, scenario: str | None, test: str) -> Iterator[BmcUnderTest]:
    """A BMC on free ports of loopback, until the test ends. `test` is its name in findings. Raises BadUse, NotHere, OSError."""
    chosen, played = pick(profile, scenario)
    given = (played or _ANY).given
    if (why := next((why for each in given if (why := each.missing_in(chosen)) is not None), None)) is not None:
        raise NotHere(f"{scenario} has nothing to try on {profile}: {why}")
    rack = planned(played or _ANY, chosen, PASSWORD)
    places = {unit.name: Place(listen=rack.addresses.get(unit.name, LOOPBACK)) for unit in rack.units}
    with on_sockets(rack.units, seed=0, places=places, refuse=rack.silent, latency=False) as emulator:
        for each in given:
            each.arrange(emulator)
        bmc = BmcUnderTest(emulator=emulator, profile=chosen, scenario=played, test=test)
        bmc.begin()
        yield bmc


class NotHere(Exception):
    """The scenario is not about this profile; the test is skipped with this reason."""
