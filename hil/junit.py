"""A verdict as JUnit XML, which every CI server reads: a test case per rule, a failure for FAIL, an error for INVALID."""

from __future__ import annotations

from xml.etree import ElementTree as ET  # only written here, nothing foreign is parsed

from hil.checks import Check
from hil.session import Session
from hil.verdict import Verdict

_TAGS = {"fail": "failure", "invalid": "error", "skipped": "skipped"}
_COUNTS = {"failures": "fail", "errors": "invalid", "skipped": "skipped"}


def junit_xml(verdict: Verdict, *sessions: Session) -> bytes:
    """Returns the document as UTF-8; the marks and what ran it are its properties."""
    seconds = sum(session.duration_s for session in sessions)
    counts = {name: str(sum(c.status == status for c in verdict.checks)) for name, status in _COUNTS.items()}
    facts = {"name": "rehearse hil", "tests": str(len(verdict.checks)), **counts, "time": f"{seconds:g}"}
    root = ET.Element("testsuites")
    suite = ET.SubElement(root, "testsuite", {**facts, "timestamp": sessions[0].started_utc})
    properties = ET.SubElement(suite, "properties")
    for name, value in _properties(verdict, sessions[0]):
        ET.SubElement(properties, "property", {"name": name, "value": _clean(value)})
    for check in verdict.checks:
        _add_case(suite, check, sessions[0].profile)
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def _add_case(suite: ET.Element, check: Check, profile: str) -> None:
    case = ET.SubElement(suite, "testcase", {"classname": f"rehearse.hil.{profile}", "name": check.name})
    if check.status in _TAGS:
        ET.SubElement(case, _TAGS[check.status], {"message": _clean(check.found)})
    else:
        ET.SubElement(case, "system-out").text = _clean(check.found)


def _properties(verdict: Verdict, session: Session) -> list[tuple[str, str]]:
    return [
        ("verdict", verdict.status), ("device", session.device), ("rate_hz", f"{session.rate_hz:g}"),
        ("deadline_ms", f"{session.deadline_s * 1e3:.1f}"), ("claim", f"{session.claim:g}"), ("profile", session.profile),
        *(("mark", mark) for mark in verdict.marks),
    ]  # fmt: skip


def _clean(text: str) -> str:
    """Leaves out what XML 1.0 cannot hold: a peer wrote parts of these sentences."""
    return "".join(c for c in text if c in "\t\n\r" or " " <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c >= "\U00010000")
