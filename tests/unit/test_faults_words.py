"""A fault as words of a command line."""

from __future__ import annotations

import pytest

from emulator import FaultMisconfigured, arming_from_mapping, fault_from_words, fault_names, mapping_from_arming
from emulator.faults.registry import example_of


@pytest.mark.parametrize(
    ("name", "params", "told"),
    [
        ("report.says", ["word=On"], {"word": "On"}),
        ("report.says", ["word=null", "views=system,ipmi"], {"word": None, "views": ["system", "ipmi"]}),
        ("wire.delay", ["seconds=4", "executed=false"], {"seconds": 4.0, "executed": False}),
        ("ipmi.completion", ["code=0xC0"], {"code": 192}),
        ("tls.old", ["newest=1.0"], {"newest": "1.0"}),
        ("tls.stall", ["seconds=null"], {"seconds": None}),
        ("redfish.reply", ["status=503", 'headers={"Retry-After": "3"}'], {"status": 503, "headers": {"Retry-After": "3"}}),
        ("redfish.reply", ["raw=a=b"], {"raw": "a=b"}),
        ("power.gate", ["gate=null"], {"gate": None}),
    ],
)
def test_words_become_what_the_parameter_is(name: str, params: list[str], told: dict[str, object]) -> None:
    data = fault_from_words(name, params=params)
    assert data == {"type": name, "params": told}
    arming_from_mapping(data)


def test_conditions_and_moments() -> None:
    data = fault_from_words(
        "wire.reset",
        when=["intent=power-command", "reset=ForceOff,On", "skip=1", "rail=on"],
        count=2,
        after="rail=off,system=1",
        until="60",
        probability=0.5,
    )
    assert data == {
        "type": "wire.reset",
        "when": {"intent": "power-command", "reset": ["ForceOff", "On"], "skip": 1, "rail": "on"},
        "count": 2,
        "after": {"rail": "off", "system": "1"},
        "until": 60.0,
        "probability": 0.5,
    }
    arming_from_mapping(data)


@pytest.mark.parametrize("name", fault_names())
def test_every_fault_can_be_said_in_words(name: str) -> None:
    """The example of each, as words and back."""
    example = example_of(name)
    wanted = mapping_from_arming(arming_from_mapping(example))
    words = {
        key: [f"{param}={_word(value)}" for param, value in dict(wanted.get(key, {})).items()]  # type: ignore[call-overload]
        for key in ("params", "when")
    }
    told = fault_from_words(name, params=words["params"], when=words["when"], count=wanted.get("count"))  # type: ignore[arg-type]
    again = mapping_from_arming(arming_from_mapping(told))
    assert again == {key: value for key, value in wanted.items() if key not in ("after", "until", "probability")}


def _word(value: object) -> str:
    import json

    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case list():
            return ",".join(_word(each) for each in value)
        case dict():
            return json.dumps(value)
        case _:
            return str(value)


@pytest.mark.parametrize("words", [["word"], ["=x"], ["word=On", "word=Off"]])
def test_a_word_that_is_no_pair_or_comes_twice_is_refused(words: list[str]) -> None:
    with pytest.raises(FaultMisconfigured):
        fault_from_words("report.says", params=words)


@pytest.mark.parametrize(
    ("name", "params", "path"),
    [
        ("wire.delay", ["seconds=soon"], "params.seconds"),
        ("wire.hang", ["executed=maybe"], "params.executed"),
        ("redfish.reply", ["headers={"], "params.headers"),
        ("report.says", ["wort=On"], "params.wort"),
    ],
)
def test_what_does_not_fit_is_left_to_the_model_which_says_where(name: str, params: list[str], path: str) -> None:
    with pytest.raises(FaultMisconfigured) as caught:
        arming_from_mapping(fault_from_words(name, params=params))
    assert path in [each for each, _ in caught.value.problems]


def test_an_unknown_name_is_left_to_the_model(request: pytest.FixtureRequest) -> None:
    with pytest.raises(FaultMisconfigured, match=r"no fault is called 'wire\.dely'"):
        arming_from_mapping(fault_from_words("wire.dely", params=["seconds=1"]))
