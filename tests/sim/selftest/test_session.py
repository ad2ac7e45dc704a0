"""One self-test from name to folder: every check is told, whatever raises; the exit status and the report say the same."""

from __future__ import annotations

import json

import pytest

import rehearse
from scenes.errors import BackendError, UnknownNameError
from sim.backend import open_backend
from sim.selftest.checks import CHECKS
from sim.selftest.session import self_test
from sim.selftest.verdict import Outcome, all_of, skipped, within
from tests.sim.selftest.frame_faults import flipped
from tests.sim.selftest.planted import Planted, seeing

SOME = tuple(c for c in CHECKS if c.name in {"plane depth, head-on", "image x axis", "image y axis", "settle, dropped cube"})


def opening(kind):
    return lambda name: kind(open_backend("mujoco")) if name == "planted" else open_backend(name)


class Refusing(Planted):
    """Renders nothing before a turned-off licence server answers."""

    def render(self, _camera):
        raise BackendError("The renderer is gone.\nMore lines.")


def test_a_fault_is_in_table_folder_and_picture(tmp_path):
    report = self_test("planted", out=tmp_path, checks=SOME, open_one=opening(seeing(flipped(0))))
    assert report.failed == ("image y axis",)
    assert not report.passed
    assert report.summary().startswith("FAIL: planted: 3 checks pass, 1 fail")
    assert "upside down" in report.describe()
    page = (tmp_path / "report.md").read_text()
    assert "| FAIL | image y axis | v grows downwards | v grows upwards (upside down)" in page
    assert "![markers](pictures/markers.png)" in page
    assert (tmp_path / "pictures/markers.png").stat().st_size > 1000
    values = json.loads((tmp_path / "report.json").read_text())
    assert (values["passed"], values["failed"]) == (False, ["image y axis"])
    assert values["environment"]["mujoco"]
    lines = (tmp_path / "progress.jsonl").read_text().splitlines()
    assert [json.loads(line)["check"] for line in lines] == [c.name for c in SOME]


def test_a_check_that_raises_fails_in_one_sentence_and_the_rest_runs(tmp_path):
    report = self_test("planted", out=tmp_path, checks=SOME, open_one=opening(Refusing))
    assert {f.verdict for f in report.findings} == {"FAIL"}
    assert {f.got for f in report.findings} == {"BackendError: The renderer is gone."}
    assert report.pictures == {}


def test_a_backend_that_does_not_open_is_a_finding(tmp_path):
    def open_none(name):
        raise BackendError("No RTX GPU here.")

    report = self_test("planted", out=tmp_path, checks=SOME, open_one=open_none)
    assert (report.passed, report.failed) == (False, ("start",))
    assert report.findings[0].got == "BackendError: No RTX GPU here."
    assert [f.verdict for f in report.findings[1:]] == ["SKIPPED"] * len(SOME)
    assert (tmp_path / "report.md").exists()


def test_an_unknown_name_is_wrong_usage(tmp_path):
    with pytest.raises(UnknownNameError, match="mujoco"):
        self_test("mujcoo", out=tmp_path)


def test_nothing_checked_is_no_pass(tmp_path):
    physics = tuple(c for c in CHECKS if c.needs == "physics")
    report = self_test("raycast", out=tmp_path, checks=physics)
    assert not report.passed
    assert {(f.verdict, f.reason) for f in report.findings} == {("SKIPPED", "rays know no physics")}


def test_the_ray_caster_passes_what_applies_to_it(tmp_path):
    cheap = tuple(c for c in CHECKS if c.name != "agreement")
    report = self_test("raycast", out=tmp_path, quick=True, checks=cheap)
    assert report.passed, report.describe()
    reasons = {f.check: f.reason for f in report.findings if f.verdict == "SKIPPED"}
    assert set(reasons) == {
        "leaf prims", "amodal masks", "normals", "point cloud", "image matches labels", "fresh image", "settle, dropped cube",
        "settle, crooked stack", "settled poses are seen", "free fall", "memory",
    }  # fmt: skip
    assert all(reasons.values())


def test_an_earlier_report_does_not_survive(tmp_path):
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures/old.png").write_bytes(b"old")
    self_test("raycast", out=tmp_path, checks=SOME[:1])
    assert not (tmp_path / "pictures/old.png").exists()
    with pytest.raises(BackendError, match="--out"):
        self_test("raycast", out=tmp_path / "report.md")


@pytest.mark.parametrize(("extra", "word"), [((), "PASS: raycast"), (("--json",), '"passed": true')])
def test_the_command_prints_and_exits_by_the_verdict(tmp_path, capsys, monkeypatch, extra, word):
    monkeypatch.setattr("sim.selftest.session.self_test.__kwdefaults__", self_test.__kwdefaults__ | {"checks": SOME})
    assert rehearse.main(["doctor", "--backend", "raycast", "--out", str(tmp_path), *extra]) == 0
    said = capsys.readouterr()
    assert word in said.out
    assert "SKIPPED settle, dropped cube" in said.err
    assert str(tmp_path / "report.md") in said.err


@pytest.mark.parametrize(
    ("outcomes", "holds"),
    [((True, True), True), ((True, False), False), ((True, None), True), ((None, None), None), ((None, False), False)],
)
def test_outcomes_add_up(outcomes, holds):
    made = [skipped("why") if o is None else Outcome(expected="e", got=str(o), holds=o) for o in outcomes]
    assert all_of(*made).holds is holds


def test_no_number_does_not_hold():
    assert within("e", float("nan"), 1.0, "mm").holds is False
