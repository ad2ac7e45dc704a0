"""A Rerun recording holds every frame asked for, passes Rerun's own check, and a missing Rerun is one sentence."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from scenes.errors import DatasetError
from sim.generate import GenerateSpec, generate
from sim.rerun_recording import write_recording
from tests.sim.fake_frames import FakeSource

HAS_RERUN = importlib.util.find_spec("rerun") is not None


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    spec = GenerateSpec(suite="tabletop", out=tmp_path / "d", frames=4, size=(64, 48), workers=1, stages=False)
    generate(spec, progress=False, open_source=FakeSource)
    return spec.out


@pytest.mark.skipif(not HAS_RERUN, reason="needs the extra `view` (rerun-sdk)")
def test_a_recording_passes_reruns_own_check_and_names_every_kind_of_truth(dataset: Path, tmp_path: Path) -> None:
    out = tmp_path / "view" / "d.rrd"
    seen: list[tuple[int, int]] = []
    assert write_recording(dataset, out, frames=3, progress=lambda *at: seen.append(at)) == 3
    assert seen == [(1, 3), (2, 3), (3, 3)]
    tool = [str(Path(sys.executable).with_name("rerun")), "rrd"]
    subprocess.run([*tool, "verify", str(out)], check=True, capture_output=True, timeout=60)
    said = subprocess.run([*tool, "print", "-v", str(out)], check=True, capture_output=True, timeout=60, text=True).stdout
    for entity in ("/world/camera/image/rgb", "/world/camera/image/depth", "/world/camera/image/semantic", "/world/boxes"):
        assert entity in said


@pytest.mark.skipif(HAS_RERUN, reason="rerun-sdk is installed")
def test_without_rerun_the_extra_is_named_and_nothing_is_written(dataset: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"rerun-sdk.*rehearse-perception\[view\]"):
        write_recording(dataset, tmp_path / "out.rrd")
    assert not (tmp_path / "out.rrd").exists()
