"""Secrets are taken out of messages, and messages stay readable whatever the password is."""

from __future__ import annotations

import json

import pytest

from fencer.agent_output import result_text
from fencer.outcome import Action, Cause, Evidence, Failure, FenceVerdict, Outcome, Power, Reading
from fencer.redact import MASK, Redactor

MESSAGE = 'ForceOff at /redfish/v1/Systems/1 was refused: HTTP 409, a chassis says On BMC: "power is off"'


@pytest.mark.parametrize("short", ["a", "1", "On", "off", "chas", '"', "/", "power"])
def test_a_short_password_does_not_shred_a_message(short: str) -> None:
    assert Redactor([short], "admin")(MESSAGE) == MESSAGE


@pytest.mark.parametrize("short", ["a", "abc", "x$1", "12345"])
def test_a_short_password_that_is_quoted_or_assigned_is_hidden(short: str) -> None:
    hide = Redactor([short], "admin")
    assert hide(f'the password "{short}" is wrong') == f'the password "{MASK}" is wrong'
    assert hide(f"password={short}&x=1") == f"password={MASK}&x=1"
    assert short not in hide(f"passwd='{short}'").replace("passwd", "")


def test_a_longer_password_is_hidden_everywhere() -> None:
    assert Redactor(["redfish"], "")("GET /redfish/v1") == f"GET /{MASK}/v1"


@pytest.mark.parametrize("password", ["verdict", "confirmed", "already-off", "readings", "not-asked", '"', "ipmi12"])
def test_json_stays_readable_whatever_the_password_is(password: str) -> None:
    reading = Reading(power=Power.OFF, word="Off", at=1.0, path="ipmi12", source=f"said {password} here")
    proof = Evidence(readings=(reading,), chassis_check="not-asked", how="already-off")
    outcome = Outcome(verdict=FenceVerdict.CONFIRMED, action=Action.OFF, evidence=proof, readings=(reading,))
    text = result_text(
        program="fence_bmc", version="1", action="off", exit_status=0, redact=Redactor([password]), outcome=outcome,
        warnings=["a warning"],
    )  # fmt: skip
    result = json.loads(text)
    assert (result["verdict"], result["power"], result["evidence"]["how"]) == ("confirmed", "off", "already-off")
    if len(password) >= 6:
        assert password not in result["evidence"]["readings"][0]["source"]


def test_json_of_a_failure_has_its_class_and_hides_the_secret() -> None:
    failure = Failure(cause=Cause.AUTH, text="c4nary-pass was refused", code="HTTP 401")
    text = result_text(
        program="fence_bmc", version="1", action="off", exit_status=1, redact=Redactor(["c4nary-pass"]), failure=failure
    )
    assert json.loads(text)["failure"]["cause"] == "auth"
    assert "c4nary" not in text
