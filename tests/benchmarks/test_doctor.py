"""The doctor's findings say what is there, what is not and how to get it; only what is needed decides."""

import json

import pytest

from benchmarks import doctor


def finding(status, *, needed=False, name="thing"):
    return doctor.Finding(topic="room", name=name, status=status, detail="d", remedy="run this", needed=needed)


def test_only_what_is_needed_breaks_the_core_path():
    table = doctor.format_table([finding("ok", needed=True), finding("missing"), finding("not available")])
    assert "The core path works here." in table
    assert table.count("run this") == 2


def test_what_is_needed_and_missing_is_named():
    table = doctor.format_table([finding("missing", needed=True, name="a GPU that renders")])
    assert "does not work" in table
    assert "missing: a GPU that renders" in table.splitlines()[-1]


def test_a_missing_package_is_missing_with_its_remedy():
    found = doctor._package_finding("room", "p", ("numpy", "no-such-distribution"), True, "pip install it")
    assert found.status == "missing"
    assert "no-such-distribution not installed" in found.detail
    assert "numpy" in found.detail
    assert found.remedy == "pip install it"


def test_a_crashing_render_is_told_in_one_line(monkeypatch):
    monkeypatch.setattr(doctor, "_TINY_RENDER", "raise OSError('no display\\nof any kind')")
    found = doctor._rendering()
    assert found.status == "missing"
    assert "\n" not in found.detail
    assert "apt-get" in found.remedy


@pytest.mark.parametrize("row", [finding("ok"), finding("missing", needed=True)])
def test_findings_are_json(row):
    assert json.loads(json.dumps(row.to_dict()))["status"] == row.status


def test_in_isaac_sims_python_nothing_asks_for_an_openusd_beside_its_own(monkeypatch):
    monkeypatch.setattr(doctor, "_is_isaac_sims", lambda: True)
    monkeypatch.setattr(doctor, "_rendering", doctor._python)
    findings = doctor.examine()
    assert not any("usd-core" in f.detail + f.remedy or "[sim]" in f.remedy for f in findings)
    assert any("REHEARSE_SETTLER" in f.name for f in findings)
    assert "doctor --backend isaac" in doctor.format_table(findings)
