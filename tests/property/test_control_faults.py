"""Faults are armed and taken away, hosts are switched and unplugged by hand, BMCs are muted, in any order while a client works.

Whatever the order: what is armed is what is listed, and when all is taken away, the BMC serves as if nothing had been. The same
steps give the same journal, byte for byte.
"""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from emulator import ActionRefused, Armed, PowerAction, Rail, arming_from_mapping, fault_names
from emulator.faults.registry import example_of
from tests.effort import examples
from tests.ipmi_client import Client, Refused
from tests.virtual_bmc import NAME, PASSWORD, VirtualBmc, virtual_bmc

CLIENT_ERRORS = (OSError, http.client.HTTPException, Refused, AssertionError, ValueError, LookupError, TypeError, AttributeError)
"""What a client that believes everything may stumble over."""
COMMANDS = ("On", "ForceOff", "GracefulShutdown", "ForceRestart")

Step = tuple[str, object]
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("arm"), st.tuples(st.sampled_from(fault_names()), st.booleans())),
        st.tuples(st.just("disarm"), st.integers(0, 20)),
        st.tuples(st.just("power"), st.sampled_from(list(PowerAction))),
        st.tuples(st.just("mute"), st.booleans()),
        st.tuples(st.just("command"), st.sampled_from(COMMANDS)),
        st.tuples(st.sampled_from(["read", "ipmi"]), st.none()),
        st.tuples(st.just("advance"), st.sampled_from([0.5, 5.0, 60.0])),
    ),
    max_size=25,
)


def written(name: str, conditional: bool) -> Armed:
    """The example of a fault, with its conditions or without any."""
    data = dict(example_of(name))
    if not conditional:
        data = {key: value for key, value in data.items() if key in ("type", "params")}
    return arming_from_mapping(data)


@dataclass
class Player:
    bmc: VirtualBmc
    armed: list[str] = field(default_factory=list)
    muted: str | None = None

    def play(self, step: Step) -> None:
        what, value = step
        emulator = self.bmc.emulator
        match what:
            case "arm":
                self.armed.append(emulator.arm(NAME, written(*value)))  # type: ignore[misc]
            case "disarm" if self.armed:
                emulator.disarm(self.armed.pop(int(str(value)) % len(self.armed)))
            case "power":
                self._by_hand(PowerAction(str(value)))
            case "mute":
                (emulator.mute if value else emulator.unmute)(NAME)
                gone = {each.id for each in emulator.faults()}
                self.armed = [each for each in self.armed if each in gone]
            case "command":
                self._client(lambda: self.bmc.reset(str(value)))
            case "read":
                self._client(self.bmc.power)
            case "ipmi":
                self._client(lambda: self._ipmi().login().command(0, 1))
            case "advance":
                emulator.advance(float(str(value)))

    def _by_hand(self, action: PowerAction) -> None:
        before = self.bmc.emulator.host(NAME)
        try:
            self.bmc.emulator.power(NAME, action)
        except ActionRefused:
            assert self.bmc.emulator.host(NAME) == before
            return
        after = self.bmc.emulator.host(NAME)
        if action in (PowerAction.OFF, PowerAction.UNPLUG):
            assert after.rail is Rail.DOWN
        elif action is PowerAction.ON:
            assert after.rail is Rail.UP

    def _client(self, act: object) -> None:
        try:
            act()  # type: ignore[operator]
        except CLIENT_ERRORS:
            return

    def _ipmi(self) -> Client:
        transport, user = self.bmc.transport, self.bmc.emulator.endpoints[NAME].username

        def send(datagram: bytes) -> list[bytes]:
            try:
                return [transport.datagram(datagram, 1.0)]
            except OSError:
                return []

        return Client(send, user=user, password=PASSWORD, console=bytes(4))

    def check(self) -> None:
        listed = self.bmc.emulator.faults()
        mutes = [each.id for each in listed if each.type == "wire.blackhole" and each.id not in self.armed]
        assert [each.id for each in listed if each.id not in mutes] == self.armed
        assert len(mutes) <= 1
        assert all(each.armed.count is None or each.fired <= each.armed.count for each in listed)

    def end(self) -> None:
        """All is taken away, and the BMC serves and tells the truth."""
        emulator = self.bmc.emulator
        emulator.unmute(NAME)
        for each in emulator.faults():
            emulator.disarm(each.id)
        emulator.power(NAME, PowerAction.PLUG)
        emulator.advance(300)
        emulator.power(NAME, PowerAction.OFF)
        emulator.advance(30)
        assert self.bmc.power() == "Off"
        emulator.power(NAME, PowerAction.ON)
        emulator.advance(30)
        assert self.bmc.power() == "On"


def journal_of(steps: list[Step]) -> str:
    with virtual_bmc(limit_s=1e9) as bmc:
        player = Player(bmc)
        for step in steps:
            player.play(step)
            player.check()
        player.end()
        events = bmc.emulator.events()
        assert [event.seq for event in events] == list(range(1, len(events) + 1))
        return "".join(f"{event.to_json()}\n" for event in events)


@settings(max_examples=examples(25), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS)
@example([("arm", ("power.hold", False)), ("command", "ForceOff"), ("disarm", 0), ("read", None)])
@example([("arm", ("power.glitch", False)), ("command", "ForceOff"), ("power", PowerAction.UNPLUG), ("power", PowerAction.PLUG)])
@example([("arm", ("wire.hang", False)), ("read", None), ("mute", True), ("disarm", 0), ("mute", False), ("read", None)])
def test_in_any_order_while_clients_work(steps: list[Step]) -> None:
    journal = journal_of(steps)
    assert journal == journal_of(steps)
    assert json.loads(journal.splitlines()[0])["kind"] == "rack"


@pytest.mark.parametrize("name", fault_names())
def test_each_fault_comes_and_goes_while_clients_work(name: str) -> None:
    acts: list[Step] = [
        ("read", None),
        ("ipmi", None),
        ("command", "ForceOff"),
        ("advance", 5.0),
        ("read", None),
        ("command", "On"),
    ]
    journal_of([("arm", (name, False)), *acts, ("disarm", 0), *acts])
