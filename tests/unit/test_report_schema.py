"""The JSON Schema of the JSON report takes what we write, and knows every key of it."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator, ValidationError

from conformance.report import model
from conformance.report.report_schema import JsonSchema, schema
from conformance.scenarios import ALL
from conformance.vocabulary import Verdict
from tests.report_samples import finished, many, sample


def closed(value: object) -> object:
    """The schema, with no key allowed that it does not name."""
    if isinstance(value, list):
        return [closed(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    inner = {key: closed(each) for key, each in value.items()}
    return {**inner, "additionalProperties": False} if inner.get("type") == "object" else inner


def validator(form: JsonSchema | object) -> Draft202012Validator:
    assert isinstance(form, dict)
    Draft202012Validator.check_schema(form)
    return Draft202012Validator(form, format_checker=Draft202012Validator.FORMAT_CHECKER)


REPORT = json.loads(
    model.to_json(
        finished(
            *(sample(scenario, "mine", "a", verdict) for scenario, verdict in zip(ALL, Verdict, strict=False)),
            sample(ALL[0], "mine", "b", Verdict.FLAKY, runs=((Verdict.HANG, "x"), (Verdict.PASS, "")), remarks=("y",)),
            interrupted=True,
            not_run=("mine x c STATE-001",),
        )
    )
)


def test_the_schema_takes_a_report_with_every_verdict() -> None:
    validator(schema()).validate(REPORT)
    validator(schema()).validate(json.loads(model.to_json(finished(started=None))))


def test_the_schema_names_every_key_that_is_written() -> None:
    validator(closed(schema())).validate(REPORT)


def test_the_schema_takes_a_report_of_all_scenarios() -> None:
    validator(closed(schema())).validate(json.loads(model.to_json(many(["careful", "careless"], 2))))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("schema",), "fencelab.conformance/2"),
        (("results", 0, "verdict"), "BAD"),
        (("results", 0, "findings", 0, "chain", 0, "at"), "soon"),
        (("summary", "exit_code"), None),
        (("results", 0, "asks", 0, "rail"), "sideways"),
    ],
)
def test_the_schema_refuses_what_is_no_report(path: tuple[str | int, ...], value: object) -> None:
    broken = json.loads(json.dumps(REPORT))
    place = broken
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(ValidationError):
        validator(schema()).validate(broken)


def test_a_reader_has_to_allow_keys_that_come_later() -> None:
    validator(schema()).validate({**REPORT, "later": 1})
