"""The pytest plugin: `pytest --fencer NAME|FILE.yaml --bmc-profile P[,P...]` runs the catalogue as ordinary tests.

    pytest --fencer ./my-agent.yaml --bmc-profile dell-idrac9 -k STATE-001

pytest imports this module in every run on a machine with fencelab installed, also in repositories that have a folder
`conformance`. So it imports no package of fencelab until `--fencer` is given.
"""

from __future__ import annotations

from pathlib import Path

import pytest

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
    if not config.getoption("fencer"):
        return
    import conformance

    if Path(str(conformance.__file__)).resolve().parent.parent != HOME:
        raise pytest.UsageError(
            f"--fencer needs fencelab's package 'conformance', but {Path(str(conformance.__file__)).parent} hides it: "
            "run `pytest` (not `python -m pytest`) with --import-mode=importlib, or from another directory"
        )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Adds the scenarios first, so that -k, -m and xdist handle them like other tests."""
    if config.getoption("fencer"):
        from conformance.pytest_items import collect

        items.extend(collect(session, config))
