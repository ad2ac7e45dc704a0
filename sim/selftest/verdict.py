"""What a check says: what was expected, what came, how far apart they may be, and PASS, FAIL or SKIPPED with a reason."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Verdict = Literal["PASS", "FAIL", "SKIPPED"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A check's own answer; `holds` None means that it does not apply here, for `reason`."""

    expected: str = ""
    got: str = ""
    tolerance: str = ""
    holds: bool | None = None
    reason: str = ""


def skipped(reason: str) -> Outcome:
    """Returns the outcome of a check that does not apply."""
    return Outcome(reason=reason)


def within(expected: str, worst: float, limit: float, unit: str, *, what: str = "off by at most") -> Outcome:
    """Returns the outcome of a largest error that must not exceed a limit; nan never holds."""
    return Outcome(
        expected=expected, got=f"{what} {worst:.3g} {unit}", tolerance=f"{limit:g} {unit}", holds=bool(worst <= limit)
    )


def all_of(*outcomes: Outcome) -> Outcome:
    """Returns one outcome of several: it holds where all that apply hold; the failing ones speak first."""
    apply = [o for o in outcomes if o.holds is not None]
    if not apply:
        return skipped("; ".join(dict.fromkeys(o.reason for o in outcomes)))
    told = [o for o in apply if not o.holds] or apply
    return Outcome(
        expected="; ".join(dict.fromkeys(o.expected for o in told)),
        got="; ".join(dict.fromkeys(o.got for o in told)),
        tolerance="; ".join(dict.fromkeys(o.tolerance for o in told if o.tolerance)),
        holds=all(o.holds for o in apply),
        reason="; ".join(dict.fromkeys(o.reason for o in outcomes if o.reason)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of the table: a check's name, its verdict, and how long it took; `view` is the camera it looked through."""

    check: str
    verdict: Verdict
    expected: str
    got: str
    tolerance: str
    reason: str
    view: str
    seconds: float

    @classmethod
    def of(cls, check: str, outcome: Outcome, *, view: str, seconds: float) -> Finding:
        """Returns the finding of an outcome."""
        verdict: Verdict = "SKIPPED" if outcome.holds is None else "PASS" if outcome.holds else "FAIL"
        return cls(
            check=check, verdict=verdict, expected=outcome.expected, got=outcome.got, tolerance=outcome.tolerance,
            reason=outcome.reason, view=view, seconds=round(seconds, 3),
        )  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """Returns plain JSON values."""
        return asdict(self)
