"""Makes the bill of materials (CycloneDX 1.6, JSON): `python -m tools.make_sbom [FILE]`; without FILE dist/fencelab.cdx.json.

It names what is installed beside it because fencelab asks for it, directly or not, with version and licence. What only the extra
`lab` asks for is optional. The document is validated against CycloneDX's schema before it is written; the same environment at the
same time (`fence_bmc_files.built_at`) gives the same bytes.
"""

from __future__ import annotations

import sys
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools.fence_bmc_files import ROOT, built_at

NAME, EXTRA = "fencelab", "lab"
LICENCE_CLASSIFIER = "License :: OSI Approved :: "
LONGEST_LICENCE = 80
"""In characters. Some packages have the whole text of their licence where its name belongs."""


def asked_for(package: Distribution, extras: frozenset[str]) -> Iterator[Requirement]:
    """What a distribution asks for on this machine, with these of its extras."""
    for line in package.requires or ():
        requirement = Requirement(line)
        if requirement.marker is None or any(requirement.marker.evaluate({"extra": extra}) for extra in extras | {""}):
            yield requirement


def closure(extras: frozenset[str]) -> Mapping[str, Distribution]:
    """fencelab and everything that it needs, by name. Raises PackageNotFoundError for what is needed and not installed."""
    found: dict[str, Distribution] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    ahead = [(NAME, extras)]
    while ahead:
        name, wanted = ahead.pop()
        if (name, wanted) in seen:
            continue
        seen.add((name, wanted))
        found[name] = distribution(name)
        ahead += [(canonicalize_name(each.name), frozenset(each.extras)) for each in asked_for(found[name], wanted)]
    return dict(sorted(found.items()))


def _licence(package: Distribution) -> str | None:
    """The SPDX expression, else the words of the author or of the classifier."""
    metadata = package.metadata
    named = [metadata[key] for key in ("License-Expression", "License") if key in metadata]
    classified = metadata.get_all("Classifier", [])
    named += [line.removeprefix(LICENCE_CLASSIFIER) for line in classified if line.startswith(LICENCE_CLASSIFIER)]
    return next((text for text in named if 0 < len(text) <= LONGEST_LICENCE), None)


def _component(name: str, package: Distribution, *, optional: bool) -> Component:
    purl = PackageURL("pypi", None, name, package.version)
    licence = _licence(package)
    return Component(
        name=name,
        version=package.version,
        type=ComponentType.APPLICATION if name == NAME else ComponentType.LIBRARY,
        scope=ComponentScope.OPTIONAL if optional else ComponentScope.REQUIRED,
        description=package.metadata["Summary"],
        licenses=[LicenseFactory().make_from_string(licence)] if licence else (),
        purl=purl,
        bom_ref=str(purl),
    )


def bill() -> Bom:
    """Raises PackageNotFoundError for what is needed and not installed."""
    everything, without_lab = closure(frozenset({EXTRA})), closure(frozenset())
    components = {name: _component(name, package, optional=name not in without_lab) for name, package in everything.items()}
    bom = Bom()
    bom.metadata.timestamp = datetime.fromtimestamp(built_at(), UTC)
    bom.metadata.component = components[NAME]
    bom.components.update(component for name, component in components.items() if name != NAME)
    for name, package in everything.items():
        needs = {canonicalize_name(each.name) for each in asked_for(package, frozenset({EXTRA} if name == NAME else ()))}
        bom.register_dependency(components[name], [components[need] for need in sorted(needs)])
    bom.serial_number = uuid.uuid5(uuid.NAMESPACE_URL, f"{built_at()} {sorted(str(c.purl) for c in components.values())}")
    return bom


def main() -> int:
    file = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "dist" / "fencelab.cdx.json"
    try:
        text = JsonV1Dot6(bill()).output_as_string(indent=2)
    except PackageNotFoundError as error:
        sys.stderr.write(f"make_sbom: {error.name} is needed and not installed here\n")
        return 4
    if wrong := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text):
        sys.stderr.write(f"make_sbom: the document is not valid: {wrong}\n")
        return 5
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"{text}\n", encoding="utf-8")
    print(file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
