"""`fencer.fence` against a seeded IPMI adversary over UDP: 100 hosts that stay on, and 100 that are off or go off."""

from __future__ import annotations

import pytest

from fencer import proof
from fencer.transport import ipmi_session, refused_logins, rmcpplus
from tests.ipmi_adversary import SPOILT, play_all

pytestmark = pytest.mark.long


@pytest.fixture(autouse=True)
def soon_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ipmi_session, "RESEND_INTERVAL_S", 0.1)
    monkeypatch.setattr(refused_logins, "REFUSED_LOGIN_GAP_S", 0.3)


def test_a_host_that_stays_on_is_never_claimed_off() -> None:
    wrong, given = play_all(range(100), hostile=True)
    assert not wrong, wrong[0]
    assert set(SPOILT) <= set(given)


def test_a_host_that_is_off_is_confirmed_whatever_is_lost_or_spoilt() -> None:
    wrong, given = play_all(range(100), hostile=False)
    assert not wrong, wrong[0]
    assert set(SPOILT) <= set(given)


def test_one_answer_of_off_would_be_too_little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "reads_needed", lambda shaken: 1)
    monkeypatch.setattr(proof, "span_needed", lambda stable_for, shaken: 0.0)
    assert any(run.trouble for run in play_all(range(40), hostile=True)[0])


def test_packets_without_a_signature_would_be_believed_without_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    unpack = rmcpplus.unpack
    monkeypatch.setattr(rmcpplus, "unpack", lambda packet, keys=None: unpack(packet, keys) or unpack(packet))
    monkeypatch.setattr(rmcpplus, "answer", lambda payload, *asked: payload[6:-1] if len(payload) > 7 else None)
    assert any(run.trouble for run in play_all(range(100), hostile=True)[0])
