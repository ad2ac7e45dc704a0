"""The self-test as a table for the screen and as a folder to attach to an issue: report.md, report.json and pictures.

While it runs, progress.jsonl grows by one finding a line, so that a simulator that takes its process down leaves a trace.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scenes.errors import BackendError
from scenes.files import write_whole
from sim.pictures import png_bytes
from sim.selftest.bench import Bench
from sim.selftest.pictures import draw_view
from sim.selftest.verdict import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTestReport:
    """All findings on one backend, what it ran on, and the pictures of the views, by name of the view."""

    backend: str
    quick: bool
    findings: tuple[Finding, ...]
    environment: Mapping[str, str]
    pictures: Mapping[str, str]

    @property
    def passed(self) -> bool:
        """Whether something was checked and nothing fails."""
        return any(f.verdict == "PASS" for f in self.findings) and not self.failed

    @property
    def failed(self) -> tuple[str, ...]:
        """The names of the checks that fail."""
        return tuple(f.check for f in self.findings if f.verdict == "FAIL")

    def summary(self) -> str:
        """Returns the verdict in one sentence."""
        count = {v: sum(f.verdict == v for f in self.findings) for v in ("PASS", "FAIL", "SKIPPED")}
        told = f"{count['PASS']} checks pass, {count['FAIL']} fail, {count['SKIPPED']} skipped"
        verdict = "PASS" if self.passed else "FAIL"
        return f"{verdict}: {self.backend}{', quick' if self.quick else ''}: {told}."

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        return {
            "backend": self.backend, "quick": self.quick, "passed": self.passed, "failed": list(self.failed),
            "environment": dict(self.environment), "pictures": dict(self.pictures),
            "findings": [finding.to_dict() for finding in self.findings],
        }  # fmt: skip

    def rows(self) -> list[tuple[str, ...]]:
        """Returns a header and one row of text per check."""
        rows: list[tuple[str, ...]] = [("verdict", "check", "expected", "got", "tolerance")]
        return rows + [
            (f.verdict, f.check, f.expected, f.got if f.verdict != "SKIPPED" else f.reason, f.tolerance) for f in self.findings
        ]

    def describe(self) -> str:
        """Returns the table as lines of text, a long answer cut off, and the verdict; one sentence where it did not open."""
        if self.failed == ("start",):
            return f"FAIL: the backend {self.backend} does not open: {self.findings[0].got}"
        rows = [tuple(_short(cell, width) for cell, width in zip(row, _WIDTHS, strict=True)) for row in self.rows()]
        lines = ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, _WIDTHS, strict=True)).rstrip() for row in rows]
        return "\n".join([*lines, "", self.summary()])

    def markdown(self) -> str:
        """Returns the page that is attached to an issue."""
        parts = [f"# Self-test of the backend {self.backend}", "", self.summary(), "", _table(self.rows()), ""]
        notes = [f"- {f.check}: {f.reason}" for f in self.findings if f.reason and f.verdict != "SKIPPED"]
        parts += ["## Notes", "", *notes, ""] if notes else []
        facts: list[tuple[str, ...]] = [("fact", "value"), *self.environment.items()]
        parts += ["## What it ran on", "", _table(facts), ""]
        shown = [f"### {view}\n\n![{view}]({path})\n" for view, path in self.pictures.items()]
        parts += ["## What was seen, beside what is expected", "", *shown] if shown else []
        return "\n".join(parts)


_WIDTHS = (7, 26, 40, 76, 24)


def write_report(folder: Path, report: SelfTestReport) -> Path:
    """Writes report.md and report.json into the folder; returns the former. Raises BackendError where it cannot."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / "report.json", json.dumps(report.to_dict(), indent=1))
        write_whole(folder / "report.md", report.markdown())
    except OSError as error:
        raise BackendError(f"The report {str(folder)!r} cannot be written: {error.strerror}; name another --out.") from error
    return folder / "report.md"


def draw_views(bench: Bench, folder: Path) -> dict[str, str]:
    """Writes a picture of every view of the calibration stage that was rendered; returns their paths by view."""
    found = {}
    for view, seen in bench.rendered().items():
        (folder / "pictures").mkdir(parents=True, exist_ok=True)
        (folder / "pictures" / f"{view}.png").write_bytes(png_bytes(draw_view(seen, bench.expected(view))))
        found[view] = f"pictures/{view}.png"
    more = sorted((folder / "pictures").glob("agreement_*.png")) if folder.is_dir() else []
    return found | {path.stem: f"pictures/{path.name}" for path in more}


def _table(rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(cell.replace('|', '&#124;') for cell in row)} |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])


def _short(cell: str, width: int) -> str:
    return cell if len(cell) <= width else f"{cell[: width - 3]}..."
