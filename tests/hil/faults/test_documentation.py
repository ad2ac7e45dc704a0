"""The fault table of docs/hil-faults.md and the tests agree: each row has a test that is there, each test has its row."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
DOCS = (ROOT / "docs" / "hil-faults.md").read_text(encoding="utf-8")
TABLE = DOCS.partition("### The fault table")[2].partition("\n## ")[0]
ROWS = [line.strip("|").split("|") for line in TABLE.splitlines() if line.startswith("| ")][1:]
# What hil.md of the reference asks for, in its table of fault tests.
ASKED = (
    "killed and restarted", "engine hangs", "stopped", "cut", "slow engine", "slow link", "loss", "delay", "reorder",
    "corruption", "truncation", "oversize", "wrong version", "unknown kind", "wrong dtype", "wrong shape", "NaN", "duplicate",
    "late result", "old session", "clock step", "drift", "disk full", "slow recorder", "second host",
)  # fmt: skip


def named_tests(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


@pytest.mark.parametrize("row", ROWS, ids=[row[0].strip() for row in ROWS])
def test_every_row_has_tests_that_are_there(row):
    named = re.findall(r"`([\w/]+\.py)::(\w+)`", row[3])
    assert named
    for path, name in named:
        assert name in named_tests(ROOT / "tests" / "hil" / path)


@pytest.mark.parametrize("file", ["test_fault_table.py", "test_namespaces.py", "test_under_fire.py"])
def test_every_fault_test_has_its_row(file):
    path = Path(__file__).with_name(file)
    missing = {name for name in named_tests(path) if f"faults/{file}::{name}`" not in TABLE}
    assert not missing


@pytest.mark.parametrize("fault", ASKED)
def test_every_fault_that_was_asked_for_has_a_row(fault):
    assert any(fault in row[0] for row in ROWS)


def test_every_fault_of_the_proxy_is_described():
    from hil.faults.spec import CUT_MODES, SHARES

    described = DOCS.partition("### Faults on purpose")[2].partition("### The fault table")[0]
    assert all(f"`{name}`" in described or f"`{name}=" in described for name in (*SHARES, "delay", "rate", *CUT_MODES))
