"""The self-test passes on a backend that is right, and each planted fault is caught by the check that is made for it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sim.backend import open_backend
from sim.selftest.bench import Bench
from sim.selftest.checks import CHECKS
from sim.selftest.run import run_check, run_checks
from tests.sim.selftest.faults import FAULTS
from tests.sim.selftest.faults import rows as fault_rows
from tests.sim.selftest.planted import Planted

DOC = Path(__file__).resolve().parents[3] / "docs" / "selftest.md"
BY_NAME = {check.name: check for check in CHECKS}


@pytest.fixture(scope="module")
def mujoco():
    backend = open_backend("mujoco")
    yield backend
    backend.close()


def bench_of(backend) -> Bench:
    return Bench(backend, open_reference=open_backend, quick=True)


def test_the_right_backend_passes_every_check(mujoco):
    findings = run_checks(bench_of(Planted(mujoco)))
    assert [(f.check, f.got, f.reason) for f in findings if f.verdict != "PASS"] == []
    assert [f.check for f in findings] == list(BY_NAME)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.words)
def test_a_planted_fault_is_caught_by_its_check(mujoco, fault):
    finding = run_check(bench_of(fault.backend(mujoco)), BY_NAME[fault.check])
    assert finding.verdict == "FAIL", finding
    assert finding.expected
    assert finding.got
    assert not re.match(r"(Type|Attribute|Index|Key|Name)Error", finding.got), finding.got


def test_every_check_has_caught_a_fault():
    assert {fault.check for fault in FAULTS} == set(BY_NAME)


def test_the_table_of_the_docs_is_that_of_the_faults():
    rows = fault_rows()
    text = DOC.read_text(encoding="utf-8")
    assert [row for row in rows if row not in text] == []
    assert text.count("\n| ") >= len(rows)
