"""The pytest plugin: the catalogue as ordinary tests, and the fixture `bmc` for tests of one's own (docs/pytest.md).

    pytest --fencer ./my-agent.yaml --bmc-profile dell-idrac9 -k STATE-001

pytest imports this module in every run on a machine with fencelab installed, also in repositories that have a folder
`conformance`. So it imports no package of fencelab until `--fencer` is given or a test asks for `bmc`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conformance.pytest_bmc import BmcUnderTest

HOME = Path(__file__).resolve().parent


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("fencelab", "fencing conformance")
    group.addoption(
        "--fencer", action="append", default=[], metavar="NAME|FILE.yaml", help="test this fencer with the conformance scenarios"
    )
    group.addoption(
        "--bmc-profile",
        action="append",
        default=[],
        metavar="P[,P...]",
        help="BMC profiles to test it on (default: dmtf-generic)",
    )
    group.addoption("--bmc-tier", type=int, default=None, metavar="N", help="only scenarios up to this tier")
    group.addoption("--bmc-strict", action="store_true", help="a broken SHOULD fails a scenario, too")
    group.addoption("--bmc-catalogue", default=None, metavar="NAME", help="what counts (default: the newest catalogue)")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "fencing: a scenario of fencelab's conformance suite")
    config.addinivalue_line("markers", "bmc_profile(name): which BMC the fixture bmc is")
    config.addinivalue_line("markers", "scenario(id): which scenario the fixture bmc is prepared for, and judged by")
    if config.getoption("fencer") and (sentence := _hidden("--fencer")) is not None:
        raise pytest.UsageError(sentence)


def _hidden(asked_by: str) -> str | None:
    """A sentence where another package of that name stands before ours."""
    import conformance

    if Path(str(conformance.__file__)).resolve().parent.parent == HOME:
        return None
    return (
        f"{asked_by} needs fencelab's package 'conformance', but {Path(str(conformance.__file__)).parent} hides it: "
        "run `pytest` (not `python -m pytest`) with --import-mode=importlib, or from another directory"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Adds the scenarios first, so that -k, -m and xdist handle them like other tests."""
    if config.getoption("fencer"):
        from conformance.pytest_items import collect

        items.extend(collect(session, config))


@pytest.fixture
def bmc(request: pytest.FixtureRequest) -> Iterator[BmcUnderTest]:
    """An emulated BMC for this test: see docs/pytest.md. Markers: bmc_profile("dell-idrac9"), scenario("STATE-001")."""
    if (sentence := _hidden("the fixture bmc")) is not None:
        pytest.fail(sentence, pytrace=False)
    from conformance import pytest_bmc

    profile = getattr(request, "param", None) or _marked(request, "bmc_profile") or pytest_bmc.DEFAULT_PROFILE
    try:
        with pytest_bmc.started(profile, _marked(request, "scenario"), request.node.nodeid) as found:
            yield found
    except pytest_bmc.NotHere as why:
        pytest.skip(str(why))
    except pytest_bmc.BadUse as error:
        pytest.fail(str(error), pytrace=False)


def _marked(request: pytest.FixtureRequest, name: str) -> str | None:
    """What the nearest marker of that name says."""
    marker = request.node.get_closest_marker(name)
    if marker is None:
        return None
    if len(marker.args) != 1 or marker.kwargs or not isinstance(marker.args[0], str):
        pytest.fail(f"the marker {name} wants one name: @pytest.mark.{name}(...)", pytrace=False)
    return str(marker.args[0])
