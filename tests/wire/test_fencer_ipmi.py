"""The IPMI transport against a BMC of the test's own, built on the same packet functions, over real UDP.

Interoperation with programs of others (ipmi_sim, pyghmi's server, ipmitool against our emulator) is for tests/peers.
"""

from __future__ import annotations

import socket
import uuid
from collections.abc import Iterator
from dataclasses import replace

import pytest

from fencer import Cause, FenceVerdict, Limits, Outcome, fence, power_on, read
from fencer.transport import ipmi_session, refused_logins
from tests.ipmi_responder import GUID, Responder, served, target

LIMITS = Limits(deadline=5, stable_for=0.1, poll=0.05, poll_max=0.1)
QUICK = replace(LIMITS, deadline=1.5)


@pytest.fixture
def bmc() -> Iterator[Responder]:
    with served(Responder()) as found:
        yield found


def cause(outcome: Outcome) -> Cause:
    assert outcome.failure is not None
    return outcome.failure.cause


@pytest.mark.parametrize(("suites", "cipher"), [((3, 17), None), ((17,), None), ((3,), None), ((3, 17), 3), ((3, 17), 17)])
def test_off_and_on_with_every_suite(bmc: Responder, suites: tuple[int, ...], cipher: int | None) -> None:
    bmc.suites = suites
    assert fence(target(bmc, cipher=cipher), LIMITS).verdict is FenceVerdict.CONFIRMED
    assert not bmc.up
    assert power_on(target(bmc, cipher=cipher), LIMITS).verdict is FenceVerdict.CONFIRMED
    assert bmc.controls == [0, 1]
    assert bmc.opened == bmc.closed == 2


def test_a_host_that_is_off_gets_no_control(bmc: Responder) -> None:
    bmc.up = False
    outcome = fence(target(bmc), LIMITS)
    assert (outcome.verdict, bmc.controls) == (FenceVerdict.CONFIRMED, [])
    assert outcome.readings[0].identity == str(uuid.UUID(bytes_le=GUID))


@pytest.mark.long
def test_the_k_g_key_is_used(bmc: Responder) -> None:
    bmc.kg = b"\x01\x02key"
    assert fence(target(bmc, kg=bmc.kg), LIMITS).verdict is FenceVerdict.CONFIRMED
    assert cause(fence(target(bmc), QUICK)) is Cause.AUTH


@pytest.mark.parametrize(
    ("code", "expected", "controls"),
    [
        (0xC0, Cause.BUSY, 3),
        (0xCC, Cause.CONFLICT, 3),
        (0xD5, Cause.CONFLICT, 3),
        (0xC1, Cause.UNSUPPORTED, 2),
        (0xD4, Cause.PRIVILEGE, 2),
        (0xFF, Cause.BAD_RESPONSE, 3),
    ],
)
def test_a_completion_code_on_a_running_host_is_no_off(bmc: Responder, code: int, expected: Cause, controls: int) -> None:
    bmc.code = lambda netfn, command: code if (netfn, command) == (0x00, 0x02) else 0
    outcome = fence(target(bmc), QUICK)
    assert (cause(outcome), len(bmc.controls)) == (expected, controls)
    assert outcome.failure is not None
    assert outcome.failure.code == f"0x{code:02X}"


def test_a_busy_status_is_busy_and_not_off(bmc: Responder) -> None:
    bmc.code = lambda netfn, command: 0xC0 if (netfn, command) == (0x00, 0x01) else 0
    assert cause(fence(target(bmc), QUICK)) is Cause.BUSY


def test_a_lost_answer_to_the_control_is_looked_up_and_not_sent_again(bmc: Responder) -> None:
    bmc.lose = lambda netfn, command: (netfn, command) == (0x00, 0x02)
    assert fence(target(bmc), LIMITS).verdict is FenceVerdict.CONFIRMED
    assert len(bmc.controls) == 1


def test_every_third_answer_lost(bmc: Responder) -> None:
    count = iter(range(1000))
    bmc.lose = lambda netfn, command: next(count) % 3 == 1
    assert fence(target(bmc), replace(LIMITS, deadline=15)).verdict is FenceVerdict.CONFIRMED


def test_a_wrong_password_is_offered_twice_and_never_again(bmc: Responder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refused_logins, "REFUSED_LOGIN_GAP_S", 0.2)
    assert cause(fence(target(bmc, password="wrong"), LIMITS)) is Cause.AUTH
    assert bmc.opened == 2


@pytest.mark.long
def test_the_second_log_in_waits(bmc: Responder) -> None:
    assert cause(fence(target(bmc, password="wrong"), QUICK)) is Cause.AUTH
    assert bmc.opened == 1


@pytest.mark.parametrize(
    ("status", "expected"), [(0x0D, Cause.AUTH), (0x0A, Cause.PRIVILEGE), (0x01, Cause.BUSY), (0x77, Cause.BAD_RESPONSE)]
)
def test_a_refusal_of_rakp_1_has_its_class(bmc: Responder, status: int, expected: Cause) -> None:
    bmc.rakp2_status = status
    assert cause(fence(target(bmc), QUICK)) is expected


def test_a_suite_that_the_bmc_refuses_is_unsupported(bmc: Responder) -> None:
    bmc.suites = (3,)
    assert cause(fence(target(bmc, cipher=17), QUICK)) is Cause.UNSUPPORTED


@pytest.mark.long
def test_a_full_session_table_is_busy(bmc: Responder) -> None:
    bmc.suites, bmc.open_status = (), 0x01
    assert cause(fence(target(bmc), QUICK)) is Cause.BUSY


@pytest.mark.long
@pytest.mark.parametrize("after_session", [True, False])
def test_silence_is_unreachable(bmc: Responder, after_session: bool) -> None:
    bmc.silent = not after_session
    bmc.lose = lambda netfn, command: command == 0x01
    assert cause(fence(target(bmc), QUICK)) is Cause.UNREACHABLE


def test_a_closed_port_is_unreachable(bmc: Responder) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert cause(fence(target(bmc, port=port), QUICK)) is Cause.UNREACHABLE


@pytest.mark.parametrize(
    "wrong",
    [
        {"password": "x" * 21},
        {"user": "x" * 17},
        {"kg": b"x" * 21},
        {"cipher": 8},
        {"identity": str(uuid.UUID(int=7))},
    ],
)
def test_what_ipmi_cannot_carry_is_a_configuration_error(bmc: Responder, wrong: dict[str, object]) -> None:
    assert cause(fence(target(bmc, **wrong), QUICK)) is Cause.CONFIG


def test_a_single_read(bmc: Responder) -> None:
    assert read(target(bmc), 2).word == "On"
    assert bmc.closed == 1


def test_a_name_with_several_addresses_is_tried_at_each(bmc: Responder, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, "127.0.0.9"), (socket.AF_INET, "127.0.0.1")]  # nobody listens at the first
    monkeypatch.setattr(ipmi_session, "addresses", lambda host, timeout: found)
    assert fence(target(bmc), LIMITS).verdict is FenceVerdict.CONFIRMED


def test_an_address_of_a_family_that_this_machine_has_not_is_unreachable(bmc: Responder, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(family: int, kind: int) -> socket.socket:
        raise OSError(97, "Address family not supported by protocol")

    with monkeypatch.context() as patched:
        patched.setattr(socket, "socket", refuse)
        outcome = fence(target(bmc), QUICK)
    assert cause(outcome) is Cause.UNREACHABLE


def test_fru_data_without_bytes_end_the_reading_of_them(bmc: Responder) -> None:
    bmc.up = False
    outcome = fence(target(bmc, identity="SN-1"), QUICK)
    assert cause(outcome) is Cause.CONFIG
    assert len([1 for netfn, command, _ in bmc.commands if (netfn, command) == (0x0A, 0x11)]) == 1
