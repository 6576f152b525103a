"""The report as JUnit XML, for continuous integration: one test case for each check."""

import re
from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from holdfast.model.verdict import Verdict
from holdfast.ports.reports import Renderer
from holdfast.reports._content import Check, Report, Trial

_UNPRINTABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class JunitReport:
    """BROKEN is a failure, UNKNOWN an error, an experiment left out is skipped."""

    suffix = "junit.xml"
    media_type = "application/xml"

    def render(self, report: Report) -> bytes:
        """Write the whole file."""
        root = Element("testsuites", name="holdfast")
        suite = SubElement(
            root, "testsuite", name=report.suite, timestamp=report.started_at,
            time=f"{report.duration_ms / 1000:.3f}", hostname=report.environment,
        )
        for trial in report.trials:
            _trial(suite, trial)
        for check in report.checks:
            _case(suite, "the run", check)
        for name in report.left_out:
            case = SubElement(suite, "testcase", classname=name, name="fault")
            SubElement(case, "skipped", message="left out by the person who started the run")
        _count(suite)
        indent(root)
        text: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
        return text + b"\n"


def _trial(suite: Element, trial: Trial) -> None:
    checks: Sequence[Check] = trial.checks
    if not any(check.name == "fault" for check in checks):
        checks = [Check("fault", Verdict.UNKNOWN, trial.how_it_ended), *checks]
    for check in checks:
        _case(suite, trial.name, check)


def _case(suite: Element, group: str, check: Check) -> None:
    case = SubElement(suite, "testcase", classname=group, name=check.name)
    text = _UNPRINTABLE.sub("?", check.text)
    if check.verdict is Verdict.BROKEN:
        SubElement(case, "failure", message=text[:300], type="BROKEN").text = text
    elif check.verdict is Verdict.UNKNOWN:
        SubElement(case, "error", message=text[:300], type="UNKNOWN").text = text
    else:
        SubElement(case, "system-out").text = text


def _count(suite: Element) -> None:
    suite.set("tests", str(len(suite.findall("testcase"))))
    for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(attribute, str(len(suite.findall(f"testcase/{tag}"))))


RENDERER: Renderer[Report] = JunitReport()
