"""Every check runs, whatever those before it found: one that raises is a FAIL in one sentence, and the rest goes on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from sim.backend import Backend
from sim.selftest.bench import Bench
from sim.selftest.checks import CHECKS, Check
from sim.selftest.verdict import Finding, Outcome

Tell = Callable[[Finding], None]


def run_checks(bench: Bench, checks: Iterable[Check] = CHECKS, *, tell: Tell = lambda _: None) -> tuple[Finding, ...]:
    """Runs the checks in order and tells each finding as it comes; raises nothing that a check raises."""
    findings = []
    for check in checks:
        finding = run_check(bench, check)
        tell(finding)
        findings.append(finding)
    return tuple(findings)


def run_check(bench: Bench, check: Check) -> Finding:
    """Runs one check."""
    started = time.perf_counter()
    missing = bench.lacks(check.needs) if check.needs else ""
    if missing:
        outcome = Outcome(reason=missing)
    else:
        try:
            outcome = check.run(bench)
        except Exception as error:  # whatever a simulator raises is a finding, not the end of the test
            bench.taken_off()
            outcome = Outcome(expected=check.about, got=_sentence(error), holds=False)
    return Finding.of(check.name, outcome, view=", ".join(check.views), seconds=time.perf_counter() - started)


def not_started(error: Exception, checks: Iterable[Check] = CHECKS) -> tuple[Finding, ...]:
    """Returns the findings on a backend that did not open."""
    first = Finding.of(
        "start", Outcome(expected="the backend opens", got=_sentence(error), holds=False), view="", seconds=0.0
    )
    rest = Outcome(reason="the backend did not open")
    return (first, *(Finding.of(check.name, rest, view="", seconds=0.0) for check in checks))


def close_quietly(backend: Backend) -> str:
    """Closes the backend; returns what went wrong in one sentence, empty where nothing did."""
    try:
        backend.close()
    except Exception as error:  # the verdict is known by now
        return _sentence(error)
    return ""


def _sentence(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:400] if lines else 'without a word'}"
