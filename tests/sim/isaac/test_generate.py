"""`generate` with the isaac backend on the FAKE: every suite, every annotator, cameras, sequences, eyes; restarts and deaths."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sim.annotators.registry import ANNOTATORS, choose
from sim.capture import Capture
from sim.dataset import Dataset
from sim.generate import GenerateSpec, generate
from sim.isaac.settings import IsaacSettings
from sim.sensors.library import load_profile
from tests.sim.isaac.fake_source import DyingAtTheEnd, DyingOnce, FakeIsaacSource

SIZE = (80, 60)


def spec_of(folder: Path, suite: str = "tabletop", frames: int = 3, **more) -> GenerateSpec:
    return GenerateSpec(**{"suite": suite, "out": folder / "set", "frames": frames, "size": SIZE, "backend": "isaac"} | more)


def make(spec: GenerateSpec, source=FakeIsaacSource, **more):
    return generate(spec, progress=False, open_source=source, **more)


@pytest.mark.parametrize(
    "suite", ["tabletop", *(pytest.param(name, marks=pytest.mark.slow) for name in ("household", "tabletop-clutter"))]
)
def test_every_suite_has_the_labels_that_mujoco_has(tmp_path, suite):
    summary = make(spec_of(tmp_path, suite, stages=False))
    assert (summary.frames, summary.proof.agreeing) == (3, summary.proof.checked)
    generate(
        GenerateSpec(suite=suite, out=tmp_path / "mujoco", frames=3, size=SIZE, stages=False, workers=1), progress=False
    )
    mine, other = Dataset.open(tmp_path / "set"), Dataset.open(tmp_path / "mujoco")
    assert mine.names == other.names  # three cameras of one scene
    for a, b in zip(mine, other, strict=True):
        assert [(r.body_name, r.world_from_body) for r in a.truth.objects] == [
            (r.body_name, r.world_from_body) for r in b.truth.objects
        ]
        same = (a.truth.semantic == b.truth.semantic) & (a.truth.instance == b.truth.instance)
        assert same.mean() > 0.995
        off = np.abs(a.truth.depth_m - b.truth.depth_m)[same & np.isfinite(b.truth.depth_m)]
        assert np.median(off) < 1e-5
    found = mine.manifest.generator
    assert found.backend == "isaac"
    assert "rt_subframes=16" in found.backend_version
    assert (tmp_path / "processes").read_text().split()[1:] == ["1", "False"]  # one worker, one GPU


def test_all_annotators_of_a_sequence_with_two_eyes(tmp_path):
    capture = Capture(annotators=("all",), sequence=2, motion="both", stereo_m=0.06)
    assert set(capture.annotators) == set(choose(["all"], sequence=True, stereo=True)) == set(ANNOTATORS)
    make(spec_of(tmp_path, frames=12, capture=capture))
    found = Dataset.open(tmp_path / "set")
    found.verify()
    assert len(found) == 12
    moving = [k for k in range(12) if np.abs(found.annotation(k, "motion_vectors")).max() > 0.5]
    assert len(moving) == 6  # the second moment of every camera and eye
    assert (tmp_path / "set" / "scenes" / "scene_000000.usdc").exists()


@pytest.mark.slow
def test_a_sensor_with_a_lens(tmp_path):
    make(spec_of(tmp_path, sensor=load_profile("webcam"), proof=True))
    assert Dataset.open(tmp_path / "set")[0].camera.distortion is not None


def test_a_process_ends_after_its_frames_and_how_it_ends_does_not_count(tmp_path):
    settings = IsaacSettings(restart_frames=3)
    summary = make(spec_of(tmp_path, frames=6, isaac=settings, stages=False), DyingAtTheEnd)
    assert len({line.split()[0] for line in (tmp_path / "processes").read_text().splitlines()}) == 2
    assert (summary.frames, summary.retried, len(Dataset.open(tmp_path / "set"))) == (6, 0, 6)


def test_a_process_that_dies_loses_its_scene_only(tmp_path):
    summary = make(spec_of(tmp_path, frames=6, stages=False), DyingOnce)
    assert (summary.frames, summary.retried) == (6, 1)
    Dataset.open(tmp_path / "set").verify()
