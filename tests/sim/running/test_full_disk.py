"""On a disk that is really full, a run ends in one sentence and leaves whole files only; with room again it goes on."""

from __future__ import annotations

import os
import subprocess

import pytest

from scenes.errors import DatasetError
from sim.convert import ConvertSpec, convert
from sim.dataset import Dataset
from sim.generate import generate
from sim.running.merge import merge
from sim.running.run_plan import RunPlan, Shard
from tests.sim.fake_frames import FakeSource
from tests.sim.running.test_executors import reference  # noqa: F401  # a fixture
from tests.sim.test_generate import contents, make_spec


@pytest.fixture
def small_disk(tmp_path):
    """Mounts a disk of its own and yields it with a function that changes its size; skips where that is not allowed."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip(f"no tmpfs can be mounted here: {done.stderr.decode().strip()}")
    try:
        yield folder, lambda size: subprocess.run(["mount", "-o", f"remount,size={size}", str(folder)], check=True)
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_generating_goes_on_when_there_is_room_again(small_disk, reference):  # noqa: F811
    disk, resize = small_disk
    spec = make_spec(disk / "d", frames=12, workers=1)
    resize("280k")  # a frame takes 60 to 70 KiB of pages
    with pytest.raises(DatasetError, match=r"Cannot write the data set .*No space left on device"):
        generate(spec, plan=RunPlan(keep_going=True), progress=False, open_source=FakeSource)
    published = contents(spec.out)
    assert published.items() <= reference.items()
    with pytest.raises(DatasetError, match="not finished"):
        Dataset.open(spec.out)
    resize("8m")
    generate(spec, progress=False, open_source=FakeSource)
    assert contents(spec.out) == reference


def test_converting_and_merging_go_on_when_there_is_room_again(small_disk, tmp_path, reference):  # noqa: F811
    disk, resize = small_disk
    spec = make_spec(tmp_path / "part", frames=12, workers=1)
    generate(spec, plan=RunPlan(shard=Shard(index=1, count=1)), progress=False, open_source=FakeSource)
    resize("280k")
    with pytest.raises(DatasetError, match=r"No space left on device.*same command again"):
        merge([spec.out], disk / "whole", progress=False)
    assert not (disk / "whole").exists()
    resize("8m")
    merge([spec.out], disk / "whole", progress=False)
    assert contents(disk / "whole") == reference

    to_coco = ConvertSpec(dataset=disk / "whole", out=disk / "coco", to="coco")
    used = int(
        subprocess.run(["df", "--output=used", "-k", str(disk)], capture_output=True, check=True).stdout.split()[-1]
    )
    resize(f"{used + 100}k")
    with pytest.raises(DatasetError, match=r"No space left on device.*same command again"):
        convert(to_coco, progress=False)
    assert not (disk / "coco").exists()
    resize("8m")
    assert 0 < convert(to_coco, progress=False).frames_made < 12
    convert(ConvertSpec(dataset=disk / "whole", out=tmp_path / "coco", to="coco"), progress=False)
    assert contents(disk / "coco") == contents(tmp_path / "coco")
