"""Faults of accounts, passwords and session tables, over Redfish with requests and over IPMI with a stranger's client."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from emulator import EventKind
from tests.fault_bench import FaultBench, fault_bench
from tests.ipmi_client import Client15, Refused

INSUFFICIENT_RESOURCES, INVALID_INTEGRITY = 0x01, 0x0F


@pytest.fixture(scope="module")
def bench() -> Iterator[FaultBench]:
    with fault_bench() as made:
        yield made


def message(answer) -> str:
    return answer.json()["error"]["@Message.ExtendedInfo"][0]["MessageId"].rpartition(".")[2]


def test_a_locked_account_is_refused_like_a_wrong_password_over_both_protocols(bench: FaultBench) -> None:
    with bench.armed("auth.locked"):
        assert bench.ask().status_code == 401
        assert bench.log_in().status_code == 401
        with pytest.raises(Refused) as refusal:
            bench.ipmi().login()
        assert [event.data["result"] for event in bench.events(EventKind.AUTH)][-3:] == ["locked"] * 3
    assert bench.ask().status_code == 200
    assert bench.log_in().status_code == 201
    assert bench.ipmi().login().command(0, 1) is not None
    assert refusal.value.status == INVALID_INTEGRITY


def test_only_the_named_user_is_locked(bench: FaultBench) -> None:
    with bench.armed("auth.locked", params={"user": "somebody-else"}):
        assert bench.ask().status_code == 200


def test_an_expired_password_is_403_until_it_is_changed(bench: FaultBench) -> None:
    own = f"/redfish/v1/AccountService/Accounts/{bench.bmc.username}"
    with bench.armed("auth.password-expired"):
        refused = bench.ask()
        assert (refused.status_code, message(refused)) == (403, "PasswordChangeRequired")
        logged_in = bench.log_in()
        assert logged_in.status_code == 201
        assert "PasswordChangeRequired" in logged_in.text
        assert bench.ask(path=own).status_code == 200, "the own account can be looked at, to change it"
    assert bench.ask().status_code == 200


def test_a_session_that_ends_while_it_is_used(bench: FaultBench) -> None:
    token = {"X-Auth-Token": bench.log_in().headers["X-Auth-Token"]}
    assert bench.ask(headers=token, auth=None).status_code == 200
    with bench.armed("auth.session-expired", count=1):
        assert bench.ask(headers=token, auth=None).status_code == 401
    assert bench.ask(headers=token, auth=None).status_code == 401, "the token is worth nothing any more"
    again = {"X-Auth-Token": bench.log_in().headers["X-Auth-Token"]}
    assert bench.ask(headers=again, auth=None).status_code == 200


def test_a_full_redfish_session_table_leaves_basic_and_ipmi_alone(bench: FaultBench) -> None:
    with bench.armed("redfish.sessions-full"):
        assert bench.log_in().status_code == 503
        assert bench.ask().status_code == 200
        assert bench.ipmi().login().command(0, 1) is not None
    assert bench.log_in().status_code == 201


def test_a_full_ipmi_session_table(bench: FaultBench) -> None:
    with bench.armed("ipmi.sessions-full"):
        with pytest.raises(Refused) as refusal:
            bench.ipmi().login()
        assert bench.log_in().status_code == 201
    assert refusal.value.status == INSUFFICIENT_RESOURCES
    assert bench.ipmi().login().command(0, 1) is not None


def client15(bench: FaultBench) -> Client15:
    send = bench.ipmi(timeout=1).send
    return Client15(send, user=bench.bmc.username, password=bench.bmc.password)


def test_ipmi_1_5_knows_full_tables_and_locked_accounts_too(bench: FaultBench) -> None:
    with bench.armed("ipmi.sessions-full"), pytest.raises(Refused) as refusal:
        client15(bench).login()
    assert refusal.value.status == 0x81
    with bench.armed("auth.locked"), pytest.raises(AssertionError):
        client15(bench).login()
    assert client15(bench).login().command(0, 1) is not None
