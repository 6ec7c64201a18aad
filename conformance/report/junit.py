"""JUnit XML: one suite per profile, one case per scenario and fencer, the finding as the failure's text.

It is what the schema of Jenkins' xUnit plugin allows (junit-10.xsd), where a case has no properties.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, TextIO
from xml.etree import ElementTree as Xml

from conformance.report.model import met_assumed, reservations
from conformance.report.report import FinishedRun, ReportFormat
from conformance.report.terminal import plain
from conformance.result import Result
from conformance.vocabulary import JUnitElement

NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def to_junit(run: FinishedRun) -> str:
    """The whole run as an XML document."""
    root = Xml.Element("testsuites", name="fence-conformance")
    for profile in dict.fromkeys(r.profile for r in run.results):
        _suite(root, profile, [r for r in run.results if r.profile == profile], run)
    if run.interrupted:
        _stopped(root, run.not_run)
    Xml.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + Xml.tostring(root, encoding="unicode") + "\n"


def element_of(result: Result, run: FinishedRun) -> JUnitElement:
    """What a case holds: a failure or an error exactly where the exit code sees one."""
    if result.informational and result.verdict.fails_gate:
        return JUnitElement.SKIPPED
    return result.verdict.strict_junit if run.strict_waivers else result.verdict.junit


def _stopped(root: Xml.Element, not_run: Sequence[str]) -> None:
    """A suite that fails: what is not whole must not look like a pass."""
    suite = Xml.SubElement(
        root, "testsuite", name="interrupted", tests=str(1 + len(not_run)), failures="0", errors="1", skipped=str(len(not_run))
    )
    case = Xml.SubElement(suite, "testcase", classname="fence-conformance", name="the run was interrupted")
    Xml.SubElement(case, "error", type="interrupted", message=f"the run was interrupted; {len(not_run)} cells were not run")
    for name in not_run:
        left = Xml.SubElement(suite, "testcase", classname="fence-conformance", name=_clean(name))
        Xml.SubElement(left, "skipped", message="not run: the run was interrupted")


def _suite(root: Xml.Element, profile: str, results: Sequence[Result], run: FinishedRun) -> None:
    kinds = [element_of(result, run) for result in results]
    suite = Xml.SubElement(
        root,
        "testsuite",
        name=_clean(profile),
        tests=str(len(results)),
        failures=str(kinds.count(JUnitElement.FAILURE)),
        errors=str(kinds.count(JUnitElement.ERROR)),
        skipped=str(kinds.count(JUnitElement.SKIPPED)),
        time=f"{sum(r.seconds for r in results):.3f}",
    )
    properties = Xml.SubElement(suite, "properties")
    digest = results[0].profile_digest
    for name, value in (
        ("suite_version", run.version), ("seed", str(run.seed)), ("catalogue", run.catalogue), ("profile_digest", digest),
        *dict.fromkeys((f"fencer_digest.{result.fencer}", result.fencer_digest) for result in results),
        *((label, "; ".join(sentences)) for label, sentences in reservations(results)),
    ):  # fmt: skip
        Xml.SubElement(properties, "property", name=name, value=_clean(value))
    for result, kind in zip(results, kinds, strict=True):
        _case(suite, result, kind)


def _case(suite: Xml.Element, result: Result, kind: JUnitElement) -> None:
    case = Xml.SubElement(
        suite,
        "testcase",
        classname=f"{result.fencer}.{result.profile}",
        name=f"{result.scenario.id} {result.scenario.title}",
        time=f"{result.seconds:.3f}",
    )
    verdict = f"{result.verdict}/{result.kind}" if result.kind else result.verdict.value
    assumed = (f"assumed: {met_assumed(result.assumed)}",) if result.assumed else ()
    told = _clean("; ".join((f"{verdict}: {result.why}" if result.why else verdict, *result.remarks, *assumed)))
    if kind is JUnitElement.PASSED:
        if result.why or result.remarks or assumed:
            Xml.SubElement(case, "system-out").text = told
        return
    if kind is JUnitElement.SKIPPED:
        Xml.SubElement(case, kind.value, message=f"informational: {told}" if result.informational else told)
        return
    element = Xml.SubElement(case, kind.value, type=result.verdict.lower(), message=told)
    element.text = _clean(plain(result))
    Xml.SubElement(case, "system-out").text = _clean(result.said)


def _clean(text: str) -> str:
    """What XML 1.0 cannot hold becomes a question mark: a fencer may print anything."""
    return NOT_XML.sub("?", text)


def _write(run: FinishedRun, stream: TextIO) -> None:
    stream.write(to_junit(run))


JUNIT: Final = ReportFormat(name="junit", suffix=".xml", help="JUnit XML, for CI.", write=_write)
