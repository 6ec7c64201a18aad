"""Whatever a BMC says and whatever a network brings."""

from __future__ import annotations

import os

from hypothesis import given
from hypothesis import strategies as st

from fencer import procedure
from fencer.agent import parameters_from_lines
from fencer.events_effects import (
    AllowedCommands,
    CommandAnswered,
    DeadlinePassed,
    Finish,
    Pause,
    Read,
    ReadAllowedCommands,
    ReadFailed,
    ReadOk,
    ReadTask,
    SendCommand,
    TaskStatus,
    TimerFired,
)
from fencer.outcome import Action, Cause, Failure, FenceVerdict, Power, PowerCommand, Reading, Witness, WitnessState, power_of
from fencer.target import Limits
from fencer.transport import rmcpplus as wire

WORDS = st.sampled_from(["On", "Off", "Off", "Off", "PoweringOff", "PoweringOn", "off", None])
WITNESSES = st.lists(
    st.builds(
        Witness, uri=st.sampled_from(["/c/1", "/c/2"]), state=st.sampled_from(WitnessState), word=st.sampled_from(["On", "Off"])
    ),
    max_size=2,
    unique_by=lambda witness: witness.uri,
)
FAILURES = st.builds(Failure, cause=st.sampled_from(Cause), text=st.just("x"))
OFFERED = st.builds(
    lambda names, listed: AllowedCommands(frozenset(names) if listed else frozenset(), listed=listed),
    st.sets(st.sampled_from(PowerCommand)),
    st.booleans(),
)


@given(
    st.data(),
    st.sampled_from([Action.OFF, Action.ON, Action.REBOOT, Action.STATUS]),
    st.sampled_from([0.0, 0.5, 1.0, 4.0]),
    st.sampled_from([0.0, 3.0]),
)
def test_no_history_leads_to_a_false_claim_a_storm_or_a_blind_button(
    data: st.DataObject, action: Action, stable_for: float, graceful: float
) -> None:
    limits = Limits(deadline=20, stable_for=stable_for, graceful=graceful)
    now = 0.0
    state, effect = procedure.begin(action, limits, now)
    said: list[Reading | None] = []
    sent = 0
    for _ in range(400):
        if isinstance(effect, Finish):
            break
        now += data.draw(st.sampled_from([0.01, 0.3, 2.0]))
        if now > limits.deadline:
            state, effect = procedure.step(state, DeadlinePassed(), now)
            continue
        match effect:
            case Read():
                if data.draw(st.integers(0, 5)) == 0:
                    said.append(None)
                    event: object = ReadFailed(data.draw(FAILURES))
                else:
                    word, asked = data.draw(WORDS), tuple(data.draw(WITNESSES))
                    said.append(Reading(power=power_of(word), word=word, at=now, path="test", witnesses=asked))
                    event = ReadOk(said[-1])
            case ReadAllowedCommands():
                event = data.draw(OFFERED)
            case SendCommand(command):
                sent += 1
                last = said[-1]
                if command is PowerCommand.PUSH_POWER_BUTTON:
                    assert last is not None
                    assert last.power is (Power.OFF if state.goal is Power.ON else Power.ON)
                assert state.goal is not Power.OFF or command is not PowerCommand.ON
                event = CommandAnswered(
                    data.draw(st.none() | FAILURES), data.draw(st.none() | st.just(2.0)), data.draw(st.none() | st.just("t"))
                )
            case ReadTask():
                event = TaskStatus(ended=data.draw(st.booleans()), failure=data.draw(st.none() | FAILURES))
            case Pause(seconds):
                assert seconds > 0
                now += seconds
                event = TimerFired()
        state, effect = procedure.step(state, event, now)  # type: ignore[arg-type]
    assert isinstance(effect, Finish), "never ends"
    outcome = effect.outcome
    assert outcome.commands_sent == sent <= (0 if action is Action.STATUS else 20)
    if action is Action.OFF and outcome.verdict is FenceVerdict.CONFIRMED:
        assert outcome.evidence is not None
        proof = outcome.evidence.readings
        answered = [reading for reading in said if reading is not None]
        assert [reading.at for reading in answered[-len(proof) :]] == [reading.at for reading in proof], "another word between"
        calm = None not in said
        assert len(proof) >= (2 if calm else 3)
        assert proof[-1].at - proof[0].at >= stable_for * (1 if calm else 2)
        assert all(reading.word == "Off" and reading.chassis_word in (None, "Off") for reading in proof)
        spoken = {witness.uri for reading in answered for witness in reading.witnesses if witness.state is WitnessState.SAYS}
        for reading in proof:
            assert spoken <= {witness.uri for witness in reading.witnesses if witness.word == "Off"}


@given(st.binary(max_size=400))
def test_any_input_of_the_agent_is_read(raw: bytes) -> None:
    parameters_from_lines(raw)


KEYS = {
    number: wire.Handshake(suite, 1, 2, b"r" * 16, b"s" * 16, b"g" * 16, 0x14, b"admin").keys(b"k" * 20)
    for number, suite in wire.SUITES.items()
}


@given(st.binary(max_size=120), st.sampled_from([None, 3, 17]))
def test_no_packet_raises(packet: bytes, suite: int | None) -> None:
    keys = KEYS[suite] if suite else None
    assert wire.unpack(packet, keys) is None or keys is None
    assert wire.unpack(wire.RMCP + packet, keys) is None or keys is None
    wire.answer(packet, 1, 0, 1)


@given(st.binary(max_size=80), st.sampled_from([3, 17]), st.integers(0, 400))
def test_a_signed_packet_comes_back_and_no_changed_one_does(payload: bytes, suite: int, where: int) -> None:
    keys = KEYS[suite]
    packet = wire.pack(wire.IPMI, payload, session=7, sequence=1, keys=keys, iv=os.urandom(16))
    assert wire.unpack(packet, keys) == wire.Packet(wire.IPMI, 7, payload)
    changed = bytearray(packet)
    changed[4 + where % (len(packet) - 4)] ^= 0x01
    assert wire.unpack(bytes(changed), keys) is None


def test_a_request_and_its_answer() -> None:
    request = wire.message(5, 0x00, 0x01)
    assert request == bytes([0x20, 0x00, 0xE0, 0x81, 0x14, 0x01, 0x6A])
    head, body = bytes([0x81, 0x04]), bytes([0x20, 0x14, 0x01, 0x00, 0x21, 0x10, 0x40])
    reply = head + bytes([-sum(head) & 0xFF]) + body + bytes([-sum(body) & 0xFF])
    assert wire.answer(reply, 5, 0x00, 0x01) == b"\x00\x21\x10\x40"
    assert wire.answer(reply, 6, 0x00, 0x01) is None
