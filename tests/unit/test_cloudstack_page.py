"""docs/cloudstack.md, which a tool prints from runs: what each repair comes to, and that every variant can be run again."""

from __future__ import annotations

from conformance import fencers
from conformance.result import Result
from conformance.scenarios import BY_ID
from conformance.vocabulary import Verdict
from tools import print_cloudstack


def test_the_page_of_the_repairs_tells_who_passes_on_which_profile() -> None:
    def results(profile: str, exact: Verdict) -> list[Result]:
        ids = (*print_cloudstack.OFF_AS_THE_VENDOR_DOES, "TRUTH-001")
        return [
            Result(
                fencer=f"cloudstack-{name}",
                fencer_digest="",
                profile=profile,
                profile_digest="",
                scenario=BY_ID[scenario],
                verdict=exact if name == "all-three-confirmed-exact" else Verdict.UNSAFE,
            )
            for name, _ in print_cloudstack.VARIANTS
            for scenario in ids
        ]

    page = print_cloudstack.page([*results("dell-idrac9", Verdict.PASS), *results("openbmc-x86", Verdict.UNSAFE)])
    assert (
        "**dell-idrac9**, nothing injected (PROFILE-001, PROFILE-002, PROFILE-003): passed by all-three-confirmed-exact." in page
    )
    assert "**openbmc-x86**, nothing injected (PROFILE-001, PROFILE-002, PROFILE-003): passed by nobody." in page
    assert "all-three is UNSAFE in PROFILE-001" in page
    assert "python -m tools.print_cloudstack" in page


def test_every_variant_is_a_fencer_file() -> None:
    folder = print_cloudstack.FOLDER
    assert {file.stem for file in folder.glob("*.yaml")} == {name for name, _ in print_cloudstack.VARIANTS}
    for name, _ in print_cloudstack.VARIANTS:
        assert fencers.load(str(folder / f"{name}.yaml")).name == f"cloudstack-{name}"
