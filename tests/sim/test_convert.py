"""A conversion appears whole, is gone on with after a kill, gives the same bytes every time and overwrites nothing."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from scenes.errors import DatasetError, UnknownNameError
from sim.convert import FORMATS, ConvertSpec, convert
from sim.formats.coco import CocoExport
from sim.generate import GenerateSpec, generate
from tests.sim.fake_frames import FakeSource
from tests.sim.test_generate import contents

FAKE = ("basicwriter", "coco", "hdf5", "webdataset", "yolo")  # BOP needs scenes that can be made again


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("convert") / "data"
    spec = GenerateSpec(suite="tabletop", out=folder, frames=7, split="test", size=(64, 48), workers=1)
    generate(spec, progress=False, open_source=FakeSource)
    return folder


def spec_of(written, out, to="coco", **options):
    return ConvertSpec(dataset=written, out=out, to=to, **options)


@pytest.mark.parametrize("to", FAKE)
def test_the_same_bytes_every_time_and_no_trace_of_the_making(written, tmp_path, to):
    for name in ("a", "b"):
        seen = []
        summary = convert(spec_of(written, tmp_path / name, to), progress=lambda *at, seen=seen: seen.append(at))
        assert (summary.frames, summary.frames_made) == (7, 7)
        assert seen[0] == (0, 7)
        assert seen[-1] == (7, 7)
        assert "out" in summary.to_dict()
    assert contents(tmp_path / "a") == contents(tmp_path / "b") != {}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b"]


def test_a_killed_conversion_goes_on_and_ends_with_the_same_bytes(written, tmp_path, root_dir):
    convert(spec_of(written, tmp_path / "reference"), progress=False)
    code = (
        "import os, signal; from pathlib import Path; from sim.convert import *; from sim.formats.coco import CocoExport\n"
        "real = CocoExport.write_part\n"
        "def part(self, k, folder):\n"
        "    done = real(self, k, folder)\n"
        "    if k == 4: os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return done\n"
        "CocoExport.write_part = part\n"
        f"convert(ConvertSpec(dataset=Path({str(written)!r}), out=Path({str(tmp_path / 'out')!r}), to='coco'), progress=False)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root_dir, check=False, env=os.environ | {"PYTHONPATH": str(root_dir)}
    )
    assert done.returncode == -signal.SIGKILL
    assert not (tmp_path / "out").exists()
    with pytest.raises(DatasetError, match="other arguments or data"):
        convert(spec_of(written, tmp_path / "out", polygons=True), progress=False)
    summary = convert(spec_of(written, tmp_path / "out"), progress=False)
    assert summary.frames_made == 3
    assert contents(tmp_path / "out") == contents(tmp_path / "reference")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out", "reference"]


def test_nothing_is_overwritten(written, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("years of work")
    for out in (tmp_path / "full", tmp_path / "full" / "thesis.txt", written):
        with pytest.raises(DatasetError, match="already there"):
            convert(spec_of(written, out), progress=False)
    (tmp_path / "empty").mkdir()
    assert convert(spec_of(written, tmp_path / "empty"), progress=False).frames == 7
    assert [p.name for p in (tmp_path / "full").iterdir()] == ["thesis.txt"]


def test_a_damaged_file_is_named_and_what_was_made_is_kept(written, tmp_path):
    copy = shutil.copytree(written, tmp_path / "copy")
    (copy / "rgb_0003.png").write_bytes(b"no picture")
    with pytest.raises(DatasetError, match=r"rgb_0003\.png is damaged"):
        convert(spec_of(copy, tmp_path / "out"), progress=False)
    shutil.copy(written / "rgb_0003.png", copy / "rgb_0003.png")
    assert convert(spec_of(copy, tmp_path / "out"), progress=False).frames_made == 4


def test_a_full_disk_ends_in_one_sentence_and_the_conversion_goes_on(written, tmp_path, monkeypatch):
    def full(_self, _folder, _records):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(CocoExport, "finish", full)
        with pytest.raises(DatasetError, match=r"No space left.*same command again"):
            convert(spec_of(written, tmp_path / "out"), progress=False)
    assert not (tmp_path / "out").exists()
    assert convert(spec_of(written, tmp_path / "out"), progress=False).frames_made == 0


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"to": "cocoo"}, UnknownNameError, "Did you mean 'coco'"),
        ({"to": "yolo", "polygons": True}, DatasetError, "polygons belongs to the format coco"),
        ({"to": "coco", "render_products": True}, DatasetError, "render products belongs to the format basicwriter"),
        ({"to": "coco", "shard_frames": 3}, DatasetError, "shard frames belongs to the format webdataset"),
        ({"to": "webdataset", "shard_frames": -1}, DatasetError, "at least 1 frame"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(tmp_path, changes, error, message):
    with pytest.raises(error, match=message):
        ConvertSpec(dataset=tmp_path, out=tmp_path, **changes)


def test_every_format_is_known_by_name():
    assert list(FORMATS) == sorted({*FAKE, "bop"})
