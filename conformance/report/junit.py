"""JUnit XML: one suite per profile, one case per scenario and fencer, the finding as the failure's text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, TextIO
from xml.etree import ElementTree as Xml

from conformance.report.report import FinishedRun, ReportFormat
from conformance.report.terminal import plain
from conformance.result import Result
from conformance.vocabulary import JUnitElement

NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def to_junit(results: Sequence[Result], version: str, seed: int = 0) -> str:
    """The whole run as an XML document."""
    root = Xml.Element("testsuites", name="fence-conformance")
    for profile in dict.fromkeys(r.profile for r in results):
        _suite(root, profile, [r for r in results if r.profile == profile], version, seed)
    Xml.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + Xml.tostring(root, encoding="unicode") + "\n"


def _suite(root: Xml.Element, profile: str, results: Sequence[Result], version: str, seed: int) -> None:
    suite = Xml.SubElement(
        root,
        "testsuite",
        name=profile,
        tests=str(len(results)),
        failures=str(sum(1 for r in results if r.verdict.junit is JUnitElement.FAILURE)),
        errors=str(sum(1 for r in results if r.verdict.junit is JUnitElement.ERROR)),
        skipped=str(sum(1 for r in results if r.verdict.junit is JUnitElement.SKIPPED)),
        time=f"{sum(r.seconds for r in results):.3f}",
    )
    properties = Xml.SubElement(suite, "properties")
    digest = results[0].profile_digest
    for name, value in (("suite_version", version), ("seed", str(seed)), ("profile_digest", digest)):
        Xml.SubElement(properties, "property", name=name, value=value)
    for result in results:
        _case(suite, result)


def _case(suite: Xml.Element, result: Result) -> None:
    case = Xml.SubElement(
        suite,
        "testcase",
        classname=f"{result.fencer}.{result.profile}",
        name=f"{result.scenario.id} {result.scenario.title}",
        time=f"{result.seconds:.3f}",
    )
    properties = Xml.SubElement(case, "properties")
    level = result.scenario.requirement.level
    for name, value in (("tier", str(result.scenario.tier)), ("level", level.value), ("fencer_digest", result.fencer_digest)):
        Xml.SubElement(properties, "property", name=name, value=value)
    kind = result.verdict.junit
    if kind is JUnitElement.PASSED:
        return
    verdict = f"{result.verdict}/{result.kind}" if result.kind else result.verdict.value
    if kind is JUnitElement.SKIPPED:
        Xml.SubElement(case, kind.value, message=_clean(f"{verdict}: {result.why}"))
        return
    element = Xml.SubElement(case, kind.value, type=result.verdict.lower(), message=_clean(f"{verdict}: {result.why}"))
    element.text = _clean(plain(result))
    Xml.SubElement(case, "system-out").text = _clean(result.said)


def _clean(text: str) -> str:
    """What XML 1.0 cannot hold becomes a question mark: a fencer may print anything."""
    return NOT_XML.sub("?", text)


def _write(run: FinishedRun, stream: TextIO) -> None:
    stream.write(to_junit(run.results, run.version, run.seed))


JUNIT: Final = ReportFormat(name="junit", suffix=".xml", help="JUnit XML, for CI.", write=_write)
